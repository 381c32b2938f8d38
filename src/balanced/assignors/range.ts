import type { TopicPartition } from '../../consumer/topic-partition.ts'
import {
  byText,
  byTopicAndPartition,
  compareMembers,
  nothingFor,
  type AssignablePartition,
  type AssignableTopics,
  type Assignment,
  type ImmediateAssignor,
  type GroupMember,
} from './assignor.ts'
import { racksMatter, racksOf } from './racks.ts'

/**
 * Assigns each topic separately: its partitions in order, divided into one range for each member; the first members
 * get one more if the number does not divide evenly. Partitions with the same number go to the same member, as joins
 * of topics require.
 *
 * If racks matter (KIP-881), each member first gets partitions with a replica in its rack, within its share; topics
 * with the same members and the same number of partitions are still assigned together, so that their numbers match.
 */
export const rangeAssignor: ImmediateAssignor = {
  name: 'range',
  protocols: ['eager'],
  assign(members: readonly GroupMember[], topics: AssignableTopics): Assignment {
    const assignment = nothingFor(members)
    const sorted = [...members].sort(compareMembers)
    const shares = [...topics.keys()].sort(byText).flatMap((topic) => {
      const subscribed = sorted.filter((member) => member.topics.includes(topic))
      if (subscribed.length === 0) return []
      return [new TopicShares(topic, topics.get(topic)!, subscribed, assignment)]
    })
    if (shares.some(({ isRackAware }) => isRackAware)) giveNearFirst(shares)
    for (const topic of shares) topic.giveRanges(() => true)
    for (const partitions of assignment.values()) partitions.sort(byTopicAndPartition)
    return assignment
  },
}

function giveNearFirst(shares: readonly TopicShares[]): void {
  const groups = new Map<string, TopicShares[]>()
  for (const topic of shares) {
    const key = `${topic.partitions.length} ${topic.members.map(({ memberId }) => memberId).join(' ')}`
    groups.set(key, [...(groups.get(key) ?? []), topic])
  }
  for (const group of groups.values()) {
    const [first] = group
    if (group.length > 1) giveTogether(group)
    else if (first?.isRackAware === true) {
      first.giveRanges((member, { racks }) => isNear(member, racks))
    }
  }
}

/** Assigns the same number of each topic to the first member that is near to all of them and has room. */
function giveTogether(topics: readonly TopicShares[]): void {
  const { members, partitions, hasRacks } = topics[0]!
  if (!hasRacks) return
  for (const index of partitions.keys()) {
    const near = members.find((member) =>
      topics.every(
        (topic) => isNear(member, topic.partitions[index]!.racks) && topic.roomOf(member) > 0,
      ),
    )
    if (near === undefined) continue
    for (const topic of topics) topic.give(near, topic.partitions[index]!)
  }
}

/** A member without a rack is equally near to all. */
function isNear({ rack }: GroupMember, racks: ReadonlySet<string>): boolean {
  return rack === undefined || rack === '' || racks.has(rack)
}

/** How many partitions of one topic each member may still get. */
class TopicShares {
  readonly topic: string
  readonly partitions: readonly AssignablePartition[]
  readonly members: readonly GroupMember[]
  readonly hasRacks: boolean
  readonly isRackAware: boolean
  readonly #assignment: ReadonlyMap<string, TopicPartition[]>
  readonly #left: Set<AssignablePartition>
  readonly #given = new Map<string, number>()
  readonly #leastEach: number
  /** The number of members that may still get one more than the others. */
  #extras: number

  constructor(
    topic: string,
    partitions: readonly AssignablePartition[],
    members: readonly GroupMember[],
    assignment: ReadonlyMap<string, TopicPartition[]>,
  ) {
    this.topic = topic
    this.partitions = partitions
    this.members = members
    this.#assignment = assignment
    this.#left = new Set(partitions)
    this.#leastEach = Math.floor(partitions.length / members.length)
    this.#extras = partitions.length % members.length
    const memberRacks = racksOf(members)
    this.hasRacks = memberRacks.size > 0
    this.isRackAware = racksMatter(
      memberRacks,
      partitions.map(({ racks }) => racks),
    )
  }

  roomOf({ memberId }: GroupMember): number {
    const most = this.#leastEach + (this.#extras > 0 ? 1 : 0)
    return Math.max(0, most - (this.#given.get(memberId) ?? 0))
  }

  give(member: GroupMember, partition: AssignablePartition): void {
    const given = (this.#given.get(member.memberId) ?? 0) + 1
    this.#given.set(member.memberId, given)
    if (given === this.#leastEach + 1) this.#extras--
    this.#left.delete(partition)
    const { topic } = this
    this.#assignment.get(member.memberId)!.push({ topic, partition: partition.partition })
  }

  /** Gives each member in turn as many of the remaining suitable partitions as it has room for. */
  giveRanges(suits: (member: GroupMember, partition: AssignablePartition) => boolean): void {
    for (const member of this.members) {
      const suitable = [...this.#left].filter((partition) => suits(member, partition))
      for (const partition of suitable.slice(0, this.roomOf(member))) this.give(member, partition)
    }
  }
}
