import type { Admin } from './admin/admin.ts'
import type { NewTopic } from './admin/topics.ts'
import type { Deadline } from './async/deadline.ts'
import type { BalancedConsumer, BalancedConsumerOptions } from './balanced/balanced-consumer.ts'
import { CALL_OPTIONS, deadlineOf, type CallOptions } from './call-options.ts'
import { readOptions, type OptionTable } from './option-table.ts'
import { aBoolean, type Check } from './options.ts'
import type { Cluster } from './cluster/cluster.ts'
import { checkTopicName } from './cluster/topic-name.ts'
import type { PartitionMetadata } from './cluster/metadata.ts'
import type { OffsetSpec } from './consumer/list-offsets.ts'
import { limitsOf, offsetCall, offsetsOf, type OffsetLimitsOptions } from './offset-at.ts'
import { Partition } from './partition.ts'
import { SimpleConsumer, type SimpleConsumerOptions } from './consumer/simple-consumer.ts'
import type { OpenResources } from './open-resources.ts'
import type { ProducerOptions } from './producer/options.ts'
import { Producer } from './producer/producer.ts'
import type { Data } from './producer/intake/serialize.ts'

const unchecked: Check = () => undefined

/** The options of `topic.create()`. */
export interface TopicCreateOptions extends Omit<NewTopic, 'topic'>, CallOptions {
  /** Resolves with false if the topic already exists, instead of throwing. Default: false. */
  readonly ifNotExists?: boolean
}

/** The checks and defaults of the options that only `topic.create()` has. */
export const TOPIC_CREATE_OPTIONS = {
  ifNotExists: { check: aBoolean, default: false },
} as const satisfies OptionTable<Omit<TopicCreateOptions, keyof CallOptions | keyof NewTopic>>

/** The admin client checks these values. */
const CHECKED_LATER = {
  partitions: { check: unchecked },
  replicationFactor: { check: unchecked },
  assignments: { check: unchecked },
  configs: { check: unchecked },
} as const

/**
 * A topic by name. It does no I/O until one of its methods is called.
 *
 * Three things create a topic: `create()`; `client.admin.createTopics()`; and the first producer of a topic that does
 * not exist, on brokers with `auto.create.topics.enable`. Consumers, `partitions()` and offset lookups never create
 * one.
 */
export class Topic {
  /** The name of the topic. */
  readonly name: string
  readonly #admin: Admin
  readonly #cluster: Cluster
  readonly #resources: OpenResources

  /** @internal The client creates it. Throws InvalidArgumentError for a name that Kafka never allows. */
  constructor(cluster: Cluster, name: string, resources: OpenResources, admin: Admin) {
    checkTopicName(name)
    this.#admin = admin
    this.#cluster = cluster
    this.#resources = resources
    this.name = name
  }

  /**
   * Creates the topic, and resolves with true once all brokers know it and its leaders. Without `partitions` and
   * `replicationFactor` the brokers choose (Kafka 2.4 or newer; older brokers need numbers). Needs Kafka 0.10.1.
   * Throws InvalidArgumentError, BrokerError (TOPIC_ALREADY_EXISTS unless `ifNotExists`), NoBrokersAvailableError,
   * UnsupportedVersionError, RequestTimeoutError.
   */
  async create(options: TopicCreateOptions = {}): Promise<boolean> {
    const table = { ...CALL_OPTIONS, ...TOPIC_CREATE_OPTIONS, ...CHECKED_LATER }
    const { ifNotExists, timeoutMs, signal, ...topic } = readOptions<
      TopicCreateOptions,
      typeof table
    >('topic.create', options, table)
    const [created] = await this.#admin.createTopics([{ topic: this.name, ...topic }], {
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
      ...(signal === undefined ? {} : { signal }),
      settle: true,
    })
    if (created?.error === undefined) return true
    if (ifNotExists && created.error.code === 'TOPIC_ALREADY_EXISTS') return false
    throw created.error
  }

  /**
   * Returns the partitions with leader, replicas and ISR, by number. Never creates the topic. Throws
   * UnknownTopicError, BrokerError, NoBrokersAvailableError, RequestTimeoutError.
   */
  async partitions(call: CallOptions = {}): Promise<readonly Partition[]> {
    const found = await this.#partitions(this.#deadline(call))
    return found.map((one) => new Partition(this.#cluster, this.name, one))
  }

  /** Returns the first offset that is still in the log, by partition. Throws as `fetchOffsets` does. */
  earliestAvailableOffsets(call: CallOptions = {}): Promise<ReadonlyMap<number, number>> {
    return this.fetchOffsets('earliest', call)
  }

  /** Returns the offset of the next message to be written, by partition. Throws as `fetchOffsets` does. */
  latestAvailableOffsets(call: CallOptions = {}): Promise<ReadonlyMap<number, number>> {
    return this.fetchOffsets('latest', call)
  }

  /**
   * Returns offsets by partition, in order: the ends of the log, or the first message at or after a time, a Date or
   * milliseconds since 1970 (the end if there is none; only to the segment before Kafka 0.10.1). Throws
   * InvalidArgumentError, UnknownTopicError, BrokerError, NoBrokersAvailableError.
   */
  async fetchOffsets(
    at: OffsetSpec | Date,
    options: CallOptions = {},
  ): Promise<ReadonlyMap<number, number>> {
    const topic = this.name
    const { operationTimeoutMs } = this.#cluster.options
    const { spec, deadline } = offsetCall('fetchOffsets', at, options, operationTimeoutMs, {
      topic,
    })
    const partitions = (await this.#partitions(deadline)).map(({ partition }) => ({
      topic,
      partition,
    }))
    const offsets = await offsetsOf(this.#cluster, partitions, spec, deadline)
    return new Map(partitions.map(({ partition }, index) => [partition, offsets[index]!]))
  }

  /**
   * pykafka's `fetch_offset_limits`: returns lists of offsets by partition, the highest first. They are the base
   * offsets of the log segments that were finished before the time (only to the segment), and for `latest` also the
   * end of the log. The list is empty if no segment is as old. `fetchOffsets` finds the exact offset of a time. Kafka
   * up to 3.9 only. Throws UnsupportedVersionError, and as `fetchOffsets` does.
   */
  fetchOffsetLimits(
    before: OffsetSpec | Date,
    options: OffsetLimitsOptions = {},
  ): Promise<ReadonlyMap<number, readonly number[]>> {
    const topic = this.name
    const operation = 'fetchOffsetLimits'
    return limitsOf(this.#cluster, operation, before, options, { topic }, async (deadline) => {
      const partitions = await this.#partitions(deadline)
      return partitions.map(({ partition }) => ({ topic, partition }))
    })
  }

  /** Opens a producer to this topic. Brokers that are configured to do so create the topic. */
  async getProducer<Value = Data, Key = Data>(
    options: ProducerOptions<Value, Key> = {},
    call: CallOptions = {},
  ): Promise<Producer<Value, Key>> {
    const deadline = this.#deadline(call)
    return this.#resources.producer((register) =>
      Producer.open(this.#cluster, this.name, options, deadline, register),
    )
  }

  /**
   * Opens a producer without lingering: the same as `getProducer({ sync: true })`. If you await each `produce`, it
   * works like pykafka's: it resolves when the message is acknowledged, and throws the error otherwise.
   */
  getSyncProducer<Value = Data, Key = Data>(
    options: Omit<ProducerOptions<Value, Key>, 'sync'> = {},
    call: CallOptions = {},
  ): Promise<Producer<Value, Key>> {
    return this.getProducer({ ...options, sync: true }, call)
  }

  /**
   * Opens a consumer of all partitions, or of those in its options. It starts at the committed offsets of its group,
   * or where `autoOffsetReset` says if there are none. Never creates the topic. Throws InvalidArgumentError,
   * UnknownTopicError, NoOffsetError, BrokerError, NoBrokersAvailableError.
   */
  async getSimpleConsumer<Value = Buffer | null, Key = Buffer | null>(
    options: SimpleConsumerOptions<Value, Key> = {},
    call: CallOptions = {},
  ): Promise<SimpleConsumer<Value, Key>> {
    return this.#resources.consumer(
      options,
      call,
      (register) => new SimpleConsumer<Value, Key>(this.#cluster, this.name, options, register),
    )
  }

  /**
   * Opens a member of a group that divides the topic's partitions among its members. `groupProtocol` decides whether
   * ZooKeeper or Kafka coordinates the group. Resolves when the member has its first assignment. Never creates the
   * topic. Throws InvalidArgumentError, UnknownTopicError, ZooKeeperError, PartitionOwnedError, BrokerError,
   * NoBrokersAvailableError, RequestTimeoutError.
   */
  async getBalancedConsumer<Value = Buffer | null, Key = Buffer | null>(
    options: BalancedConsumerOptions<Value, Key>,
    call: CallOptions = {},
  ): Promise<BalancedConsumer<Value, Key>> {
    const { balancedConsumer } = await import('./balanced/open-balanced.ts')
    return this.#resources.consumer(options, call, (register) =>
      balancedConsumer(this.#cluster, this.name, options, register),
    )
  }

  async #partitions(deadline: Deadline): Promise<readonly PartitionMetadata[]> {
    return (await this.#cluster.topic(this.name, { create: false, deadline })).partitions
  }

  #deadline(call: CallOptions): Deadline {
    return deadlineOf(call, this.#cluster.options.operationTimeoutMs)
  }
}
