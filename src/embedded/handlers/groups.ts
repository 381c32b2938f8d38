/** Classic groups: the requests of members to their coordinator. */
import { heartbeat } from '../../../protocol/apis/heartbeat.ts'
import { joinGroup } from '../../../protocol/apis/join-group.ts'
import { leaveGroup } from '../../../protocol/apis/leave-group.ts'
import { syncGroup } from '../../../protocol/apis/sync-group.ts'
import { ErrorCode } from '../../../protocol/errors.ts'
import type { Decoded } from '../../../protocol/schema/fields.ts'
import { refusedJoin, refusedSync, type ClassicGroup } from '../groups/classic-group.ts'
import type { JoinAnswer, SyncAnswer } from '../groups/member.ts'
import { outcomeOf, Refused } from '../refused.ts'
import { authorize } from '../api/access.ts'
import type { RequestContext } from '../api/context.ts'
import { handler } from '../api/handler.ts'

const JOIN_WITH_REBALANCE_TIMEOUT = 1
const JOIN_WITH_MEMBER_ID_REQUIRED = 4
const JOIN_WITH_NULLABLE_PROTOCOL = 7
const JOIN_WITH_SKIP_ASSIGNMENT = 9
const LEAVE_WITH_MEMBERS = 3

type JoinRequest = Decoded<typeof joinGroup.request.fields>

/** The group, if it exists and this broker coordinates it. Throws Refused. */
function coordinated(context: RequestContext, groupId: string): ClassicGroup {
  const { groups, broker } = context
  authorize(context, 'read', 'group', groupId)
  checkGroupId(groupId)
  groups.checkCoordinator(groupId, broker.id)
  const group = groups.findClassic(groupId)
  if (group === undefined) throw new Refused('UNKNOWN_MEMBER_ID')
  return group
}

export function checkGroupId(groupId: string): void {
  if (groupId === '') throw new Refused('INVALID_GROUP_ID')
}

export const joinGroupHandler = handler(joinGroup, {
  async handle(request, context) {
    const outcome = outcomeOf(() => join(request, context))
    return joinResponse(
      outcome.refused === undefined
        ? await outcome.value
        : refusedJoin(
            outcome.refused.error === 'GROUP_AUTHORIZATION_FAILED' ? '' : request.memberId,
            outcome.refused.error,
          ),
      context.version,
    )
  },
  refuse: (errorCode, { memberId }, { version }) => ({
    ...joinResponse(refusedJoin(memberId, 'NONE'), version),
    errorCode,
  }),
})

function join(request: JoinRequest, context: RequestContext): Promise<JoinAnswer> {
  const { groups, broker, version, clientId, clientHost } = context
  const { groupId, memberId, sessionTimeoutMs } = request
  authorize(context, 'read', 'group', groupId)
  checkGroupId(groupId)
  groups.checkCoordinator(groupId, broker.id)
  groups.checkSessionTimeout(sessionTimeoutMs)
  if (memberId !== '' && groups.find(groupId) === undefined) throw new Refused('UNKNOWN_MEMBER_ID')
  return groups.findOrCreateClassic(groupId).join({
    memberId,
    instanceId: request.groupInstanceId,
    clientId: clientId ?? '',
    clientHost,
    sessionTimeoutMs,
    rebalanceTimeoutMs:
      version >= JOIN_WITH_REBALANCE_TIMEOUT ? request.rebalanceTimeoutMs : sessionTimeoutMs,
    protocolType: request.protocolType,
    protocols: request.protocols,
    needsMemberId: version >= JOIN_WITH_MEMBER_ID_REQUIRED,
    canSkipAssignment: version >= JOIN_WITH_SKIP_ASSIGNMENT,
  })
}

function joinResponse(answer: JoinAnswer, version: number) {
  return {
    errorCode: ErrorCode[answer.error],
    generationId: answer.generation,
    protocolType: answer.protocolType,
    protocolName: answer.protocolName ?? (version >= JOIN_WITH_NULLABLE_PROTOCOL ? null : ''),
    leader: answer.leader,
    ...(version >= JOIN_WITH_SKIP_ASSIGNMENT ? { skipAssignment: answer.skipAssignment } : {}),
    memberId: answer.memberId,
    members: answer.members,
  }
}

export const syncGroupHandler = handler(syncGroup, {
  async handle(request, context) {
    const outcome = outcomeOf(() => {
      const { groupId, generationId: generation, groupInstanceId: instanceId } = request
      return coordinated(context, groupId).sync({ ...request, generation, instanceId })
    })
    return syncResponse(
      outcome.refused === undefined ? await outcome.value : refusedSync(outcome.refused.error),
    )
  },
  refuse: (errorCode) => ({ ...syncResponse(refusedSync('NONE')), errorCode }),
})

function syncResponse({ error, protocolType, protocolName, assignment }: SyncAnswer) {
  return { errorCode: ErrorCode[error], protocolType, protocolName, assignment }
}

export const heartbeatHandler = handler(heartbeat, {
  handle: ({ groupId, memberId, groupInstanceId, generationId }, context) => {
    const { refused } = outcomeOf(() =>
      coordinated(context, groupId).heartbeat(memberId, groupInstanceId, generationId),
    )
    return { errorCode: refused?.errorCode ?? 0 }
  },
  refuse: (errorCode) => ({ errorCode }),
})

export const leaveGroupHandler = handler(leaveGroup, {
  handle: (request, context) => {
    const { version } = context
    const leavers =
      version >= LEAVE_WITH_MEMBERS
        ? request.members
        : [{ memberId: request.memberId, groupInstanceId: null }]
    // An error of the whole group: the members' own errors are next to their ids.
    const { refused } = outcomeOf(() => {
      authorize(context, 'read', 'group', request.groupId)
      checkGroupId(request.groupId)
      context.groups.checkCoordinator(request.groupId, context.broker.id)
    })
    if (refused !== undefined) return { errorCode: refused.errorCode, members: [] }
    const members = leavers.map(({ memberId, groupInstanceId }) => {
      const left = outcomeOf(() =>
        coordinated(context, request.groupId).leave(memberId, groupInstanceId),
      )
      return { memberId, groupInstanceId, errorCode: left.refused?.errorCode ?? 0 }
    })
    return version >= LEAVE_WITH_MEMBERS
      ? { errorCode: 0, members }
      : { errorCode: members[0]?.errorCode ?? 0 }
  },
  refuse: (errorCode) => ({ errorCode }),
})
