import type { MetadataResponse } from '../../protocol/apis/metadata.ts'
import { ZERO_UUID } from '../../protocol/schema/fields.ts'

export interface PartitionMetadata {
  readonly partition: number
  /** 0, or why the partition has no leader at the moment. */
  readonly errorCode: number
  /** Node id of the leader, −1 where there is none. */
  readonly leader: number
  /** −1 where the broker does not tell (before Kafka 2.1). */
  readonly leaderEpoch: number
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
}

export interface TopicMetadata {
  readonly name: string
  /** Undefined where the broker does not tell (before Kafka 2.8). */
  readonly topicId: string | undefined
  readonly isInternal: boolean
  /** 0, or why there are no partitions. */
  readonly errorCode: number
  /** By partition number, ascending. */
  readonly partitions: readonly PartitionMetadata[]
}

export function topicsOf(response: MetadataResponse): TopicMetadata[] {
  const topics: TopicMetadata[] = []
  for (const { name, topicId, isInternal, errorCode, partitions } of response.topics) {
    // Null only for topics that were asked for by an unknown id, which is never done here.
    if (name === null) continue
    topics.push({
      name,
      topicId: topicId === ZERO_UUID ? undefined : topicId,
      isInternal,
      errorCode,
      partitions: partitions
        .map((partition) => ({
          partition: partition.partitionIndex,
          errorCode: partition.errorCode,
          leader: partition.leaderId,
          leaderEpoch: partition.leaderEpoch,
          replicas: partition.replicaNodes,
          isr: partition.isrNodes,
        }))
        .sort((a, b) => a.partition - b.partition),
    })
  }
  return topics
}
