/** What pykafka passes to `decide_partitions`, and in which order. */
import type { PartitionMetadata } from '../../cluster/metadata.ts'

/**
 * Returns one member's part of a topic's partitions: pykafka's `decide_partitions`. `partitions` are in
 * pykafka's order. It must depend only on its arguments: each member calls it for every member, and checks that no
 * partition has two members.
 */
export type DecidePartitions = (
  partitions: readonly number[],
  members: readonly string[],
  member: string,
) => readonly number[]

/**
 * Sorts partitions in the order in which pykafka assigns them: by the text `topic-leader-partition`, so that 10 comes
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
