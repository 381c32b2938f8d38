/**
 * Sticky assignment for members that want different topics. Members keep valid partitions; free partitions go to the
 * members with the fewest partitions that want them; then single partitions move from members with more to members
 * with fewer until another move gains nothing. If the moves improved nothing in total, they are undone.
 */
import type { TopicPartition } from '../../consumer/topic-partition.ts'
import { byText } from './assignor.ts'
import type { RackedPartition, StickyInput } from './sticky-input.ts'

export function assignGeneral(input: StickyInput): Map<string, TopicPartition[]> {
  const balancing = new Balancing(input)
  balancing.keepOwned()
  balancing.rebalance(balancing.giveFree())
  return balancing.result()
}

interface Move {
  readonly from: string
  readonly to: string
}

class Balancing {
  readonly #input: StickyInput
  /** The members that want each topic, by id. */
  readonly #wantedBy: ReadonlyMap<string, readonly string[]>
  /** All partitions, sorted by the number of members that want them. */
  readonly #order: readonly RackedPartition[]
  #assignment: Map<string, Set<RackedPartition>>
  #owners = new Map<RackedPartition, string>()
  /** Members sorted by load, the lowest first, then by id. Only members that may take part in moves. */
  #byLoad: string[] = []
  /** The moves since the start, so that a partition is not moved back by way of other members. */
  readonly #moves = new Map<RackedPartition, Move>()
  #isFresh = true
  #lostSome = false

  constructor(input: StickyInput) {
    this.#input = input
    const { members, topics, wantedTopics } = input
    this.#wantedBy = new Map(
      [...topics.keys()].map((topic) => [
        topic,
        members.flatMap(({ memberId }) =>
          wantedTopics.get(memberId)!.has(topic) ? [memberId] : [],
        ),
      ]),
    )
    const wanters = (topic: string) => this.#wantedBy.get(topic)!.length
    this.#order = [...topics.keys()]
      .sort((a, b) => wanters(a) - wanters(b) || byText(a, b))
      .flatMap((topic) => topics.get(topic)!)
    this.#assignment = new Map(members.map(({ memberId }) => [memberId, new Set()]))
  }

  result(): Map<string, TopicPartition[]> {
    return new Map(
      [...this.#assignment].map(([memberId, partitions]) => [memberId, [...partitions]]),
    )
  }

  keepOwned(): void {
    const { owned, wantedTopics, racks } = this.#input
    for (const [memberId, partitions] of owned) {
      for (const partition of partitions) {
        if (
          wantedTopics.get(memberId)!.has(partition.topic) &&
          !racks.areApart(memberId, partition)
        ) {
          this.#own(partition, memberId)
          this.#isFresh = false
        } else this.#lostSome = true
      }
    }
    this.#byLoad = [...this.#assignment.keys()].sort((a, b) => this.#compareLoads(a, b))
  }

  /** Returns the partitions that were free. */
  giveFree(): readonly RackedPartition[] {
    const free = this.#order.filter((partition) => !this.#owners.has(partition))
    const { racks } = this.#input
    const far = racks.matter
      ? free.filter(
          (partition) =>
            !this.#giveToLeast(partition, (memberId) => !racks.areApart(memberId, partition)),
        )
      : free
    for (const partition of far) this.#giveToLeast(partition, () => true)
    return free
  }

  rebalance(free: readonly RackedPartition[]): void {
    this.#byLoad = this.#byLoad.filter((memberId) => this.#canTakePart(memberId))
    const isMovable = ({ topic }: RackedPartition) => this.#wantedBy.get(topic)!.length > 1
    const before = this.#copy()
    const scoreBefore = this.#imbalance()
    // First the partitions that were free before: moving them takes nothing from a member.
    if (!this.#lostSome) this.#move(free.filter(isMovable))
    const hasMoved = this.#move(this.#order.filter(isMovable))
    if (!this.#isFresh && hasMoved && this.#imbalance() >= scoreBefore) {
      this.#assignment = before.assignment
      this.#owners = before.owners
    }
  }

  #copy() {
    const assignment = new Map(
      [...this.#assignment].map(([memberId, partitions]) => [memberId, new Set(partitions)]),
    )
    return { assignment, owners: new Map(this.#owners) }
  }

  #own(partition: RackedPartition, memberId: string): void {
    this.#assignment.get(memberId)!.add(partition)
    this.#owners.set(partition, memberId)
  }

  #giveToLeast(partition: RackedPartition, suits: (memberId: string) => boolean): boolean {
    const memberId = this.#byLoad.find((id) => this.#wants(id, partition) && suits(id))
    if (memberId === undefined) return false
    this.#changeLoads([memberId], () => this.#own(partition, memberId))
    return true
  }

  #wants(memberId: string, { topic }: RackedPartition): boolean {
    return this.#input.wantedTopics.get(memberId)!.has(topic)
  }

  #load(memberId: string): number {
    return this.#assignment.get(memberId)!.size
  }

  #compareLoads(a: string, b: string): number {
    return this.#load(a) - this.#load(b) || byText(a, b)
  }

  /** Changes the loads of these members, and moves them to their new place in the order. */
  #changeLoads(memberIds: readonly string[], change: () => void): void {
    this.#byLoad = this.#byLoad.filter((id) => !memberIds.includes(id))
    change()
    for (const memberId of memberIds) {
      const at = this.#byLoad.findIndex((id) => this.#compareLoads(memberId, id) < 0)
      this.#byLoad.splice(at < 0 ? this.#byLoad.length : at, 0, memberId)
    }
  }

  /** The most partitions that a member could have. */
  #mostOf(memberId: string): number {
    let count = 0
    for (const topic of this.#input.wantedTopics.get(memberId)!) {
      count += this.#input.topics.get(topic)!.length
    }
    return count
  }

  #canTakePart(memberId: string): boolean {
    if (this.#load(memberId) < this.#mostOf(memberId)) return true
    const partitions = [...this.#assignment.get(memberId)!]
    return partitions.some(({ topic }) => this.#wantedBy.get(topic)!.length > 1)
  }

  /** True if no member could take a partition from one that has at least two more. */
  #isBalanced(): boolean {
    const least = this.#byLoad[0]
    const most = this.#byLoad.at(-1)
    if (least === undefined || most === undefined) return true
    if (this.#load(least) >= this.#load(most) - 1) return true
    return !this.#byLoad.some((memberId) => this.#couldTake(memberId))
  }

  #couldTake(memberId: string): boolean {
    const load = this.#load(memberId)
    if (load === this.#mostOf(memberId)) return false
    for (const topic of this.#input.wantedTopics.get(memberId)!) {
      for (const partition of this.#input.topics.get(topic)!) {
        const owner = this.#owners.get(partition)
        if (owner !== undefined && owner !== memberId && load + 1 < this.#load(owner)) return true
      }
    }
    return false
  }

  /** The sum of the differences between all members: 0 if all have the same number. */
  #imbalance(): number {
    const loads = this.#byLoad.map((memberId) => this.#load(memberId))
    let sum = 0
    for (const [index, load] of loads.entries()) {
      for (const other of loads.slice(index + 1)) sum += Math.abs(load - other)
    }
    return sum
  }

  #move(partitions: readonly RackedPartition[]): boolean {
    let hasMoved = false
    for (let again = true; again;) {
      again = false
      for (const partition of partitions) {
        if (this.#isBalanced()) break
        if (!this.#moveOne(partition)) continue
        again = true
        hasMoved = true
      }
    }
    return hasMoved
  }

  #moveOne(partition: RackedPartition): boolean {
    const owner = this.#owners.get(partition)!
    const load = this.#load(owner)
    const former = this.#input.formerOwners.get(partition)
    const couldGet = (memberId: string) => load > this.#load(memberId) + 1
    if (former !== undefined && this.#wants(former, partition) && couldGet(former)) {
      this.#moveTo(partition, owner, former)
      return true
    }
    if (!this.#wantedBy.get(partition.topic)!.some(couldGet)) return false
    const least = this.#byLoad.find((memberId) => this.#wants(memberId, partition))!
    this.#moveTo(partition, owner, least)
    return true
  }

  /**
   * Moves the partition, or instead of it another partition of its topic that has moved the opposite way, so that two
   * members do not end up with each other's partitions.
   */
  #moveTo(wanted: RackedPartition, owner: string, to: string): void {
    const from = this.#moves.get(wanted)?.from ?? owner
    const partition = this.#movedBetween(wanted.topic, to, from) ?? wanted
    const holder = this.#owners.get(partition)!
    this.#changeLoads([to, holder], () => {
      this.#assignment.get(holder)!.delete(partition)
      this.#own(partition, to)
    })
    const origin = this.#moves.get(partition)?.from ?? holder
    if (origin === to) this.#moves.delete(partition)
    else this.#moves.set(partition, { from: origin, to })
  }

  #movedBetween(topic: string, from: string, to: string): RackedPartition | undefined {
    for (const [partition, move] of this.#moves) {
      if (partition.topic === topic && move.from === from && move.to === to) return partition
    }
    return undefined
  }
}
