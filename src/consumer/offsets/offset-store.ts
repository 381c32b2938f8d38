import type { Deadline } from '../../async/deadline.ts'
import type { KafkaError } from '../../errors.ts'
import type { TopicPartition, TopicPartitionOffset } from '../topic-partition.ts'

/** An offset to be kept: that of the next message, which was not given to the application yet. */
export interface OffsetToCommit extends TopicPartitionOffset {
  /** Of the last message before it: −1 or nothing where it is not known (KIP-320). */
  readonly leaderEpoch?: number | undefined
  /** Of the topic that was read: another topic of the same name has another. Default: the one that is known now. */
  readonly topicId?: string | undefined
  /** Any text of the application's. */
  readonly metadata?: string | undefined
}

/** An offset that a group has committed. */
export interface CommittedOffset extends TopicPartitionOffset {
  /** The leader epoch of the last message before the offset; −1 where it is not known. */
  readonly leaderEpoch: number
  /** The text that was committed with the offset; empty where there is none. */
  readonly metadata: string
}

export interface CommitResult extends TopicPartition {
  /** Undefined where it worked. */
  readonly error: KafkaError | undefined
}

/** Where a group keeps its offsets. Both methods retry what may pass, within the deadline. */
export interface OffsetStore {
  /**
   * Whether offsets are deleted some time after they were committed, so that those of idle partitions have to be
   * committed again (`offsets.retention.minutes`; of active groups only before Kafka 2.1, KIP-211).
   */
  readonly expires: boolean
  /** The offsets that were committed; partitions without one are left out. Throws the first error. */
  fetch(
    partitions: readonly TopicPartition[],
    deadline: Deadline,
  ): Promise<readonly CommittedOffset[]>
  /** Says for each partition whether it worked. Throws only when it is aborted. */
  commit(offsets: readonly OffsetToCommit[], deadline: Deadline): Promise<readonly CommitResult[]>
}
