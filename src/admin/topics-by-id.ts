/**
 * Topics by id. The id distinguishes a topic from an older or newer topic with the same name
 * (KIP-516).
 */
import { CALL_OPTIONS } from '../call-options.ts'
import { deleteTopics as deleteTopicsApi } from '../../protocol/apis/delete-topics.ts'
import { metadata } from '../../protocol/apis/metadata.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import { requiresKafka } from '../errors.ts'
import { begin, brokerTimeoutMs, type AdminContext } from './context.ts'
import {
  DESCRIBE_TOPICS_OPTIONS,
  TOPICS_IN_A_REQUEST,
  type DescribeTopicsOptions,
} from './describe-topics.ts'
import { checkTopicIds } from './ids.ts'
import { itemError, outcomeOf, settled, type Item } from './items.ts'
import { retryTopics } from './topic-retries.ts'
import { topicDescription, type TopicDescription } from './topic-description.ts'
import { DELETE_TOPICS_OPTIONS, type DeleteTopicsOptions } from './topics.ts'
import { waitUntilGone } from './visibility.ts'

/** The result of `describeTopicsById` for one id. */
export interface DescribedTopicId extends Omit<TopicDescription, 'topic' | 'topicId'> {
  /** The id that was given. */
  readonly topicId: string
  /** Undefined if no topic has this id. */
  readonly topic?: string
}

/** The result of `deleteTopicsById` for one id. */
export interface DeletedTopicId extends Item {
  /** The id that was given. */
  readonly topicId: string
  /** Undefined if no topic has this id, or if this client may not see its name. */
  readonly topic?: string
}

/**
 * Before this version, Metadata does not find topics by id, although its requests have the field.
 */
const METADATA_BY_ID = 12
const DELETE_BY_ID = 6

const DESCRIBE_BY_ID_OPTIONS = {
  ...CALL_OPTIONS,
  includeAuthorizedOperations: DESCRIBE_TOPICS_OPTIONS.includeAuthorizedOperations,
} as const

const NO_NAME = { name: null, topicId: '' }

export function topicByIdOperations(context: AdminContext) {
  const { cluster } = context
  return {
    /**
     * Returns topics by id, in the order of the ids (Kafka 3.1 or newer). An id that no topic has
     * gives an `error` with UNKNOWN_TOPIC_ID.
     */
    async describeTopicsById(
      topicIds: readonly string[],
      options: Omit<DescribeTopicsOptions, 'responsePartitionLimit'> = {},
    ): Promise<readonly DescribedTopicId[]> {
      const operation = 'describeTopicsById'
      const settings = begin(context, operation, options, DESCRIBE_BY_ID_OPTIONS)
      const { deadline, includeAuthorizedOperations } = settings
      checkTopicIds(operation, topicIds)
      const outcomes = await cluster.fanOut.run<string, DescribedTopicId>({
        items: topicIds,
        to: () => 'any',
        what: 'describing topics',
        deadline,
        maxItems: TOPICS_IN_A_REQUEST,
        retry: retryTopics(true),
        ask: async (ids, recipient) => {
          const response = await recipient.request(metadata, (version) => {
            if (version < METADATA_BY_ID) {
              throw requiresKafka('describing topics by id', '3.1', { broker: recipient.name })
            }
            return {
              topics: ids.map((topicId) => ({ ...NO_NAME, topicId })),
              allowAutoTopicCreation: false,
              includeTopicAuthorizedOperations: includeAuthorizedOperations,
            }
          })
          const found = new Map(response.topics.map((topic) => [topic.topicId, topic]))
          return ids.map((topicId) => {
            const topic = found.get(topicId)
            const errorCode = topic?.errorCode ?? ErrorCode.UNKNOWN_TOPIC_ID
            const what = `describing the topic with the id ${topicId}`
            const name = topic?.name ?? ''
            const error = itemError(errorCode, what, recipient.name)
            if (error !== undefined || topic === undefined) {
              return { item: topicId, error: error! }
            }
            const described = topicDescription(topic, name, includeAuthorizedOperations)
            return { item: topicId, result: { ...described, topicId } }
          })
        },
      })
      return outcomes.map(({ item: topicId, result, error }) =>
        error === undefined ? result : { topicId, isInternal: false, partitions: [], error },
      )
    },

    /**
     * Deletes topics by id. It never deletes a topic that was created later with the same name
     * (Kafka 2.8 or newer). Throws ItemsFailedError, with UNKNOWN_TOPIC_ID for an id that no topic
     * has.
     */
    async deleteTopicsById(
      topicIds: readonly string[],
      options: DeleteTopicsOptions = {},
    ): Promise<readonly DeletedTopicId[]> {
      const operation = 'deleteTopicsById'
      const settings = begin(context, operation, options, DELETE_TOPICS_OPTIONS)
      const { deadline } = settings
      checkTopicIds(operation, topicIds)
      const outcomes = await cluster.fanOut.run<string, { topic?: string }>({
        items: topicIds,
        to: () => 'controller',
        what: 'deleting topics',
        deadline,
        retry: retryTopics(settings.retryOnQuotaViolation),
        ask: async (ids, recipient) => {
          const response = await recipient.request(deleteTopicsApi, (version) => {
            if (version < DELETE_BY_ID) {
              throw requiresKafka('deleting topics by id', '2.8', { broker: recipient.name })
            }
            return {
              topics: ids.map((topicId) => ({ ...NO_NAME, topicId })),
              topicNames: [],
              timeoutMs: brokerTimeoutMs(cluster, deadline),
            }
          })
          return response.responses.map(({ name, topicId, errorCode, errorMessage }) => {
            const what = `deleting the topic with the id ${topicId}`
            const error = itemError(errorCode, what, recipient.name, errorMessage)
            return outcomeOf(topicId, error, name === null ? {} : { topic: name })
          })
        },
      })
      const results = outcomes.map(({ item: topicId, result, error }) =>
        error === undefined ? { topicId, ...result } : { topicId, error },
      )
      if (settings.waitUntilGone) {
        const deleted = outcomes.flatMap(({ item: topicId, result }) =>
          result?.topic === undefined ? [] : [[result.topic, topicId] as const],
        )
        await waitUntilGone(cluster, new Map(deleted), deadline)
      }
      return settled(operation, results, settings.settle)
    },
  }
}
