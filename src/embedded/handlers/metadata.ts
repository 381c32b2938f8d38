import { metadata } from '../../../protocol/apis/metadata.ts'
import { ErrorCode, type ErrorName } from '../../../protocol/errors.ts'
import { ZERO_UUID, type Decoded } from '../../../protocol/schema/fields.ts'
import { NO_LEADER, type Partition } from '../cluster/partition.ts'
import { checkTopicName, MAX_PARTITIONS_AT_ONCE, type Topic } from '../cluster/topics.ts'
import { outcomeOf, Refused } from '../refused.ts'
import {
  authorize,
  authorizedClusterOperations,
  authorizedOperations,
  mayDo,
  mayDoToCluster,
} from '../api/access.ts'
import { endpointOf, type RequestContext } from '../api/context.ts'
import { handler } from '../api/handler.ts'

type Request = Decoded<typeof metadata.request.fields>

const WITH_AUTHORIZED_OPERATIONS = 8
const LAST_WITH_CLUSTER_OPERATIONS = 10

/**
 * Errors of the whole response (v13). Brokers report all other errors for a topic or a partition.
 */
const TOP_LEVEL_ERRORS: readonly ErrorName[] = ['REBOOTSTRAP_REQUIRED']

export const metadataHandler = handler(metadata, {
  injectsErrors: true,
  handle: (request, context) => {
    const { cluster, injected, version } = context
    if (injected !== undefined && TOP_LEVEL_ERRORS.includes(injected.error)) {
      return refusal(ErrorCode[injected.error], request, context)
    }
    const wantsOperations = version >= WITH_AUTHORIZED_OPERATIONS
    return {
      ...clusterPart(context),
      topics: topicsOf(request, context).map((topic) => ({
        ...topic,
        ...(wantsOperations && request.includeTopicAuthorizedOperations && isReported(topic)
          ? { topicAuthorizedOperations: authorizedOperations(context, 'topic', topic.name ?? '') }
          : {}),
      })),
      clusterId: cluster.clusterId,
      ...(wantsOperations &&
      version <= LAST_WITH_CLUSTER_OPERATIONS &&
      request.includeClusterAuthorizedOperations
        ? {
            clusterAuthorizedOperations: mayDoToCluster(context, 'describe')
              ? authorizedClusterOperations(context)
              : 0,
          }
        : {}),
    }
  },
  refuse: refusal,
})

function isReported({ name, errorCode }: { name: string | null; errorCode: number }): boolean {
  return name !== null && errorCode !== ErrorCode.TOPIC_AUTHORIZATION_FAILED
}

function refusal(errorCode: number, request: Request, context: RequestContext) {
  return {
    ...clusterPart(context),
    errorCode,
    topics: (request.topics ?? []).map(({ name, topicId }) => ({
      ...unknownTopic(name, errorCode),
      topicId,
    })),
  }
}

function clusterPart(context: RequestContext) {
  const { cluster } = context
  return {
    brokers: cluster.brokers.alive.map((broker) => ({
      nodeId: broker.id,
      ...endpointOf(context, broker),
      rack: broker.rack,
    })),
    clusterId: cluster.clusterId,
    controllerId: cluster.brokers.controllerId,
  }
}

function topicsOf(request: Request, context: RequestContext) {
  const { cluster, version } = context
  // In v0 an empty list means all topics; in later versions it means none, and null means all.
  if (request.topics === null || (version === 0 && request.topics.length === 0)) {
    return cluster.topics.all
      .filter(({ name }) => mayDo(context, 'describe', 'topic', name))
      .map((topic) => describeOrFail(topic, context))
  }
  const mayCreate = mayCreateTopics(request.topics, request.allowAutoTopicCreation, context)
  return request.topics.map(({ name, topicId }) =>
    topicId === ZERO_UUID ? byName(name ?? '', mayCreate, context) : byId(topicId, context),
  )
}

/** A fault without a partition is an error of the topic, which then has no partitions. */
function topicError({ injected }: RequestContext, name: string): number | undefined {
  if (injected === undefined || injected.partition !== undefined) return undefined
  return (injected.topic ?? name) === name ? ErrorCode[injected.error] : undefined
}

function describeOrFail(topic: Topic, context: RequestContext) {
  const errorCode = topicError(context, topic.name)
  return errorCode === undefined
    ? describe(topic, context)
    : { ...unknownTopic(topic.name, errorCode), topicId: topic.id }
}

/** The controller creates all missing topics in one step, or none if they exceed its limit. */
function mayCreateTopics(
  topics: NonNullable<Request['topics']>,
  isAllowed: boolean,
  { cluster }: RequestContext,
): boolean {
  if (!isAllowed || !cluster.settings.autoCreateTopics) return false
  const missing = topics.filter(({ name }) => cluster.topics.byName(name ?? '') === undefined)
  return missing.length * (1 + cluster.settings.partitionCount) <= MAX_PARTITIONS_AT_ONCE
}

function byId(topicId: string, context: RequestContext) {
  const topic = context.cluster.topics.byId(topicId)
  if (topic !== undefined) {
    return mayDo(context, 'describe', 'topic', topic.name)
      ? describeOrFail(topic, context)
      : { ...unknownTopic(null, ErrorCode.TOPIC_AUTHORIZATION_FAILED), topicId }
  }
  return {
    ...unknownTopic(context.version >= 12 ? null : '', ErrorCode.UNKNOWN_TOPIC_ID),
    topicId,
  }
}

/** A request for a topic may create it: the next request then finds it. */
function byName(name: string, mayCreate: boolean, context: RequestContext) {
  const { cluster } = context
  if (!mayDo(context, 'describe', 'topic', name)) {
    return unknownTopic(name, ErrorCode.TOPIC_AUTHORIZATION_FAILED)
  }
  const topic = cluster.topics.byName(name)
  if (topic !== undefined) return describeOrFail(topic, context)
  const injected = topicError(context, name)
  if (injected !== undefined) return unknownTopic(name, injected)
  const { refused } = outcomeOf(() => {
    checkTopicName(name)
    if (!mayCreate) throw new Refused('UNKNOWN_TOPIC_OR_PARTITION')
    if (!mayDoToCluster(context, 'create')) authorize(context, 'create', 'topic', name)
    cluster.topics.create({ name, partitionCount: -1, replicationFactor: -1 })
  })
  const error = refused?.error ?? cluster.settings.profile.autoCreateError
  return unknownTopic(name, ErrorCode[error])
}

function unknownTopic(name: string | null, errorCode: number) {
  return { errorCode, name, topicId: ZERO_UUID, partitions: [] }
}

function describe(topic: Topic, context: RequestContext) {
  return {
    errorCode: 0,
    name: topic.name,
    topicId: topic.id,
    partitions: topic.partitions.map((partition) => {
      const described = describedPartition(partition, context)
      const errorCode = partitionError(context, topic.name, partition.index)
      return errorCode === undefined ? described : { ...described, errorCode, leaderId: NO_LEADER }
    }),
  }
}

function partitionError({ injected }: RequestContext, topic: string, partition: number) {
  if (injected?.partition !== partition || (injected.topic ?? topic) !== topic) return undefined
  return ErrorCode[injected.error]
}

export function describedPartition(partition: Partition, { cluster }: RequestContext) {
  const { index, leader, leaderEpoch, replicas, isr } = partition
  return {
    errorCode: leader === NO_LEADER ? ErrorCode.LEADER_NOT_AVAILABLE : 0,
    partitionIndex: index,
    leaderId: leader,
    leaderEpoch,
    replicaNodes: replicas,
    isrNodes: isr,
    offlineReplicas: replicas.filter((id) => !cluster.brokers.isAlive(id)),
  }
}
