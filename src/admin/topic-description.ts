import type { DescribeTopicPartitionsResponse } from '../../protocol/apis/describe-topic-partitions.ts'
import type { MetadataResponse } from '../../protocol/apis/metadata.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import { ZERO_UUID } from '../../protocol/schema/fields.ts'
import { isInternalTopic } from '../cluster/metadata.ts'
import { BrokerError } from '../errors.ts'
import type { Item } from './items.ts'
import { operationsOf, type AclOperation } from './operations.ts'

/** A partition as `describeTopics` returns it. */
export interface PartitionDescription extends Item {
  /** The number of the partition. */
  readonly partition: number
  /** Node id; undefined while there is no leader. */
  readonly leader?: number
  /** Undefined before Kafka 2.1. */
  readonly leaderEpoch?: number
  /** The node ids of the brokers that have a replica, the preferred leader first. */
  readonly replicas: readonly number[]
  /** The node ids of the replicas that are in sync with the leader. */
  readonly isr: readonly number[]
  /** Undefined before Kafka 1.0. */
  readonly offlineReplicas: readonly number[]
  /** Replicas outside the ISR that may become leader without data loss (KIP-966). */
  readonly eligibleLeaderReplicas?: readonly number[]
  /**
   * The node ids of the last replicas that could have become the leader without a loss (KIP-966); only from Kafka 4.0
   * on.
   */
  readonly lastKnownEligibleLeaderReplicas?: readonly number[]
}

/** The result of `describeTopics` for one topic. */
export interface TopicDescription extends Item {
  /** The name of the topic. */
  readonly topic: string
  /** Undefined before Kafka 2.8. */
  readonly topicId?: string
  /** Whether it is one of Kafka's internal topics, such as `__consumer_offsets`. */
  readonly isInternal: boolean
  /** Sorted by partition number, ascending; empty if the topic has an error. */
  readonly partitions: readonly PartitionDescription[]
  /**
   * The operations that this client may perform on the topic; only with
   * `includeAuthorizedOperations`.
   */
  readonly authorizedOperations?: readonly AclOperation[]
}

type FromMetadata = MetadataResponse['topics'][number]
type FromPages = DescribeTopicPartitionsResponse['topics'][number]

/** A cluster has thousands of partitions: what most of them have is written without spreads. */
type Mutable<T> = { -readonly [Key in keyof T]: T[Key] }

export function topicDescription(
  found: FromMetadata | FromPages,
  topic: string,
  includeAuthorizedOperations: boolean,
): TopicDescription {
  const { topicId, errorCode } = found
  const isInternal = isInternalTopic(topic, found.isInternal)
  const partitions = found.partitions
    .map((partition) => partitionDescription(partition, topic))
    .sort((a, b) => a.partition - b.partition)
  const described: Mutable<TopicDescription> =
    topicId === ZERO_UUID
      ? { topic, isInternal, partitions }
      : { topic, topicId, isInternal, partitions }
  // DescribeTopicPartitions always returns them.
  const operations = includeAuthorizedOperations
    ? operationsOf(found.topicAuthorizedOperations)
    : undefined
  if (operations !== undefined) described.authorizedOperations = operations
  if (errorCode !== ErrorCode.NONE) {
    described.error = new BrokerError(errorCode, `describing topic '${topic}'`, { topic })
  }
  return described
}

function partitionDescription(
  found: FromMetadata['partitions'][number] | FromPages['partitions'][number],
  topic: string,
): PartitionDescription {
  const { partitionIndex: partition, leaderId: leader, leaderEpoch, errorCode } = found
  const { replicaNodes: replicas, isrNodes: isr, offlineReplicas } = found
  const described: Mutable<PartitionDescription> =
    leader >= 0 && leaderEpoch >= 0
      ? { partition, leader, leaderEpoch, replicas, isr, offlineReplicas }
      : {
          partition,
          ...(leader < 0 ? {} : { leader }),
          ...(leaderEpoch < 0 ? {} : { leaderEpoch }),
          replicas,
          isr,
          offlineReplicas,
        }
  if ('eligibleLeaderReplicas' in found) {
    const { eligibleLeaderReplicas: eligible, lastKnownElr: lastKnown } = found
    if (eligible !== null) described.eligibleLeaderReplicas = eligible
    if (lastKnown !== null) described.lastKnownEligibleLeaderReplicas = lastKnown
  }
  if (errorCode !== ErrorCode.NONE) {
    const what = `describing ${topic}-${partition}`
    described.error = new BrokerError(errorCode, what, { topic, partition })
  }
  return described
}
