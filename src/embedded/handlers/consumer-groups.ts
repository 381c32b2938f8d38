/**
 * Groups of the consumer protocol (KIP-848): the heartbeats of their members, and the requests of
 * tools.
 */
import { consumerGroupDescribe } from '../../../protocol/apis/consumer-group-describe.ts'
import { consumerGroupHeartbeat } from '../../../protocol/apis/consumer-group-heartbeat.ts'
import type { Decoded } from '../../../protocol/schema/fields.ts'
import { authorize, authorizedOperations, mayDo } from '../api/access.ts'
import type { RequestContext } from '../api/context.ts'
import { handler } from '../api/handler.ts'
import {
  partitionKey,
  partOf,
  SERVER_ASSIGNORS,
  type PartitionKey,
} from '../groups/consumer/assignors.ts'
import {
  AWAY,
  JOINS,
  type ConsumerGroup,
  type ConsumerMember,
  type HeartbeatAnswer,
} from '../groups/consumer/consumer-group.ts'
import { outcomeOf, Refused } from '../refused.ts'
import { groupedBy } from './grouped-by.ts'
import { checkGroupId } from './groups.ts'

const WITH_PATTERN = 1
const WITH_MEMBER_TYPE = 1
/** The member type with which ConsumerGroupDescribe reports the consumer protocol. */
const CONSUMER_MEMBER = 1

const GROUP_VERSION = 'group.version'

type Request = Decoded<typeof consumerGroupHeartbeat.request.fields>

export const consumerGroupHeartbeatHandler = handler(consumerGroupHeartbeat, {
  handle: (request, context) => {
    const outcome = outcomeOf(() => heartbeat(request, context))
    if (outcome.refused !== undefined) {
      return refusal(outcome.refused.errorCode, outcome.refused.detail)
    }
    const { epoch, heartbeatIntervalMs, assignment } = outcome.value
    return {
      throttleTimeMs: 0,
      errorCode: 0,
      memberId: request.memberId,
      memberEpoch: epoch,
      heartbeatIntervalMs,
      assignment: assignment === undefined ? null : { topicPartitions: byTopic(assignment) },
    }
  },
  refuse: (errorCode) => refusal(errorCode, null),
})

function refusal(errorCode: number, errorMessage: string | null) {
  return { throttleTimeMs: 0, errorCode, errorMessage, memberEpoch: 0, heartbeatIntervalMs: 0 }
}

function heartbeat(request: Request, context: RequestContext): HeartbeatAnswer {
  const { groups, broker, cluster, version, clientId, clientHost } = context
  if (cluster.features.level(GROUP_VERSION) === 0) throw new Refused('UNSUPPORTED_VERSION')
  const { groupId, memberEpoch: epoch, subscribedTopicNames, serverAssignor } = request
  authorize(context, 'read', 'group', groupId)
  for (const name of subscribedTopicNames ?? []) authorize(context, 'describe', 'topic', name)
  groups.checkCoordinator(groupId, broker.id)
  checkRequest(request)
  if (serverAssignor !== null && !SERVER_ASSIGNORS.has(serverAssignor)) {
    throw new Refused(
      'UNSUPPORTED_ASSIGNOR',
      `ServerAssignor ${serverAssignor} is not supported. Supported assignors: ${[...SERVER_ASSIGNORS.keys()].join(', ')}.`,
    )
  }
  // Java has different texts for these two cases.
  const missing = epoch > JOINS ? `Consumer group ${groupId} not found.` : undefined
  const group = epoch === JOINS ? groups.consumerToJoin(groupId) : groups.consumer(groupId, missing)
  const answer = group.heartbeat(
    {
      memberId: request.memberId,
      epoch,
      instanceId: request.instanceId,
      rackId: request.rackId,
      rebalanceTimeoutMs: request.rebalanceTimeoutMs,
      topics: subscribedTopicNames,
      pattern: version >= WITH_PATTERN ? request.subscribedTopicRegex : null,
      maySee: (topic) => mayDo(context, 'describe', 'topic', topic),
      assignor: serverAssignor,
      owned: ownedIn(request),
      clientId: clientId ?? '',
      clientHost,
    },
    cluster.topics.all.map(({ id, name, partitions }) => ({
      id,
      name,
      partitions: partitions.length,
    })),
  )
  groups.keep(group)
  return answer
}

function ownedIn({ topicPartitions }: Request): ReadonlySet<PartitionKey> | null {
  if (topicPartitions === null) return null
  return new Set(
    topicPartitions.flatMap(({ topicId, partitions }) =>
      partitions.map((partition) => partitionKey(topicId, partition)),
    ),
  )
}

/** Throws INVALID_REQUEST in the same cases as Java's coordinator, and with its messages. */
function checkRequest(request: Request): void {
  const invalid = (detail: string) => new Refused('INVALID_REQUEST', detail)
  const { memberEpoch: epoch } = request
  if (request.groupId === '') throw invalid("GroupId can't be empty.")
  if (request.instanceId === '') throw invalid("InstanceId can't be empty.")
  if (request.rackId === '') throw invalid("RackId can't be empty.")
  if (request.memberId === '') throw invalid("MemberId can't be empty.")
  if (epoch < AWAY) throw invalid('MemberEpoch is invalid.')
  if (epoch === AWAY && request.instanceId === null) {
    throw invalid("InstanceId can't be null.")
  }
  if (epoch !== JOINS) return
  if (request.rebalanceTimeoutMs === -1) {
    throw invalid('RebalanceTimeoutMs must be provided in first request.')
  }
  if (request.topicPartitions === null || request.topicPartitions.length > 0) {
    throw invalid('TopicPartitions must be empty when (re-)joining.')
  }
  if (request.subscribedTopicNames === null && request.subscribedTopicRegex === null) {
    throw invalid(
      'Either SubscribedTopicNames or SubscribedTopicRegex must be non-null when (re-)joining.',
    )
  }
}

function byTopic(keys: Iterable<PartitionKey>): { topicId: string; partitions: number[] }[] {
  const topics = groupedBy([...keys].map(partOf), ({ topicId }) => topicId)
  return [...topics].map(([topicId, ofTopic]) => ({
    topicId,
    partitions: ofTopic.map(({ partition }) => partition).sort((a, b) => a - b),
  }))
}

const NOTHING_KNOWN = {
  groupState: '',
  groupEpoch: 0,
  assignmentEpoch: 0,
  assignorName: '',
  members: [],
} as const

export const consumerGroupDescribeHandler = handler(consumerGroupDescribe, {
  handle: ({ groupIds, includeAuthorizedOperations }, context) => ({
    throttleTimeMs: 0,
    groups: groupIds.map((groupId) => {
      const outcome = outcomeOf(() => describe(groupId, context))
      if (outcome.refused !== undefined) {
        const { errorCode, detail } = outcome.refused
        return { ...NOTHING_KNOWN, groupId, errorCode, errorMessage: detail }
      }
      return {
        ...outcome.value,
        groupId,
        errorCode: 0,
        ...(includeAuthorizedOperations
          ? { authorizedOperations: authorizedOperations(context, 'group', groupId) }
          : {}),
      }
    }),
  }),
  refuse: (errorCode, { groupIds }) => ({
    throttleTimeMs: 0,
    groups: groupIds.map((groupId) => ({ ...NOTHING_KNOWN, groupId, errorCode })),
  }),
})

function describe(groupId: string, context: RequestContext) {
  const { groups, broker } = context
  authorize(context, 'describe', 'group', groupId)
  checkGroupId(groupId)
  groups.checkCoordinator(groupId, broker.id)
  const group = groups.consumer(groupId)
  return {
    groupState: group.state,
    groupEpoch: group.epoch,
    assignmentEpoch: group.targetEpoch,
    assignorName: group.assignorName,
    members: [...group.members.values()].map((member) => memberIn(group, member, context)),
  }
}

function memberIn(group: ConsumerGroup, member: ConsumerMember, context: RequestContext) {
  const { topics } = context.cluster
  const named = (keys: Iterable<PartitionKey>) => ({
    topicPartitions: byTopic(keys).flatMap(({ topicId, partitions }) => {
      const topic = topics.byId(topicId)
      return topic === undefined ? [] : [{ topicId, topicName: topic.name, partitions }]
    }),
  })
  return {
    memberId: member.id,
    instanceId: member.instanceId,
    rackId: member.rackId,
    memberEpoch: member.current.epoch,
    clientId: member.clientId,
    clientHost: member.clientHost,
    subscribedTopicNames: [...member.topics],
    subscribedTopicRegex: member.pattern ?? '',
    assignment: named([
      ...member.current.assigned.keys(),
      ...member.current.pendingRevocation.keys(),
    ]),
    targetAssignment: named(group.targetOf(member.id)),
    ...(context.version >= WITH_MEMBER_TYPE ? { memberType: CONSUMER_MEMBER } : {}),
  }
}
