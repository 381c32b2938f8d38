import { groupedBy } from '../../../../src/embedded/handlers/grouped-by.ts'
import {
  placeOf,
  type Anomaly,
  type Consumer,
  type ConsumerEvent,
  type Log,
  type ObservedCommit,
} from './history.ts'
import { LogIndex } from './log-index.ts'

interface GroupDelivery {
  readonly at: number
  readonly member: Consumer
  readonly partition: number
  readonly offset: number
  readonly id: string
}

/** What members of a group do beside each other: one owner at a time, no message again without a reason. */
export function checkGroups(
  consumers: readonly Consumer[],
  commits: readonly ObservedCommit[],
  logs: readonly Log[],
): Anomaly[] {
  const groups = groupedBy(
    consumers.filter(({ group }) => group !== undefined),
    ({ group }) => group!,
  )
  const index = new LogIndex(logs)
  return [...groups].flatMap(([group, members]) => {
    const own = commits.filter((commit) => commit.group === group).sort((a, b) => a.at - b.at)
    const deliveries = members.flatMap(deliveriesOf).sort((a, b) => a.at - b.at)
    return [
      ...twoOwners(members, deliveries),
      ...repeated(deliveries, own, logs),
      ...earlyCommits(members, own, index),
    ]
  })
}

function deliveriesOf(member: Consumer): GroupDelivery[] {
  return member.events.flatMap((event, index) =>
    event.what === 'delivered'
      ? [{ ...event, member, at: handedOverAt(member, event, member.events[index - 1]) }]
      : [],
  )
}

/**
 * A process may be frozen between being handed a message and writing that down: then this is the first thing that it
 * does when it continues. It had the message before.
 */
function handedOverAt(
  { deeds }: Consumer,
  { at }: ConsumerEvent,
  before: ConsumerEvent | undefined,
): number {
  const continued = deeds.findLast((deed) => deed.what === 'continue' && deed.at < at)
  if (continued === undefined || (before !== undefined && before.at > continued.at)) return at
  return deeds.findLast((deed) => deed.what === 'freeze' && deed.at < continued.at)?.at ?? at
}

function twoOwners(members: readonly Consumer[], deliveries: readonly GroupDelivery[]): Anomaly[] {
  const assignments = members
    .flatMap((member) =>
      member.events.flatMap((event) =>
        event.what === 'assigned'
          ? event.partitions.map((partition) => ({ at: event.at, member, partition }))
          : [],
      ),
    )
    .sort((a, b) => a.at - b.at)
  const owners = new Map<number, Consumer>()
  let next = 0
  return deliveries.flatMap(({ at, member, partition, offset }) => {
    for (; next < assignments.length && assignments[next]!.at <= at; next++) {
      owners.set(assignments[next]!.partition, assignments[next]!.member)
    }
    const owner = owners.get(partition)
    if (owner === member) return []
    const text = `${member.name} got ${placeOf(partition, offset)}, which is ${owner?.name ?? 'no member'}'s`
    return [{ kind: 'two owners', text }]
  })
}

/** A message may come again only where its owner was cut off before committing it. */
function repeated(
  deliveries: readonly GroupDelivery[],
  commits: readonly ObservedCommit[],
  logs: readonly Log[],
): Anomaly[] {
  const byMessage = groupedBy(
    deliveries,
    ({ id, partition, offset }) => `${id} ${placeOf(partition, offset)}`,
  )
  return [...byMessage.values()].flatMap((all) =>
    all.slice(1).flatMap((again, index): Anomaly[] => {
      const { member, partition, offset, at } = all[index]!
      const reason = endOfOwning(member, partition, at)
      const text = `${placeOf(partition, offset)} came again to ${again.member.name}, though`
      if (reason === 'none') {
        return [{ kind: 'repeated', text: `${text} ${member.name} still had it` }]
      }
      // By key, later messages are processed before earlier ones, and only the latter are committed.
      if (reason === 'given' && member.order === 'partition') {
        return [{ kind: 'repeated', text: `${text} ${member.name} gave it up in order` }]
      }
      const since = logs.findLast(({ createdAt }) => createdAt <= again.at)?.createdAt ?? -Infinity
      const committed = committedBefore(commits, partition, assignedAt(again), since)
      if (committed <= offset) return []
      return [{ kind: 'repeated', text: `${text} ${committed} was committed` }]
    }),
  )
}

function assignedAt({ member, partition, at }: GroupDelivery): number {
  const assigned = member.events.findLast(
    (event) => event.at <= at && event.what === 'assigned' && event.partitions.includes(partition),
  )
  return assigned?.at ?? at
}

/** How it came that this member does not have the partition any more that it had at this time. */
function endOfOwning(
  { events, deeds }: Consumer,
  partition: number,
  since: number,
): 'given' | 'cut off' | 'none' {
  const told = events.find(
    (event) =>
      event.at > since &&
      (event.what === 'given' ||
        event.what === 'uncommitted' ||
        event.what === 'lost' ||
        event.what === 'assigned') &&
      event.partitions.includes(partition),
  )
  if (told?.what === 'given') return 'given'
  // The coordinator of a recreated topic may not know it yet, and refuses its offsets.
  if (told?.what === 'lost' || told?.what === 'uncommitted') return 'cut off'
  const moved = events.some(
    (event) => event.at > since && event.what === 'moved' && event.partition === partition,
  )
  if (moved) return 'cut off'
  const until = told?.at ?? Infinity
  const isCutOff = deeds.some(
    ({ what, at }) => at >= since && at < until && (what === 'kill' || what === 'freeze'),
  )
  return isCutOff ? 'cut off' : 'none'
}

function committedBefore(
  commits: readonly ObservedCommit[],
  partition: number,
  until: number,
  since: number,
): number {
  const last = commits.findLast(({ at }) => at <= until)
  return last === undefined || last.at < since ? 0 : (last.offsets.get(partition) ?? 0)
}

/** A commit past what is processed: the end of its process would lose a message. */
function earlyCommits(
  members: readonly Consumer[],
  commits: readonly ObservedCommit[],
  index: LogIndex,
): Anomaly[] {
  const processed = processedAt(members, index)
  const anomalies: Anomaly[] = []
  const checkedTo = new Map<string, number>()
  for (const { at, offsets } of commits) {
    const log = index.logAt(at)
    if (log === undefined) continue
    for (const [partition, end] of offsets) {
      if (isOfFormerTopic(index, log, partition, end)) {
        const text = `${placeOf(partition, end)} was committed, a position of the former topic`
        anomalies.push({ kind: 'former position', text })
        continue
      }
      const name = `${index.numberOf(log)} ${partition}`
      const from = checkedTo.get(name) ?? 0
      checkedTo.set(name, Math.max(from, end))
      for (const offset of index.offsetsBetween(log, partition, from, end)) {
        if ((processed.get(log)?.get(placeOf(partition, offset)) ?? Infinity) <= at) continue
        const text = `${placeOf(partition, offset)} was committed before it was processed`
        anomalies.push({ kind: 'early commit', text })
      }
    }
  }
  return anomalies
}

/** Past the end of this topic, and within that of an earlier one. */
function isOfFormerTopic(index: LogIndex, log: Log, partition: number, end: number): boolean {
  if (end <= index.endOf(log, partition)) return false
  return index.before(log).some((former) => end <= index.endOf(former, partition))
}

function processedAt(members: readonly Consumer[], index: LogIndex): Map<Log, Map<string, number>> {
  const processed = new Map<Log, Map<string, number>>()
  for (const event of members.flatMap(({ events }) => events)) {
    if (event.what !== 'processed') continue
    const log = index.logOf(event.id)
    if (log === undefined) continue
    const place = placeOf(event.partition, event.offset)
    const own = processed.get(log) ?? new Map<string, number>()
    processed.set(log, own.set(place, Math.min(event.at, own.get(place) ?? Infinity)))
  }
  return processed
}
