import { createPartitions } from '../../../protocol/apis/create-partitions.ts'
import { createTopics } from '../../../protocol/apis/create-topics.ts'
import { deleteTopics } from '../../../protocol/apis/delete-topics.ts'
import { ErrorCode } from '../../../protocol/errors.ts'
import { ZERO_UUID, type Decoded } from '../../../protocol/schema/fields.ts'
import { CONFIG_DEFINITIONS, TopicConfig } from '../cluster/topic-config.ts'
import { MAX_PARTITIONS_AT_ONCE, tooManyAdded, type Topic } from '../cluster/topics.ts'
import { outcomeOf, Refused } from '../refused.ts'
import { authorize, mayDo, mayDoToCluster } from '../api/access.ts'
import type { RequestContext } from '../api/context.ts'
import { handler } from '../api/handler.ts'
import { sourceOf } from './config-entries.ts'

type WantedTopic = Decoded<typeof createTopics.request.fields>['topics'][number]

const CREATE_TELLS_OF_TOPIC = 5

export const createTopicsHandler = handler(createTopics, {
  handle: (request, context) => {
    const repeated = repeats(request.topics.map(({ name }) => name))
    const excess = excessOf(
      request.topics.filter(({ name }) => !repeated.has(name)),
      context.cluster.settings.partitionCount,
    )
    return {
      topics: request.topics.map((wanted) => {
        const outcome = outcomeOf(() => {
          if (repeated.has(wanted.name)) {
            throw new Refused('INVALID_REQUEST', 'Duplicate topic name.')
          }
          authorizeCreation(wanted.name, context)
          if (excess !== undefined) throw new Refused('POLICY_VIOLATION', excess)
          return createTopic(wanted, request.validateOnly, context)
        })
        return outcome.refused === undefined
          ? createdTopic(outcome.value, request.validateOnly, context)
          : {
              name: wanted.name,
              errorCode: outcome.refused.errorCode,
              errorMessage: outcome.refused.detail,
              configs: [],
            }
      }),
    }
  },
  refuse: (errorCode, { topics }) => ({
    topics: topics.map(({ name }) => ({ name, errorCode, errorMessage: null, configs: [] })),
  }),
})

function authorizeCreation(name: string, context: RequestContext): void {
  if (mayDoToCluster(context, 'create')) return
  authorize(context, 'create', 'topic', name, 'Authorization failed.')
}

/** Why the controller rejects a request of this size; undefined if it accepts it. */
function excessOf(topics: readonly WantedTopic[], defaultCount: number): string | undefined {
  let partitions = 0
  for (const { numPartitions, assignments } of topics) {
    const count = numPartitions === -1 ? defaultCount : numPartitions
    partitions += assignments.length > 0 ? assignments.length : count
    if (partitions > MAX_PARTITIONS_AT_ONCE) {
      return 'Excessively large number of partitions per request.'
    }
  }
  // The controller writes one record for the topic, in addition to those of its partitions.
  return partitions + topics.length > MAX_PARTITIONS_AT_ONCE
    ? 'Unable to perform excessively large batch operation.'
    : undefined
}

function createTopic(
  { name, numPartitions, replicationFactor, assignments, configs }: WantedTopic,
  validateOnly: boolean,
  { cluster }: RequestContext,
): Topic {
  const config = new TopicConfig(configs.map((entry) => [entry.name, valueOf(entry)] as const))
  if (assignments.length > 0 && (numPartitions !== -1 || replicationFactor !== -1)) {
    throw new Refused(
      'INVALID_REQUEST',
      'A manual partition assignment was specified, but numPartitions or replicationFactor was not set to -1.',
    )
  }
  const sorted = [...assignments].sort((a, b) => a.partitionIndex - b.partitionIndex)
  if (sorted.some(({ partitionIndex }, index) => partitionIndex !== index)) {
    throw new Refused(
      'INVALID_REPLICA_ASSIGNMENT',
      'partitions should be a consecutive 0-based integer sequence',
    )
  }
  return cluster.topics.create(
    {
      name,
      partitionCount: numPartitions,
      replicationFactor,
      config,
      ...(sorted.length > 0 ? { assignments: sorted.map(({ brokerIds }) => brokerIds) } : {}),
    },
    validateOnly,
  )
}

function valueOf({ name, value }: { readonly name: string; readonly value: string | null }) {
  if (value !== null) return value
  throw new Refused('INVALID_CONFIG', `Null value not supported for topic configs: ${name}`)
}

function createdTopic(topic: Topic, validateOnly: boolean, context: RequestContext) {
  const { version, cluster } = context
  const answer = { name: topic.name, errorCode: 0, errorMessage: null, configs: null }
  if (version < CREATE_TELLS_OF_TOPIC) return answer
  if (!mayDo(context, 'describeConfigs', 'topic', topic.name)) {
    return {
      ...answer,
      topicId: validateOnly ? ZERO_UUID : topic.id,
      topicConfigErrorCode: ErrorCode.TOPIC_AUTHORIZATION_FAILED,
      numPartitions: -1,
      replicationFactor: -1,
      configs: [],
    }
  }
  return {
    ...answer,
    topicId: validateOnly ? ZERO_UUID : topic.id,
    numPartitions: topic.partitions.length,
    replicationFactor: topic.replicationFactor,
    configs: CONFIG_DEFINITIONS.map(({ name }) => ({
      name,
      value: topic.config.get(name),
      readOnly: false,
      configSource: sourceOf(topic.config, name, cluster.settings.profile),
      isSensitive: false,
    })),
  }
}

export const deleteTopicsHandler = handler(deleteTopics, {
  handle: (request, context) => {
    const { version, groups, cluster } = context
    const { topics } = cluster
    const wanted =
      version >= 6
        ? request.topics
        : request.topicNames.map((name) => ({ name, topicId: ZERO_UUID }))
    return {
      responses: wanted.map(({ name, topicId }) => {
        const byId = topicId !== ZERO_UUID
        const topic = byId ? topics.byId(topicId) : topics.byName(name ?? '')
        const known = byId ? topic?.name : (name ?? '')
        if (known !== undefined && !mayDo(context, 'delete', 'topic', known)) {
          const isHidden = byId && !mayDo(context, 'describe', 'topic', known)
          return {
            name: isHidden ? null : known,
            topicId,
            errorCode: ErrorCode.TOPIC_AUTHORIZATION_FAILED,
            errorMessage: 'Topic authorization failed.',
          }
        }
        if (topic === undefined) {
          return {
            name,
            topicId,
            errorCode: byId ? ErrorCode.UNKNOWN_TOPIC_ID : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
            errorMessage: byId
              ? 'This server does not host this topic ID.'
              : 'This server does not host this topic-partition.',
          }
        }
        topics.delete(topic)
        groups.topicDeleted(topic)
        return { name: topic.name, topicId: topic.id, errorCode: 0, errorMessage: null }
      }),
    }
  },
  refuse: (errorCode, request, { version }) => ({
    responses:
      version >= 6
        ? request.topics.map(({ name, topicId }) => ({ name, topicId, errorCode }))
        : request.topicNames.map((name) => ({ name, errorCode })),
  }),
})

export const createPartitionsHandler = handler(createPartitions, {
  handle: (request, context) => {
    const { topics } = context.cluster
    const repeated = repeats(request.topics.map(({ name }) => name))
    let added = 0
    for (const { name, count } of request.topics) {
      const has = topics.byName(name)?.partitions.length
      if (has !== undefined && !repeated.has(name)) added += Math.max(0, count - has)
    }
    return {
      throttleTimeMs: 0,
      results: request.topics.map(({ name, count, assignments }) => {
        const { refused } = outcomeOf(() => {
          if (repeated.has(name)) throw new Refused('INVALID_REQUEST', 'Duplicate topic name.')
          authorize(context, 'alter', 'topic', name)
          if (added > MAX_PARTITIONS_AT_ONCE) throw tooManyAdded()
          const topic = topics.byName(name)
          if (topic === undefined) throw new Refused('UNKNOWN_TOPIC_OR_PARTITION')
          const replicas = assignments?.map(({ brokerIds }) => brokerIds)
          topics.addPartitions(topic, count, replicas, request.validateOnly)
        })
        return { name, errorCode: refused?.errorCode ?? 0, errorMessage: refused?.detail ?? null }
      }),
    }
  },
  refuse: (errorCode, { topics }) => ({
    throttleTimeMs: 0,
    results: topics.map(({ name }) => ({ name, errorCode })),
  }),
})

function repeats(names: readonly string[]): ReadonlySet<string> {
  const seen = new Set<string>()
  const repeated = new Set<string>()
  for (const name of names) {
    if (seen.has(name)) repeated.add(name)
    seen.add(name)
  }
  return repeated
}
