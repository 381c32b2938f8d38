/**
 * Each kind of group has an API of its own, and the one for classic groups answers for the others that they do
 * not exist (Kafka 4.0). The groups are listed first, which tells their kinds.
 */
import { consumerGroupDescribe } from '../../protocol/apis/consumer-group-describe.ts'
import { describeGroups } from '../../protocol/apis/describe-groups.ts'
import { shareGroupDescribe } from '../../protocol/apis/share-group-describe.ts'
import { streamsGroupDescribe } from '../../protocol/apis/streams-group-describe.ts'
import { Reader } from '../../protocol/buffer/reader.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import {
  consumerProtocolAssignment,
  consumerProtocolSubscription,
} from '../../protocol/messages/consumer-protocol.ts'
import { ProtocolError } from '../../protocol/protocol-error.ts'
import type { Message } from '../../protocol/schema/api.ts'
import type { Decoded, Fields } from '../../protocol/schema/fields.ts'
import type { Deadline } from '../async/deadline.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { Outcome } from '../cluster/fan-out.ts'
import type { Recipient } from '../cluster/recipient.ts'
import { partitionsOf, type TopicPartition } from '../consumer/topic-partition.ts'
import type { GroupDescription, GroupMemberDescription, GroupType } from './group-description.ts'
import { compareText, itemError, outcomeOf } from './items.ts'
import { listGroups, type ListedGroup } from './list-groups.ts'
import { operationsOf } from './operations.ts'
import { inOrder } from './partitions.ts'

type Described = Outcome<string, GroupDescription>
type Describe = (
  groups: readonly string[],
  recipient: Recipient,
  includeAuthorizedOperations: boolean,
) => Promise<readonly Described[]>

const WITH_OPERATIONS = 3

/** A share member has no classic twin; −1 is a broker that does not tell. */
const MEMBER_IS_CLASSIC = 0

const DESCRIBE: Readonly<Record<GroupType, Describe>> = {
  classic: describeClassic,
  consumer: describeConsumer,
  share: describeShare,
  streams: describeStreams,
}

export async function describeGroupsOfAnyType(
  cluster: Cluster,
  groups: readonly string[],
  deadline: Deadline,
  includeAuthorizedOperations: boolean,
  known?: readonly ListedGroup[],
): Promise<readonly GroupDescription[]> {
  if (groups.length === 0) return []
  const listed = known ?? (await listGroups(cluster, deadline)).groups
  const types = new Map(listed.map(({ group, type }) => [group, type ?? 'classic']))
  const byType = new Map<GroupType, string[]>()
  for (const group of groups) {
    const type = types.get(group) ?? 'classic'
    byType.set(type, [...(byType.get(type) ?? []), group])
  }
  const outcomes = await Promise.all(
    [...byType].map(([type, names]) =>
      cluster.fanOut.run<string, GroupDescription>({
        items: names,
        to: (key) => ({ coordinator: 'group', key }),
        what: 'describing groups',
        deadline,
        ask: (part, recipient) => DESCRIBE[type](part, recipient, includeAuthorizedOperations),
      }),
    ),
  )
  const found = new Map(
    outcomes
      .flat()
      .map(({ item, result, error }) => [
        item,
        error === undefined ? result : { group: item, state: 'Unknown', members: [], error },
      ]),
  )
  return groups.map((group) => found.get(group)!)
}

async function describeClassic(
  groups: readonly string[],
  recipient: Recipient,
  includeAuthorizedOperations: boolean,
): Promise<readonly Described[]> {
  const response = await recipient.request(describeGroups, (version) => ({
    groups: [...groups],
    ...(version < WITH_OPERATIONS ? {} : { includeAuthorizedOperations }),
  }))
  return response.groups.map((found) => {
    const { groupId: group, groupState: state, protocolType, protocolData } = found
    // Versions before 6 call a group that does not exist Dead, without an error.
    const errorCode =
      found.errorCode === ErrorCode.NONE && state === 'Dead'
        ? ErrorCode.GROUP_ID_NOT_FOUND
        : found.errorCode
    const error = describeError(errorCode, group, recipient, found.errorMessage)
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

async function describeConsumer(
  groups: readonly string[],
  recipient: Recipient,
  includeAuthorizedOperations: boolean,
): Promise<readonly Described[]> {
  const body = { groupIds: [...groups], includeAuthorizedOperations }
  const response = await recipient.request(consumerGroupDescribe, body)
  return response.groups.map((found) =>
    outcomeOf(
      found.groupId,
      describeError(found.errorCode, found.groupId, recipient, found.errorMessage),
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

async function describeShare(
  groups: readonly string[],
  recipient: Recipient,
  includeAuthorizedOperations: boolean,
): Promise<readonly Described[]> {
  const body = { groupIds: [...groups], includeAuthorizedOperations }
  const response = await recipient.request(shareGroupDescribe, body)
  return response.groups.map((found) =>
    outcomeOf(
      found.groupId,
      describeError(found.errorCode, found.groupId, recipient, found.errorMessage),
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

/** Members of streams groups have tasks, not partitions: `assignment` is empty. */
async function describeStreams(
  groups: readonly string[],
  recipient: Recipient,
  includeAuthorizedOperations: boolean,
): Promise<readonly Described[]> {
  const body = { groupIds: [...groups], includeAuthorizedOperations }
  const response = await recipient.request(streamsGroupDescribe, body)
  return response.groups.map((found) =>
    outcomeOf(
      found.groupId,
      describeError(found.errorCode, found.groupId, recipient, found.errorMessage),
      {
        ...newerGroup({ ...found, assignorName: found.assignorName ?? '' }, 'streams'),
        members: byId(
          found.members.map((member) => ({
            ...newerMember(member),
            ...(member.instanceId === null ? {} : { instanceId: member.instanceId }),
            assignment: [],
            isClassic: member.isClassic,
          })),
        ),
      },
    ),
  )
}

interface NewerGroup {
  readonly groupId: string
  readonly groupState: string
  readonly groupEpoch: number
  readonly assignmentEpoch: number
  readonly assignorName: string
  readonly authorizedOperations: number
}

function newerGroup(found: NewerGroup, type: GroupType) {
  return {
    group: found.groupId,
    type,
    state: found.groupState,
    ...(found.assignorName === '' ? {} : { assignor: found.assignorName }),
    groupEpoch: found.groupEpoch,
    assignmentEpoch: found.assignmentEpoch,
    ...operations(found.authorizedOperations),
  }
}

interface NewerMember {
  readonly memberId: string
  readonly memberEpoch: number
  readonly clientId: string
  readonly clientHost: string
  readonly rackId: string | null
}

function newerMember({ memberId, memberEpoch, clientId, clientHost, rackId }: NewerMember) {
  return {
    memberId,
    clientId,
    clientHost,
    ...(rackId === null ? {} : { rack: rackId }),
    memberEpoch,
  }
}

interface AssignedTopics {
  readonly topicPartitions: readonly {
    readonly topicName: string
    readonly partitions: readonly number[]
  }[]
}

function assigned({ topicPartitions }: AssignedTopics): readonly TopicPartition[] {
  return inOrder(
    topicPartitions.flatMap(({ topicName: topic, partitions }) =>
      partitions.map((partition) => ({ topic, partition })),
    ),
  )
}

/**
 * What members told each other. A member's bytes are its own: those that cannot be read leave the details out
 * rather than failing the description of the group.
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

/** A newer version than the known ones begins like the newest known. */
function decoded<F extends Fields>(
  message: Message<F>,
  { buffer, byteOffset, byteLength }: Uint8Array,
): Decoded<F> | undefined {
  // A member without assignment has no bytes.
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

function operations(bits: number) {
  const names = operationsOf(bits)
  return names === undefined ? {} : { authorizedOperations: names }
}

function describeError(
  errorCode: number,
  group: string,
  recipient: Recipient,
  message: string | null,
) {
  return itemError(errorCode, `describing group '${group}'`, recipient.name, message)
}

function byId(members: readonly GroupMemberDescription[]): readonly GroupMemberDescription[] {
  return [...members].sort((a, b) => compareText(a.memberId, b.memberId))
}
