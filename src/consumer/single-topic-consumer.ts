import type { OpenRegister } from '../async/restarts.ts'
import type { CallOptions } from '../call-options.ts'
import type { TopicPartitionLag } from './assigned-consumer.ts'
import {
  checkMap,
  checkOffset,
  checkPartition,
  checkPartitionNumbers,
  checkPlace,
} from './arguments.ts'
import type { ConsumerAssignment } from './consumer-assignment.ts'
import { BaseConsumer } from './base-consumer.ts'
import type { TopicPartition } from './topic-partition.ts'
import { InvalidArgumentError } from '../errors.ts'
import { anInteger, aText, checkOptions } from '../options.ts'

/** Where a partition continues: an offset, the first message at or after a Date, or an end of the log. */
export type ResetTo = number | Date | 'earliest' | 'latest'

/** An offset to commit, with an optional text of the application that is stored with it. */
export interface OffsetWithMetadata {
  /** The offset of the next message. */
  readonly offset: number
  /** Any text, up to the broker's `offset.metadata.max.bytes`. Default: none. */
  readonly metadata?: string
}

/** A consumer of one topic. Partitions are numbers. */
export abstract class SingleTopicConsumer<
  Value = Buffer | null,
  Key = Buffer | null,
  Assigned extends ConsumerAssignment<Value, Key> = ConsumerAssignment<Value, Key>,
> extends BaseConsumer<Value, Key, Assigned> {
  /** The name of the topic. */
  readonly topic: string

  protected constructor(
    assign: (before: Assigned | undefined) => Assigned,
    topic: string,
    register: OpenRegister,
  ) {
    super(assign, register)
    this.topic = topic
  }

  /** The partitions that the consumer reads. */
  get partitions(): readonly number[] {
    return this.core.assignment.map(({ partition }) => partition)
  }

  /** The offset of the next message to deliver, for each partition. */
  get positions(): ReadonlyMap<number, number> {
    return byPartition(this.core.positions.next, ({ offset }) => offset)
  }

  /** The offset of the next message to deliver of one partition; undefined if the consumer does not read it. */
  position(partition: number): number | undefined {
    checkPartition(partition)
    return this.core.positions.of({ topic: this.topic, partition })
  }

  /** The offset of the last delivered message of each partition, without partitions that have delivered none. */
  get heldOffsets(): ReadonlyMap<number, number> {
    return byPartition(this.core.positions.held, ({ offset }) => offset)
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
  seek(partition: number, offset: number): void {
    checkPartition(partition)
    checkOffset(offset)
    this.assigned.seek({ topic: this.topic, partition }, offset)
  }

  /** Stops delivering and fetching these partitions (default: all). Messages that are already fetched are kept. */
  pause(partitions: readonly number[] = this.partitions): void {
    this.assigned.checkStarted()
    this.core.pause(this.named(partitions))
  }

  /** Resumes partitions that `pause` has stopped. Default: all of them. */
  resume(partitions: readonly number[] = this.partitions): void {
    this.assigned.checkStarted()
    this.core.resume(this.named(partitions))
  }

  /** The paused partitions, sorted. A partition that is revoked in a rebalance and assigned again is not paused. */
  get paused(): readonly number[] {
    return this.core.paused.map(({ partition }) => partition)
  }

  /**
   * Commits the processed offsets, or the given offsets by partition (the offset of the next message), with a text of
   * the application if one is given (`client.admin.listGroupOffsets()` returns it). In the body of a loop the current
   * message or batch counts as processed; for other code, such as a hook or a timer, it does not. Handlers of `run`
   * that are running have not processed their messages. Throws InvalidArgumentError, OffsetCommitError.
   */
  async commitOffsets(
    offsets?: ReadonlyMap<number, number | OffsetWithMetadata>,
    call?: CallOptions,
  ): Promise<void> {
    if (offsets === undefined) this.assigned.checkStarted()
    else checkMap('the offsets', offsets)
    const given =
      offsets && [...offsets].map(([partition, one]) => ({ partition, ...offsetWithMetadata(one) }))
    return this.core.commits.commit(
      given?.map((one) => ({ topic: this.topic, ...one })),
      call,
    )
  }

  /**
   * Returns the group's committed offsets by partition, without partitions that have none. With `resetOffsetOnFetch`
   * it also continues there. A consumer that chooses its partitions itself need not be started.
   */
  async fetchOffsets(call?: CallOptions): Promise<ReadonlyMap<number, number>> {
    return byPartition(await this.assigned.fetchOffsets(call), ({ offset }) => offset)
  }

  /**
   * Moves the positions: all partitions to one place (default: where `autoOffsetReset` says), or each to its own.
   * With a group the offsets are committed, too. Before `start()` the consumer will start there. Throws BrokerError,
   * OffsetCommitError; NotStartedError before a balanced consumer is started.
   */
  async resetOffsets(
    to: ResetTo | ReadonlyMap<number, ResetTo> = this.core.positions.beginning,
    call?: CallOptions,
  ): Promise<void> {
    const isEach = typeof to === 'object' && !(to instanceof Date)
    if (isEach) checkMap('the new position', to)
    for (const place of isEach ? to.values() : [to]) checkPlace(place)
    const all = isEach
      ? [...to]
      : (await this.assigned.partitions(call)).map(({ partition }) => [partition, to] as const)
    return this.assigned.resetOffsets(
      all.map(([partition, place]) => ({ topic: this.topic, partition, to: place })),
      call,
    )
  }

  protected named(partitions: readonly number[]): TopicPartition[] {
    checkPartitionNumbers(partitions)
    return partitions.map((partition) => ({ topic: this.topic, partition }))
  }
}

function offsetWithMetadata(given: number | OffsetWithMetadata): OffsetWithMetadata {
  if (typeof given === 'number') return { offset: given }
  checkOptions<OffsetWithMetadata>('commitOffsets', given, {
    offset: anInteger(0),
    metadata: aText,
  })
  if (Number.isSafeInteger(given.offset)) return given
  throw new InvalidArgumentError('commitOffsets: an offset is missing')
}

function byPartition<One extends TopicPartition>(
  all: readonly One[],
  of: (one: One) => number,
): Map<number, number> {
  return new Map(all.map((one) => [one.partition, of(one)]))
}
