/**
 * pykafka's two ways to divide a topic's partitions. Each member decides alone: members that see the same members and
 * the same leaders compute the same assignment, in pykafka 2.8 and in samsa, so that both can be in one group.
 */
import type { TopicMetadata } from '../../cluster/metadata.ts'
import type { TopicPartition } from '../../consumer/topic-partition.ts'
import type { Logger } from '../../observe/logger.ts'
import { ownDecision } from './own-decision.ts'
import { compare, inPykafkasOrder, type DecidePartitions } from './decide-partitions.ts'

/**
 * How the members of a group that ZooKeeper coordinates divide a topic's partitions. All members must use the same.
 */
export type MembershipProtocol = 'range' | 'roundrobin' | DecidePartitions

/** Neighbouring partitions go to the same member: of 7 partitions for 3 members the first gets 3, the others 2. */
const decideRange: DecidePartitions = (partitions, members, member) => {
  const index = inOrder(members).indexOf(member)
  if (index < 0) return []
  const each = Math.floor(partitions.length / members.length)
  const rest = partitions.length % members.length
  const start = each * index + Math.min(index, rest)
  return partitions.slice(start, start + each + (index < rest ? 1 : 0))
}

/** Assigns the partitions one by one to the members in turn. */
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

/** Returns the partitions of one member in a topic. */
export type TopicDecision = (
  topic: TopicMetadata,
  members: readonly string[],
  member: string,
) => readonly TopicPartition[]

/** `group` is the name of the group, for the log. */
export function decisionOf(
  protocol: MembershipProtocol,
  group: string,
  logger: Logger,
): TopicDecision {
  if (typeof protocol === 'function') {
    return (topic, members, member) =>
      ownDecision({ decide: protocol, topic, members, group, logger }).get(member) ?? []
  }
  return ({ name: topic, partitions }, members, member) =>
    DECISIONS[protocol](inPykafkasOrder(partitions), members, member).map((partition) => ({
      topic,
      partition,
    }))
}
