import { streamsGroupDescribe } from '../../../protocol/apis/streams-group-describe.ts'
import { authorize } from '../api/access.ts'
import { handler } from '../api/handler.ts'
import { outcomeOf, Refused } from '../refused.ts'

const NOTHING_KNOWN = {
  groupState: '',
  groupEpoch: 0,
  assignmentEpoch: 0,
  members: [],
} as const

/**
 * The brokers do not offer StreamsGroupHeartbeat, so no group is a streams group: each one is
 * reported as missing, as Kafka does for groups of other types.
 */
export const streamsGroupDescribeHandler = handler(streamsGroupDescribe, {
  handle: ({ groupIds }, context) => ({
    throttleTimeMs: 0,
    groups: groupIds.map((groupId) => {
      const { refused } = outcomeOf(() => {
        authorize(context, 'describe', 'group', groupId)
        context.groups.checkCoordinator(groupId, context.broker.id)
        const isKnown = context.groups.all.some(({ id }) => id === groupId)
        const detail = isKnown ? 'is not a streams group.' : 'not found.'
        throw new Refused('GROUP_ID_NOT_FOUND', `Group ${groupId} ${detail}`)
      })
      const { errorCode = 0, detail = null } = refused ?? {}
      return { ...NOTHING_KNOWN, groupId, errorCode, errorMessage: detail }
    }),
  }),
  refuse: (errorCode, { groupIds }) => ({
    throttleTimeMs: 0,
    groups: groupIds.map((groupId) => ({ ...NOTHING_KNOWN, groupId, errorCode })),
  }),
})
