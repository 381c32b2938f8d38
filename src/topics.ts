import type { Admin } from './admin/admin.ts'
import { CALL_OPTIONS, type CallOptions } from './call-options.ts'
import { checkTopicName } from './cluster/topic-name.ts'
import { UnknownTopicError } from './errors.ts'
import { readOptions, type OptionTable } from './option-table.ts'
import { aBoolean } from './options.ts'
import type { Topic } from './topic.ts'

/** The options of `client.topics.list()`. */
export interface TopicListOptions extends CallOptions {
  /** Whether to leave out internal topics such as `__consumer_offsets`. Default: true (as in pykafka). */
  readonly excludeInternalTopics?: boolean
}

/** The checks and defaults of `TopicListOptions`. */
export const TOPIC_LIST_OPTIONS = {
  ...CALL_OPTIONS,
  excludeInternalTopics: { check: aBoolean, default: true },
} as const satisfies OptionTable<TopicListOptions>

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
    const names = await this.#admin.listTopicNames(listing(options))
    return names.map((name) => this.#topicOf(name))
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
  const settings = readOptions('topics.list', options, TOPIC_LIST_OPTIONS)
  const { excludeInternalTopics, ...call } = settings
  return { ...call, includeInternal: !excludeInternalTopics }
}
