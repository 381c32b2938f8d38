/** The requests of tools about groups. */
import { deleteGroups } from '../../../protocol/apis/delete-groups.ts'
import { describeGroups } from '../../../protocol/apis/describe-groups.ts'
import { listGroups } from '../../../protocol/apis/list-groups.ts'
import { offsetDelete } from '../../../protocol/apis/offset-delete.ts'
import { ErrorCode } from '../../../protocol/errors.ts'
import type { Group } from '../groups/group.ts'
import { outcomeOf, Refused } from '../refused.ts'
import { authorize, authorizedOperations, mayDo, mayDoToCluster } from '../api/access.ts'
import { topicOf, type RequestContext } from '../api/context.ts'
import { handler } from '../api/handler.ts'
import { checkGroupId } from './groups.ts'

const LIST_WITH_STATES = 4
const LIST_WITH_TYPES = 5
const DESCRIBE_WITH_OPERATIONS = 3
const DESCRIBE_WITH_NOT_FOUND = 6

export const listGroupsHandler = handler(listGroups, {
  handle: (request, context) => {
    const { groups, broker, version } = context
    const mayListAll = mayDoToCluster(context, 'describe')
    const states = request.statesFilter.map((state) => state.toLowerCase())
    const types = request.typesFilter.map((type) => type.toLowerCase())
    const fits = ({ id, type, state }: Group) =>
      groups.coordinatorOf(id) === broker.id &&
      (states.length === 0 || states.includes(state.toLowerCase())) &&
      (types.length === 0 || types.includes(type)) &&
      (mayListAll || mayDo(context, 'describe', 'group', id))
    return {
      errorCode: 0,
      groups: groups.all.filter(fits).map(({ id, type, protocolType, state }) => ({
        groupId: id,
        protocolType: protocolType ?? '',
        ...(version >= LIST_WITH_STATES ? { groupState: state } : {}),
        ...(version >= LIST_WITH_TYPES ? { groupType: type } : {}),
      })),
    }
  },
  refuse: (errorCode) => ({ errorCode, groups: [] }),
})

/** The value for operations that are not reported. */
const NO_OPERATIONS = -0x80000000

const NOTHING_KNOWN = { groupState: '', protocolType: '', protocolData: '', members: [] } as const

export const describeGroupsHandler = handler(describeGroups, {
  handle: (request, context) => ({
    groups: request.groups.map((groupId) => {
      const outcome = outcomeOf(() => describe(groupId, context))
      const operations =
        context.version >= DESCRIBE_WITH_OPERATIONS && request.includeAuthorizedOperations
          ? { authorizedOperations: authorizedOperations(context, 'group', groupId) }
          : {}
      return outcome.refused === undefined
        ? { ...operations, ...outcome.value, groupId }
        : { ...NOTHING_KNOWN, groupId, errorCode: outcome.refused.errorCode }
    }),
  }),
  refuse: (errorCode, { groups }) => ({
    groups: groups.map((groupId) => ({ ...NOTHING_KNOWN, groupId, errorCode })),
  }),
})

function describe(groupId: string, context: RequestContext) {
  const { groups, broker, version } = context
  authorize(context, 'describe', 'group', groupId)
  groups.checkCoordinator(groupId, broker.id)
  const found = groups.find(groupId)
  const description = found?.describe?.()
  if (description === undefined) {
    const dead = { ...NOTHING_KNOWN, groupState: 'Dead' }
    return version < DESCRIBE_WITH_NOT_FOUND
      ? { ...dead, errorCode: 0 }
      : {
          ...dead,
          errorCode: ErrorCode.GROUP_ID_NOT_FOUND,
          errorMessage:
            found === undefined
              ? `Group ${groupId} not found.`
              : `Group ${groupId} is not a classic group.`,
          authorizedOperations: NO_OPERATIONS,
        }
  }
  return { errorCode: 0, ...description }
}

export const deleteGroupsHandler = handler(deleteGroups, {
  handle: (request, context) => ({
    throttleTimeMs: 0,
    results: request.groupsNames.map((groupId) => {
      const { refused } = outcomeOf(() => {
        const { groups, broker } = context
        authorize(context, 'delete', 'group', groupId)
        groups.checkCoordinator(groupId, broker.id)
        groups.delete(groupId)
      })
      return { groupId, errorCode: refused?.errorCode ?? 0 }
    }),
  }),
  refuse: (errorCode, { groupsNames }) => ({
    throttleTimeMs: 0,
    results: groupsNames.map((groupId) => ({ groupId, errorCode })),
  }),
})

export const offsetDeleteHandler = handler(offsetDelete, {
  handle: (request, context) => {
    const { groups, broker, cluster } = context
    const outcome = outcomeOf(() => {
      authorize(context, 'delete', 'group', request.groupId)
      checkGroupId(request.groupId)
      groups.checkCoordinator(request.groupId, broker.id)
      const group = groups.find(request.groupId)
      if (group === undefined) throw new Refused('GROUP_ID_NOT_FOUND')
      return { group, subscribed: group.subscribedTopics(request.topics.map(({ name }) => name)) }
    })
    if (outcome.refused !== undefined) {
      return { throttleTimeMs: 0, errorCode: outcome.refused.errorCode, topics: [] }
    }
    const { group, subscribed } = outcome.value
    const topics = request.topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => {
        const { refused } = outcomeOf(() => topicOf(context, { name }, 'read'))
        if (refused !== undefined) return { partitionIndex, errorCode: refused.errorCode }
        if (cluster.topics.partition(name, partitionIndex) === undefined) {
          return { partitionIndex, errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION }
        }
        if (subscribed.has(name)) {
          return { partitionIndex, errorCode: ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC }
        }
        group.offsets.delete(name, partitionIndex)
        return { partitionIndex, errorCode: 0 }
      }),
    }))
    const { forgetsGroupsWithoutOffsets } = cluster.settings.profile
    const isOver = group.isEmpty && group.offsets.topics.length === 0
    if (forgetsGroupsWithoutOffsets && isOver) groups.delete(request.groupId)
    return { throttleTimeMs: 0, errorCode: 0, topics }
  },
  refuse: (errorCode) => ({ throttleTimeMs: 0, errorCode, topics: [] }),
})
