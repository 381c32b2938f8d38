/**
 * Sticky assignment for members that want the same topics: all members end with the same number of partitions, or one
 * more, so one pass decides which members keep which partitions and which members get the rest.
 */
import type { TopicPartition } from '../../consumer/topic-partition.ts'
import { byText, nothingFor } from './assignor.ts'
import type { RackedPartition, StickyInput } from './sticky-input.ts'

export interface StickyResult {
  readonly assignment: Map<string, TopicPartition[]>
  /** The partitions that move to a member from another one, which may still have them. */
  readonly changingHands: ReadonlyMap<TopicPartition, string>
}

export function assignConstrained(input: StickyInput): StickyResult {
  const sharing = new Sharing(input)
  sharing.keepOwned()
  const free = sharing.freePartitions()
  sharing.assignInTurn(input.racks.matter ? sharing.assignNear(free) : free)
  return { assignment: sharing.assignment, changingHands: sharing.changingHands }
}

class Sharing {
  readonly assignment: Map<string, RackedPartition[]>
  readonly changingHands = new Map<TopicPartition, string>()
  readonly #input: StickyInput
  readonly #least: number
  readonly #most: number
  /** The number of members that may still get one more than the others. */
  #extras: number
  /** Members below the minimum, and members with exactly the minimum that may get one more; sorted by id. */
  readonly #below: string[] = []
  #atLeast: string[] = []
  readonly #kept = new Set<RackedPartition>()
  /** Partitions that a member had and may not keep. */
  readonly #taken = new Map<RackedPartition, string>()

  constructor(input: StickyInput) {
    this.#input = input
    const { members, topics } = input
    let count = 0
    for (const partitions of topics.values()) count += partitions.length
    this.#least = Math.floor(count / members.length)
    this.#most = Math.ceil(count / members.length)
    this.#extras = count % members.length
    this.assignment = nothingFor(members)
  }

  keepOwned(): void {
    const { owned, contested, racks } = this.#input
    for (const [memberId, all] of owned) {
      const near = all.filter(
        (partition) => !contested.has(partition) && !racks.areApart(memberId, partition),
      )
      near.sort((a, b) => a.partition - b.partition || byText(a.topic, b.topic))
      const quota = this.#quotaFor(memberId, near.length)
      for (const partition of near.slice(0, quota)) {
        this.#kept.add(partition)
        this.assignment.get(memberId)!.push(partition)
      }
      for (const partition of all) {
        if (!this.#kept.has(partition)) this.#taken.set(partition, memberId)
      }
    }
    this.#below.sort(byText)
    this.#atLeast.sort(byText)
  }

  /** Returns how many of this many partitions the member keeps, and records how many it may still get. */
  #quotaFor(memberId: string, count: number): number {
    if (count < this.#least) {
      this.#below.push(memberId)
      return count
    }
    if (count >= this.#most && this.#extras > 0) {
      this.#useExtra()
      return this.#most
    }
    if (this.#extras > 0) this.#atLeast.push(memberId)
    return this.#least
  }

  freePartitions(): readonly RackedPartition[] {
    const all = [...this.#input.topics.values()].flat()
    const free = all.filter((partition) => !this.#kept.has(partition))
    return this.#input.racks.fewestMembersFirst(free)
  }

  /** Assigns partitions to members in their rack, in turn; returns those for which no such member had room. */
  assignNear(free: readonly RackedPartition[]): readonly RackedPartition[] {
    const far: RackedPartition[] = []
    let turn = 0
    for (const partition of free) {
      const at = this.#nextNear(partition, this.#below, turn)
      if (at !== undefined) {
        const memberId = this.#below[at]!
        const isFull = this.#give(partition, memberId) >= this.#least
        if (isFull) {
          this.#below.splice(at, 1)
          if (this.#extras > 0) this.#atLeast.push(memberId)
        }
        turn = this.#below.length === 0 ? 0 : (isFull ? at : at + 1) % this.#below.length
        continue
      }
      const extra = this.#nextNear(partition, this.#atLeast, 0)
      if (extra === undefined) far.push(partition)
      else {
        const [memberId] = this.#atLeast.splice(extra, 1)
        this.#give(partition, memberId!)
        this.#useExtra()
      }
    }
    return far
  }

  /** Assigns partitions to members below the minimum, in turn, then one each to those that may get one more. */
  assignInTurn(free: readonly RackedPartition[]): void {
    let turn = 0
    for (const partition of free) {
      if (turn >= this.#below.length) turn = 0
      const memberId = this.#below[turn] ?? this.#atLeast.shift()
      if (memberId === undefined) throw new Error(`no member has room for ${partition.topic}`)
      const count = this.#give(partition, memberId)
      if (this.#below[turn] !== memberId) continue
      if (count < this.#least) turn++
      else this.#atLeast.push(...this.#below.splice(turn, 1))
    }
  }

  #nextNear(
    partition: RackedPartition,
    members: readonly string[],
    from: number,
  ): number | undefined {
    for (let step = 0; step < members.length; step++) {
      const at = (from + step) % members.length
      if (this.#input.racks.areTogether(members[at]!, partition)) return at
    }
    return undefined
  }

  #give(partition: RackedPartition, memberId: string): number {
    const partitions = this.assignment.get(memberId)!
    partitions.push(partition)
    const before = this.#taken.get(partition)
    if ((before !== undefined && before !== memberId) || this.#input.contested.has(partition)) {
      this.changingHands.set(partition, memberId)
    }
    return partitions.length
  }

  #useExtra(): void {
    this.#extras--
    if (this.#extras === 0) this.#atLeast = []
  }
}
