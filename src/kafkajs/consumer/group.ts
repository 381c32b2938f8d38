/** The requests of a consumer to its group that its member does not send. */
import type { GroupMetadata, KafkaClient } from '../../index.ts'
import {
  describeGroups,
  ErrorCode,
  offsetCommit,
  type DescribeGroupsResponse,
} from '../../../protocol/index.ts'
import { throwIfFailed } from '../error-from.ts'
import { byTopic } from '../topic-offsets.ts'
import type { ConsumerGroupState, GroupDescription } from '../types/consumer.ts'
import type { CheckedCommit } from './checks.ts'

/** The last version of OffsetFetch that asks for a single group. */
export const OFFSET_FETCH_OF_ONE = 7
/** The last version of OffsetCommit in which topics have names instead of ids. */
const OFFSET_COMMIT_WITH_NAMES = 9
/** The first version of OffsetCommit with the id of a static member (KIP-345). */
const COMMIT_WITH_INSTANCE_ID = 7

/** Commits offsets as this member, which the coordinator refuses after a rebalance. Throws KafkaJSProtocolError. */
export async function commit(
  client: KafkaClient,
  { groupId, generationId, memberId, groupInstanceId }: GroupMetadata,
  offsets: readonly CheckedCommit[],
): Promise<void> {
  const response = await client.request(
    offsetCommit,
    (version) => ({
      groupId,
      generationIdOrMemberEpoch: generationId,
      memberId,
      ...(groupInstanceId === undefined || version < COMMIT_WITH_INSTANCE_ID
        ? {}
        : { groupInstanceId }),
      topics: [...byTopic(offsets)].map(([name, ofTopic]) => ({
        name,
        partitions: ofTopic.map(({ partition, offset, metadata }) => ({
          partitionIndex: partition,
          committedOffset: BigInt(offset),
          committedMetadata: metadata,
        })),
      })),
    }),
    { to: { coordinator: 'group', key: groupId }, maxVersion: OFFSET_COMMIT_WITH_NAMES },
  )
  for (const { partitions } of response.topics) {
    for (const { errorCode } of partitions) throwIfFailed(errorCode)
  }
}

/** Describes a group as its coordinator knows it. */
export async function describe(client: KafkaClient, groupId: string): Promise<GroupDescription> {
  const { groups } = await client.request(
    describeGroups,
    { groups: [groupId] },
    { to: { coordinator: 'group', key: groupId } },
  )
  // The response has one entry for each group of the request.
  return descriptionFrom(groups[0]!)
}

function descriptionFrom(group: DescribeGroupsResponse['groups'][number]) {
  // Since KIP-1043 a group that does not exist has this error. Older brokers return it without one, in the state Dead.
  if (group.errorCode !== ErrorCode.GROUP_ID_NOT_FOUND) throwIfFailed(group.errorCode)
  return {
    errorCode: 0,
    groupId: group.groupId,
    // The broker's name of the state, which is one of those that kafkajs declares.
    state: group.groupState as ConsumerGroupState,
    protocolType: group.protocolType,
    protocol: group.protocolData,
    members: group.members.map((member) => ({
      memberId: member.memberId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      memberMetadata: Buffer.from(member.memberMetadata),
      memberAssignment: Buffer.from(member.memberAssignment),
    })),
  }
}
