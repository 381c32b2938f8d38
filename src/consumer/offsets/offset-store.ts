import type { Deadline } from '../../async/deadline.ts'
import type { KafkaError } from '../../errors.ts'
import type { TopicPartition, TopicPartitionOffset } from '../topic-partition.ts'

/** An offset to store: the offset of the next message, which the application has not received yet. */
export interface OffsetToCommit extends TopicPartitionOffset {
  /** The leader epoch of the last message before the offset; −1 or undefined if it is not known (KIP-320). */
  readonly leaderEpoch?: number | undefined
  /**
   * The id of the topic that was read: another topic of the same name has another id. Default: the id in the
   * metadata.
   */
  readonly topicId?: string | undefined
  /** Any text of the application. */
  readonly metadata?: string | undefined
}

/** An offset that a group has committed. */
export interface CommittedOffset extends TopicPartitionOffset {
  /** The leader epoch of the last message before the offset; −1 if it is not known. */
  readonly leaderEpoch: number
  /** The text that was committed with the offset; empty if there is none. */
  readonly metadata: string
}

export interface CommitResult extends TopicPartition {
  /** Undefined if the commit succeeded. */
  readonly error: KafkaError | undefined
}

/** The storage of a group's offsets. Both methods retry retriable errors within the deadline. */
export interface OffsetStore {
  /**
   * True if offsets are deleted some time after they were committed, so that the offsets of idle partitions have to
   * be committed again (`offsets.retention.minutes`; for active groups only before Kafka 2.1, KIP-211).
   */
  readonly expires: boolean
  /** Returns the committed offsets, without partitions that have none. Throws the first error. */
  fetch(
    partitions: readonly TopicPartition[],
    deadline: Deadline,
  ): Promise<readonly CommittedOffset[]>
  /** Returns a result for each partition. Throws only when it is aborted. */
  commit(offsets: readonly OffsetToCommit[], deadline: Deadline): Promise<readonly CommitResult[]>
}
