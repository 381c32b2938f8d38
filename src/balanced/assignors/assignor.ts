/** The input of the leader's decision in a Kafka group: the members, the partitions, and the rule. */
import type { TopicPartition } from '../../consumer/topic-partition.ts'

/** A member as the leader sees it: what it said of itself when it joined. */
export interface GroupMember {
  /** The id of the member in the group. */
  readonly memberId: string
  /** Of a static member (KIP-345): the id that it keeps from one start to the next. */
  readonly groupInstanceId: string | undefined
  /** The names of the topics that the member subscribes to. */
  readonly topics: readonly string[]
  /** What it holds, as far as it reports it: consumers before Kafka 2.4 don't (KIP-429). */
  readonly ownedPartitions: readonly TopicPartition[]
  /** In which generation it got them; −1 where it does not say, or holds nothing. */
  readonly generation: number
  /** Its `client.rack` (KIP-881). */
  readonly rack: string | undefined
  /** What this assignor's own `userData` said on the member's side; undefined for nothing. */
  readonly userData: Buffer | undefined
}

/** A partition that an assignor can assign, with the racks of its replicas. */
export interface AssignablePartition {
  /** The number of the partition. */
  readonly partition: number
  /** Where its replicas are; empty where brokers have no racks. */
  readonly racks: ReadonlySet<string>
}

/** The partitions of each topic that a member wants and that exists, ascending. */
export type AssignableTopics = ReadonlyMap<string, readonly AssignablePartition[]>

/** By member id. A member that is missing gets nothing. */
export type Assignment = ReadonlyMap<string, readonly TopicPartition[]>

/** The assignment that a member got last, for its own side of an assignor. */
export interface LastAssignment {
  /** The partitions that the member had in that generation. */
  readonly partitions: readonly TopicPartition[]
  /** −1 before the first. */
  readonly generation: number
}

/**
 * How members change from one assignment to the next. `eager`: all give up everything before they join the
 * rebalance. `cooperative` (KIP-429): they keep what they have and give up what they are told to, and what
 * moves is given to its next owner in the rebalance that follows.
 */
export type RebalanceProtocol = 'eager' | 'cooperative'

/**
 * Shares out a group's partitions. All members of a group have at least one assignor of the same name, and
 * the one that most of them prefer is used, by the member that the broker made leader.
 *
 * `assign` must be pure: the leader of the next generation may be another process.
 */
export interface Assignor {
  /** What members, Java's too, know it by. */
  readonly name: string
  /** The protocols that it can be used with. */
  readonly protocols: readonly RebalanceProtocol[]
  /**
   * Every partition to at most one member. Under `cooperative` none that another member still holds: it is
   * left out, and given away in the next generation. The group waits for a promise, no longer than its rebalance timeout.
   */
  assign(
    members: readonly GroupMember[],
    topics: AssignableTopics,
  ): Assignment | Promise<Assignment>
  /** What this member tells the leader of itself, beside what all assignors know. Default: nothing. */
  userData?(last: LastAssignment): Buffer | undefined
}

/** An assignor that decides at once, as each of samsa's does. */
export interface ImmediateAssignor extends Assignor {
  assign(members: readonly GroupMember[], topics: AssignableTopics): Assignment
}

/** By topic and partition, for lists that are shown or compared. */
export function byTopicAndPartition(a: TopicPartition, b: TopicPartition): number {
  if (a.topic !== b.topic) return a.topic < b.topic ? -1 : 1
  return a.partition - b.partition
}

/** Strings as Java orders them: by their UTF-16 units, whatever the locale. */
export function byText(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}

/** Members by id: each leader comes to the same result, in whatever order the broker names them. */
export function byMemberId(a: GroupMember, b: GroupMember): number {
  return byText(a.memberId, b.memberId)
}

/** An assignment to be filled in: nothing yet for each member, in this order. */
export function nothingFor<One extends TopicPartition>(
  members: readonly GroupMember[],
): Map<string, One[]> {
  return new Map(members.map(({ memberId }) => [memberId, []]))
}
