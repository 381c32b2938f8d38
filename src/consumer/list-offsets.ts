import { listOffsets } from '../../protocol/apis/list-offsets.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import type { Deadline } from '../async/deadline.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { Outcome } from '../cluster/fan-out.ts'
import type { Recipient } from '../cluster/recipient.ts'
import { BrokerError } from '../errors.ts'
import { byTopic, nameOf, type TopicPartition } from './topic-partition.ts'

/** `earliest`, `latest`, or the first message at or after a time in milliseconds since 1970. */
export type OffsetSpec = 'earliest' | 'latest' | number

const EARLIEST = -2n
const LATEST = -1n
const WITH_ISOLATION = 2

/** The offset in a response if no message has the time or a later one: it stands for the end of the log. */
const NONE_AFTER = -1
/** Marks a broker before 0.10.1 without a segment that was finished before the time: it stands for the start. */
const NONE_BEFORE = -2

/**
 * Returns the offset of each partition for the spec, by `nameOf`; the end of the log if no message has the time or a
 * later one. Each leader gets one request, whatever the number of topics. Brokers before 0.10.1 find times only to the
 * segment: they return the start of the last segment that was finished before. With `isReadCommitted` the log ends
 * where the first open transaction begins. Retries within the deadline, then throws the last error.
 */
export async function lookUpOffsets(
  cluster: Cluster,
  partitions: readonly TopicPartition[],
  spec: OffsetSpec,
  deadline: Deadline,
  isReadCommitted = false,
): Promise<Map<string, number>> {
  const found = new Map<string, number>()
  if (partitions.length === 0) return found
  const offsets = await cluster.fanOut.all<TopicPartition, number>({
    items: partitions,
    to: ({ topic, partition }) => ({ leader: { topic, partition } }),
    what: `looking up offsets of ${topicsIn(partitions)}`,
    deadline,
    ask: (items, recipient) => ask(items, recipient, spec, isReadCommitted),
  })
  for (const [index, one] of partitions.entries()) found.set(nameOf(one), offsets[index]!)
  if (typeof spec === 'string') return found
  const where = (offset: number) => partitions.filter((one) => found.get(nameOf(one)) === offset)
  const ends = where(NONE_AFTER)
  const latest = await lookUpOffsets(cluster, ends, 'latest', deadline, isReadCommitted)
  const earliest = await lookUpOffsets(cluster, where(NONE_BEFORE), 'earliest', deadline)
  return new Map([...found, ...latest, ...earliest])
}

function topicsIn(partitions: readonly TopicPartition[]): string {
  const topics = [...byTopic(partitions).keys()]
  return topics.length === 1 ? `topic '${topics[0]}'` : `${topics.length} topics`
}

/** Returns the timestamp that stands for the spec in requests. */
export function timestampOf(spec: OffsetSpec): bigint {
  return spec === 'earliest' ? EARLIEST : spec === 'latest' ? LATEST : BigInt(spec)
}

/** Sends one request to the leader of these partitions. */
async function ask(
  partitions: readonly TopicPartition[],
  recipient: Recipient,
  spec: OffsetSpec,
  isReadCommitted: boolean,
): Promise<readonly Outcome<TopicPartition, number>[]> {
  const timestamp = timestampOf(spec)
  const body = {
    replicaId: -1,
    topics: [...byTopic(partitions)].map(([name, ofTopic]) => ({
      name,
      partitions: ofTopic.map(({ partition }) => ({ partitionIndex: partition, timestamp })),
    })),
  }
  let version = 0
  const response = await recipient.request(listOffsets, (negotiated) => {
    version = negotiated
    return negotiated >= WITH_ISOLATION
      ? { ...body, isolationLevel: isReadCommitted ? 1 : 0 }
      : body
  })
  // The partitions that remain in it have no result.
  const asked = new Map(partitions.map((item) => [nameOf(item), item]))
  const outcomes: Outcome<TopicPartition, number>[] = []
  for (const { name: topic, partitions: answered } of response.topics) {
    for (const { partitionIndex: partition, errorCode, offset, oldStyleOffsets } of answered) {
      const name = nameOf({ topic, partition })
      const item = asked.get(name)
      if (item === undefined) continue
      asked.delete(name)
      const result = Number(version > 0 ? offset : (oldStyleOffsets[0] ?? NONE_BEFORE))
      const isNone = typeof spec === 'number' && (result === NONE_AFTER || result === NONE_BEFORE)
      const isOffset = isNone || (result >= 0 && Number.isSafeInteger(result))
      if (errorCode === ErrorCode.NONE && isOffset) {
        outcomes.push({ item, result })
        continue
      }
      const what = `looking up offsets of ${name}`
      const context = { topic, partition, broker: recipient.name }
      const error =
        errorCode === ErrorCode.NONE
          ? new BrokerError(
              ErrorCode.UNKNOWN_SERVER_ERROR,
              what,
              context,
              'the broker returned no offset',
            )
          : new BrokerError(errorCode, what, context)
      outcomes.push({ item, error })
    }
  }
  for (const [name, item] of asked) {
    const { topic, partition } = item
    const context = { topic, partition, broker: recipient.name }
    const what = `looking up offsets of ${name}`
    const detail = 'the response does not mention it'
    const error = new BrokerError(ErrorCode.UNKNOWN_SERVER_ERROR, what, context, detail)
    outcomes.push({ item, error })
  }
  return outcomes
}
