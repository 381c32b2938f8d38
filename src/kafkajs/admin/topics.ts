import { createPartitions, createTopics, deleteTopics, ErrorCode } from '../../../protocol/index.ts'
import { partitionMetadataOf } from '../connection/topic-metadata.ts'
import { protocolErrorOf, throwIfFailed } from '../error-from.ts'
import { KafkaJSAggregateError, KafkaJSCreateTopicError, KafkaJSTimeout } from '../errors.ts'
import type { Admin, ITopicConfig } from '../types/admin.ts'
import { checkTopicList, checkTopicName, operate, refuse, type AdminParts } from './context.ts'

const DEFAULT_TIMEOUT_MS = 5_000
const DEFAULT_WAIT_MS = 10_000
/** The last version of DeleteTopics without topic ids. */
const DELETE_BY_NAME = 5
/** The first version of CreateTopics in which −1 stands for the broker's default (KIP-464). */
const CREATE_WITH_DEFAULTS = 4

type TopicOperations = Pick<
  Admin,
  | 'listTopics'
  | 'createTopics'
  | 'deleteTopics'
  | 'createPartitions'
  | 'fetchTopicMetadata'
  | 'describeCluster'
>

export function topicOperations(parts: AdminParts): TopicOperations {
  const { topics: metadata } = parts
  return {
    listTopics: () =>
      operate(parts, async () => {
        const { topics } = await metadata.describe('all')
        return topics.flatMap(({ name }) => name ?? [])
      }),

    createTopics: async ({ topics, validateOnly = false, timeout, waitForLeaders = true }) => {
      checkTopicList(topics)
      for (const { topic, configEntries } of topics) checkConfigEntries(topic, configEntries)
      return operate(parts, async (client) => {
        const response = await client.request(
          createTopics,
          (version) => ({
            topics: topics.map((topic) => newTopic(topic, version)),
            timeoutMs: timeout ?? DEFAULT_TIMEOUT_MS,
            validateOnly,
          }),
          { to: 'controller' },
        )
        const errors = byName(response.topics)
          .filter(({ errorCode }) => errorCode !== ErrorCode.NONE)
          .map(
            ({ name, errorCode }) => new KafkaJSCreateTopicError(protocolErrorOf(errorCode), name),
          )
        if (errors.length > 0) {
          if (errors.every(({ type }) => type === 'TOPIC_ALREADY_EXISTS')) return false
          throw new KafkaJSAggregateError('Topic creation errors', errors)
        }
        if (waitForLeaders && !validateOnly) {
          const names = topics.map(({ topic }) => topic)
          if (!(await metadata.untilLed(names, timeout ?? DEFAULT_WAIT_MS))) {
            throw new KafkaJSTimeout('Timed out while waiting for topic leaders')
          }
        }
        return true
      })
    },

    deleteTopics: async ({ topics, timeout = DEFAULT_TIMEOUT_MS }) => {
      if (!Array.isArray(topics)) refuse(`Invalid topics array ${String(topics)}`)
      if (topics.some((topic: unknown) => typeof topic !== 'string')) {
        refuse('Invalid topics array, the names must be a valid string')
      }
      await operate(
        parts,
        async (client) => {
          const { responses } = await client.request(
            deleteTopics,
            { topicNames: topics, timeoutMs: timeout },
            { to: 'controller', maxVersion: DELETE_BY_NAME },
          )
          for (const { errorCode } of byName(responses)) throwIfFailed(errorCode)
          for (const topic of topics) metadata.forget(topic)
        },
        ['UNKNOWN_TOPIC_OR_PARTITION'],
      )
    },

    createPartitions: async ({
      topicPartitions,
      validateOnly = false,
      timeout = DEFAULT_TIMEOUT_MS,
    }) => {
      if (!Array.isArray(topicPartitions)) {
        refuse(`Invalid topic partitions array ${String(topicPartitions)}`)
      }
      if (topicPartitions.length === 0) refuse('Empty topic partitions array')
      checkTopicList(topicPartitions, 'topic partitions')
      await operate(parts, async (client) => {
        const { results } = await client.request(
          createPartitions,
          {
            topics: topicPartitions.map(({ topic, count, assignments }) => ({
              name: topic,
              count,
              assignments: assignments?.map((brokerIds) => ({ brokerIds })) ?? null,
            })),
            timeoutMs: timeout,
            validateOnly,
          },
          { to: 'controller' },
        )
        for (const { errorCode } of byName(results)) throwIfFailed(errorCode)
      })
      // kafkajs declares a boolean, but resolves with undefined.
      return undefined as unknown as boolean
    },

    fetchTopicMetadata: async ({ topics = [] } = { topics: [] }) => {
      for (const topic of topics) checkTopicName(topic)
      return operate(parts, async () => {
        const found = await metadata.describe(topics.length === 0 ? 'all' : topics)
        for (const { errorCode } of found.topics) throwIfFailed(errorCode)
        return {
          topics: found.topics.map(({ name, partitions }) => ({
            name: name ?? '',
            partitions: partitionMetadataOf(partitions),
          })),
        }
      })
    },

    describeCluster: () =>
      operate(parts, async () => {
        const { brokers, controllerId, clusterId } = await metadata.describe([])
        return {
          brokers: brokers.map(({ nodeId, host, port }) => ({ nodeId, host, port })),
          controller: controllerId < 0 ? null : controllerId,
          // kafkajs declares a string; brokers before 0.10.1 have none.
          clusterId: clusterId as string,
        }
      }),
  }
}

/** Sorted by name, because kafkajs reports the error of the first topic by name. */
function byName<T extends { readonly name: string | null }>(results: readonly T[]): T[] {
  return [...results].sort((a, b) => (a.name ?? '').localeCompare(b.name ?? ''))
}

function newTopic(topic: ITopicConfig, version: number) {
  const { replicaAssignment = [], configEntries = [] } = topic
  const isByHand = replicaAssignment.length > 0
  const fallback = version >= CREATE_WITH_DEFAULTS || isByHand ? -1 : 1
  return {
    name: topic.topic,
    numPartitions: isByHand ? -1 : (topic.numPartitions ?? fallback),
    replicationFactor: isByHand ? -1 : (topic.replicationFactor ?? fallback),
    assignments: replicaAssignment.map(({ partition, replicas }) => ({
      partitionIndex: partition,
      brokerIds: replicas,
    })),
    // Callers without types may pass any value.
    configs: (configEntries as ITopicConfig['configEntries'] | null) ?? [],
  }
}

function checkConfigEntries(topic: string, configEntries: unknown): void {
  if (configEntries === undefined || configEntries === null) return
  if (!Array.isArray(configEntries)) {
    refuse(`Invalid configEntries for topic "${topic}", must be an array`)
  }
  configEntries.forEach((entry: unknown, index) => {
    if (typeof entry !== 'object' || entry === null) {
      refuse(`Invalid configEntries for topic "${topic}". Entry ${index} must be an object`)
    }
    for (const name of ['name', 'value']) {
      if (typeof Reflect.get(entry, name) === 'string') continue
      refuse(
        `Invalid configEntries for topic "${topic}". Entry ${index} must have a valid "${name}" property`,
      )
    }
  })
}
