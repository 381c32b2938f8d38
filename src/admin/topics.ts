import { createPartitions as createPartitionsApi } from '../../protocol/apis/create-partitions.ts'
import { createTopics as createTopicsApi } from '../../protocol/apis/create-topics.ts'
import { deleteTopics as deleteTopicsApi } from '../../protocol/apis/delete-topics.ts'
import { ZERO_UUID } from '../../protocol/schema/fields.ts'
import { CALL_OPTIONS, type CallOptions } from '../call-options.ts'
import { InvalidArgumentError, UnsupportedVersionError } from '../errors.ts'
import { checkTable, type OptionTable } from '../option-table.ts'
import {
  aBoolean,
  anArrayOf,
  anInteger,
  aString,
  aTableOf,
  aText,
  either,
  oneOf,
} from '../options.ts'
import {
  CHANGE_OPTIONS,
  begin,
  brokerTimeoutMs,
  type AdminContext,
  type ChangeOptions,
} from './context.ts'
import { checkArray, checkDistinct, type Item, itemError, outcomeOf, settled } from './items.ts'
import {
  DESCRIBE_TOPICS_OPTIONS,
  describeTopicsByName,
  type DescribeTopicsOptions,
} from './describe-topics.ts'
import { eachTopic, listAllTopics, listTopicNames } from './list-topics.ts'
import type { TopicDescription } from './topic-description.ts'
import { retryTopics } from './topic-retries.ts'
import { waitUntilGone, waitUntilVisible } from './visibility.ts'

/** A topic that `createTopics` is to create. */
export interface NewTopic {
  /** The name of the topic. */
  readonly topic: string
  /** How many partitions the topic gets. Default: the brokers' `num.partitions` (Kafka 2.4 or newer). */
  readonly partitions?: number
  /**
   * How many replicas each partition gets. Default: the brokers' `default.replication.factor` (Kafka 2.4 or newer).
   */
  readonly replicationFactor?: number
  /**
   * The replicas of each partition, by node id, instead of `partitions` and `replicationFactor`; the
   * first replica of a partition is its leader. Default: the brokers choose.
   */
  readonly assignments?: readonly (readonly number[])[]
  /** By Kafka's names, such as `{ 'cleanup.policy': 'compact' }`. Default: those of the brokers. */
  readonly configs?: Readonly<Record<string, string | null>>
}

const MOST_PARTITIONS = 2 ** 31 - 1
const someBrokers = anArrayOf(anArrayOf(anInteger(0)))

/** The checks and defaults of `NewTopic`. */
export const NEW_TOPIC = {
  topic: { check: aString, required: true },
  partitions: {
    check: anInteger(1, MOST_PARTITIONS),
    defaultText: "the brokers' `num.partitions`",
  },
  replicationFactor: {
    check: anInteger(1, 32_767),
    defaultText: "the brokers' `default.replication.factor`",
  },
  assignments: { check: someBrokers, defaultText: 'the brokers choose' },
  configs: { check: aTableOf(either(aText, oneOf(null))), defaultText: 'those of the brokers' },
} as const satisfies OptionTable<NewTopic>

/** The result of `createTopics` for one topic. */
export interface CreatedTopic extends Item {
  /** The name of the topic. */
  readonly topic: string
  /** Undefined before Kafka 2.8, and with `validateOnly`. */
  readonly topicId?: string
  /** Undefined before Kafka 2.4. */
  readonly partitions?: number
  /** Undefined before Kafka 2.4. */
  readonly replicationFactor?: number
}

/** The options of changes that count against the quota `controller_mutation_rate`. */
export interface TopicChangeOptions extends ChangeOptions {
  /**
   * Whether an item that exceeds the quota `controller_mutation_rate` is sent again until the call
   * times out (KIP-599, Kafka 2.7). With false it fails with THROTTLING_QUOTA_EXCEEDED. Default:
   * true.
   */
  readonly retryOnQuotaViolation?: boolean
}

/** The checks and defaults of `TopicChangeOptions`. */
export const TOPIC_CHANGE_OPTIONS = {
  ...CHANGE_OPTIONS,
  retryOnQuotaViolation: { check: aBoolean, default: true },
} as const satisfies OptionTable<TopicChangeOptions>

/** The options of `createTopics`. */
export interface CreateTopicsOptions extends TopicChangeOptions {
  /** Checks whether the topics can be created, without creating them. Default: false. */
  readonly validateOnly?: boolean
  /** Waits until every broker that responds knows the topics and their leaders. Default: true. */
  readonly waitUntilVisible?: boolean
}

/** The checks and defaults of `CreateTopicsOptions`. */
export const CREATE_TOPICS_OPTIONS = {
  ...TOPIC_CHANGE_OPTIONS,
  validateOnly: { check: aBoolean, default: false },
  waitUntilVisible: { check: aBoolean, default: true },
} as const satisfies OptionTable<CreateTopicsOptions>

/** The result of an operation for one topic, such as `deleteTopics`. */
export interface TopicResult extends Item {
  /** The name of the topic. */
  readonly topic: string
}

/** The options of `deleteTopics`. */
export interface DeleteTopicsOptions extends TopicChangeOptions {
  /**
   * Waits until no broker that responds knows the topics. A topic that is created meanwhile with the
   * same name does not count, where brokers report the ids of topics (Kafka 2.8). Default: true.
   */
  readonly waitUntilGone?: boolean
}

/** The checks and defaults of `DeleteTopicsOptions`. */
export const DELETE_TOPICS_OPTIONS = {
  ...TOPIC_CHANGE_OPTIONS,
  waitUntilGone: { check: aBoolean, default: true },
} as const satisfies OptionTable<DeleteTopicsOptions>

/** A topic that `createPartitions` is to enlarge. */
export interface NewPartitions {
  /** The name of the topic. */
  readonly topic: string
  /** How many partitions the topic has afterwards. */
  readonly count: number
  /** The replicas of each new partition, by node id. Default: the brokers choose. */
  readonly assignments?: readonly (readonly number[])[]
}

/** The checks and defaults of `NewPartitions`. */
export const NEW_PARTITIONS = {
  topic: { check: aString, required: true },
  count: { check: anInteger(1, MOST_PARTITIONS), required: true },
  assignments: { check: someBrokers, defaultText: 'the brokers choose' },
} as const satisfies OptionTable<NewPartitions>

/** The options of `createPartitions`. */
export interface CreatePartitionsOptions extends TopicChangeOptions {
  /** Checks whether the partitions can be added, without adding them. Default: false. */
  readonly validateOnly?: boolean
  /**
   * Waits until every broker that responds knows the partitions and their leaders. Default: true.
   */
  readonly waitUntilVisible?: boolean
}

/** The checks and defaults of `CreatePartitionsOptions`. */
export const CREATE_PARTITIONS_OPTIONS = {
  ...TOPIC_CHANGE_OPTIONS,
  validateOnly: { check: aBoolean, default: false },
  waitUntilVisible: { check: aBoolean, default: true },
} as const satisfies OptionTable<CreatePartitionsOptions>

/** The options of `listTopics`, `listTopicNames` and `eachTopic`. */
export interface ListTopicsOptions extends CallOptions {
  /** Whether internal topics such as `__consumer_offsets` are listed. Default: false (as in Java). */
  readonly includeInternal?: boolean
}

/** The checks and defaults of `ListTopicsOptions`. */
export const LIST_TOPICS_OPTIONS = {
  ...CALL_OPTIONS,
  includeInternal: { check: aBoolean, default: false },
} as const satisfies OptionTable<ListTopicsOptions>

/** From this version on brokers choose the number of partitions and the replication factor (KIP-464). */
const CREATE_WITH_DEFAULTS = 4
const DELETE_BY_NAME_OR_ID = 6

const PARTITIONS_FROM_BROKER = -1

export function topicOperations(context: AdminContext) {
  const { cluster } = context
  return {
    /**
     * Returns the topics of the cluster that this client may see, by name. Java: `listTopics` and
     * `describeTopics`.
     */
    async listTopics(options: ListTopicsOptions = {}): Promise<readonly TopicDescription[]> {
      const { deadline, includeInternal } = begin(
        context,
        'listTopics',
        options,
        LIST_TOPICS_OPTIONS,
      )
      return listAllTopics(cluster, deadline, includeInternal)
    },

    /**
     * Returns the names of the topics of the cluster that this client may see, in order. It needs less time and memory
     * than `listTopics`, because the partitions in the response are not decoded. Java: `listTopics`.
     */
    async listTopicNames(options: ListTopicsOptions = {}): Promise<readonly string[]> {
      const { deadline, includeInternal } = begin(
        context,
        'listTopicNames',
        options,
        LIST_TOPICS_OPTIONS,
      )
      return listTopicNames(cluster, deadline, includeInternal)
    },

    /**
     * Yields the same topics one by one, by name, for clusters with very many topics: the brokers
     * send pages of 2,000 partitions (KIP-966, Kafka 3.8 or newer; older brokers send 1,000 topics
     * at a time), so that memory stays bounded.
     */
    eachTopic(options: ListTopicsOptions = {}): AsyncIterable<TopicDescription> {
      const { deadline, includeInternal } = begin(
        context,
        'eachTopic',
        options,
        LIST_TOPICS_OPTIONS,
      )
      return eachTopic(cluster, deadline, includeInternal)
    },

    /**
     * Returns topics by name, in the order of the names. A topic that does not exist has an
     * `error`.
     */
    async describeTopics(
      topics: readonly string[],
      options: DescribeTopicsOptions = {},
    ): Promise<readonly TopicDescription[]> {
      const operation = 'describeTopics'
      const { deadline, ...settings } = begin(context, operation, options, DESCRIBE_TOPICS_OPTIONS)
      checkDistinct(operation, 'topic', topics)
      return describeTopicsByName(cluster, topics, deadline, settings)
    },

    /** Creates topics. Throws ItemsFailedError, with TOPIC_ALREADY_EXISTS for a topic that exists. */
    async createTopics(
      topics: readonly NewTopic[],
      options: CreateTopicsOptions = {},
    ): Promise<readonly CreatedTopic[]> {
      const operation = 'createTopics'
      const settings = begin(context, operation, options, CREATE_TOPICS_OPTIONS)
      const { deadline, settle, validateOnly } = settings
      checkTopics(operation, topics)
      for (const topic of topics) checkNewTopic(operation, topic)
      const byName = new Map(topics.map((topic) => [topic.topic, topic]))
      const outcomes = await cluster.fanOut.run<string, Omit<CreatedTopic, 'topic'>>({
        items: [...byName.keys()],
        to: () => 'controller',
        what: 'creating topics',
        deadline,
        retry: retryTopics(settings.retryOnQuotaViolation),
        ask: async (names, recipient) => {
          const response = await recipient.request(createTopicsApi, (version) => ({
            topics: names.map((name) => createTopicBody(byName.get(name)!, version)),
            timeoutMs: brokerTimeoutMs(cluster, deadline),
            ...(validateOnly ? { validateOnly } : {}),
          }))
          return response.topics.map((created) => {
            const { name, errorCode, errorMessage, topicId, numPartitions } = created
            const what = `creating topic '${name}'`
            const error = itemError(errorCode, what, recipient.name, errorMessage, { topic: name })
            return outcomeOf(name, error, {
              ...(topicId === ZERO_UUID ? {} : { topicId }),
              ...(numPartitions < 0 ? {} : { partitions: numPartitions }),
              ...(created.replicationFactor < 0
                ? {}
                : { replicationFactor: created.replicationFactor }),
            })
          })
        },
      })
      const results = outcomes.map(({ item, result, error }) =>
        error === undefined ? { topic: item, ...result } : { topic: item, error },
      )
      if (settings.waitUntilVisible && !validateOnly) {
        const counts = outcomes.flatMap(({ item, result, error }) => {
          const { partitions, assignments } = byName.get(item)!
          const count = result?.partitions ?? partitions ?? assignments?.length ?? 1
          return error === undefined ? [[item, count] as const] : []
        })
        await waitUntilVisible(cluster, new Map(counts), deadline)
      }
      return settled(operation, results, settle)
    },

    /** Deletes topics with all their records. Throws ItemsFailedError. */
    async deleteTopics(
      topics: readonly string[],
      options: DeleteTopicsOptions = {},
    ): Promise<readonly TopicResult[]> {
      const operation = 'deleteTopics'
      const settings = begin(context, operation, options, DELETE_TOPICS_OPTIONS)
      const { deadline } = settings
      checkDistinct(operation, 'topic', topics)
      const outcomes = await cluster.fanOut.run<string, string | undefined>({
        items: topics,
        to: () => 'controller',
        what: 'deleting topics',
        deadline,
        retry: retryTopics(settings.retryOnQuotaViolation),
        ask: async (names, recipient) => {
          const response = await recipient.request(deleteTopicsApi, (version) => ({
            topics: version >= DELETE_BY_NAME_OR_ID ? names.map(byNameOnly) : [],
            topicNames: version >= DELETE_BY_NAME_OR_ID ? [] : names,
            timeoutMs: brokerTimeoutMs(cluster, deadline),
          }))
          return response.responses.map(({ name, topicId, errorCode, errorMessage }) => {
            const topic = name ?? ''
            const what = `deleting topic '${topic}'`
            const error = itemError(errorCode, what, recipient.name, errorMessage, { topic })
            return outcomeOf(topic, error, topicId === ZERO_UUID ? undefined : topicId)
          })
        },
      })
      const results = outcomes.map(({ item, error }) => ({
        topic: item,
        ...(error === undefined ? {} : { error }),
      }))
      if (settings.waitUntilGone) {
        const deleted = outcomes.flatMap(({ item, result, error }) =>
          error === undefined ? [[item, result] as const] : [],
        )
        await waitUntilGone(cluster, new Map(deleted), deadline)
      }
      return settled(operation, results, settings.settle)
    },

    /** Adds partitions to topics; keys may go to other partitions afterwards. Throws ItemsFailedError. */
    async createPartitions(
      topics: readonly NewPartitions[],
      options: CreatePartitionsOptions = {},
    ): Promise<readonly TopicResult[]> {
      const operation = 'createPartitions'
      const settings = begin(context, operation, options, CREATE_PARTITIONS_OPTIONS)
      const { deadline, settle, validateOnly } = settings
      checkTopics(operation, topics)
      for (const topic of topics) checkTable(`a topic of ${operation}`, topic, NEW_PARTITIONS)
      const byName = new Map(topics.map((topic) => [topic.topic, topic]))
      const outcomes = await cluster.fanOut.run<string, undefined>({
        items: [...byName.keys()],
        to: () => 'controller',
        what: 'adding partitions',
        deadline,
        retry: retryTopics(settings.retryOnQuotaViolation),
        ask: async (names, recipient) => {
          const response = await recipient.request(createPartitionsApi, {
            topics: names.map((name) => {
              const { count, assignments } = byName.get(name)!
              return {
                name,
                count,
                assignments: assignments?.map((brokerIds) => ({ brokerIds })) ?? null,
              }
            }),
            timeoutMs: brokerTimeoutMs(cluster, deadline),
            validateOnly,
          })
          return response.results.map(({ name, errorCode, errorMessage }) => {
            const what = `adding partitions to topic '${name}'`
            const error = itemError(errorCode, what, recipient.name, errorMessage, { topic: name })
            return outcomeOf(name, error, undefined)
          })
        },
      })
      const results = outcomes.map(({ item, error }) => ({
        topic: item,
        ...(error === undefined ? {} : { error }),
      }))
      if (settings.waitUntilVisible && !validateOnly) {
        const counts = outcomes.flatMap(({ item, error }) =>
          error === undefined ? [[item, byName.get(item)!.count] as const] : [],
        )
        await waitUntilVisible(cluster, new Map(counts), deadline)
      }
      return settled(operation, results, settle)
    },

    /**
     * Waits until every broker that responds knows the topics, with a leader for each partition.
     */
    async waitUntilVisible(topics: readonly string[], options: CallOptions = {}): Promise<void> {
      const { deadline } = begin(context, 'waitUntilVisible', options, CALL_OPTIONS)
      checkDistinct('waitUntilVisible', 'topic', topics)
      await waitUntilVisible(cluster, new Map(topics.map((topic) => [topic, 1])), deadline)
    },

    /** Waits until no broker that responds knows the topics. */
    async waitUntilGone(topics: readonly string[], options: CallOptions = {}): Promise<void> {
      const { deadline } = begin(context, 'waitUntilGone', options, CALL_OPTIONS)
      checkDistinct('waitUntilGone', 'topic', topics)
      const ids = topics.map((topic) => [topic, undefined] as const)
      await waitUntilGone(cluster, new Map(ids), deadline)
    },
  }
}

function byNameOnly(name: string) {
  return { name, topicId: ZERO_UUID }
}

function createTopicBody(
  { topic, partitions, replicationFactor, assignments, configs }: NewTopic,
  version: number,
) {
  if (
    version < CREATE_WITH_DEFAULTS &&
    assignments === undefined &&
    (partitions === undefined || replicationFactor === undefined)
  ) {
    throw new UnsupportedVersionError(
      `creating topic '${topic}': brokers before Kafka 2.4 have no defaults: ` +
        'pass partitions and replicationFactor',
      { topic },
    )
  }
  return {
    name: topic,
    numPartitions: partitions ?? PARTITIONS_FROM_BROKER,
    replicationFactor: replicationFactor ?? PARTITIONS_FROM_BROKER,
    assignments: (assignments ?? []).map((brokerIds, partitionIndex) => ({
      partitionIndex,
      brokerIds,
    })),
    configs: Object.entries(configs ?? {}).map(([name, value]) => ({ name, value })),
  }
}

function checkTopics(operation: string, topics: readonly { readonly topic: string }[]): void {
  checkArray(operation, 'topics', topics)
  // Callers without types may pass any elements.
  const all: readonly ({ readonly topic?: string } | null | undefined)[] = topics
  checkDistinct(
    operation,
    'topic',
    all.map((given) => given?.topic ?? ''),
  )
}

function checkNewTopic(operation: string, topic: NewTopic): void {
  checkTable(`a topic of ${operation}`, topic, NEW_TOPIC)
  if (topic.assignments === undefined) return
  if (topic.partitions !== undefined || topic.replicationFactor !== undefined) {
    const either = 'either assignments or partitions and replicationFactor'
    throw new InvalidArgumentError(`${operation}: topic '${topic.topic}' must have ${either}`)
  }
}
