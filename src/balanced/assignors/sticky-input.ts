/**
 * The input of both sticky assignments: the topics that each member subscribes to, and the partitions that it owns.
 */
import type { TopicPartition } from '../../consumer/topic-partition.ts'
import { byMemberId, byText, type AssignableTopics, type GroupMember } from './assignor.ts'
import { allPartitionRacks, racksMatter, racksOf } from './racks.ts'

/** The partitions that a member reports as its own, and the generation in which it got them. */
export interface MemberData {
  readonly partitions: readonly TopicPartition[]
  /** −1 if the member does not report it. */
  readonly generation: number
}

/** A partition. Each has exactly one object, so that it can be a key. */
export interface RackedPartition extends TopicPartition {
  readonly racks: ReadonlySet<string>
}

export interface StickyInput {
  /** Sorted by id. */
  readonly members: readonly GroupMember[]
  /** The existing topics that each member wants. */
  readonly wantedTopics: ReadonlyMap<string, ReadonlySet<string>>
  readonly hasEqualSubscriptions: boolean
  /** By the topic's name. */
  readonly topics: ReadonlyMap<string, readonly RackedPartition[]>
  /** The partitions that each member held and may keep. */
  readonly owned: ReadonlyMap<string, readonly RackedPartition[]>
  /** Partitions that two members claim in the same generation: neither is believed. */
  readonly contested: ReadonlySet<RackedPartition>
  /** Partitions that were claimed in an older generation than the newest, with the members that claimed them. */
  readonly formerOwners: ReadonlyMap<RackedPartition, string>
  readonly racks: Racks
}

class Racks {
  /** True if members should get partitions in their rack. */
  readonly matter: boolean
  readonly #memberRacks: ReadonlyMap<string, string>
  readonly #membersIn: ReadonlyMap<string, number>

  constructor(members: readonly GroupMember[], topics: AssignableTopics) {
    const racks = racksOf(members)
    this.matter = racks.size > 0 && racksMatter(racks, allPartitionRacks(topics))
    this.#memberRacks = new Map(
      members.flatMap(({ memberId, rack }) => (rack ? [[memberId, rack] as const] : [])),
    )
    this.#membersIn = new Map(
      [...racks].map((rack) => [rack, members.filter((member) => member.rack === rack).length]),
    )
  }

  /** True if the member has a rack and the partition is in another. Always false if racks do not matter. */
  areApart(memberId: string, { racks }: RackedPartition): boolean {
    const rack = this.#memberRacks.get(memberId)
    return this.matter && rack !== undefined && !racks.has(rack)
  }

  /** True if both are in the same rack. Always false if racks do not matter. */
  areTogether(memberId: string, { racks }: RackedPartition): boolean {
    const rack = this.#memberRacks.get(memberId)
    return this.matter && rack !== undefined && racks.has(rack)
  }

  /** Sorts partitions with the fewest members near them first, because these members still have room then. */
  fewestMembersFirst(partitions: readonly RackedPartition[]): RackedPartition[] {
    const near = ({ racks }: RackedPartition) => {
      let count = 0
      for (const rack of racks) count += this.#membersIn.get(rack) ?? 0
      return count
    }
    return [...partitions].sort((a, b) => near(a) - near(b))
  }
}

export function stickyInput(
  unsorted: readonly GroupMember[],
  assignable: AssignableTopics,
  memberDataOf: (member: GroupMember) => MemberData,
): StickyInput {
  const members = [...unsorted].sort(byMemberId)
  const topics = new Map(
    [...assignable.keys()]
      .filter((topic) => members.some((member) => member.topics.includes(topic)))
      .sort(byText)
      .map((topic) => [
        topic,
        assignable.get(topic)!.map((one): RackedPartition => ({ topic, ...one })),
      ]),
  )
  const wantedTopics = new Map(
    members.map((member) => [
      member.memberId,
      new Set(member.topics.filter((topic) => topics.has(topic))),
    ]),
  )
  // Topics that do not exist (yet) are included: the subscriptions of members may differ only in one of them.
  const wishes = new Set(members.map((one) => [...new Set(one.topics)].sort(byText).join(' ')))
  return {
    members,
    topics,
    wantedTopics,
    hasEqualSubscriptions: wishes.size === 1,
    racks: new Racks(members, topics),
    ...settleClaims(members, topics, memberDataOf),
  }
}

/**
 * If several members claim a partition, it belongs to the one with the newest generation: the others missed a
 * rebalance. Two of the same generation cannot both be right, so neither is believed.
 */
function settleClaims(
  members: readonly GroupMember[],
  topics: ReadonlyMap<string, readonly RackedPartition[]>,
  memberDataOf: (member: GroupMember) => MemberData,
): Pick<StickyInput, 'owned' | 'contested' | 'formerOwners'> {
  const index = new Map(
    [...topics].map(([topic, all]) => [topic, new Map(all.map((one) => [one.partition, one]))]),
  )
  const claims = members.map((member) => {
    const { partitions, generation } = memberDataOf(member)
    const existing = new Set<RackedPartition>()
    for (const { topic, partition } of partitions) {
      const found = index.get(topic)?.get(partition)
      if (found !== undefined) existing.add(found)
    }
    return { memberId: member.memberId, generation, partitions: existing }
  })
  const newest = claims.reduce((most, { generation }) => Math.max(most, generation), -1)

  const owned = new Map<string, Set<RackedPartition>>(
    members.map(({ memberId }) => [memberId, new Set()]),
  )
  const holders = new Map<
    RackedPartition,
    { readonly memberId: string; readonly generation: number }
  >()
  const formers = new Map<
    RackedPartition,
    { readonly memberId: string; readonly generation: number }
  >()
  const contested = new Set<RackedPartition>()
  for (const { memberId, generation, partitions } of claims) {
    for (const partition of partitions) {
      const former = formers.get(partition)
      if (generation < newest && (former === undefined || generation > former.generation)) {
        formers.set(partition, { memberId, generation })
      }
      const holder = holders.get(partition)
      if (holder !== undefined && holder.generation > generation) continue
      if (holder !== undefined) owned.get(holder.memberId)!.delete(partition)
      if (holder?.generation === generation) contested.add(partition)
      else owned.get(memberId)!.add(partition)
      holders.set(partition, { memberId, generation })
    }
  }
  return {
    owned: new Map([...owned].map(([memberId, partitions]) => [memberId, [...partitions]])),
    contested,
    formerOwners: new Map([...formers].map(([partition, { memberId }]) => [partition, memberId])),
  }
}
