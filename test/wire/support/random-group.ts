import type {
  AssignablePartition,
  AssignableTopics,
  Assignment,
  GroupMember,
} from '../../../src/balanced/assignors/assignor.ts'
import { encodeStickyUserData } from '../../../src/balanced/assignors/user-data.ts'
import type { TopicPartition } from '../../../src/consumer/topic-partition.ts'
import type { Random } from './random.ts'

/** A group at one moment. */
export interface Group {
  readonly members: readonly GroupMember[]
  readonly topics: AssignableTopics
}

/**
 * Java goes through its hash maps where the order decides which member keeps a partition too many. Letters from 'a' on,
 * up to twelve, lie in a hash map in their own order.
 */
const MEMBER_IDS = Array.from({ length: 12 }, (_, at) => String.fromCharCode(97 + at))
const RACKS = ['r1', 'r2', 'r3']

interface Style {
  readonly hasRacks: boolean
  readonly hasStatics: boolean
  readonly areWishesEqual: boolean
}

/** The life of a group: members come and go, topics grow, and each step starts from the last assignment. */
export class RandomGroup {
  readonly #random: Random
  readonly #style: Style
  readonly #topics = new Map<string, AssignablePartition[]>()
  readonly #members = new Map<string, Omit<GroupMember, 'ownedPartitions' | 'userData'>>()
  #owned: Assignment = new Map()
  #generation = 0

  constructor(random: Random) {
    this.#random = random
    this.#style = {
      hasRacks: random.chance(2),
      hasStatics: random.chance(3),
      areWishesEqual: !random.chance(3),
    }
    for (let at = random.below(4); at >= 0; at--) this.#growTopic(`t${at}`)
    for (let count = random.below(6); count >= 0; count--) this.#addMember()
  }

  /** What the members tell the leader. */
  get now(): Group {
    const members = [...this.#members.values()].map((member): GroupMember => {
      const ownedPartitions = this.#owned.get(member.memberId) ?? []
      const { generation } = member
      const userData =
        generation < 0
          ? undefined
          : encodeStickyUserData({ partitions: ownedPartitions, generation })
      return { ...member, ownedPartitions, userData }
    })
    return { members, topics: this.#topics }
  }

  get areWishesEqual(): boolean {
    return this.#style.areWishesEqual
  }

  /** Takes the assignment over, and lets something happen. */
  continueWith(assignment: Assignment): void {
    this.#owned = assignment
    this.#generation++
    for (const member of this.#members.values()) {
      // Now and then one sleeps through a generation, and still claims what it had.
      if (this.#random.chance(12)) continue
      this.#members.set(member.memberId, { ...member, generation: this.#generation })
    }
    for (let changes = this.#random.below(3); changes >= 0; changes--) this.#change()
  }

  #change(): void {
    const random = this.#random
    switch (random.below(6)) {
      case 0:
      case 1:
        this.#addMember()
        return
      case 2:
      case 3:
        if (this.#members.size > 1) this.#members.delete(random.pick([...this.#members.keys()]))
        return
      case 4:
        this.#growTopic(`t${random.below(5)}`)
        return
      case 5:
        this.#claimAnothers()
    }
  }

  #addMember(): void {
    const random = this.#random
    const free = MEMBER_IDS.filter((id) => !this.#members.has(id))
    if (free.length === 0) return
    const memberId = random.pick(free)
    // It comes again, even if there was one of this name before.
    this.#owned = new Map([...this.#owned].filter(([id]) => id !== memberId))
    const all = ['t0', 't1', 't2', 't3', 't4']
    this.#members.set(memberId, {
      memberId,
      groupInstanceId:
        this.#style.hasStatics && random.chance(2) ? `i${random.below(1e6)}` : undefined,
      topics: this.#style.areWishesEqual
        ? all
        : all.filter((one) => one === 't0' || random.chance(2)),
      generation: -1,
      rack: this.#style.hasRacks && !random.chance(5) ? random.pick(RACKS) : undefined,
    })
    const sorted = [...this.#members].sort(([a], [b]) => (a < b ? -1 : 1))
    this.#members.clear()
    for (const [id, member] of sorted) this.#members.set(id, member)
  }

  #growTopic(topic: string): void {
    const partitions = this.#topics.get(topic) ?? []
    for (let count = this.#random.below(7); count >= 0; count--) {
      const racks = this.#style.hasRacks ? RACKS.filter(() => this.#random.chance(2)) : []
      partitions.push({ partition: partitions.length, racks: new Set(racks) })
    }
    this.#topics.set(topic, partitions)
  }

  /** One claims what another holds, too, as after a rebalance that it missed. */
  #claimAnothers(): void {
    const [from, to] = [this.#random.pick([...this.#members.keys()]), this.#random.pick(MEMBER_IDS)]
    const stolen: readonly TopicPartition[] = this.#owned.get(from) ?? []
    const own = this.#owned.get(to)
    if (from === to || stolen.length === 0 || own === undefined) return
    const one = this.#random.pick(stolen)
    if (own.some((had) => had.topic === one.topic && had.partition === one.partition)) return
    this.#owned = new Map([...this.#owned, [to, [...own, one]]])
  }
}
