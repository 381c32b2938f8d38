import { describeGroups } from '../../protocol/apis/describe-groups.ts'
import { Reader } from '../../protocol/buffer/reader.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import {
  consumerProtocolAssignment,
  consumerProtocolSubscription,
} from '../../protocol/messages/consumer-protocol.ts'
import { ProtocolError } from '../../protocol/protocol-error.ts'
import type { MessageSchema } from '../../protocol/schema/api.ts'
import type { Decoded, Fields } from '../../protocol/schema/fields.ts'
import type { Recipient } from '../cluster/recipient.ts'
import { partitionsOf } from '../consumer/topic-partition.ts'
import {
  byId,
  groupError,
  operations,
  type DescribedGroup,
  type DescribeSettings,
} from './described-group.ts'
import type { GroupMemberDescription } from './group-description.ts'
import { outcomeOf } from './items.ts'
import { inOrder } from './partitions.ts'

const WITH_OPERATIONS = 3

export async function describeClassic(
  groups: readonly string[],
  recipient: Recipient,
  { includeAuthorizedOperations }: DescribeSettings,
): Promise<readonly DescribedGroup[]> {
  const response = await recipient.request(describeGroups, (version) => ({
    groups: [...groups],
    ...(version < WITH_OPERATIONS ? {} : { includeAuthorizedOperations }),
  }))
  return response.groups.map((found) => {
    const { groupId: group, groupState: state, protocolType, protocolData } = found
    // Before version 6, a group that does not exist is described as Dead, without an error.
    const errorCode =
      found.errorCode === ErrorCode.NONE && state === 'Dead'
        ? ErrorCode.GROUP_ID_NOT_FOUND
        : found.errorCode
    const error = groupError(errorCode, group, recipient, found.errorMessage)
    return outcomeOf(group, error, {
      group,
      type: 'classic' as const,
      state,
      ...(protocolType === '' ? {} : { protocolType }),
      ...(protocolData === '' ? {} : { assignor: protocolData }),
      members: byId(
        found.members.map((member) => ({
          memberId: member.memberId,
          ...(member.groupInstanceId === null ? {} : { instanceId: member.groupInstanceId }),
          clientId: member.clientId,
          clientHost: member.clientHost,
          ...(protocolType === 'consumer'
            ? classicDetails(member.memberMetadata, member.memberAssignment)
            : { assignment: [] }),
        })),
      ),
      ...operations(found.authorizedOperations),
    })
  })
}

/**
 * The metadata that members exchange. Applications may use any bytes: if they cannot be decoded,
 * the details are left out, and the description of the group does not fail.
 */
function classicDetails(
  metadata: Uint8Array,
  assignment: Uint8Array,
): Pick<GroupMemberDescription, 'subscribedTopics' | 'assignment' | 'rack'> {
  const subscription = decoded(consumerProtocolSubscription, metadata)
  const { assignedPartitions } = decoded(consumerProtocolAssignment, assignment) ?? {
    assignedPartitions: [],
  }
  return {
    ...(subscription === undefined ? {} : { subscribedTopics: subscription.topics }),
    ...(subscription?.rackId == null ? {} : { rack: subscription.rackId }),
    assignment: inOrder(partitionsOf(assignedPartitions)),
  }
}

/**
 * A version that is newer than the known ones begins with the fields of the newest known version.
 */
function decoded<F extends Fields>(
  message: MessageSchema<F>,
  { buffer, byteOffset, byteLength }: Uint8Array,
): Decoded<F> | undefined {
  // A member without an assignment has empty bytes.
  if (byteLength === 0) return undefined
  try {
    const reader = new Reader(Buffer.from(buffer, byteOffset, byteLength))
    const version = reader.int16()
    if (version < 0) return undefined
    return message.decode(reader, Math.min(version, message.versions.max))
  } catch (error) {
    if (error instanceof ProtocolError) return undefined
    throw error
  }
}
