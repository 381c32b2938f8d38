import type { OpenRegister } from '../async/restarts.ts'
import type { CallOptions } from '../call-options.ts'
import type { TopicPartitionLag } from './assigned-consumer.ts'
import { checkMap, checkOffset, checkPartition, checkPartitions, checkPlace } from './arguments.ts'
import type { ConsumerAssignment } from './consumer-assignment.ts'
import { BaseConsumer } from './base-consumer.ts'
import type { TopicPartition } from './topic-partition.ts'
import { InvalidArgumentError } from '../errors.ts'
import { anInteger, checkOptions } from '../options.ts'

/** Where to go on with a partition: an offset, the first message at or after a Date, or an end of the log. */
export type ResetTo = number | Date | 'earliest' | 'latest'

/** An offset to commit, with any text of the application's, which is kept with it. */
export interface OffsetWithMetadata {
  /** The offset of the next message. */
  readonly offset: number
  /** Any text, up to the broker's `offset.metadata.max.bytes`. Default: none. */
  readonly metadata?: string
}

/** A consumer of one topic: partitions are numbers. */
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

  /** The partitions that it reads. */
  get partitions(): readonly number[] {
    return this.core.assignment.map(({ partition }) => partition)
  }

  /** The offset of the next message of each partition that will be delivered. */
  get positions(): ReadonlyMap<number, number> {
    return byPartition(this.core.positions, ({ offset }) => offset)
  }

  /** The same of one; undefined where it is not read. */
  position(partition: number): number | undefined {
    checkPartition(partition)
    return this.core.position({ topic: this.topic, partition })
  }

  /** The offset of the last message of each partition that was delivered; without those of which none was. */
  get heldOffsets(): ReadonlyMap<number, number> {
    return byPartition(this.core.heldOffsets, ({ offset }) => offset)
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

  /** Continues partitions that `pause` has stopped. Default: all of them. */
  resume(partitions: readonly number[] = this.partitions): void {
    this.assigned.checkStarted()
    this.core.resume(this.named(partitions))
  }

  /** Those that are paused, in order. A partition that is given up in a rebalance and comes back is not. */
  get paused(): readonly number[] {
    return this.core.paused.map(({ partition }) => partition)
  }

  /**
   * Commits what is processed, or the offsets given by partition, each that of the next message, with a text of the
   * application's where one is given (`client.admin.listGroupOffsets()` returns it). In the body of a
   * loop the current message or batch is processed; for other code, such as a hook or a timer, it is not. Handlers of
   * `run` that are running have not processed their messages. Throws InvalidArgumentError, OffsetCommitError.
   */
  async commitOffsets(
    offsets?: ReadonlyMap<number, number | OffsetWithMetadata>,
    call?: CallOptions,
  ): Promise<void> {
    if (offsets === undefined) this.assigned.checkStarted()
    else checkMap('the offsets', offsets)
    const given =
      offsets && [...offsets].map(([partition, one]) => ({ partition, ...offsetWithMetadata(one) }))
    return this.core.commitOffsets(
      given?.map((one) => ({ topic: this.topic, ...one })),
      call,
    )
  }

  /**
   * The offsets that the group has committed, by partition, without those that have none. With
   * `resetOffsetOnFetch` it also continues there. A consumer that chooses its partitions itself need not be started.
   */
  async fetchOffsets(call?: CallOptions): Promise<ReadonlyMap<number, number>> {
    return byPartition(await this.assigned.fetchOffsets(call), ({ offset }) => offset)
  }

  /**
   * Goes on elsewhere: all partitions at one place (default: where `autoOffsetReset` says), or each at its own.
   * With a group it is committed, too. Before `start()` the consumer will begin there. Throws BrokerError,
   * OffsetCommitError; NotStartedError before a balanced consumer is started.
   */
  async resetOffsets(
    to: ResetTo | ReadonlyMap<number, ResetTo> = this.core.beginning,
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
    checkPartitions(partitions)
    return partitions.map((partition) => ({ topic: this.topic, partition }))
  }
}

function offsetWithMetadata(given: number | OffsetWithMetadata): OffsetWithMetadata {
  if (typeof given === 'number') return { offset: given }
  checkOptions<OffsetWithMetadata>('commitOffsets', given, {
    offset: anInteger(0),
    metadata: (value) => (typeof value === 'string' ? undefined : 'must be a string'),
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
