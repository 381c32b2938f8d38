import type { OffsetStore } from './offsets/offset-store.ts'
import type { TopicPartition, TopicPartitionOffset } from './topic-partition.ts'

export interface AssignedConsumerOptions {
  /** The storage of the group's offsets; undefined without a group. */
  readonly offsets?: OffsetStore | undefined
  /**
   * Called before anything is delivered. Returns false while it is not certain that the partitions are still this
   * member's. `lookAgain` reports that it is certain again.
   */
  readonly mayDeliver?: () => boolean
  /** Whether it is certain that the partitions are this member's; the client's health reports it. Default: always. */
  readonly isOwnershipCertain?: () => boolean
  /** The greatest age of metadata in which added partitions are found without a request. Default: none is used. */
  readonly metadataMaxAgeMs?: number
  /** How long a group may consume without a commit before a warning reports it. Default: a minute. */
  readonly remindAfterMs?: number
  /** Called when the consumer was closed, with its last positions. */
  readonly onClosed?: (positions: readonly TopicPartitionOffset[]) => unknown
}

/** A partition to read. Without an offset it starts at the group's offset, or where `autoOffsetReset` says. */
export interface PartitionToAssign extends TopicPartition {
  readonly offset?: number | undefined
  /** Only the starting position is looked up: nothing is fetched and delivered until `release`. Default: false. */
  readonly isHeld?: boolean
  /** The partition was just created: without an offset it starts with its first message. Default: false. */
  readonly isNew?: boolean
}

/** How far a partition's position is behind the end of its log. */
export interface TopicPartitionLag extends TopicPartition {
  /** The number of offsets between the position and the end of the partition, at the last fetch. */
  readonly lag: number
}
