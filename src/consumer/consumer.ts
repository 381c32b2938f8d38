import { deadlineOf, type CallOptions } from '../call-options.ts'
import type { Deadline } from '../async/deadline.ts'
import { allTopics } from '../cluster/all-topics.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { TopicMetadata } from '../cluster/metadata.ts'
import { InvalidArgumentError, NotStartedError } from '../errors.ts'
import { aBoolean, anArrayOf, anInteger, anObject, checkOptions, type Check } from '../options.ts'
import { AssignedConsumer } from './assigned-consumer.ts'
import {
  CONSUMER_CHECKS,
  consumerSettings,
  offsetStoreOf,
  type ConsumerOptions,
} from './options.ts'
import { PartitionWatch } from './partition-watch.ts'
import type { TopicPartition } from './topic-partition.ts'
import { namesOrPattern, topicsFrom, type TopicsOption } from './topics-option.ts'
import { TopicsShell } from './topics-shell.ts'

export interface TopicsConsumerOptions<
  Value = Buffer | null,
  Key = Buffer | null,
> extends ConsumerOptions<Value, Key> {
  /** Topics by name, or all whose name the pattern matches: also those that come later. */
  readonly topics: readonly string[] | RegExp
  /** Only these partitions, by topic. Default: all, also those that come later. */
  readonly partitions?: Readonly<Record<string, readonly number[]>>
  /** Leave Kafka's own topics out of what a pattern matches. Default: true. */
  readonly excludeInternalTopics?: boolean
  /** Whether `getConsumer` also starts it; otherwise `start()` does. Default: true. */
  readonly autoStart?: boolean
}

const partitionsByTopic: Check = (value) => {
  const problem = anObject(value)
  if (problem !== undefined) return problem
  for (const [topic, partitions] of Object.entries(value as object)) {
    const wrong = anArrayOf(anInteger(0))(partitions)
    if (wrong !== undefined) return `${wrong} (of topic '${topic}')`
  }
  return undefined
}

/**
 * Reads several topics, with a group's committed offsets or without any. Made by `client.getConsumer()`. Who
 * shares partitions out among processes wants a balanced consumer.
 *
 * Positions move when messages are handed over: what was only fetched is not counted as read.
 */
export class Consumer<Value = Buffer | null, Key = Buffer | null> extends TopicsShell<Value, Key> {
  readonly #cluster: Cluster
  readonly #topics: TopicsOption
  readonly #options: TopicsConsumerOptions<Value, Key>
  #watch: PartitionWatch<Value, Key> | undefined
  readonly #notStarted = new NotStartedError()
  #starting: Promise<void> | undefined

  /** Throws InvalidArgumentError. */
  constructor(
    cluster: Cluster,
    options: TopicsConsumerOptions<Value, Key>,
    onClosed: () => unknown = () => undefined,
  ) {
    checkOptions<TopicsConsumerOptions<Value, Key>>('getConsumer', options, {
      ...CONSUMER_CHECKS,
      topics: namesOrPattern,
      partitions: partitionsByTopic,
      excludeInternalTopics: aBoolean,
      autoStart: aBoolean,
    })
    const topics = topicsFrom(options.topics)
    checkPartitions(topics, options.partitions)
    const settings = consumerSettings(cluster, options)
    const offsets = offsetStoreOf(cluster, options)
    const closed = () => {
      this.#watch?.stop()
      onClosed()
    }
    super(new AssignedConsumer(cluster, settings, { offsets, onClosed: () => closed() }))
    this.core.fail(this.#notStarted)
    this.#cluster = cluster
    this.#topics = topics
    this.#options = options
  }

  /**
   * Finds the partitions and where to start in them; done by `getConsumer`, unless `autoStart` is false. A pattern
   * may match nothing yet. Throws UnknownTopicError, NoOffsetError, BrokerError, NoBrokersAvailableError: it may be
   * called again then.
   */
  start(call: CallOptions = {}): Promise<void> {
    this.#starting ??= this.#start(call).catch((error: unknown) => {
      this.#starting = undefined
      throw error
    })
    return this.#starting
  }

  async #start(call: CallOptions): Promise<void> {
    const find = (deadline: Deadline) => this.#find(deadline)
    const wanted = await find(deadlineOf(call, this.#cluster.options.operationTimeoutMs))
    await this.core.assign(wanted, call)
    this.core.recover(this.#notStarted)
    if (!this.core.isClosed) this.#watch = new PartitionWatch(this.#cluster, this.core, find)
  }

  async #find(deadline: Deadline): Promise<readonly TopicPartition[]> {
    const topics = await this.#findTopics(deadline)
    return topics.flatMap(({ name: topic, partitions }) => {
      const numbers =
        this.#options.partitions?.[topic] ?? partitions.map(({ partition }) => partition)
      return numbers.map((partition) => ({ topic, partition }))
    })
  }

  async #findTopics(deadline: Deadline): Promise<readonly TopicMetadata[]> {
    const topics = this.#topics
    if (!(topics instanceof RegExp)) {
      return Promise.all(
        topics.map((name) => this.#cluster.topic(name, { create: false, deadline })),
      )
    }
    const { excludeInternalTopics = true } = this.#options
    return (await allTopics(this.#cluster, deadline)).filter(
      ({ name, isInternal }) => topics.test(name) && !(excludeInternalTopics && isInternal),
    )
  }
}

function checkPartitions(
  topics: TopicsOption,
  partitions: Readonly<Record<string, readonly number[]>> = {},
): void {
  if (topics instanceof RegExp) return
  for (const topic of Object.keys(partitions)) {
    if (topics.includes(topic)) continue
    throw new InvalidArgumentError(`partitions of '${topic}' are given, which is not one of topics`)
  }
}
