import type { Admin } from './admin/admin.ts'
import { aSignal, type CallOptions } from './call-options.ts'
import { checkTopicName } from './cluster/topic-name.ts'
import { UnknownTopicError } from './errors.ts'
import { aBoolean, aDurationMs, checkOptions } from './options.ts'
import type { Topic } from './topic.ts'

/** The options of `client.topics.list()`. */
export interface TopicListOptions extends CallOptions {
  /** Whether to leave out internal topics such as `__consumer_offsets`. Default: true, as in pykafka. */
  readonly excludeInternalTopics?: boolean
}

/**
 * The topics of a cluster, as `client.topics`. Each call asks the brokers, so that the result is always current. No
 * call creates a topic; `topic.create()` does.
 */
export class Topics implements AsyncIterable<Topic> {
  readonly #admin: Admin
  readonly #topicOf: (name: string) => Topic

  /** @internal The client creates it. */
  constructor(admin: Admin, topicOf: (name: string) => Topic) {
    this.#admin = admin
    this.#topicOf = topicOf
  }

  /**
   * Returns the topics that this client may see, by name. Throws InvalidArgumentError, ClosedError, BrokerError,
   * NoBrokersAvailableError, RequestTimeoutError.
   */
  async list(options: TopicListOptions = {}): Promise<readonly Topic[]> {
    const found = await this.#admin.listTopics(listing(options))
    return found.map(({ topic }) => this.#topicOf(topic))
  }

  /**
   * Resolves with true if there is a topic of this name, including internal topics. Throws as `list` does; an
   * InvalidArgumentError for a name that Kafka does not allow.
   */
  async has(name: string, call: CallOptions = {}): Promise<boolean> {
    checkTopicName(name)
    const [found] = await this.#admin.describeTopics([name], call)
    if (found?.error === undefined) return true
    if (found.error.code === 'UNKNOWN_TOPIC_OR_PARTITION') return false
    throw found.error
  }

  /** Returns the topic of this name. Throws UnknownTopicError if there is none, and as `has` does. */
  async get(name: string, call: CallOptions = {}): Promise<Topic> {
    if (await this.has(name, call)) return this.#topicOf(name)
    throw new UnknownTopicError(`topic '${name}' does not exist: create it with topic.create()`, {
      topic: name,
    })
  }

  /**
   * Iterates over all topics except internal ones, by name, in pages (Kafka 3.8 or newer), for clusters with very
   * many topics.
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<Topic, undefined> {
    for await (const { topic } of this.#admin.eachTopic()) yield this.#topicOf(topic)
  }
}

function listing(options: TopicListOptions) {
  checkOptions<TopicListOptions>('topics.list', options, {
    excludeInternalTopics: aBoolean,
    timeoutMs: aDurationMs(1),
    signal: aSignal,
  })
  const { excludeInternalTopics = true, ...call } = options
  return { ...call, includeInternal: !excludeInternalTopics }
}
