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

/** A consumer of several topics: partitions have a topic and a number. */
export abstract class MultiTopicConsumer<
  Value = Buffer | null,
  Key = Buffer | null,
  Assigned extends ConsumerAssignment<Value, Key> = ConsumerAssignment<Value, Key>,
> extends BaseConsumer<Value, Key, Assigned> {
  /** The partitions that it reads now. */
  get assignment(): readonly TopicPartition[] {
    return this.core.assignment
  }

  /** The offset of the next message of each partition that will be delivered. */
  get positions(): readonly TopicPartitionOffset[] {
    return this.core.positions
  }

  /** The same of one; undefined where it is not read. */
  position(one: TopicPartition): number | undefined {
    checkTopicPartition(one)
    return this.core.position(one)
  }

  /** The offset of the last message of each partition that was delivered; without those of which none was. */
  get heldOffsets(): readonly TopicPartitionOffset[] {
    return this.core.heldOffsets
  }

  /**
   * How many offsets there are between the position and the end that consumers can see, as of the last fetch;
   * without partitions that nothing was fetched of yet.
   */
  get lag(): readonly TopicPartitionLag[] {
    return this.core.lag
  }

  /**
   * Continues at this offset, also where an error has ended the partition; before `start()`, begins there. Throws
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

  /** Continues partitions that `pause` has stopped. Default: all of them. */
  resume(partitions?: readonly TopicPartition[]): void {
    checkTopicPartitions(partitions)
    this.assigned.checkStarted()
    this.core.resume(partitions)
  }

  /** Those that are paused, in order. A partition that is given up in a rebalance and comes back is not. */
  get paused(): readonly TopicPartition[] {
    return this.core.paused
  }

  /**
   * Commits what is processed: of all partitions, or of those given; or the offsets given, each that of the next
   * message. In the body of a loop the current message or batch is processed; for other code, such as a hook or a
   * timer, it is not. Handlers of `run` that are running have not processed their messages. Throws OffsetCommitError.
   */
  async commitOffsets(what?: readonly PartitionToCommit[], call?: CallOptions): Promise<void> {
    checkTopicPartitions(what)
    const isComplete = what?.every(({ offset }) => offset !== undefined) ?? false
    if (!isComplete) this.assigned.checkStarted()
    return this.core.commitOffsets(what, call)
  }

  /**
   * The offsets that the group has committed. With `resetOffsetOnFetch` it also continues there. A consumer that
   * chooses its partitions itself need not be started.
   */
  fetchOffsets(call?: CallOptions): Promise<readonly CommittedOffset[]> {
    return this.assigned.fetchOffsets(call)
  }

  /**
   * Continues at these places; with a group they are committed, too. Before `start()` the consumer will begin there.
   * Throws BrokerError, OffsetCommitError; NotStartedError before a balanced consumer is started.
   */
  async resetOffsets(targets: readonly PositionToReset[], call?: CallOptions): Promise<void> {
    checkGivenPartitions(targets)
    for (const { to } of targets) checkPlace(to)
    return this.assigned.resetOffsets(targets, call)
  }
}
