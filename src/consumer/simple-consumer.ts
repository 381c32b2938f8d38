import type { Deadline } from '../async/deadline.ts'
import { deadlineOf, type CallOptions } from '../call-options.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { InvalidArgumentError, NotStartedError } from '../errors.ts'
import { aBoolean, anArrayOf, anInteger, checkOptions } from '../options.ts'
import { AssignedConsumer } from './assigned-consumer.ts'
import {
  CONSUMER_CHECKS,
  consumerSettings,
  offsetStoreOf,
  type ConsumerOptions,
} from './options.ts'
import { PartitionWatch } from './partition-watch.ts'
import type { TopicPartition } from './topic-partition.ts'
import { TopicShell } from './topic-shell.ts'

export interface SimpleConsumerOptions<
  Value = Buffer | null,
  Key = Buffer | null,
> extends ConsumerOptions<Value, Key> {
  /** Only these partitions. Default: all, also those that come later. */
  readonly partitions?: readonly number[]
  /** Whether `getSimpleConsumer` also starts it; otherwise `start()` does. Default: true. */
  readonly autoStart?: boolean
}

/**
 * Reads a topic's partitions, with a group's committed offsets or without any. Made by
 * `topic.getSimpleConsumer()`. Who shares partitions out among processes wants a balanced consumer.
 *
 * Positions move when messages are handed over: what was only fetched is not counted as read.
 */
export class SimpleConsumer<Value = Buffer | null, Key = Buffer | null> extends TopicShell<
  Value,
  Key
> {
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
    super(new AssignedConsumer(cluster, settings, { offsets, onClosed: () => closed() }), topic)
    this.core.fail(this.#notStarted)
    this.#cluster = cluster
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

  async #start(call: CallOptions): Promise<void> {
    const deadline = deadlineOf(call, this.#cluster.options.operationTimeoutMs)
    if (this.#partitions !== undefined) {
      await this.core.assign(this.named(this.#partitions), call)
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
    return this.named(partitions.map(({ partition }) => partition))
  }
}
