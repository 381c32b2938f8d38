import type { Committed, Life } from './events.ts'

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
 * Reads what all processes wrote: whether every message was delivered, by the owner of its partition at that
 * moment and by no other process, and again only where the process that had it did not come to commit it; and whether
 * nothing was committed, as the brokers have it, that was still in process.
 */
export function check(
  lives: readonly Life[],
  ends: ReadonlyMap<number, number>,
  commits: readonly Committed[],
): Verdict {
  const deliveries = lives.flatMap(deliveriesOf).sort((a, b) => a.at - b.at)
  const problems = [
    ...lost(deliveries, ends),
    ...byOthers(lives, deliveries),
    ...wrongDuplicates(lives, deliveries, commits),
    ...committedInProcess(lives, deliveries, commits),
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

/**
 * A process may be stopped between being handed a message and writing that down: then this is the first thing that it
 * does when it continues, before anything that takes a turn of the event loop. It had the message before.
 */
function handedOverAt({ events, deeds }: Life, at: number): number {
  const goingOn = deeds.findLast((deed) => deed.what === 'continue' && deed.at < at)
  if (goingOn === undefined) return at
  if (events.some((event) => event.at > goingOn.at && event.at < at)) return at
  return deeds.findLast((deed) => deed.what === 'stop' && deed.at < goingOn.at)?.at ?? at
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

/** Deliveries by a process to which the partition was not assigned last. */
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

/** A message may be delivered again only if the process that had it was cut off before committing it. */
function wrongDuplicates(
  lives: readonly Life[],
  deliveries: readonly Delivery[],
  commits: readonly Committed[],
): string[] {
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
      switch (endOfOwning(life, partition, at)) {
        case 'given':
          return [
            `partition ${partition}: ${offset} came again, though ${name} gave it up in order`,
          ]
        case 'none':
          return [`partition ${partition}: ${offset} came again, though ${name} still had it`]
        case 'cut off':
          return committed(commits, partition, again.at) > offset
            ? [`partition ${partition}: ${offset} came again, though it was committed`]
            : []
      }
    }),
  )
}

/**
 * How it came that this process does not have the partition any more that it had at this time. When it learns of what
 * cut it off doesn't matter: on a busy machine others may know long before.
 */
function endOfOwning(
  { events, deeds }: Life,
  partition: number,
  since: number,
): 'given' | 'cut off' | 'none' {
  const told = events.find(
    (event) =>
      event.at > since &&
      (event.what === 'given' || event.what === 'lost' || event.what === 'assigned') &&
      event.partitions.includes(partition),
  )
  if (told?.what === 'given') return 'given'
  if (told?.what === 'lost') return 'cut off'
  const until = told?.at ?? Infinity
  const isCutOff = deeds.some(
    ({ what, at }) => at >= since && at < until && (what === 'kill' || what === 'stop'),
  )
  return isCutOff ? 'cut off' : 'none'
}

/** What is known to have been committed of a partition by that time. */
function committed(commits: readonly Committed[], partition: number, until: number): number {
  return commits.findLast(({ at }) => at <= until)?.offsets.get(partition) ?? 0
}

/** Messages that were committed before any process had processed them: the end of their process would have lost them. */
function committedInProcess(
  lives: readonly Life[],
  deliveries: readonly Delivery[],
  commits: readonly Committed[],
): string[] {
  const processedAt = new Map<string, number>()
  for (const event of lives.flatMap(({ events }) => events)) {
    if (event.what !== 'processed') continue
    const name = `${event.partition}:${event.offset}`
    processedAt.set(name, Math.min(event.at, processedAt.get(name) ?? Infinity))
  }
  const problems: string[] = []
  const checkedTo = new Map<number, number>()
  for (const { at, offsets } of commits) {
    for (const [partition, end] of offsets) {
      const from = checkedTo.get(partition) ?? 0
      checkedTo.set(partition, Math.max(from, end))
      for (let offset = from; offset < end; offset++) {
        if ((processedAt.get(`${partition}:${offset}`) ?? Infinity) <= at) continue
        const by = deliveries.findLast(
          (one) => one.partition === partition && one.offset === offset && one.at <= at,
        )
        const where =
          by === undefined ? 'before it was delivered' : `while ${by.name} was processing it`
        problems.push(`partition ${partition}: ${offset} was committed ${where}`)
      }
    }
  }
  return problems
}
