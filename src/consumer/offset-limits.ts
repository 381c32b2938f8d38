import { listOffsets } from '../../protocol/apis/list-offsets.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import type { Deadline } from '../async/deadline.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { Outcome } from '../cluster/fan-out.ts'
import type { Recipient } from '../cluster/recipient.ts'
import { BrokerError } from '../errors.ts'
import { timestampOf, type OffsetSpec } from './list-offsets.ts'
import { byTopic, nameOf, type TopicPartition } from './topic-partition.ts'

/** The only version of ListOffsets whose response has a list of offsets. Kafka 4.0 removed it (KIP-896). */
const LISTS = 0

/**
 * Returns up to `maxOffsets` offsets of each partition, the highest first: the base offsets of the segments that were
 * finished before the time, and for `latest` also the end of the log. Throws UnsupportedVersionError from Kafka 4.0
 * on.
 */
export function offsetLimits(
  cluster: Cluster,
  partitions: readonly TopicPartition[],
  before: OffsetSpec,
  maxOffsets: number,
  deadline: Deadline,
): Promise<readonly (readonly number[])[]> {
  return cluster.fanOut.all<TopicPartition, readonly number[]>({
    items: partitions,
    to: ({ topic, partition }) => ({ leader: { topic, partition } }),
    what: 'looking up offsets of segments',
    deadline,
    ask: (items, recipient) => ask(items, recipient, before, maxOffsets),
  })
}

async function ask(
  items: readonly TopicPartition[],
  recipient: Recipient,
  before: OffsetSpec,
  maxNumOffsets: number,
): Promise<readonly Outcome<TopicPartition, readonly number[]>[]> {
  const timestamp = timestampOf(before)
  const topics = [...byTopic(items)].map(([name, ofTopic]) => ({
    name,
    partitions: ofTopic.map(({ partition: partitionIndex }) => ({
      partitionIndex,
      timestamp,
      maxNumOffsets,
    })),
  }))
  const body = { replicaId: -1, topics }
  const response = await recipient.request(listOffsets, body, { maxVersion: LISTS })
  const answers = new Map(
    response.topics.flatMap(({ name: topic, partitions }) =>
      partitions.map((one) => [nameOf({ topic, partition: one.partitionIndex }), one] as const),
    ),
  )
  return items.map((item) => {
    const answer = answers.get(nameOf(item))
    if (answer?.errorCode === ErrorCode.NONE) {
      return { item, result: answer.oldStyleOffsets.map(Number) }
    }
    const code = answer?.errorCode ?? ErrorCode.UNKNOWN_SERVER_ERROR
    const context = { ...item, broker: recipient.name }
    return { item, error: new BrokerError(code, `looking up offsets of ${nameOf(item)}`, context) }
  })
}
