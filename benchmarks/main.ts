/**
 * `npm run bench`: samsa beside other clients, on one machine, in one run. docs/benchmarks.md says how to
 * read what comes out.
 */
import { builtCommand } from '../test/support/built.ts'
import { messageOf } from '../test/support/kafka/wait.ts'
import { parseOptions, type BenchOptions } from './options.ts'
import { QUESTIONS } from './questions/index.ts'
import { aligned, cellsOf, missingLines } from './report/text.ts'
import { CLIENTS } from './runner/clients.ts'
import { tableOf } from './runner/outcome.ts'
import { FULL, QUICK } from './runner/question.ts'
import { Sites } from './runner/sites.ts'
import { contestsOf, findOut, inTurns } from './runner/turns.ts'

async function bench(options: BenchOptions, signal: AbortSignal): Promise<void> {
  builtCommand() // The build in dist is what is measured.
  const given = options.quick ? QUICK : FULL
  const scale = { ...given, rounds: options.rounds ?? given.rounds }
  const contenders = await findOut(options.clients ?? CLIENTS, signal)
  for (const { client, description } of contenders) {
    if (typeof description === 'string') console.error(`${client.name}: ${description}`)
  }
  const questions = options.only ?? QUESTIONS
  const contests = contestsOf(questions, contenders, scale, options.clients !== undefined)
  await using sites = new Sites(options, signal, (text) => console.error(text))
  const siteFor = sites.siteFor.bind(sites)
  const outcomes = await inTurns(contests, { rounds: scale.rounds, signal, siteFor })
  for (const [index, { question, asked }] of contests.entries()) {
    const table = tableOf(outcomes[index]!)
    console.log(`\n${question.title}: ${asked.title}\n`)
    console.log(aligned(cellsOf(table)))
    for (const line of missingLines(table)) console.log(`  ${line}`)
  }
}

async function main(): Promise<void> {
  const options = parseOptions(process.argv)
  const interruption = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.once(name, () =>
      interruption.abort(new Error('Interrupted: all that was started is ended')),
    )
  }
  try {
    await bench(options, interruption.signal)
  } catch (error) {
    console.error(`\n${messageOf(error)}`)
    process.exitCode = interruption.signal.aborted ? 130 : 1
  }
}

void main()
