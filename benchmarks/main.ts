/**
 * `npm run bench`: samsa beside other clients, on one machine, in one run. docs/benchmarks.md says how to
 * read what comes out.
 */
import { join } from 'node:path'
import { builtCommand } from '../test/support/built.ts'
import { messageOf } from '../test/support/kafka/wait.ts'
import { parseOptions, type BenchOptions } from './options.ts'
import { QUESTIONS } from './questions/index.ts'
import { thisMachine } from './report/machine.ts'
import type { Report } from './report/report.ts'
import { save } from './report/save.ts'
import { aligned, cellsOf, missingLines } from './report/text.ts'
import { CLIENTS, type Client } from './runner/clients.ts'
import { contestsOf, findOut, roundsOf } from './runner/contests.ts'
import { tableOf, type CaseOutcome, type QuestionOutcome } from './runner/outcome.ts'
import { isRun, planOf } from './runner/plan.ts'
import { Progress } from './runner/progress.ts'
import { FULL, QUICK, type Question, type Scale } from './runner/question.ts'
import { Sites } from './runner/sites.ts'
import { inTurns } from './runner/turns.ts'

async function bench(options: BenchOptions, signal: AbortSignal): Promise<void> {
  builtCommand() // The build in dist is what is measured.
  const date = new Date().toISOString()
  const folder = options.out ?? join('benchmarks/results', date.slice(0, 19).replaceAll(':', ''))
  const scale = scaleOf(options)
  const contenders = await findOut(clientsOf(options), signal)
  for (const { client, description } of contenders) {
    if (typeof description === 'string') console.error(`${client.name}: ${description}`)
  }
  const questions = options.only ?? QUESTIONS
  const contests = contestsOf(questions, contenders, {
    scale,
    once: options.once,
    kafka: options.kafka,
    isChosen: options.clients !== undefined,
  })
  const outcomes = new Map<Question, CaseOutcome[]>(questions.map((question) => [question, []]))
  const report = (): Report => ({
    date,
    command: commandLine(process.argv.slice(2)),
    kafka:
      options.brokers === undefined
        ? `Kafka ${options.kafka}, one broker on the same machine`
        : 'given by --brokers',
    machine: thisMachine(),
    scale,
    clients: contenders.map(({ client, description }) => ({ name: client.name, description })),
    questions: questions.map((question) => ({
      ...outcomeOf(question, outcomes.get(question)!),
      rounds: roundsOf(question, { scale, once: options.once }),
    })),
  })
  const plans = planOf(contests)
  const entries = plans.flatMap((plan) => plan.entries).filter(isRun)
  const progress = new Progress(process.stderr, entries)
  await using sites = new Sites(options, contests, signal, (text) => progress.say(text))
  const rounds = inTurns(plans, {
    signal,
    progress,
    siteFor: (contest) => sites.siteFor(contest),
    ...(options.profile ? { profileFolder: join(folder, 'profiles') } : {}),
  })
  for await (const { contest, outcome } of rounds) {
    outcomes.get(contest.question)!.push(outcome)
    print(contest.question, outcome)
    // After each case, so that a run that is interrupted leaves what it has measured.
    if (options.save) save(report(), folder)
  }
  progress.close()
  if (options.save) console.log(`\n${join(folder, 'report.md')}`)
}

/** What to run to get such a report again; where it was put doesn't matter. */
function commandLine(args: readonly string[]): string {
  const kept = args.filter((arg, at) => !/^--out\b/.test(arg) && args[at - 1] !== '--out')
  return ['npm run bench', ...(kept.length > 0 ? ['--', ...kept] : [])].join(' ')
}

function scaleOf({ quick, rounds }: BenchOptions): Scale {
  const scale = quick ? QUICK : FULL
  return { ...scale, rounds: rounds ?? scale.rounds }
}

function clientsOf({ clients = CLIENTS, without }: BenchOptions): readonly Client[] {
  return clients.filter((client) => !without.includes(client))
}

function outcomeOf(
  question: Question,
  cases: readonly CaseOutcome[],
): Omit<QuestionOutcome, 'rounds'> {
  const { name, title, about, curve, isOneTable, kafka = '' } = question
  return {
    ...{ name, title, about, kafka, cases },
    ...(curve === undefined ? {} : { curve }),
    ...(isOneTable === undefined ? {} : { isOneTable }),
  }
}

function print({ title }: Question, outcome: CaseOutcome): void {
  const table = tableOf(outcome)
  const lines = missingLines(table).map((line) => `  ${line}`)
  console.log(
    ['', `${title}: ${outcome.case.title}`, '', aligned(cellsOf(table)), ...lines].join('\n'),
  )
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
