/** Holds the contests one after the other, and in each the clients run in turns (A B C A B C …). */
import { messageOf } from '../../test/support/kafka/wait.ts'
import { wayOf, type Contender, type Contest } from './contests.ts'
import { measure } from './driver.ts'
import type { CaseOutcome } from './outcome.ts'
import { Progress } from './progress.ts'
import type { Site } from './site.ts'
import type { Measurement, Task } from './task.ts'

/** What of a run is not its own time: starting, connecting, warming up, making and deleting topics. */
const OVERHEAD_MS = 4_000
/** Node.js puts the process id there. */
const PID = '${pid}'

export interface TurnOptions {
  readonly rounds: number
  readonly signal: AbortSignal
  readonly siteFor: (contest: Contest) => Promise<Site>
  /** Where clients leave CPU profiles, those that can. */
  readonly profileFolder?: string
}

/** The outcomes in the order of the contests, each as soon as it is there. */
export async function* inTurns(
  contests: readonly Contest[],
  options: TurnOptions,
): AsyncGenerator<{ readonly contest: Contest; readonly outcome: CaseOutcome }> {
  const kinds = contests.flatMap((contest) =>
    contest.contenders
      .filter((one) => wayOf(one, contest.asked) !== undefined)
      .map((one) => kindOf(contest, one)),
  )
  const guessMs = (contests[0]?.asked.limitMs ?? 0) + OVERHEAD_MS
  const progress = new Progress(process.stderr, kinds, options.rounds, guessMs)
  for (const contest of contests) {
    yield { contest, outcome: await hold(contest, options, progress) }
  }
  progress.close()
}

/** All rounds of one contest. */
async function hold(
  contest: Contest,
  { rounds, signal, siteFor, profileFolder }: TurnOptions,
  progress: Progress,
): Promise<CaseOutcome> {
  const { asked } = contest
  const entries = contest.contenders.map((contender) => ({
    contender,
    way: wayOf(contender, asked) ?? '',
    measured: [] as Measurement[],
    failures: typeof contender.description === 'string' ? [contender.description] : [],
  }))
  const able = entries.filter(({ way }) => way !== '')
  for (let round = 1; round <= rounds; round++) {
    for (const { contender, measured, failures } of able) {
      const kind = kindOf(contest, contender)
      progress.begin(kind, `round ${round} of ${rounds}`)
      // What fails once fails again, often only after a long wait.
      if (failures.length === 0) {
        try {
          const nodeOptions = profiling(contender, profileFolder, `${kind} ${round}`)
          const once = (task: Task) => measure(contender.client, task, signal, nodeOptions)
          const site = await siteFor(contest)
          measured.push(await site.run(asked, once))
        } catch (error) {
          signal.throwIfAborted()
          // One run that failed must not end hours of others.
          failures.push(messageOf(error))
          progress.say(`${kind} failed: ${messageOf(error).split('\n')[0]!}`)
        }
      }
      progress.end(kind)
    }
  }
  return {
    case: asked,
    outcomes: entries.map(({ contender: { client }, way, measured, failures }) => {
      return { client: client.name, way, rounds: measured, failures }
    }),
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

function kindOf({ question, asked }: Contest, { client }: Contender): string {
  return `${question.name}: ${asked.title}: ${client.name}`
}
