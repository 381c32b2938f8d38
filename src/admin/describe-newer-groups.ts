import { consumerGroupDescribe } from '../../protocol/apis/consumer-group-describe.ts'
import { shareGroupDescribe } from '../../protocol/apis/share-group-describe.ts'
import type { Recipient } from '../cluster/recipient.ts'
import {
  assigned,
  byId,
  groupError,
  newerGroup,
  newerMember,
  type DescribedGroup,
  type DescribeSettings,
} from './described-group.ts'
import { outcomeOf } from './items.ts'

/**
 * The member type of the classic protocol; −1 means that the broker does not report the type.
 * Members of share groups have none.
 */
const MEMBER_IS_CLASSIC = 0

export async function describeConsumer(
  groups: readonly string[],
  recipient: Recipient,
  { includeAuthorizedOperations }: DescribeSettings,
): Promise<readonly DescribedGroup[]> {
  const body = { groupIds: [...groups], includeAuthorizedOperations }
  const response = await recipient.request(consumerGroupDescribe, body)
  return response.groups.map((found) =>
    outcomeOf(
      found.groupId,
      groupError(found.errorCode, found.groupId, recipient, found.errorMessage),
      {
        ...newerGroup(found, 'consumer'),
        members: byId(
          found.members.map((member) => ({
            ...newerMember(member),
            ...(member.instanceId === null ? {} : { instanceId: member.instanceId }),
            subscribedTopics: member.subscribedTopicNames,
            ...(member.subscribedTopicRegex === null || member.subscribedTopicRegex === ''
              ? {}
              : { subscribedTopicRegex: member.subscribedTopicRegex }),
            assignment: assigned(member.assignment),
            targetAssignment: assigned(member.targetAssignment),
            ...(member.memberType < 0
              ? {}
              : { isClassic: member.memberType === MEMBER_IS_CLASSIC }),
          })),
        ),
      },
    ),
  )
}

export async function describeShare(
  groups: readonly string[],
  recipient: Recipient,
  { includeAuthorizedOperations }: DescribeSettings,
): Promise<readonly DescribedGroup[]> {
  const body = { groupIds: [...groups], includeAuthorizedOperations }
  const response = await recipient.request(shareGroupDescribe, body)
  return response.groups.map((found) =>
    outcomeOf(
      found.groupId,
      groupError(found.errorCode, found.groupId, recipient, found.errorMessage),
      {
        ...newerGroup(found, 'share'),
        members: byId(
          found.members.map((member) => ({
            ...newerMember(member),
            subscribedTopics: member.subscribedTopicNames,
            assignment: assigned(member.assignment),
          })),
        ),
      },
    ),
  )
}
