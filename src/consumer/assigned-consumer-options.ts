import type { OffsetStore } from './offsets/offset-store.ts'
import type { TopicPartition, TopicPartitionOffset } from './topic-partition.ts'

export interface AssignedConsumerOptions {
  /** Where the group keeps its offsets; none without a group. */
  readonly offsets?: OffsetStore | undefined
  /**
   * Asked before anything is delivered: false while it isn't sure that the partitions are still this member's.
   * `lookAgain` says that it is again.
   */
  readonly mayDeliver?: () => boolean
  /** Whether it is sure that the partitions are this member's: for health. Default: always. */
  readonly isOwnershipCertain?: () => boolean
  /** How long a group may consume without a commit before a warning reports it. Default: a minute. */
  readonly remindAfterMs?: number
  /** Told when it was closed, with the positions at the end. */
  readonly onClosed?: (positions: readonly TopicPartitionOffset[]) => unknown
}

/** A partition to be read, and where from: without an offset from the group's, or as `autoOffsetReset` says. */
export interface PartitionToAssign extends TopicPartition {
  readonly offset?: number | undefined
  /** Nothing is fetched and delivered until `release`: what is found out is where to begin. Default: false. */
  readonly isHeld?: boolean
  /** It came into being just now: without an offset it begins with its first message. Default: false. */
  readonly isNew?: boolean
}

/** How far a partition's position is behind the end of its log. */
export interface TopicPartitionLag extends TopicPartition {
  /** How many offsets the position is before the end of the partition, at the last fetch. */
  readonly lag: number
}
