/** Holds the contests one after the other, and in each the clients run in turns (A B C A B C …). */
import { messageOf } from '../../test/support/kafka/wait.ts'
import type { Contender, Contest } from './contests.ts'
import { measure } from './driver.ts'
import type { CaseOutcome, Outcome } from './outcome.ts'
import { isRun, type Entry, type Plan } from './plan.ts'
import type { Progress } from './progress.ts'
import type { Site } from './site.ts'
import type { Measurement, Task } from './task.ts'

/** A client that fails this often, or for this long, is not measured again: the next run would not be better. */
const MOST_FAILURES = 2
const LONG_FAILURE_MS = 15_000
/** Node.js puts the process id there. */
const PID = '${pid}'

export interface TurnOptions {
  readonly signal: AbortSignal
  readonly progress: Progress
  readonly siteFor: (contest: Contest) => Promise<Site>
  /** Where clients leave CPU profiles, those that can. */
  readonly profileFolder?: string
}

/** The outcomes in the order of the plans, each as soon as it is there. */
export async function* inTurns(
  plans: readonly Plan[],
  options: TurnOptions,
): AsyncGenerator<{ readonly contest: Contest; readonly outcome: CaseOutcome }> {
  const known = new Map<Entry, Outcome>()
  for (const { contest, entries } of plans) {
    for (const [entry, outcome] of await hold(contest, entries.filter(isRun), options)) {
      known.set(entry, outcome)
    }
    const outcomes = entries.map((entry) => known.get(entry) ?? outcomeElse(entry, known))
    yield { contest, outcome: { case: contest.asked, outcomes } }
  }
}

/** Of one that is not measured here: it can't do it, isn't installed, or has done it before. */
function outcomeElse(
  { contender: { client, description }, sameAs }: Entry,
  known: ReadonlyMap<Entry, Outcome>,
): Outcome {
  const before = sameAs && known.get(sameAs)
  if (before !== undefined) return { ...before, sameAs: sameAs!.title }
  const failures = typeof description === 'string' ? [description] : []
  return { client: client.name, way: '', rounds: [], failures, tookMs: 0 }
}

/** All rounds of one contest. */
async function hold(
  contest: Contest,
  entries: readonly Entry[],
  { signal, progress, siteFor, profileFolder }: TurnOptions,
): Promise<ReadonlyMap<Entry, Outcome>> {
  const { rounds } = contest
  const runs = new Map(entries.map((entry) => [entry, new Run()]))
  for (let round = 1; round <= rounds; round++) {
    for (const [entry, run] of runs) {
      const { contender, name } = entry
      if (run.isGivenUp) {
        progress.leaveOut(entry)
        continue
      }
      progress.begin(entry, `round ${round} of ${rounds}`)
      const nodeOptions = profiling(contender, profileFolder, `${name} ${round}`)
      try {
        const site = await siteFor(contest)
        await site.prepare(contest.asked)
        const once = (task: Task) => measure(contender.client, task, signal, nodeOptions)
        await site.warmUp(contest.asked, once)
        await run.take(() => site.run(contest.asked, once))
      } catch (error) {
        signal.throwIfAborted()
        // One run that failed must not end the others.
        run.failures.push(messageOf(error))
        progress.say(`${name} failed: ${messageOf(error).split('\n')[0]!}`)
      }
      progress.end(entry, run.lastMs)
    }
  }
  return new Map([...runs].map(([entry, run]) => [entry, run.outcome(entry)]))
}

/** What has come of the rounds of an entry so far. */
class Run {
  readonly failures: string[] = []
  readonly #measured: Measurement[] = []
  #tookMs = 0
  /** What its last round took, with starting, warming up and closing. */
  lastMs = 0

  get isGivenUp(): boolean {
    const { length } = this.failures
    return length >= MOST_FAILURES || (length > 0 && this.lastMs > LONG_FAILURE_MS)
  }

  async take(measureOnce: () => Promise<Measurement>): Promise<void> {
    const startedAt = performance.now()
    try {
      this.#measured.push(await measureOnce())
    } finally {
      this.lastMs = performance.now() - startedAt
      this.#tookMs += this.lastMs
    }
  }

  outcome({ contender: { client }, way }: Entry): Outcome {
    const { failures } = this
    return { client: client.name, way, rounds: this.#measured, failures, tookMs: this.#tookMs }
  }
}

/** Node's options for leaving a CPU profile, with a name that says what it is of. */
function profiling({ description }: Contender, folder: string | undefined, what: string): string[] {
  const isNode = typeof description !== 'string' && description.runtime.startsWith('Node')
  if (folder === undefined || !isNode) return []
  const name = what.replaceAll(/[^\w.]+/g, '-')
  // With the process id, as several processes may share a task.
  return ['--cpu-prof', `--cpu-prof-dir=${folder}`, `--cpu-prof-name=${name}-${PID}.cpuprofile`]
}
