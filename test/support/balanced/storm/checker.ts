import type { Life } from './events.ts'

/** What a process was handed before it was stopped may be written down when it goes on: one message, at once. */
const HANDED_BEFORE_STOP_MS = 100

interface Delivery {
  readonly at: number
  readonly name: string
  readonly partition: number
  readonly offset: number
}

export interface Verdict {
  readonly delivered: number
  readonly duplicates: number
  /** What must not have happened. */
  readonly problems: readonly string[]
}

/**
 * Reads what all processes wrote: whether every message was delivered, by who owned its partition at that
 * moment and by nobody else, and again only where the process that had it did not come to commit it.
 */
export function check(lives: readonly Life[], ends: ReadonlyMap<number, number>): Verdict {
  const deliveries = lives.flatMap(deliveriesOf).sort((a, b) => a.at - b.at)
  const problems = [
    ...lost(deliveries, ends),
    ...byOthers(lives, deliveries),
    ...wrongDuplicates(lives, deliveries),
  ]
  const distinct = new Set(deliveries.map(({ partition, offset }) => `${partition}:${offset}`))
  return { delivered: distinct.size, duplicates: deliveries.length - distinct.size, problems }
}

function deliveriesOf(life: Life): Delivery[] {
  return life.events.flatMap((event) =>
    event.what === 'message'
      ? [
          {
            at: handedOverAt(life, event.at),
            name: life.name,
            partition: event.partition,
            offset: event.offset,
          },
        ]
      : [],
  )
}

/** The first message after a process was stopped had been handed over before, if it is written at once. */
function handedOverAt({ events, deeds }: Life, at: number): number {
  const index = deeds.findIndex((deed) => {
    if (deed.what !== 'continue' || at < deed.at || at > deed.at + HANDED_BEFORE_STOP_MS)
      return false
    return !events.some((one) => one.what === 'message' && one.at > deed.at && one.at < at)
  })
  const stopped = deeds.slice(0, Math.max(0, index)).findLast(({ what }) => what === 'stop')
  return stopped?.at ?? at
}

function lost(deliveries: readonly Delivery[], ends: ReadonlyMap<number, number>): string[] {
  const seen = new Set(deliveries.map(({ partition, offset }) => `${partition}:${offset}`))
  return [...ends].flatMap(([partition, end]) => {
    const missing = Array.from({ length: end }, (_, offset) => offset).filter(
      (offset) => !seen.has(`${partition}:${offset}`),
    )
    return missing.length === 0
      ? []
      : [`partition ${partition}: ${missing.length} messages were lost, the first is ${missing[0]}`]
  })
}

/** Deliveries by one to whom the partition was not the last to be assigned. */
function byOthers(lives: readonly Life[], deliveries: readonly Delivery[]): string[] {
  const assignments = lives
    .flatMap(({ name, events }) =>
      events.flatMap((event) =>
        event.what === 'assigned'
          ? event.partitions.map((partition) => ({ at: event.at, name, partition }))
          : [],
      ),
    )
    .sort((a, b) => a.at - b.at)
  const owners = new Map<number, string>()
  const problems: string[] = []
  let next = 0
  for (const { at, name, partition, offset } of deliveries) {
    for (; next < assignments.length && assignments[next]!.at <= at; next++) {
      owners.set(assignments[next]!.partition, assignments[next]!.name)
    }
    const owner = owners.get(partition)
    if (owner === name) continue
    problems.push(`partition ${partition}: ${name} delivered ${offset} when it was ${owner}'s`)
  }
  return problems
}

/** A message may be delivered again only if who had it was killed, or lost its session, before committing it. */
function wrongDuplicates(lives: readonly Life[], deliveries: readonly Delivery[]): string[] {
  const byMessage = new Map<string, Delivery[]>()
  for (const delivery of deliveries) {
    const key = `${delivery.partition}:${delivery.offset}`
    byMessage.set(key, [...(byMessage.get(key) ?? []), delivery])
  }
  return [...byMessage.values()].flatMap((all) =>
    all.slice(0, -1).flatMap((delivery) => {
      const { name, partition, offset, at } = delivery
      const life = lives.find((one) => one.name === name)!
      const again = all.find((other) => other.at > at)!
      if (!wasCutOff(life, partition, at, again.at)) {
        return [`partition ${partition}: ${offset} came again, though ${name} gave it up in order`]
      }
      return committed(life, partition, again.at) > offset
        ? [`partition ${partition}: ${offset} came again, though ${name} had committed it`]
        : []
    }),
  )
}

function wasCutOff({ events, deeds }: Life, partition: number, from: number, to: number): boolean {
  const wasKilled = deeds.some(({ what, at }) => what === 'kill' && at <= to)
  const wasStopped = deeds.some(({ what, at }) => what === 'stop' && at >= from && at <= to)
  const hasLost = events.some(
    (event) =>
      event.what === 'lost' &&
      event.at >= from &&
      event.at <= to &&
      event.partitions.includes(partition),
  )
  return wasKilled || wasStopped || hasLost
}

/** What is known to have been committed of a partition by that time. */
function committed({ events }: Life, partition: number, until: number): number {
  let offset = 0
  for (const event of events) {
    if (event.what !== 'committed' || event.at > until) continue
    offset = event.offsets.find(([number]) => number === partition)?.[1] ?? offset
  }
  return offset
}
