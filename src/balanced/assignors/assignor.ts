/** The input of the leader's decision in a Kafka group: the members, the partitions, and the assignor. */
import type { TopicPartition } from '../../consumer/topic-partition.ts'

/** A member as the leader sees it: the data that it sent when it joined. */
export interface GroupMember {
  /** The id of the member in the group. */
  readonly memberId: string
  /** The id that a static member keeps between restarts (KIP-345). */
  readonly groupInstanceId: string | undefined
  /** The names of the topics that the member subscribes to. */
  readonly topics: readonly string[]
  /** The partitions that the member reports as its own; consumers before Kafka 2.4 report none (KIP-429). */
  readonly ownedPartitions: readonly TopicPartition[]
  /** The generation in which it got them; −1 if it does not report one, or has no partitions. */
  readonly generation: number
  /** Its `client.rack` (KIP-881). */
  readonly rack: string | undefined
  /** The data that this assignor's own `userData` returned on the member's side; undefined for none. */
  readonly userData: Buffer | undefined
}

/** A partition that an assignor can assign, with the racks of its replicas. */
export interface AssignablePartition {
  /** The number of the partition. */
  readonly partition: number
  /** The racks of its replicas; empty if brokers have no racks. */
  readonly racks: ReadonlySet<string>
}

/** The partitions of each existing topic that a member wants, in ascending order. */
export type AssignableTopics = ReadonlyMap<string, readonly AssignablePartition[]>

/** By member id. A missing member gets nothing. */
export type Assignment = ReadonlyMap<string, readonly TopicPartition[]>

/** The last assignment of a member, for the member's side of an assignor. */
export interface LastAssignment {
  /** The partitions that the member had in that generation. */
  readonly partitions: readonly TopicPartition[]
  /** −1 before the first. */
  readonly generation: number
}

/**
 * How members change from one assignment to the next. `eager`: all give up everything before they join the rebalance.
 * `cooperative` (KIP-429): they keep their partitions and give up only those that the new assignment takes away;
 * these go to their next owners in the rebalance that follows.
 */
export type RebalanceProtocol = 'eager' | 'cooperative'

/**
 * Divides a group's partitions among its members. All members of a group have at least one assignor of the same name.
 * The group uses the one that most of them prefer, and the member that the broker made leader runs it.
 *
 * `assign` must be pure: the leader of the next generation may be another process.
 */
export interface Assignor {
  /** The name by which members, also Java's, know it; not one of the built-in ones. */
  readonly name: string
  /** The protocols that it can be used with. */
  readonly protocols: readonly RebalanceProtocol[]
  /**
   * Assigns every partition to at most one member. With `cooperative` it leaves out partitions that another member
   * still holds; they are assigned in the next generation. The group waits for a promise, but no longer than its
   * rebalance timeout.
   */
  assign(
    members: readonly GroupMember[],
    topics: AssignableTopics,
  ): Assignment | Promise<Assignment>
  /** Returns data for the leader, beside the fields that all assignors get. Default: none. */
  userData?(last: LastAssignment): Buffer | undefined
}

/** An assignor that decides synchronously, as all of samsa's do. */
export interface ImmediateAssignor extends Assignor {
  assign(members: readonly GroupMember[], topics: AssignableTopics): Assignment
}

/** Compares by topic and partition, for lists that are shown or compared. */
export function byTopicAndPartition(a: TopicPartition, b: TopicPartition): number {
  if (a.topic !== b.topic) return a.topic < b.topic ? -1 : 1
  return a.partition - b.partition
}

/** Compares strings as Java does: by their UTF-16 units, independent of the locale. */
export function byText(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}

/** Compares members by id: each leader gets the same result, in whatever order the broker lists the members. */
export function byMemberId(a: GroupMember, b: GroupMember): number {
  return byText(a.memberId, b.memberId)
}

/** Compares members as Java does: static members come first, by their instance id, then the others, by their member id. */
export function compareMembers(a: GroupMember, b: GroupMember): number {
  if (a.groupInstanceId !== undefined && b.groupInstanceId !== undefined) {
    return byText(a.groupInstanceId, b.groupInstanceId)
  }
  if (a.groupInstanceId !== undefined) return -1
  if (b.groupInstanceId !== undefined) return 1
  return byMemberId(a, b)
}

/** Returns an assignment with an empty list for each member, in this order. */
export function nothingFor<One extends TopicPartition>(
  members: readonly GroupMember[],
): Map<string, One[]> {
  return new Map(members.map(({ memberId }) => [memberId, []]))
}
