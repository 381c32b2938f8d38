import type { Deadline } from '../async/deadline.ts'
import { deadlineOf, type CallOptions } from '../call-options.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { InvalidArgumentError, NotStartedError } from '../errors.ts'
import { aBoolean, anArrayOf, anInteger, checkOptions } from '../options.ts'
import { AssignedConsumer } from './assigned-consumer.ts'
import { ConsumerShell } from './consumer-shell.ts'
import {
  CONSUMER_CHECKS,
  consumerSettings,
  offsetStoreOf,
  type ConsumerOptions,
} from './options.ts'
import { PartitionWatch } from './partition-watch.ts'
import type { TopicPartition } from './topic-partition.ts'

export interface SimpleConsumerOptions<
  Value = Buffer | null,
  Key = Buffer | null,
> extends ConsumerOptions<Value, Key> {
  /** Only these partitions. Default: all, also those that come later. */
  readonly partitions?: readonly number[]
  /** Whether `getSimpleConsumer` also starts it; otherwise `start()` does. Default: true. */
  readonly autoStart?: boolean
}

/** Where to go on with a partition: an offset, the first message at or after a Date, or an end of the log. */
export type ResetTo = number | Date | 'earliest' | 'latest'

/**
 * Reads a topic's partitions, with a group's committed offsets or without any. Made by
 * `topic.getSimpleConsumer()`. Who shares partitions out among processes wants a balanced consumer.
 *
 * Positions move when messages are handed over: what was only fetched is not counted as read.
 */
export class SimpleConsumer<Value = Buffer | null, Key = Buffer | null> extends ConsumerShell<
  Value,
  Key
> {
  readonly topic: string
  readonly #cluster: Cluster
  readonly #partitions: readonly number[] | undefined
  #watch: PartitionWatch<Value, Key> | undefined
  readonly #notStarted = new NotStartedError()
  #starting: Promise<void> | undefined

  /** Throws InvalidArgumentError. */
  constructor(
    cluster: Cluster,
    topic: string,
    options: SimpleConsumerOptions<Value, Key>,
    onClosed: () => unknown = () => undefined,
  ) {
    checkOptions<SimpleConsumerOptions<Value, Key>>('getSimpleConsumer', options, {
      ...CONSUMER_CHECKS,
      partitions: anArrayOf(anInteger(0)),
      autoStart: aBoolean,
    })
    if (options.partitions?.length === 0)
      throw new InvalidArgumentError('partitions: none is given')
    const settings = consumerSettings(cluster, options)
    const offsets = offsetStoreOf(cluster, options)
    const closed = () => {
      this.#watch?.stop()
      onClosed()
    }
    super(new AssignedConsumer(cluster, settings, { offsets, onClosed: () => closed() }))
    this.core.fail(this.#notStarted)
    this.#cluster = cluster
    this.topic = topic
    this.#partitions = options.partitions
  }

  /**
   * Finds the topic's partitions and where to start in them; done by `getSimpleConsumer`, unless `autoStart`
   * is false. Throws UnknownTopicError, NoOffsetError, BrokerError, NoBrokersAvailableError: it may be called again.
   */
  start(call: CallOptions = {}): Promise<void> {
    this.#starting ??= this.#start(call).catch((error: unknown) => {
      this.#starting = undefined
      throw error
    })
    return this.#starting
  }

  /** The partitions that it reads. */
  get partitions(): readonly number[] {
    return this.core.assignment.map(({ partition }) => partition)
  }

  /** The offset of the next message of each partition that will be handed over. */
  get positions(): ReadonlyMap<number, number> {
    return byPartition(this.core.positions, ({ offset }) => offset)
  }

  /** The same of one; undefined where it is not read. */
  position(partition: number): number | undefined {
    return this.core.position({ topic: this.topic, partition })
  }

  /** The offset of the last message of each partition that was handed over; without those of which none was. */
  get heldOffsets(): ReadonlyMap<number, number> {
    return byPartition(this.core.heldOffsets, ({ offset }) => offset)
  }

  /**
   * How many offsets there are between the position and the end that consumers can see, as of the last fetch;
   * without partitions that nothing was fetched of yet.
   */
  get lag(): ReadonlyMap<number, number> {
    return byPartition(this.core.lag, ({ lag }) => lag)
  }

  /** Goes on at this offset, also where an error has ended the partition. Throws InvalidArgumentError. */
  seek(partition: number, offset: number): void {
    this.core.seek({ topic: this.topic, partition }, offset)
  }

  /** Hands over nothing of these (default: of any) and fetches no more; what was fetched is kept. */
  pause(partitions: readonly number[] = this.partitions): void {
    this.core.pause(this.#named(partitions))
  }

  resume(partitions: readonly number[] = this.partitions): void {
    this.core.resume(this.#named(partitions))
  }

  /**
   * Commits what was handed over, and nothing more; or the offsets given by partition, each that of the next
   * message. Handlers of `run` that are at work count as not handed over. Throws OffsetCommitError.
   */
  commitOffsets(offsets?: ReadonlyMap<number, number>, call?: CallOptions): Promise<void> {
    const given = offsets && [...offsets].map(([partition, offset]) => ({ partition, offset }))
    return this.core.commitOffsets(
      given?.map((one) => ({ topic: this.topic, ...one })),
      call,
    )
  }

  /**
   * The offsets that the group has committed, by partition, without those that have none. With
   * `resetOffsetOnFetch` it also goes on there.
   */
  async fetchOffsets(call?: CallOptions): Promise<ReadonlyMap<number, number>> {
    return byPartition(await this.core.fetchOffsets(call), ({ offset }) => offset)
  }

  /**
   * Goes on elsewhere: all partitions at one place (default: where `autoOffsetReset` says), or each at its own.
   * With a group it is committed, too. Throws BrokerError, OffsetCommitError.
   */
  resetOffsets(to: ResetTo | ReadonlyMap<number, ResetTo>, call?: CallOptions): Promise<void> {
    const isEach = typeof to === 'object' && !(to instanceof Date)
    const all = isEach ? [...to] : this.partitions.map((partition) => [partition, to] as const)
    return this.core.resetOffsets(
      all.map(([partition, place]) => ({ topic: this.topic, partition, to: place })),
      call,
    )
  }

  async #start(call: CallOptions): Promise<void> {
    const deadline = deadlineOf(call, this.#cluster.options.operationTimeoutMs)
    if (this.#partitions !== undefined) {
      await this.core.assign(this.#named(this.#partitions), call)
      this.core.recover(this.#notStarted)
      return
    }
    const find = (until: Deadline) => this.#find(until)
    await this.core.assign(await find(deadline), call)
    this.core.recover(this.#notStarted)
    if (!this.core.isClosed) this.#watch = new PartitionWatch(this.#cluster, this.core, find)
  }

  async #find(deadline: Deadline): Promise<readonly TopicPartition[]> {
    const { partitions } = await this.#cluster.topic(this.topic, { create: false, deadline })
    return this.#named(partitions.map(({ partition }) => partition))
  }

  #named(partitions: readonly number[]): TopicPartition[] {
    return partitions.map((partition) => ({ topic: this.topic, partition }))
  }
}

function byPartition<One extends TopicPartition>(
  all: readonly One[],
  of: (one: One) => number,
): Map<number, number> {
  return new Map(all.map((one) => [one.partition, of(one)]))
}
