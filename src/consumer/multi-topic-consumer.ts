import type { CallOptions } from '../call-options.ts'
import type { TopicPartitionLag, PartitionToCommit, PositionToReset } from './assigned-consumer.ts'
import {
  checkGivenPartitions,
  checkOffset,
  checkPlace,
  checkTopicPartition,
  checkTopicPartitions,
} from './arguments.ts'
import { BaseConsumer } from './base-consumer.ts'
import type { ConsumerAssignment } from './consumer-assignment.ts'
import type { CommittedOffset } from './offsets/offset-store.ts'
import type { TopicPartition, TopicPartitionOffset } from './topic-partition.ts'

/** A consumer of several topics. A partition has a topic and a number. */
export abstract class MultiTopicConsumer<
  Value = Buffer | null,
  Key = Buffer | null,
  Assigned extends ConsumerAssignment<Value, Key> = ConsumerAssignment<Value, Key>,
> extends BaseConsumer<Value, Key, Assigned> {
  /** The partitions that the consumer reads now. */
  get assignment(): readonly TopicPartition[] {
    return this.core.assignment
  }

  /** The offset of the next message to deliver, for each partition. */
  get positions(): readonly TopicPartitionOffset[] {
    return this.core.positions.next
  }

  /** The offset of the next message to deliver of one partition; undefined if the consumer does not read it. */
  position(one: TopicPartition): number | undefined {
    checkTopicPartition(one)
    return this.core.positions.of(one)
  }

  /** The offset of the last delivered message of each partition, without partitions that have delivered none. */
  get heldOffsets(): readonly TopicPartitionOffset[] {
    return this.core.positions.held
  }

  /**
   * The number of offsets between the position and the end that consumers can see, as of the last fetch. Partitions
   * without a fetch response yet are left out.
   */
  get lag(): readonly TopicPartitionLag[] {
    return this.core.positions.lag
  }

  /**
   * Continues at this offset, even if an error has ended the partition; before `start()`, starts there. Throws
   * InvalidArgumentError, also for a partition that the consumer does not read.
   */
  seek(one: TopicPartition, offset: number): void {
    checkTopicPartition(one)
    checkOffset(offset)
    this.assigned.seek(one, offset)
  }

  /** Stops delivering and fetching these partitions (default: all). Messages that are already fetched are kept. */
  pause(partitions?: readonly TopicPartition[]): void {
    checkTopicPartitions(partitions)
    this.assigned.checkStarted()
    this.core.pause(partitions)
  }

  /** Resumes partitions that `pause` has stopped. Default: all of them. */
  resume(partitions?: readonly TopicPartition[]): void {
    checkTopicPartitions(partitions)
    this.assigned.checkStarted()
    this.core.resume(partitions)
  }

  /** The paused partitions, sorted. A partition that is revoked in a rebalance and assigned again is not paused. */
  get paused(): readonly TopicPartition[] {
    return this.core.paused
  }

  /**
   * Commits the processed offsets of all partitions or of the given ones, or commits the given offsets (the offset of
   * the next message). In the body of a loop the current message or batch counts as processed; for other code, such
   * as a hook or a timer, it does not. Handlers of `run` that are running have not processed their messages. Throws
   * OffsetCommitError.
   */
  async commitOffsets(what?: readonly PartitionToCommit[], call?: CallOptions): Promise<void> {
    checkTopicPartitions(what)
    const isComplete = what?.every(({ offset }) => offset !== undefined) ?? false
    if (!isComplete) this.assigned.checkStarted()
    return this.core.commits.commit(what, call)
  }

  /**
   * Calls `commit`, which commits these offsets of the group by other means than this consumer, such as a request, and
   * reports it as a commit of this consumer: in its metrics, and on the channel `samsa:commit`. Throws what `commit`
   * throws.
   */
  reportCommit(
    offsets: readonly TopicPartitionOffset[],
    commit: () => Promise<void>,
  ): Promise<void> {
    return this.core.commits.reported(offsets, commit)
  }

  /**
   * Returns the group's committed offsets. With `resetOffsetOnFetch` it also continues there. A consumer that chooses
   * its partitions itself need not be started.
   */
  fetchOffsets(call?: CallOptions): Promise<readonly CommittedOffset[]> {
    return this.assigned.fetchOffsets(call)
  }

  /**
   * Moves the positions to these places; with a group they are committed, too. Before `start()` the consumer will
   * start there. Throws BrokerError, OffsetCommitError; NotStartedError before a balanced consumer is started.
   */
  async resetOffsets(targets: readonly PositionToReset[], call?: CallOptions): Promise<void> {
    checkGivenPartitions(targets)
    for (const { to } of targets) checkPlace(to)
    return this.assigned.resetOffsets(targets, call)
  }
}
