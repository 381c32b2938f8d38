/** The common part of the APIs that each describe one type of group. */
import { CALL_OPTIONS, type CallOptions } from '../call-options.ts'
import type { Outcome } from '../cluster/fan-out.ts'
import type { Recipient } from '../cluster/recipient.ts'
import type { TopicPartition } from '../consumer/topic-partition.ts'
import type { OptionTable } from '../option-table.ts'
import { aBoolean } from '../options.ts'
import type { GroupDescription, GroupMemberDescription, GroupType } from './group-description.ts'
import { compareText, itemError } from './items.ts'
import { operationsOf } from './operations.ts'
import { inOrder } from './partitions.ts'

/** The options of `describeGroups`. */
export interface DescribeGroupsOptions extends CallOptions {
  /** Whether the results contain the operations that this client may perform. Default: false. */
  readonly includeAuthorizedOperations?: boolean
  /** Whether streams groups have a description of their topology (KIP-1331, Kafka 4.4 or newer). Default: false. */
  readonly includeTopologyDescription?: boolean
}

/** The checks and defaults of `DescribeGroupsOptions`. */
export const DESCRIBE_GROUPS_OPTIONS = {
  ...CALL_OPTIONS,
  includeAuthorizedOperations: { check: aBoolean, default: false },
  includeTopologyDescription: { check: aBoolean, default: false },
} as const satisfies OptionTable<DescribeGroupsOptions>

export type DescribeSettings = Required<Omit<DescribeGroupsOptions, keyof CallOptions>>

export type DescribedGroup = Outcome<string, GroupDescription>

export type DescribeGroups = (
  groups: readonly string[],
  recipient: Recipient,
  settings: DescribeSettings,
) => Promise<readonly DescribedGroup[]>

interface NewerGroup {
  readonly groupId: string
  readonly groupState: string
  readonly groupEpoch: number
  readonly assignmentEpoch: number
  readonly assignorName: string
  readonly authorizedOperations: number
}

export function newerGroup(found: NewerGroup, type: GroupType) {
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

export function newerMember({ memberId, memberEpoch, clientId, clientHost, rackId }: NewerMember) {
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

export function assigned({ topicPartitions }: AssignedTopics): readonly TopicPartition[] {
  return inOrder(
    topicPartitions.flatMap(({ topicName: topic, partitions }) =>
      partitions.map((partition) => ({ topic, partition })),
    ),
  )
}

export function operations(bits: number) {
  const names = operationsOf(bits)
  return names === undefined ? {} : { authorizedOperations: names }
}

export function groupError(
  errorCode: number,
  group: string,
  recipient: Recipient,
  message: string | null,
) {
  return itemError(errorCode, `describing group '${group}'`, recipient.name, message)
}

export function byId(
  members: readonly GroupMemberDescription[],
): readonly GroupMemberDescription[] {
  return [...members].sort((a, b) => compareText(a.memberId, b.memberId))
}
