/**
 * pykafka's two ways to share a topic's partitions out, decided by each member alone: members that see the same members and
 * the same leaders compute the same assignment. pykafka 2.8 and samsa do, so that both can be in one group.
 */
import type { PartitionMetadata } from '../../cluster/metadata.ts'

/**
 * Of a topic's partitions, those of one member: pykafka's `decide_partitions`. It must depend on nothing but what it is
 * given, so that all members come to decisions that go together. `partitions` are in pykafka's order.
 */
export type DecidePartitions = (
  partitions: readonly number[],
  members: readonly string[],
  member: string,
) => readonly number[]

/** How members of a group that ZooKeeper coordinates share a topic: all members must use the same. */
export type MembershipProtocol = 'range' | 'roundrobin' | DecidePartitions

/**
 * The order in which partitions are dealt: by the text `topic-leader-partition`, so that 10 comes before 2 and an
 * election changes it. Not what one would choose, but all members of a group must do the same.
 */
export function inPykafkasOrder(partitions: readonly PartitionMetadata[]): number[] {
  // The topic is the same for all; a text comparison of the rest is that of the whole.
  const key = ({ leader, partition }: PartitionMetadata) => `${leader}-${partition}`
  return [...partitions].sort((a, b) => compare(key(a), key(b))).map(({ partition }) => partition)
}

/** By code units; ids are ASCII, where that is Python's order too. */
export function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** Neighbours to the same member: of 7 for 3 the first gets 3, the others 2. */
const decideRange: DecidePartitions = (partitions, members, member) => {
  const index = inOrder(members).indexOf(member)
  if (index < 0) return []
  const each = Math.floor(partitions.length / members.length)
  const rest = partitions.length % members.length
  const start = each * index + Math.min(index, rest)
  return partitions.slice(start, start + each + (index < rest ? 1 : 0))
}

/** One after the other to the members in turn. */
const decideRoundRobin: DecidePartitions = (partitions, members, member) => {
  const index = inOrder(members).indexOf(member)
  return partitions.filter((_, position) => position % members.length === index)
}

function inOrder(members: readonly string[]): string[] {
  return [...members].sort(compare)
}

export const DECISIONS: Readonly<
  Record<Exclude<MembershipProtocol, DecidePartitions>, DecidePartitions>
> = {
  range: decideRange,
  roundrobin: decideRoundRobin,
}

export function decisionOf(protocol: MembershipProtocol): DecidePartitions {
  return typeof protocol === 'string' ? DECISIONS[protocol] : protocol
}
