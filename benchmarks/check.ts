/**
 * `npm run bench:check`: the quick form against one peer in the same run. It fails where samsa, measured by that
 * peer, has lost more than a fifth of what check.json says it had, and passes on a slow machine as on a fast
 * one. `-- --update` writes what is measured now into check.json.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { Command } from 'commander'
import { appendTo } from '../src/cluster/append-to.ts'
import { builtCommand } from '../test/support/built.ts'
import { NEWEST_KAFKA } from '../test/support/kafka/versions.ts'
import { messageOf } from '../test/support/kafka/wait.ts'
import { guardedQuestions, PEER, ratiosOf, type Ratios } from './guarded.ts'
import { CLIENTS } from './runner/clients.ts'
import { contestsOf, findOut } from './runner/contests.ts'
import type { CaseOutcome } from './runner/outcome.ts'
import { planOf } from './runner/plan.ts'
import { Progress } from './runner/progress.ts'
import type { Scale } from './runner/question.ts'
import { Sites } from './runner/sites.ts'
import { inTurns } from './runner/turns.ts'

const FILE = new URL('check.json', import.meta.url)
/** Of what is stored. */
const LEAST = 0.8
/** All its own, so that what is stored stays comparable. */
const SCALE: Scale = {
  rounds: 3,
  limitMs: 1_500,
  warmUpMs: 2_000,
  messages: 1_000_000,
  bytes: 100_000_000,
}

async function measure(signal: AbortSignal): Promise<Ratios> {
  const clients = CLIENTS.filter(({ name }) => name === 'samsa' || name === PEER)
  const contenders = await findOut(clients, signal)
  for (const { client, description } of contenders) {
    if (typeof description === 'string') throw new Error(`${client.name}: ${description}`)
  }
  const asking = { scale: SCALE, kafka: NEWEST_KAFKA, isChosen: true }
  const contests = contestsOf(guardedQuestions(), contenders, asking)
  const plans = planOf(contests)
  const entries = plans.flatMap((plan) => plan.entries)
  const progress = new Progress(process.stderr, entries)
  const options = { kafka: NEWEST_KAFKA }
  await using sites = new Sites(options, contests, signal, (text) => progress.say(text))
  const siteFor = sites.siteFor.bind(sites)
  const outcomes = new Map<string, CaseOutcome[]>()
  const turns = inTurns(plans, { signal, progress, siteFor })
  for await (const { contest, outcome } of turns) {
    appendTo(outcomes, contest.question.name, outcome)
  }
  return ratiosOf(outcomes)
}

function stored(): Ratios {
  const ratios: unknown = JSON.parse(readFileSync(FILE, 'utf8'))
  if (typeof ratios !== 'object' || ratios === null) throw new Error('check.json is damaged')
  return Object.fromEntries(Object.entries(ratios).map(([name, ratio]) => [name, Number(ratio)]))
}

/** True where nothing was lost. */
function compare(measured: Ratios, before: Ratios): boolean {
  let isGood = true
  for (const [name, ratio] of Object.entries(measured)) {
    const expected = before[name]
    const isLost = expected === undefined || ratio < LEAST * expected
    const had = expected === undefined ? 'nothing is stored' : `stored: ${expected.toFixed(1)}`
    const verdict = isLost ? 'LOST' : 'good'
    console.log(`${verdict}  ${name}: ${PEER} needs ${ratio.toFixed(1)} times the CPU (${had})`)
    isGood &&= !isLost
  }
  return isGood
}

async function check(update: boolean, signal: AbortSignal): Promise<boolean> {
  builtCommand() // The build in dist is what is measured.
  const measured = await measure(signal)
  if (update) {
    writeFileSync(FILE, `${JSON.stringify(measured, (_, value: unknown) => rounded(value), 2)}\n`)
    return true
  }
  if (compare(measured, stored())) return true
  // A machine that was busy with something else for a while must not fail it.
  console.log('Once more, to be sure:')
  return compare(await measure(signal), stored())
}

function rounded(value: unknown): unknown {
  return typeof value === 'number' ? Number(value.toPrecision(3)) : value
}

async function main(): Promise<void> {
  const { update } = new Command('npm run bench:check --')
    .description(`Compares samsa with ${PEER} in one run, and with what was stored`)
    .option('--update', 'store what is measured now', false)
    .showHelpAfterError('(--help lists the options)')
    .parse()
    .opts<{ update: boolean }>()
  const interruption = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.once(name, () =>
      interruption.abort(new Error('Interrupted: all that was started is ended')),
    )
  }
  try {
    if (!(await check(update, interruption.signal))) process.exitCode = 1
  } catch (error) {
    console.error(messageOf(error))
    process.exitCode = interruption.signal.aborted ? 130 : 1
  }
}

void main()
