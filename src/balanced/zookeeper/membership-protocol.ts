/**
 * pykafka's two ways to divide a topic's partitions. Each member decides alone: members that see the same members and
 * the same leaders compute the same assignment, in pykafka 2.8 and in samsa, so that both can be in one group.
 */
import type { PartitionMetadata } from '../../cluster/metadata.ts'

/**
 * Returns one member's part of a topic's partitions: pykafka's `decide_partitions`. It must depend only on its
 * arguments, so that the decisions of all members are consistent. `partitions` are in pykafka's order.
 */
export type DecidePartitions = (
  partitions: readonly number[],
  members: readonly string[],
  member: string,
) => readonly number[]

/**
 * How the members of a group that ZooKeeper coordinates divide a topic's partitions. All members must use the same.
 */
export type MembershipProtocol = 'range' | 'roundrobin' | DecidePartitions

/**
 * Sorts partitions in the order in which pykafka deals them: by the text `topic-leader-partition`, so that 10 comes
 * before 2 and an election changes the order. All members of a group must use this order.
 */
export function inPykafkasOrder(partitions: readonly PartitionMetadata[]): number[] {
  // The topic is the same for all, so comparing the rest as text gives the same order.
  const key = ({ leader, partition }: PartitionMetadata) => `${leader}-${partition}`
  return [...partitions].sort((a, b) => compare(key(a), key(b))).map(({ partition }) => partition)
}

/** Compares by code units. Ids are ASCII, for which this is also Python's order. */
export function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** Neighbouring partitions go to the same member: of 7 partitions for 3 members the first gets 3, the others 2. */
const decideRange: DecidePartitions = (partitions, members, member) => {
  const index = inOrder(members).indexOf(member)
  if (index < 0) return []
  const each = Math.floor(partitions.length / members.length)
  const rest = partitions.length % members.length
  const start = each * index + Math.min(index, rest)
  return partitions.slice(start, start + each + (index < rest ? 1 : 0))
}

/** Deals the partitions one by one to the members in turn. */
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
