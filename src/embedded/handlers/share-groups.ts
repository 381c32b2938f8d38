/** Share groups: the requests of members and tools to their coordinator (KIP-932). */
import { alterShareGroupOffsets } from '../../../protocol/apis/alter-share-group-offsets.ts'
import { deleteShareGroupOffsets } from '../../../protocol/apis/delete-share-group-offsets.ts'
import { describeShareGroupOffsets } from '../../../protocol/apis/describe-share-group-offsets.ts'
import { shareGroupDescribe } from '../../../protocol/apis/share-group-describe.ts'
import { shareGroupHeartbeat } from '../../../protocol/apis/share-group-heartbeat.ts'
import { ErrorCode } from '../../../protocol/errors.ts'
import { ZERO_UUID } from '../../../protocol/schema/fields.ts'
import { authorize, authorizedOperations } from '../api/access.ts'
import type { RequestContext } from '../api/context.ts'
import { handler } from '../api/handler.ts'
import type { ShareGroup } from '../groups/share-group.ts'
import { outcomeOf, Refused } from '../refused.ts'

const JOINING = 0
const LEAVING = -1
const NO_PARTITION = 'This server does not host this topic-partition.'

/** Throws Refused. */
function coordinated(
  context: RequestContext,
  groupId: string,
  operation: 'read' | 'describe' | 'delete',
): ShareGroup {
  authorize(context, operation, 'group', groupId)
  context.groups.checkCoordinator(groupId, context.broker.id)
  return context.groups.share(groupId)
}

export const shareGroupHeartbeatHandler = handler(shareGroupHeartbeat, {
  handle: (request, context) => {
    const { groupId, memberId, memberEpoch, rackId, subscribedTopicNames: topics } = request
    const outcome = outcomeOf(() => {
      authorize(context, 'read', 'group', groupId)
      if (groupId === '') throw new Refused('INVALID_REQUEST', "GroupId can't be empty.")
      if (memberId === '') throw new Refused('INVALID_REQUEST')
      if (rackId === '') throw new Refused('INVALID_REQUEST', "RackId can't be empty.")
      if (memberEpoch < LEAVING) throw new Refused('INVALID_REQUEST', 'MemberEpoch is invalid.')
      context.groups.checkCoordinator(groupId, context.broker.id)
      if (memberEpoch === JOINING && (topics === null || topics.length === 0)) {
        throw new Refused('INVALID_REQUEST', 'SubscribedTopicNames must be set in first request.')
      }
      const group =
        memberEpoch === JOINING
          ? context.groups.findOrCreateShare(groupId)
          : context.groups.share(
              groupId,
              `${memberEpoch === LEAVING ? 'Group' : 'Share group'} ${groupId} not found.`,
            )
      const clientId = context.clientId ?? ''
      const { clientHost } = context
      const asked = { memberId, memberEpoch, rackId, topics, clientId, clientHost }
      const answer = group.heartbeat(asked, context.cluster.topics)
      return { ...answer, intervalMs: group.settings.heartbeatIntervalMs }
    })
    if (outcome.refused !== undefined) return refusedHeartbeat(outcome.refused)
    const { memberEpoch: epoch, assignment, intervalMs } = outcome.value
    return {
      throttleTimeMs: 0,
      errorCode: 0,
      errorMessage: null,
      memberId,
      memberEpoch: epoch,
      heartbeatIntervalMs: epoch === LEAVING ? 0 : intervalMs,
      assignment:
        assignment === null
          ? null
          : {
              topicPartitions: assignment.map(({ topicId, partitions }) => ({
                topicId,
                partitions: [...partitions],
              })),
            },
    }
  },
  refuse: (errorCode) => refusedHeartbeat({ errorCode, detail: null }),
})

function refusedHeartbeat({ errorCode, detail }: Pick<Refused, 'errorCode' | 'detail'>) {
  return {
    throttleTimeMs: 0,
    errorCode,
    errorMessage: detail,
    memberId: null,
    memberEpoch: 0,
    heartbeatIntervalMs: 0,
    assignment: null,
  }
}

const NOTHING_KNOWN = {
  groupState: '',
  groupEpoch: 0,
  assignmentEpoch: 0,
  assignorName: '',
  members: [],
} as const

export const shareGroupDescribeHandler = handler(shareGroupDescribe, {
  handle: (request, context) => ({
    throttleTimeMs: 0,
    groups: request.groupIds.map((groupId) => {
      const outcome = outcomeOf(() => coordinated(context, groupId, 'describe'))
      if (outcome.refused !== undefined) {
        const { errorCode, detail } = outcome.refused
        return { ...NOTHING_KNOWN, groupId, errorCode, errorMessage: detail }
      }
      const group = outcome.value
      return {
        errorCode: 0,
        errorMessage: null,
        groupId,
        groupState: group.state,
        groupEpoch: group.epoch,
        assignmentEpoch: group.epoch,
        assignorName: 'simple',
        members: [...group.members.values()].map((member) => ({
          memberId: member.id,
          rackId: member.rackId,
          memberEpoch: member.epoch,
          clientId: member.clientId,
          clientHost: member.clientHost,
          subscribedTopicNames: [...member.topics],
          assignment: {
            topicPartitions: group
              .assignmentOf(member, context.cluster.topics)
              .map((one) => ({ ...one, partitions: [...one.partitions] })),
          },
        })),
        ...(request.includeAuthorizedOperations
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

export const describeShareGroupOffsetsHandler = handler(describeShareGroupOffsets, {
  handle: (request, context) => ({
    throttleTimeMs: 0,
    groups: request.groups.map(({ groupId, topics }) => {
      const outcome = outcomeOf(() => {
        authorize(context, 'describe', 'group', groupId)
        context.groups.checkCoordinator(groupId, context.broker.id)
        return context.groups.findShare(groupId)
      })
      if (outcome.refused !== undefined) {
        const { errorCode, detail } = outcome.refused
        return { groupId, topics: [], errorCode, errorMessage: detail }
      }
      // A group that does not exist has no offsets.
      const group = outcome.value
      const all = context.cluster.topics.all.map(({ name, partitions }) => ({
        topicName: name,
        partitions: partitions.map(({ index }) => index),
      }))
      const isAll = topics === null
      return {
        groupId,
        errorCode: 0,
        errorMessage: null,
        topics: (topics ?? all)
          .map(({ topicName, partitions }) => {
            const topic = context.cluster.topics.byName(topicName)
            return {
              topicName,
              topicId: topic?.id ?? ZERO_UUID,
              partitions: partitions.flatMap((index) => {
                const found = topic === undefined ? undefined : group?.find(topic.id, index)
                if (found === undefined && isAll) return []
                return {
                  partitionIndex: index,
                  startOffset: BigInt(found?.startOffset ?? -1),
                  leaderEpoch: 0,
                  lag: BigInt(found?.lag ?? -1),
                  errorCode: 0,
                  errorMessage: null,
                }
              }),
            }
          })
          .filter(({ partitions }) => !isAll || partitions.length > 0),
      }
    }),
  }),
  refuse: (errorCode, { groups }) => ({
    throttleTimeMs: 0,
    groups: groups.map(({ groupId }) => ({ groupId, topics: [], errorCode })),
  }),
})

/** Throws Refused. */
function checkEmpty(group: ShareGroup): ShareGroup {
  if (!group.isEmpty) throw new Refused('NON_EMPTY_GROUP', 'The group is not empty.')
  return group
}

/** Moving the offsets of a group that does not exist creates it. Throws Refused. */
function movable(context: RequestContext, groupId: string): ShareGroup {
  authorize(context, 'read', 'group', groupId)
  context.groups.checkCoordinator(groupId, context.broker.id)
  const group = checkEmpty(context.groups.findOrCreateShare(groupId))
  if (group.epoch === 0) group.epoch = 1
  return group
}

export const alterShareGroupOffsetsHandler = handler(alterShareGroupOffsets, {
  handle: ({ groupId, topics }, context) => {
    const outcome = outcomeOf(() => movable(context, groupId))
    if (outcome.refused !== undefined) {
      const { errorCode, detail } = outcome.refused
      return { throttleTimeMs: 0, errorCode, errorMessage: detail, responses: [] }
    }
    const group = outcome.value
    return {
      throttleTimeMs: 0,
      errorCode: 0,
      errorMessage: null,
      responses: topics.map(({ topicName, partitions }) => {
        const topic = context.cluster.topics.byName(topicName)
        return {
          topicName,
          topicId: topic?.id ?? ZERO_UUID,
          partitions: partitions.map(({ partitionIndex, startOffset }) => {
            const partition = topic?.partitions[partitionIndex]
            if (topic === undefined || partition === undefined) {
              const errorCode = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
              return { partitionIndex, errorCode, errorMessage: NO_PARTITION }
            }
            group.partition(topic.id, partition).moveTo(Number(startOffset))
            return { partitionIndex, errorCode: 0 }
          }),
        }
      }),
    }
  },
  refuse: (errorCode) => ({ throttleTimeMs: 0, errorCode, errorMessage: null, responses: [] }),
})

export const deleteShareGroupOffsetsHandler = handler(deleteShareGroupOffsets, {
  handle: ({ groupId, topics }, context) => {
    const outcome = outcomeOf(() => checkEmpty(coordinated(context, groupId, 'delete')))
    if (outcome.refused !== undefined) {
      const { errorCode, detail } = outcome.refused
      return { throttleTimeMs: 0, errorCode, errorMessage: detail, responses: [] }
    }
    const group = outcome.value
    return {
      throttleTimeMs: 0,
      errorCode: 0,
      errorMessage: null,
      responses: topics.map(({ topicName }) => {
        const topic = context.cluster.topics.byName(topicName)
        if (topic !== undefined) group.forget(topic.id, topic.partitions.length)
        return {
          topicName,
          topicId: topic?.id ?? ZERO_UUID,
          errorCode: topic === undefined ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION : 0,
          errorMessage: topic === undefined ? NO_PARTITION : null,
        }
      }),
    }
  },
  refuse: (errorCode) => ({ throttleTimeMs: 0, errorCode, errorMessage: null, responses: [] }),
})
