import type { Deadline } from './async/deadline.ts'
import { BalancedConsumer, type BalancedConsumerOptions } from './balanced/balanced-consumer.ts'
import { deadlineOf, type CallOptions } from './call-options.ts'
import type { Cluster } from './cluster/cluster.ts'
import { checkTopicName } from './cluster/topic-name.ts'
import type { PartitionMetadata } from './cluster/metadata.ts'
import { listOffsets, type OffsetSpec } from './consumer/list-offsets.ts'
import { aDate } from './consumer/options.ts'
import { nameOf } from './consumer/topic-partition.ts'
import { InvalidArgumentError } from './errors.ts'
import { anInteger, either, oneOf, shown } from './options.ts'
import { SimpleConsumer, type SimpleConsumerOptions } from './consumer/simple-consumer.ts'
import type { Opened } from './opened.ts'
import type { ProducerOptions } from './producer/options.ts'
import { Producer } from './producer/producer.ts'
import type { Data } from './producer/intake/serialize.ts'

const anOffsetSpec = either(oneOf('earliest', 'latest'), anInteger(0), aDate)

/** A topic by name. Nothing is asked of a broker until one of its methods is called. */
export class Topic {
  readonly name: string
  readonly #cluster: Cluster
  readonly #opened: Opened

  /** Throws InvalidArgumentError for a name that Kafka allows nowhere. */
  constructor(cluster: Cluster, name: string, opened: Opened) {
    checkTopicName(name)
    this.#cluster = cluster
    this.#opened = opened
    this.name = name
  }

  /** Partitions with their leaders, as the brokers tell now. Throws UnknownTopicError. */
  partitions(call: CallOptions = {}): Promise<readonly PartitionMetadata[]> {
    return this.#partitions(this.#deadline(call))
  }

  /** The first offset that is still there, by partition. */
  earliestAvailableOffsets(call: CallOptions = {}): Promise<ReadonlyMap<number, number>> {
    return this.fetchOffsets('earliest', call)
  }

  /** The offset that the next message will get, by partition. */
  latestAvailableOffsets(call: CallOptions = {}): Promise<ReadonlyMap<number, number>> {
    return this.fetchOffsets('latest', call)
  }

  /**
   * Offsets by partition, in order: the ends of the log, or the first message at or after a time, a Date or
   * milliseconds since 1970 (the end where there is none; only to the segment before Kafka 0.10.1).
   * Throws InvalidArgumentError, UnknownTopicError, BrokerError, NoBrokersAvailableError.
   */
  async fetchOffsets(
    at: OffsetSpec | Date,
    call: CallOptions = {},
  ): Promise<ReadonlyMap<number, number>> {
    const problem = anOffsetSpec(at)
    if (problem !== undefined) {
      throw new InvalidArgumentError(`fetchOffsets ${problem}, not ${shown(at)}`, {
        topic: this.name,
      })
    }
    const deadline = this.#deadline(call)
    const topic = this.name
    const partitions = (await this.#partitions(deadline)).map(({ partition }) => ({
      topic,
      partition,
    }))
    const spec = at instanceof Date ? at.getTime() : at
    const found = await listOffsets(this.#cluster, partitions, spec, deadline)
    return new Map(partitions.map((one) => [one.partition, found.get(nameOf(one)) ?? 0]))
  }

  /** A producer to this topic, which brokers that are configured to do so create. */
  async getProducer<Value = Data, Key = Data>(
    options: ProducerOptions<Value, Key> = {},
    call: CallOptions = {},
  ): Promise<Producer<Value, Key>> {
    const deadline = this.#deadline(call)
    return this.#opened.producer((onClosed) =>
      Producer.open(this.#cluster, this.name, options, deadline, onClosed),
    )
  }

  /**
   * A producer that lets nothing linger: the same as `getProducer({ sync: true })`. Await each `produce`, and
   * it does what pykafka's does: it returns when the message is acknowledged, and throws what went wrong.
   */
  getSyncProducer<Value = Data, Key = Data>(
    options: Omit<ProducerOptions<Value, Key>, 'sync'> = {},
    call: CallOptions = {},
  ): Promise<Producer<Value, Key>> {
    return this.getProducer({ ...options, sync: true }, call)
  }

  /**
   * A consumer of all partitions unless some are named, which begins where its group's committed offsets say,
   * or without any where `autoOffsetReset` does. Never creates the topic.
   * Throws InvalidArgumentError, UnknownTopicError, NoOffsetError, BrokerError, NoBrokersAvailableError.
   */
  async getSimpleConsumer<Value = Buffer | null, Key = Buffer | null>(
    options: SimpleConsumerOptions<Value, Key> = {},
    call: CallOptions = {},
  ): Promise<SimpleConsumer<Value, Key>> {
    return this.#opened.consumer(
      options,
      call,
      (onClosed) => new SimpleConsumer<Value, Key>(this.#cluster, this.name, options, onClosed),
    )
  }

  /**
   * A member of a group that shares the topic's partitions out, coordinated by ZooKeeper, or with `managed: true`
   * by Kafka. Resolves when it has its first assignment. Never creates the topic.
   * Throws InvalidArgumentError, UnknownTopicError, ZooKeeperError, PartitionOwnedError, BrokerError,
   * NoBrokersAvailableError, RequestTimeoutError.
   */
  async getBalancedConsumer<Value = Buffer | null, Key = Buffer | null>(
    options: BalancedConsumerOptions<Value, Key>,
    call: CallOptions = {},
  ): Promise<BalancedConsumer<Value, Key>> {
    return this.#opened.consumer(
      options,
      call,
      (onClosed) => new BalancedConsumer<Value, Key>(this.#cluster, this.name, options, onClosed),
    )
  }

  async #partitions(deadline: Deadline): Promise<readonly PartitionMetadata[]> {
    return (await this.#cluster.topic(this.name, { create: false, deadline })).partitions
  }

  #deadline(call: CallOptions): Deadline {
    return deadlineOf(call, this.#cluster.options.operationTimeoutMs)
  }
}
