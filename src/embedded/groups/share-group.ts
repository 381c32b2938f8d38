import type { Partition } from '../cluster/partition.ts'
import type { Topics } from '../cluster/topics.ts'
import { Refused } from '../refused.ts'
import type { Save } from '../storage/saved-entry.ts'
import type { Timer, Timers } from '../timers.ts'
import type { Group, GroupDescription } from './group.ts'
import { GroupOffsets } from './offsets.ts'
import { SharePartition, type SavedSharePartition, type ShareSettings } from './share-partition.ts'

export interface ShareMember {
  readonly id: string
  readonly clientId: string
  readonly clientHost: string
  readonly rackId: string | null
  topics: readonly string[]
  epoch: number
  /** The assignment that the member received last. */
  assigned: string
  timer: Timer | undefined
}

export interface ShareHeartbeat {
  readonly memberId: string
  readonly memberEpoch: number
  readonly rackId: string | null
  /** Null if it has not changed. */
  readonly topics: readonly string[] | null
  readonly clientId: string
  readonly clientHost: string
}

export interface AssignedTopic {
  readonly topicId: string
  readonly topicName: string
  readonly partitions: readonly number[]
}

const JOINING = 0
const LEAVING = -1

/** A share group (KIP-932): its members, and its state in each partition. */
export class ShareGroup implements Group {
  readonly id: string
  readonly type = 'share'
  readonly protocolType = 'share'
  /** Share groups have no committed offsets. */
  readonly offsets: GroupOffsets
  readonly members = new Map<string, ShareMember>()
  epoch = 0
  readonly settings: ShareSettings
  readonly #timers: Timers
  readonly #save: Save | undefined
  /** By topic id and partition number. */
  readonly #partitions = new Map<string, SharePartition>()

  /** Without `save` its state is in memory only. */
  constructor(id: string, settings: ShareSettings, timers: Timers, save: Save | undefined) {
    this.id = id
    this.settings = settings
    this.#timers = timers
    this.#save = save
    this.offsets = new GroupOffsets(id, () => undefined)
  }

  get state(): string {
    return this.isEmpty ? 'Empty' : 'Stable'
  }

  get isEmpty(): boolean {
    return this.members.size === 0
  }

  /** Joins the group, keeps the membership, or leaves. Throws Refused. */
  heartbeat(request: ShareHeartbeat, topics: Topics) {
    const { memberId, memberEpoch } = request
    if (memberEpoch === LEAVING) {
      if (!this.members.has(memberId)) throw this.#unknown(memberId)
      this.#remove(memberId)
      return { memberEpoch: LEAVING, assignment: null }
    }
    const member = memberEpoch === JOINING ? this.#join(request) : this.#known(request)
    if (request.topics !== null && String(request.topics) !== String(member.topics)) {
      member.topics = request.topics
      this.epoch++
    }
    member.timer?.cancel()
    const { sessionTimeoutMs } = this.settings
    member.timer = this.#timers.afterSilence(sessionTimeoutMs, () => this.#remove(memberId))
    member.epoch = this.epoch
    const assignment = this.assignmentOf(member, topics)
    const assigned = JSON.stringify(assignment)
    const isNews = request.topics !== null || assigned !== member.assigned
    member.assigned = assigned
    return { memberEpoch: member.epoch, assignment: isNews ? assignment : null }
  }

  /**
   * The partitions of a member. Each partition has at least one member, and each member has at least one partition if
   * any exist.
   */
  assignmentOf({ id, topics: subscribed }: ShareMember, topics: Topics): readonly AssignedTopic[] {
    return [...subscribed].sort().flatMap((name) => {
      const topic = topics.byName(name)
      if (topic === undefined) return []
      const readers = [...this.members.values()]
        .filter((member) => member.topics.includes(name))
        .map((member) => member.id)
        .sort()
      const count = topic.partitions.length
      const own = readers.indexOf(id)
      const partitions = topic.partitions
        .map(({ index }) => index)
        .filter((index) =>
          readers.length <= count ? index % readers.length === own : own % count === index,
        )
      return partitions.length === 0 ? [] : [{ topicId: topic.id, topicName: name, partitions }]
    })
  }

  /** Returns the group's state in a partition, which is created by the first call. */
  partition(topicId: string, partition: Partition): SharePartition {
    return this.find(topicId, partition.index) ?? this.restore(topicId, partition, undefined)
  }

  /** Sets the group's state in a partition: as it was saved, or that of a new group. */
  restore(
    topicId: string,
    partition: Partition,
    saved: SavedSharePartition | undefined,
  ): SharePartition {
    const { index } = partition
    const ofGroup = this.#save
    const save =
      ofGroup &&
      ((state: SavedSharePartition) =>
        ofGroup({ kind: 'share', group: this.id, topicId, partition: index, ...state }))
    const state = new SharePartition(partition, this.settings, this.#timers, save, saved)
    this.#partitions.set(`${topicId} ${index}`, state)
    return state
  }

  /** Returns the group's state in a partition, if it exists. */
  find(topicId: string, partition: number): SharePartition | undefined {
    return this.#partitions.get(`${topicId} ${partition}`)
  }

  /** Deletes the group's state in a topic. */
  forget(topicId: string, partitions: number): void {
    const isKnown = Array.from({ length: partitions }, (_, index) =>
      this.#partitions.delete(`${topicId} ${index}`),
    ).some(Boolean)
    if (isKnown) this.#save?.({ kind: 'shareDeleted', group: this.id, topicId })
  }

  describe(): GroupDescription {
    throw new Refused('GROUP_ID_NOT_FOUND', `Group ${this.id} is not a classic group.`)
  }

  subscribedTopics(): ReadonlySet<string> {
    return new Set([...this.members.values()].flatMap(({ topics }) => topics))
  }

  checkCommit(): void {
    throw new Refused('GROUP_ID_NOT_FOUND')
  }

  delete(): void {
    if (!this.isEmpty) throw new Refused('NON_EMPTY_GROUP')
  }

  unload(): void {
    // Members find the new coordinator after an error of their next heartbeat.
  }

  #join({ memberId, rackId, topics, clientId, clientHost }: ShareHeartbeat): ShareMember {
    const known = this.members.get(memberId)
    if (known !== undefined) return known
    if (topics === null) throw new Refused('INVALID_REQUEST', 'SubscribedTopicNames must be set.')
    const member: ShareMember = {
      id: memberId,
      clientId,
      clientHost,
      rackId,
      topics,
      epoch: 0,
      assigned: '',
      timer: undefined,
    }
    this.members.set(memberId, member)
    this.epoch++
    return member
  }

  #known({ memberId, memberEpoch }: ShareHeartbeat): ShareMember {
    const member = this.members.get(memberId)
    if (member === undefined) throw this.#unknown(memberId)
    if (memberEpoch > member.epoch) {
      throw new Refused(
        'FENCED_MEMBER_EPOCH',
        `The share group member has a greater member epoch (${memberEpoch}) than the one known by the group coordinator (${member.epoch}). The member must abandon all its partitions and rejoin.`,
      )
    }
    return member
  }

  #unknown(memberId: string): Refused {
    const detail = `Member ${memberId} is not a member of group ${this.id}.`
    return new Refused('UNKNOWN_MEMBER_ID', detail)
  }

  /** The records that the member has acquired stay acquired until its share sessions end. */
  #remove(memberId: string): void {
    this.members.get(memberId)?.timer?.cancel()
    if (this.members.delete(memberId)) this.epoch++
  }
}
