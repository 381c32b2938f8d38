import { titleOf, wayOf, type Contender, type Contest } from './contests.ts'
import { guessMs } from './guess.ts'
import type { TaskName } from './task.ts'

/** One client in one contest. */
export interface Entry {
  readonly contender: Contender
  /** How it does that, in the words of its driver; empty where it can't. */
  readonly way: string
  /** For the progress line. */
  readonly name: string
  /** The same was measured before, in that entry of another contest: it is not measured again. */
  readonly sameAs: Entry | undefined
  /** In which contest it stands. */
  readonly title: string
  /** What one round of it may take. */
  readonly guessMs: number
  readonly rounds: number
}

export interface Plan {
  readonly contest: Contest
  readonly entries: readonly Entry[]
}

/** The clients that are measured in each contest. What would be one and the same twice is measured the first time. */
export function planOf(contests: readonly Contest[]): readonly Plan[] {
  const known = new Map<string, Entry>()
  return contests.map((contest) => ({
    contest,
    entries: contest.contenders.map((contender) => {
      const way = wayOf(contender, contest.asked) ?? ''
      const title = titleOf(contest)
      const content = contentOf(contest, contender, way)
      const sameAs = way === '' ? undefined : known.get(content)
      const name = `${title}: ${contender.client.name}`
      const entry: Entry = {
        ...{ contender, way, name, title, sameAs },
        guessMs: guessMs(contest.asked, contender.client.name),
        rounds: contest.rounds,
      }
      if (way !== '' && sameAs === undefined) known.set(content, entry)
      return entry
    }),
  }))
}

/** Whether it is to be measured: it can do it, and has not done it yet. */
export function isRun({ way, sameAs }: Entry): boolean {
  return way !== '' && sameAs === undefined
}

/** The tasks whose modes are settings of the same way: the sizes of transactions, whether Storm's tuples are acked. */
const MODE_IS_SETTING: readonly TaskName[] = ['transactions', 'storm']

/**
 * All that matters to a run: neither the title of the case, nor which name the driver has for the same way.
 */
function contentOf({ question, asked }: Contest, { client }: Contender, way: string): string {
  const mode = MODE_IS_SETTING.includes(asked.task) ? asked.mode : ''
  const content = { ...asked, title: '', mode, x: 0, clients: [] }
  // Sorted, because cases name their fields in any order.
  const fields = Object.entries(content).sort(([one], [other]) => (one < other ? -1 : 1))
  return JSON.stringify([client.name, way, question.kafka ?? '', fields])
}
