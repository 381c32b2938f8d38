import type { MetadataResponse } from '../../protocol/apis/metadata.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import { ZERO_UUID } from '../../protocol/schema/fields.ts'

/** A partition as brokers describe it (Metadata). */
export interface PartitionMetadata {
  /** The number of the partition. */
  readonly partition: number
  /** 0, or why the partition has no leader at the moment. */
  readonly errorCode: number
  /** The node id of the leader; −1 if there is none. */
  readonly leader: number
  /** −1 if the broker does not report it (before Kafka 2.1). */
  readonly leaderEpoch: number
  /** The node ids of the brokers that have a replica, the preferred leader first. */
  readonly replicas: readonly number[]
  /** The node ids of the replicas that are in sync with the leader. */
  readonly isr: readonly number[]
}

export interface TopicMetadata {
  readonly name: string
  /** Undefined if the broker does not report it (before Kafka 2.8). */
  readonly topicId: string | undefined
  readonly isInternal: boolean
  /** 0, or the reason why the last response had no partitions: `partitions` are then those that were known before. */
  readonly errorCode: number
  /** In ascending order of partition numbers. */
  readonly partitions: readonly PartitionMetadata[]
}

/** Brokers before Kafka 0.10 do not report which topics are internal. They have only one. */
export function isInternalTopic(name: string, isInternal: boolean): boolean {
  return isInternal || name === '__consumer_offsets'
}

export function topicsOf(response: MetadataResponse): TopicMetadata[] {
  const topics: TopicMetadata[] = []
  for (const { name, topicId, isInternal, errorCode, partitions } of response.topics) {
    // Null only for topics that were requested by an unknown id, which this client never does.
    if (name === null) continue
    topics.push({
      name,
      topicId: topicId === ZERO_UUID ? undefined : topicId,
      isInternal: isInternalTopic(name, isInternal),
      errorCode,
      partitions: distinct(partitions.filter(({ partitionIndex }) => partitionIndex >= 0)).map(
        (partition) => ({
          partition: partition.partitionIndex,
          errorCode: partition.errorCode,
          leader: partition.leaderId,
          leaderEpoch: partition.leaderEpoch,
          replicas: partition.replicaNodes,
          isr: partition.isrNodes,
        }),
      ),
    })
  }
  return topics
}

/** In order and without duplicates, because the number of partitions decides where keys go. */
function distinct<One extends { readonly partitionIndex: number }>(partitions: One[]): One[] {
  return partitions
    .sort((a, b) => a.partitionIndex - b.partitionIndex)
    .filter((one, index, all) => one.partitionIndex !== all[index - 1]?.partitionIndex)
}

/** Returns the partition with this number without a search, because a topic may have very many partitions. */
export function partitionNumbered(
  partitions: readonly PartitionMetadata[],
  partition: number,
): PartitionMetadata | undefined {
  // Partition n is at index n, unless the broker knows only some of them yet.
  const direct = partitions[partition]
  if (direct?.partition === partition) return direct
  let from = 0
  let to = partitions.length
  while (from < to) {
    const middle = (from + to) >>> 1
    if (partitions[middle]!.partition < partition) from = middle + 1
    else to = middle
  }
  const found = partitions[from]
  return found?.partition === partition ? found : undefined
}

/**
 * The metadata of a topic after a response. `received` is undefined if the response does not contain the topic.
 *
 * A response with an error, or from a broker that is behind, removes nothing: the partitions stay known with their
 * leaders, and `errorCode` is the error of the response. A producer that considered the partitions removed would
 * reorder messages, and choose partitions by a wrong count.
 */
export function updatedMetadata(
  known: TopicMetadata | undefined,
  received: TopicMetadata | undefined,
): TopicMetadata | undefined {
  if (known === undefined) return received
  if (received === undefined) return { ...known, errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION }
  if (received.partitions.length === 0) {
    const errorCode = received.errorCode || ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    return { ...known, errorCode }
  }
  // Without an id the topic may be another one of the same name, with fewer partitions and lower epochs.
  if (received.topicId === undefined || received.topicId !== known.topicId) return received
  return { ...received, partitions: updatedPartitions(known.partitions, received.partitions) }
}

/** Partitions are only ever added, and a lower leader epoch is an older state (KIP-320). */
function updatedPartitions(
  known: readonly PartitionMetadata[],
  received: readonly PartitionMetadata[],
): readonly PartitionMetadata[] {
  const byNumber = new Map(known.map((one) => [one.partition, one]))
  for (const one of received) {
    const before = byNumber.get(one.partition)
    const isOlder =
      before !== undefined && one.leaderEpoch >= 0 && one.leaderEpoch < before.leaderEpoch
    if (!isOlder) byNumber.set(one.partition, one)
  }
  return [...byNumber.values()].sort((a, b) => a.partition - b.partition)
}
