import { nameOf, type TopicPartition } from '../../consumer/topic-partition.ts'
import type { AssignableTopics, Assignment, GroupMember, ImmediateAssignor } from './assignor.ts'
import { assignGeneral } from './sticky-general.ts'
import { assignConstrained } from './sticky-constrained.ts'
import { stickyInput } from './sticky-input.ts'
import {
  decodeGeneration,
  decodeStickyUserData,
  encodeGeneration,
  encodeStickyUserData,
} from './user-data.ts'

/**
 * As even as possible, and then with as few partitions as possible moving between members. All members still give up
 * everything at a rebalance; most get the same partitions back.
 */
export const stickyAssignor: ImmediateAssignor = {
  name: 'sticky',
  protocols: ['eager'],
  assign(members: readonly GroupMember[], topics: AssignableTopics): Assignment {
    const input = stickyInput(members, topics, ({ userData }) => decodeStickyUserData(userData))
    return input.hasEqualSubscriptions ? assignConstrained(input).assignment : assignGeneral(input)
  },
  userData: (last) => (last.generation < 0 ? undefined : encodeStickyUserData(last)),
}

/**
 * Sticky in the same way, but partitions that stay with their member are not interrupted: only partitions that move
 * are given up. They reach their next owner in a second rebalance, when no member has them any more (KIP-429).
 */
export const cooperativeStickyAssignor: ImmediateAssignor = {
  name: 'cooperative-sticky',
  protocols: ['cooperative', 'eager'],
  assign(members: readonly GroupMember[], topics: AssignableTopics): Assignment {
    const input = stickyInput(members, topics, ({ ownedPartitions, generation, userData }) => ({
      partitions: ownedPartitions,
      generation: generation >= 0 ? generation : decodeGeneration(userData),
    }))
    if (!input.hasEqualSubscriptions) return withoutHeld(members, assignGeneral(input))
    const { assignment, changingHands } = assignConstrained(input)
    return mapLists(assignment, (partition) => !changingHands.has(partition))
  },
  userData: ({ generation }) => encodeGeneration(generation),
}

/** Leaves out partitions that are assigned to one member and that another has not given up yet. */
function withoutHeld(members: readonly GroupMember[], assignment: Assignment): Assignment {
  const holders = new Map<string, Set<string>>()
  for (const { memberId, ownedPartitions } of members) {
    for (const owned of ownedPartitions) {
      const name = nameOf(owned)
      holders.set(name, (holders.get(name) ?? new Set()).add(memberId))
    }
  }
  return mapLists(assignment, (partition, memberId) => {
    const held = holders.get(nameOf(partition))
    return held === undefined || held.has(memberId)
  })
}

function mapLists(
  assignment: Assignment,
  stays: (partition: TopicPartition, memberId: string) => boolean,
): Assignment {
  return new Map(
    [...assignment].map(([memberId, partitions]) => [
      memberId,
      partitions
        .filter((partition) => stays(partition, memberId))
        .map(({ topic, partition }) => ({ topic, partition })),
    ]),
  )
}
