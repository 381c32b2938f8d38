import { groupedBy } from '../../../../src/embedded/handlers/grouped-by.ts'
import { placeOf, type Anomaly, type Consumer, type ConsumerEvent, type Log } from './history.ts'
import { LogIndex } from './log-index.ts'

type Delivery = Extract<ConsumerEvent, { what: 'delivered' }>

/** The deliveries of a consumer of a partition from its assignment on, until it is taken away. */
interface Session {
  readonly consumer: Consumer
  readonly partition: number
  readonly deliveries: Delivery[]
}

/** What each reader got: the messages of the log, in order, none passed over and none again. */
export function checkDeliveries(consumers: readonly Consumer[], logs: readonly Log[]): Anomaly[] {
  const index = new LogIndex(logs)
  return [
    ...consumers.flatMap((consumer) => altered(consumer, index)),
    ...consumers.flatMap(sessionsOf).flatMap((session) => {
      const inOrder = session.consumer.order === 'partition'
      return inOrder ? partitionOrder(session, index) : laneOrder(session)
    }),
    ...undelivered(consumers, logs, index),
  ]
}

function altered({ name, events }: Consumer, index: LogIndex): Anomaly[] {
  return events.flatMap((event) => {
    if (event.what !== 'delivered') return []
    const { partition, offset, id } = event
    const log = index.logOf(id)
    if (log !== undefined && index.idAt(log, partition, offset) === id) return []
    // What DeleteRecords has removed since cannot be compared.
    if (log === undefined && index.mayBeDeleted(partition, offset)) return []
    const text = `${name} got ${id} at ${placeOf(partition, offset)}, where the log does not have it`
    return [{ kind: 'altered', text }]
  })
}

function sessionsOf(consumer: Consumer): Session[] {
  const sessions: Session[] = []
  const open = new Map<number, Session>()
  const begin = (partition: number): Session => {
    const session = { consumer, partition, deliveries: [] }
    open.set(partition, session)
    sessions.push(session)
    return session
  }
  for (const event of consumer.events) {
    switch (event.what) {
      case 'delivered':
        ;(open.get(event.partition) ?? begin(event.partition)).deliveries.push(event)
        break
      case 'assigned':
      case 'revoked':
      case 'lost':
        for (const partition of event.partitions) open.delete(partition)
        break
      case 'moved':
        open.delete(event.partition)
        break
      default:
    }
  }
  return sessions
}

function partitionOrder({ consumer, partition, deliveries }: Session, index: LogIndex): Anomaly[] {
  const anomalies: Anomaly[] = []
  for (let at = 1; at < deliveries.length; at++) {
    const before = deliveries[at - 1]!
    const { offset, id } = deliveries[at]!
    const log = index.logOf(id)
    // It was read and then lost with a leader: where reading continues is not known from it.
    if (index.logOf(before.id) === undefined) continue
    // The first message of a recreated topic follows any of the former.
    const isSameLog = log === index.logOf(before.id)
    if (isSameLog && offset <= before.offset) {
      const text = `${consumer.name} got ${placeOf(partition, offset)} after ${before.offset}`
      anomalies.push({ kind: 'repeated', text })
      continue
    }
    if (log === undefined) continue
    const from = isSameLog ? before.offset + 1 : 0
    const passed = index.firstBetween(log, partition, from, offset)
    if (passed === undefined) continue
    const text = `${consumer.name} got ${placeOf(partition, offset)} and passed over ${passed}`
    anomalies.push({ kind: 'skipped', text })
  }
  return anomalies
}

/** How long after a failed heartbeat delivery may stop: the longest session. */
const DOUBT_MS = 30_000

/**
 * Within a lane, messages must come in order; a lane is what precedes the last slash of an id. A member that delivers
 * nothing for a while, because its membership is in doubt, continues at the first message of the partition that it had
 * not handled, and gets later ones again that it had.
 */
function laneOrder({ consumer, partition, deliveries }: Session): Anomaly[] {
  const doubts = consumer.events.filter(({ what }) => what === 'doubted').map(({ at }) => at)
  const last = new Map<string, Delivery>()
  return deliveries.flatMap((delivery) => {
    const lane = delivery.id.slice(0, delivery.id.lastIndexOf('/'))
    const before = last.get(lane)
    last.set(lane, delivery)
    if (before === undefined || delivery.offset > before.offset) return []
    if (doubts.some((at) => at > before.at - DOUBT_MS && at < delivery.at)) return []
    const place = placeOf(partition, delivery.offset)
    return [{ kind: 'repeated', text: `${consumer.name} got ${place} after ${before.offset}` }]
  })
}

/** Each group, and each consumer without one, must have got all messages. */
function undelivered(
  consumers: readonly Consumer[],
  logs: readonly Log[],
  index: LogIndex,
): Anomaly[] {
  const readers = groupedBy(consumers, ({ group, name }) => group ?? name)
  return [...readers].flatMap(([reader, members]) => {
    const got = new Set(
      members.flatMap(({ events }) =>
        events.flatMap((event) =>
          event.what === 'delivered'
            ? [`${event.id} ${placeOf(event.partition, event.offset)}`]
            : [],
        ),
      ),
    )
    return logs.flatMap((log) =>
      log.entries
        .filter(
          ({ id, partition, offset }) =>
            index.logOf(id) === log && !got.has(`${id} ${placeOf(partition, offset)}`),
        )
        .map(({ id, partition, offset }): Anomaly => {
          const text = `${reader} never got ${id} at ${placeOf(partition, offset)}`
          return { kind: 'undelivered', text }
        }),
    )
  })
}
