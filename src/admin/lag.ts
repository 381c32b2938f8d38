import type { Deadline } from '../async/deadline.ts'
import { CALL_OPTIONS, type CallOptions } from '../call-options.ts'
import type { OptionTable } from '../option-table.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { TopicPartition } from '../consumer/topic-partition.ts'
import { KafkaError } from '../errors.ts'
import { aBoolean } from '../options.ts'
import { describeGroupsOfAnyType } from './describe-groups.ts'
import type { GroupDescription, GroupMemberDescription } from './group-description.ts'
import { offsetsOfGroups, type GroupOffset } from './list-group-offsets.ts'
import type { Item } from './items.ts'
import { lookUpGroups, type ListedGroup } from './list-groups.ts'
import { PartitionMap } from './partition-map.ts'
import { inOrder } from './partitions.ts'
import { offsetsAt, type ListedOffset } from './records.ts'

const GROUPS_AT_ONCE = 100

/** The options of `lag` and `eachLag`. */
export interface LagOptions extends CallOptions {
  /**
   * Whether the log ends at the first open transaction, as for read_committed consumers. Default:
   * false.
   */
  readonly isReadCommitted?: boolean
}

/** The checks and defaults of `LagOptions`. */
export const LAG_OPTIONS = {
  ...CALL_OPTIONS,
  isReadCommitted: { check: aBoolean, default: false },
} as const satisfies OptionTable<LagOptions>

/** How far a group is behind in one partition. */
export interface PartitionLag extends TopicPartition, Item {
  /** Messages between the committed offset and the end of the log; undefined if it is not known. */
  readonly lag?: number
  /**
   * Undefined if the group has not committed: the lag is then counted from the log start offset.
   */
  readonly offset?: number
  /**
   * The end of the partition: the high watermark, or the last stable offset with `isReadCommitted`.
   * Undefined if it could not be read.
   */
  readonly endOffset?: number
  /** The member that owns the partition now. */
  readonly memberId?: string
  /** The `clientId` of the member that owns the partition; undefined if no member does. */
  readonly clientId?: string
  /** The address of that member. */
  readonly clientHost?: string
}

/** The result of `lag` for one group. */
export interface GroupLag extends Item {
  /** The name of the group. */
  readonly group: string
  /** The protocol of the group; undefined if the group could not be described. */
  readonly type?: GroupDescription['type']
  /** The state of the group, such as `Stable` or `Empty`. */
  readonly state: string
  /** The sum over all partitions; undefined if the lag of one is not known. */
  readonly lag?: number
  /** The partitions with a committed offset or an owner, by topic and partition. */
  readonly partitions: readonly PartitionLag[]
}

export async function lagOf(
  cluster: Cluster,
  groups: readonly string[],
  deadline: Deadline,
  isReadCommitted: boolean,
  known?: readonly ListedGroup[],
): Promise<readonly GroupLag[]> {
  // The ends of the committed partitions are read while the groups are described.
  const [described, { committed, committedEnds }] = await Promise.all([
    describeGroupsOfAnyType(cluster, groups, deadline, {}, known),
    committedWithEnds(cluster, groups, deadline, isReadCommitted),
  ])
  const tracked = described.map(({ members }, index) =>
    trackedPartitions(committed[index]!.offsets, members),
  )
  const ends = byPartition(committedEnds)
  const uncommitted = new PartitionMap<TopicPartition>()
  for (const { where, offset, member } of tracked.flat()) {
    if (member !== undefined && offset?.offset === undefined) uncommitted.set(where, where)
  }
  const owned = uncommitted.values()
  const without = owned.filter((one) => ends.get(one) === undefined)
  const [moreEnds, firstOffsets] = await Promise.all([
    offsetsAt(cluster, without, 'latest', deadline, isReadCommitted),
    offsetsAt(cluster, owned, 'earliest', deadline, false),
  ])
  for (const end of moreEnds) ends.set(end, end)
  const starts = byPartition(firstOffsets)
  return groups.map((group, index) => {
    const { type, state, error } = described[index]!
    const problem = error ?? committed[index]!.error
    const ofGroup = tracked[index]!.map((one) =>
      partitionLag(one, ends.get(one.where), starts.get(one.where)),
    )
    const isKnown = problem === undefined && ofGroup.every(({ lag }) => lag !== undefined)
    const total = ofGroup.reduce((sum, { lag = 0 }) => sum + lag, 0)
    return {
      group,
      ...(type === undefined ? {} : { type }),
      state,
      ...(isKnown ? { lag: total } : {}),
      partitions: inOrder(ofGroup),
      ...(problem === undefined ? {} : { error: problem }),
    }
  })
}

async function committedWithEnds(
  cluster: Cluster,
  groups: readonly string[],
  deadline: Deadline,
  isReadCommitted: boolean,
) {
  const committed = await offsetsOfGroups(cluster, groups, deadline)
  const partitions = new PartitionMap<TopicPartition>()
  for (const { offsets } of committed) for (const one of offsets) partitions.set(one, one)
  const asked = partitions.values()
  const committedEnds = await offsetsAt(cluster, asked, 'latest', deadline, isReadCommitted)
  return { committed, committedEnds }
}

/** All listed groups, some at a time: their data is discarded before the next ones are read. */
export async function* lagOfEach(
  cluster: Cluster,
  deadline: Deadline,
  isReadCommitted: boolean,
): AsyncGenerator<GroupLag, undefined> {
  const { groups, incomplete } = await lookUpGroups(cluster, deadline)
  for (let at = 0; at < groups.length; at += GROUPS_AT_ONCE) {
    const part = groups.slice(at, at + GROUPS_AT_ONCE)
    const names = part.map(({ group }) => group)
    yield* await lagOf(cluster, names, deadline, isReadCommitted, part)
  }
  const [failure] = incomplete
  if (failure === undefined) return
  // The yielded results are correct but incomplete; ending the loop normally would present them as
  // complete.
  const brokers = incomplete.map(({ broker }) => broker).join(', ')
  const { code, message, retriable } = failure.error
  const detail = `the groups of brokers that did not respond (${brokers}) are missing: ${message}`
  throw new KafkaError(code, detail, retriable, { cause: failure.error })
}

function partitionLag(
  { where: { topic, partition }, offset: committed, member }: TrackedPartition,
  end: ListedOffset | undefined,
  start: ListedOffset | undefined,
): PartitionLag {
  const offset = committed?.offset
  const endOffset = end?.offset
  const error: KafkaError | undefined =
    committed?.error ?? end?.error ?? (offset === undefined ? start?.error : undefined)
  const from = offset ?? start?.offset
  // Fields are added without spreads, for thousands of partitions.
  const found: { -readonly [Key in keyof PartitionLag]: PartitionLag[Key] } = { topic, partition }
  if (error === undefined && from !== undefined && endOffset !== undefined) {
    // A log that lost its end is shorter than the committed offset.
    found.lag = Math.max(0, endOffset - from)
  }
  if (offset !== undefined) found.offset = offset
  if (endOffset !== undefined) found.endOffset = endOffset
  if (member !== undefined) {
    found.memberId = member.memberId
    found.clientId = member.clientId
    found.clientHost = member.clientHost
  }
  if (error !== undefined) found.error = error
  return found
}

/** A partition of a group: with a committed offset, an owner, or both. */
interface TrackedPartition {
  readonly where: TopicPartition
  readonly offset: GroupOffset | undefined
  member: GroupMemberDescription | undefined
}

function trackedPartitions(
  offsets: readonly GroupOffset[],
  members: readonly GroupMemberDescription[],
): readonly TrackedPartition[] {
  const tracked: TrackedPartition[] = offsets.map((offset) => ({
    where: offset,
    offset,
    member: undefined,
  }))
  if (members.length === 0) return tracked
  const found = new PartitionMap<TrackedPartition>()
  for (const one of tracked) found.set(one.where, one)
  for (const member of members) {
    for (const where of member.assignment) {
      const one = found.get(where)
      if (one !== undefined) one.member = member
      else {
        const owned = { where, offset: undefined, member }
        found.set(where, owned)
        tracked.push(owned)
      }
    }
  }
  return tracked
}

function byPartition(listed: readonly ListedOffset[]): PartitionMap<ListedOffset> {
  const found = new PartitionMap<ListedOffset>()
  for (const one of listed) found.set(one, one)
  return found
}
