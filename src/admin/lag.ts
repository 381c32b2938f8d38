import type { Deadline } from '../async/deadline.ts'
import type { CallOptions } from '../call-options.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { nameOf, type TopicPartition } from '../consumer/topic-partition.ts'
import { KafkaError } from '../errors.ts'
import { describeGroupsOfAnyType } from './describe-groups.ts'
import type { GroupDescription, GroupMemberDescription } from './group-description.ts'
import { offsetsOfGroups, type GroupOffset } from './list-group-offsets.ts'
import type { Item } from './items.ts'
import { listGroups, type ListedGroup } from './list-groups.ts'
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
  const owners = described.map(({ members }) => ownersOf(members))
  const offsets = committed.map(({ offsets: ofGroup }) => byName(ofGroup))
  const ends = byName(committedEnds)
  const uncommitted = new Map<string, TopicPartition>()
  for (const [index, ofGroup] of owners.entries()) {
    for (const [name, { topic, partition }] of ofGroup) {
      if (offsets[index]!.get(name)?.offset === undefined)
        uncommitted.set(name, { topic, partition })
    }
  }
  const without = [...uncommitted].flatMap(([name, one]) => (ends.has(name) ? [] : [one]))
  const [moreEnds, firstOffsets] = await Promise.all([
    offsetsAt(cluster, without, 'latest', deadline, isReadCommitted),
    offsetsAt(cluster, [...uncommitted.values()], 'earliest', deadline, false),
  ])
  for (const end of moreEnds) ends.set(nameOf(end), end)
  const starts = byName(firstOffsets)
  return groups.map((group, index) => {
    const { type, state, error } = described[index]!
    const problem = error ?? committed[index]!.error
    const names = new Set([...owners[index]!.keys(), ...offsets[index]!.keys()])
    const ofGroup = [...names].map((name) =>
      partitionLag(
        offsets[index]!.get(name) ?? owners[index]!.get(name)!,
        offsets[index]!.get(name),
        owners[index]!.get(name)?.member,
        ends.get(name),
        starts.get(name),
      ),
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
  const partitions = new Map<string, TopicPartition>()
  for (const { offsets } of committed) {
    for (const { topic, partition } of offsets) {
      const one = { topic, partition }
      partitions.set(nameOf(one), one)
    }
  }
  const asked = [...partitions.values()]
  const committedEnds = await offsetsAt(cluster, asked, 'latest', deadline, isReadCommitted)
  return { committed, committedEnds }
}

/** All listed groups, some at a time: their data is discarded before the next ones are read. */
export async function* lagOfEach(
  cluster: Cluster,
  deadline: Deadline,
  isReadCommitted: boolean,
): AsyncGenerator<GroupLag, undefined> {
  const { groups, incomplete } = await listGroups(cluster, deadline)
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
  { topic, partition }: TopicPartition,
  committed: GroupOffset | undefined,
  member: GroupMemberDescription | undefined,
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

interface Owned extends TopicPartition {
  readonly member: GroupMemberDescription
}

function ownersOf(members: readonly GroupMemberDescription[]): ReadonlyMap<string, Owned> {
  return new Map(
    members.flatMap((member) =>
      member.assignment.map(({ topic, partition }) => [
        nameOf({ topic, partition }),
        { topic, partition, member },
      ]),
    ),
  )
}

function byName<One extends TopicPartition>(partitions: readonly One[]): Map<string, One> {
  return new Map(partitions.map((one) => [nameOf(one), one]))
}
