/**
 * The coordinator's half of the consumer group protocol (KIP-848). Three epochs follow one another:
 *
 *     group epoch        bumped by each change of members, subscriptions or topics
 *     target epoch       the group epoch that the target assignment was computed for
 *     member epoch       the target epoch that a member has reached (reconcile.ts)
 *
 * Members learn of changes only from the responses to their own heartbeats.
 */
import { Refused } from '../../refused.ts'
import type { Timer, Timers } from '../../timers.ts'
import type { Group } from '../group.ts'
import type { GroupOffsets } from '../offsets.ts'
import { SERVER_ASSIGNORS, type PartitionKey, type TopicSize } from './assignors.ts'
import { reconcile, type CurrentAssignment } from './reconcile.ts'
import { topicPattern } from './topic-pattern.ts'

export interface ConsumerGroupSettings {
  readonly sessionTimeoutMs: number
  readonly heartbeatIntervalMs: number
  readonly maxSize: number
}

export interface MemberHeartbeat {
  readonly memberId: string
  readonly epoch: number
  readonly instanceId: string | null
  readonly rackId: string | null
  /** −1 if it has not changed. The other fields: null. */
  readonly rebalanceTimeoutMs: number
  readonly topics: readonly string[] | null
  readonly pattern: string | null
  /** Whether the member may describe the topic; its pattern matches no other topics. */
  readonly maySee: (topic: string) => boolean
  readonly assignor: string | null
  readonly owned: ReadonlySet<PartitionKey> | null
  readonly clientId: string
  readonly clientHost: string
}

export interface HeartbeatAnswer {
  readonly epoch: number
  readonly heartbeatIntervalMs: number
  /** Undefined if nothing has changed. */
  readonly assignment: ReadonlySet<PartitionKey> | undefined
}

/** A topic as the group knows it. */
export interface GroupTopic extends TopicSize {
  readonly name: string
}

export interface ConsumerMember {
  readonly id: string
  readonly instanceId: string | null
  readonly rackId: string | null
  readonly clientId: string
  readonly clientHost: string
  readonly rebalanceTimeoutMs: number
  readonly topics: readonly string[]
  readonly pattern: string | null
  readonly maySee: (topic: string) => boolean
  readonly assignor: string | null
  readonly previousEpoch: number
  readonly current: CurrentAssignment
}

/** The epoch with which a static member leaves temporarily. */
export const AWAY = -2
const LEAVES = -1
export const JOINS = 0

/** Before this version, OffsetCommit has generations, not epochs. */
const COMMIT_WITH_EPOCH = 9

const NOTHING: CurrentAssignment = {
  state: 'stable',
  epoch: 0,
  assigned: new Map(),
  pendingRevocation: new Map(),
}

export class ConsumerGroup implements Group {
  readonly id: string
  readonly type = 'consumer'
  readonly protocolType = 'consumer'
  readonly offsets: GroupOffsets
  readonly members = new Map<string, ConsumerMember>()
  /** The first member bumps it to 2. */
  epoch = 1
  targetEpoch = 0
  readonly #settings: ConsumerGroupSettings
  readonly #timers: Timers
  readonly #target = new Map<string, ReadonlySet<PartitionKey>>()
  readonly #sessions = new Map<string, Timer>()
  readonly #revocations = new Map<string, { readonly timer: Timer; readonly epoch: number }>()
  /** A hash of the subscribed topics; undefined if the epoch was bumped for members that left. */
  #topicsHash: string | undefined

  constructor(id: string, offsets: GroupOffsets, settings: ConsumerGroupSettings, timers: Timers) {
    this.id = id
    this.offsets = offsets
    this.#settings = settings
    this.#timers = timers
  }

  get isEmpty(): boolean {
    return this.members.size === 0
  }

  get state(): 'Empty' | 'Assigning' | 'Reconciling' | 'Stable' {
    if (this.isEmpty) return 'Empty'
    if (this.epoch > this.targetEpoch) return 'Assigning'
    const isReconciled = ({ current }: ConsumerMember) =>
      current.state === 'stable' && current.epoch === this.targetEpoch
    return [...this.members.values()].every(isReconciled) ? 'Stable' : 'Reconciling'
  }

  /** The assignor that most members name; the brokers' first one if no member names one. */
  get assignorName(): string {
    const votes = new Map<string, number>()
    for (const { assignor } of this.members.values()) {
      if (assignor !== null) votes.set(assignor, (votes.get(assignor) ?? 0) + 1)
    }
    const [first] = SERVER_ASSIGNORS.keys()
    return [...votes].sort(([, a], [, b]) => b - a)[0]?.[0] ?? first!
  }

  targetOf(memberId: string): ReadonlySet<PartitionKey> {
    return this.#target.get(memberId) ?? new Set()
  }

  subscribedTopics(all: readonly string[] = []): ReadonlySet<string> {
    const members = [...this.members.values()]
    return new Set([
      ...members.flatMap(({ topics }) => topics),
      ...all.filter((name) => members.some((member) => matches(member, name))),
    ])
  }

  /** Stores the fields of a member's heartbeat, and returns what it is to own. Throws Refused. */
  heartbeat(request: MemberHeartbeat, topics: readonly GroupTopic[]): HeartbeatAnswer {
    if (request.epoch === LEAVES || request.epoch === AWAY) return this.#leave(request)
    // Before anything changes.
    if (request.pattern !== null && request.pattern !== '') topicPattern(request.pattern)
    const before = this.#member(request)
    const isNew = !this.members.has(before.id)
    const updated = this.#updated(before, request)
    const isChanged =
      isNew || updated.pattern !== before.pattern || !isSameList(updated.topics, before.topics)
    this.members.set(updated.id, updated)
    const hash = this.#hashOf(topics)
    const hasOtherTopics = this.#topicsHash !== undefined && hash !== this.#topicsHash
    if (isChanged || hasOtherTopics) this.epoch++
    this.#topicsHash = hash
    if (this.epoch > this.targetEpoch) this.#assign(topics)
    const member = this.#reconciled(updated, request)
    this.#watch(member)
    const isFull =
      request.rebalanceTimeoutMs !== -1 &&
      (request.topics !== null || request.pattern !== null) &&
      request.owned !== null
    const { assigned, epoch } = member.current
    const isReported =
      request.epoch === JOINS || isFull || !isSameSet(before.current.assigned, assigned)
    return {
      epoch,
      heartbeatIntervalMs: this.#settings.heartbeatIntervalMs,
      assignment: isReported ? new Set(assigned.keys()) : undefined,
    }
  }

  checkCommit(
    memberId: string,
    _instanceId: string | null,
    epoch: number,
    version = COMMIT_WITH_EPOCH,
  ): void {
    if (epoch < 0 && this.isEmpty) return
    const member = this.#known(memberId)
    if (version < COMMIT_WITH_EPOCH) throw new Refused('UNSUPPORTED_VERSION')
    if (epoch > member.current.epoch) throw new Refused('STALE_MEMBER_EPOCH')
  }

  /**
   * An epoch from before the assignment of the partition is stale; a later one is accepted even if
   * it is not the current epoch (KIP-1251).
   */
  checkCommitOf(memberId: string, epoch: number, key: PartitionKey): void {
    const current = this.members.get(memberId)?.current
    if (current === undefined || epoch === current.epoch) return
    const since = current.assigned.get(key) ?? current.pendingRevocation.get(key)
    if (since === undefined || epoch < since) throw new Refused('STALE_MEMBER_EPOCH')
  }

  checkFetch(memberId: string | null, epoch: number): void {
    if ((memberId === null || memberId === '') && epoch < 0) return
    if (this.#known(memberId ?? '').current.epoch !== epoch) throw new Refused('STALE_MEMBER_EPOCH')
  }

  delete(): void {
    if (!this.isEmpty) throw new Refused('NON_EMPTY_GROUP')
  }

  /** Has no effect: no request waits for other members. */
  unload(): void {
    return undefined
  }

  #known(memberId: string): ConsumerMember {
    const member = this.members.get(memberId)
    if (member !== undefined) return member
    throw new Refused(
      'UNKNOWN_MEMBER_ID',
      `Member ${memberId} is not a member of group ${this.id}.`,
    )
  }

  /** Finds the member of a heartbeat, or creates it. Throws Refused. */
  #member(request: MemberHeartbeat): ConsumerMember {
    const { memberId, epoch, instanceId } = request
    const joins = epoch === JOINS
    const known = this.members.get(memberId)
    if (known === undefined && this.members.size >= this.#settings.maxSize) {
      const detail = `The consumer group has reached its maximum capacity of ${this.#settings.maxSize} members.`
      throw new Refused('GROUP_MAX_SIZE_REACHED', detail)
    }
    if (instanceId === null) {
      if (known === undefined && !joins) return this.#known(memberId)
      if (known !== undefined) checkEpoch(known, request)
      return known ?? newMember(request)
    }
    const holder = this.#holderOf(instanceId)
    if (!joins) {
      const fenced = holderOrThrow(holder, request)
      checkEpoch(fenced, request)
      return fenced
    }
    if (holder === undefined) return newMember(request)
    if (holder.id === memberId) {
      checkEpoch(holder, request)
      return holder
    }
    if (holder.current.epoch !== AWAY) {
      throw new Refused(
        'UNRELEASED_INSTANCE_ID',
        `Static member ${memberId} with instance id ${instanceId} cannot join the group because the instance id is owned by ${holder.id} member.`,
      )
    }
    return this.#replaced(holder, request)
  }

  #holderOf(instanceId: string): ConsumerMember | undefined {
    return [...this.members.values()].find((member) => member.instanceId === instanceId)
  }

  /** Replaces a static member that returns with another member id; the new member keeps its assignment. */
  #replaced(holder: ConsumerMember, request: MemberHeartbeat): ConsumerMember {
    const target = this.targetOf(holder.id)
    this.#forget(holder)
    const { topics, pattern } = holder
    const current = { ...holder.current, epoch: 0, state: 'stable' } as const
    const member = { ...newMember(request), topics, pattern, current, previousEpoch: 0 }
    this.members.set(member.id, member)
    this.#target.set(member.id, target)
    return member
  }

  #updated(member: ConsumerMember, request: MemberHeartbeat): ConsumerMember {
    const { rebalanceTimeoutMs, topics, pattern, maySee } = request
    return {
      ...member,
      maySee,
      clientId: request.clientId,
      clientHost: request.clientHost,
      rackId: request.rackId ?? member.rackId,
      rebalanceTimeoutMs:
        rebalanceTimeoutMs === -1 ? member.rebalanceTimeoutMs : rebalanceTimeoutMs,
      topics: topics === null ? member.topics : [...new Set(topics)].sort(),
      pattern: pattern === null ? member.pattern : pattern === '' ? null : pattern,
      assignor: request.assignor ?? member.assignor,
    }
  }

  #hashOf(topics: readonly GroupTopic[]): string {
    const members = [...this.members.values()]
    return topics
      .filter(({ name }) => members.some((member) => isSubscribed(member, name)))
      .map(({ id, partitions }) => `${id}:${partitions}`)
      .sort()
      .join()
  }

  #assign(topics: readonly GroupTopic[]): void {
    const members = [...this.members.values()].map((member) => ({
      id: member.id,
      instanceId: member.instanceId,
      topics: new Set(topics.filter(({ name }) => isSubscribed(member, name)).map(({ id }) => id)),
      before: this.targetOf(member.id),
    }))
    const wanted = new Set(members.flatMap(({ topics: ids }) => [...ids]))
    const assign = SERVER_ASSIGNORS.get(this.assignorName)!
    const target = assign(
      members,
      topics.filter(({ id }) => wanted.has(id)),
    )
    this.#target.clear()
    for (const [id, partitions] of target) this.#target.set(id, partitions)
    this.targetEpoch = this.epoch
  }

  #reconciled(member: ConsumerMember, { owned }: MemberHeartbeat): ConsumerMember {
    const held = new Set<PartitionKey>()
    for (const { id, current } of this.members.values()) {
      if (id === member.id) continue
      for (const key of current.assigned.keys()) held.add(key)
      for (const key of current.pendingRevocation.keys()) held.add(key)
    }
    const current = reconcile(member.current, {
      target: this.targetOf(member.id),
      targetEpoch: this.targetEpoch,
      owned: owned ?? undefined,
      isHeld: (key) => held.has(key),
    })
    const isNewEpoch = current.epoch !== member.current.epoch
    const previousEpoch = isNewEpoch ? member.current.epoch : member.previousEpoch
    const reconciled = { ...member, current, previousEpoch }
    this.members.set(member.id, reconciled)
    return reconciled
  }

  /**
   * A member that sends nothing during the session timeout, or does not revoke in time, is fenced.
   */
  #watch({ id, current, rebalanceTimeoutMs }: ConsumerMember): void {
    this.#sessions.get(id)?.cancel()
    this.#sessions.set(
      id,
      this.#timers.afterSilence(this.#settings.sessionTimeoutMs, () => this.#fence(id)),
    )
    const { state, epoch } = current
    if (state === 'unrevoked' && this.#revocations.get(id)?.epoch === epoch) return
    this.#stopRevocation(id)
    if (state !== 'unrevoked') return
    const timer = this.#timers.after(rebalanceTimeoutMs, () => this.#fence(id))
    this.#revocations.set(id, { timer, epoch })
  }

  #stopRevocation(id: string): void {
    this.#revocations.get(id)?.timer.cancel()
    this.#revocations.delete(id)
  }

  #fence(id: string): void {
    const member = this.members.get(id)
    if (member === undefined) return
    this.#forget(member)
    this.#bumpForLeaver()
  }

  #leave({ memberId, instanceId, epoch }: MemberHeartbeat): HeartbeatAnswer {
    const answer = { epoch, heartbeatIntervalMs: 0, assignment: undefined }
    if (epoch === AWAY) {
      const holder = holderOrThrow(this.#holderOf(instanceId ?? ''), { memberId, instanceId })
      // The member keeps its partitions until its session ends.
      const current = { ...holder.current, epoch: AWAY, pendingRevocation: new Map() }
      this.members.set(holder.id, { ...holder, current })
      this.#stopRevocation(holder.id)
      return answer
    }
    const member =
      instanceId === null
        ? this.#known(memberId)
        : holderOrThrow(this.#holderOf(instanceId), { memberId, instanceId })
    this.#forget(member)
    this.#bumpForLeaver()
    return answer
  }

  #forget({ id }: ConsumerMember): void {
    this.#topicsHash = undefined
    this.members.delete(id)
    this.#target.delete(id)
    this.#sessions.get(id)?.cancel()
    this.#sessions.delete(id)
    this.#stopRevocation(id)
  }

  /** Bumps the group epoch after a member has left. If it was the last one, there is nothing to assign. */
  #bumpForLeaver(): void {
    this.epoch++
    if (this.isEmpty) this.targetEpoch = this.epoch
  }
}

function newMember(request: MemberHeartbeat): ConsumerMember {
  const { memberId: id, instanceId, clientId, clientHost, maySee } = request
  return {
    id,
    instanceId,
    maySee,
    clientId,
    clientHost,
    rackId: null,
    rebalanceTimeoutMs: -1,
    topics: [],
    pattern: null,
    assignor: null,
    previousEpoch: -1,
    current: NOTHING,
  }
}

/** Throws UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID. */
function holderOrThrow(
  holder: ConsumerMember | undefined,
  { memberId, instanceId }: Pick<MemberHeartbeat, 'memberId' | 'instanceId'>,
): ConsumerMember {
  if (holder === undefined) {
    throw new Refused('UNKNOWN_MEMBER_ID', `Instance id ${instanceId} is unknown.`)
  }
  if (holder.id === memberId) return holder
  throw new Refused(
    'FENCED_INSTANCE_ID',
    `Static member ${memberId} with instance id ${instanceId} was fenced by member ${holder.id}.`,
  )
}

/**
 * The response with the current epoch may have been lost: the previous epoch is accepted if the
 * member owns a subset of its assignment.
 */
function checkEpoch(member: ConsumerMember, { epoch, owned }: MemberHeartbeat): void {
  const { previousEpoch, current } = member
  if (epoch > current.epoch) {
    throw new Refused(
      'FENCED_MEMBER_EPOCH',
      `The consumer group member has a greater member epoch (${epoch}) than the one known by the group coordinator (${current.epoch}). The member must abandon all its partitions and rejoin.`,
    )
  }
  if (epoch === current.epoch) return
  const isSubset = owned !== null && [...owned].every((key) => current.assigned.has(key))
  if (epoch === previousEpoch && isSubset) return
  throw new Refused(
    'FENCED_MEMBER_EPOCH',
    `The consumer group member has a smaller member epoch (${epoch}) than the one known by the group coordinator (${current.epoch}). The member must abandon all its partitions and rejoin.`,
  )
}

function isSubscribed(member: ConsumerMember, topic: string): boolean {
  return member.topics.includes(topic) || matches(member, topic)
}

function matches({ pattern, maySee }: ConsumerMember, topic: string): boolean {
  return pattern !== null && topicPattern(pattern).test(topic) && maySee(topic)
}

function isSameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((one, at) => one === b[at])
}

function isSameSet(
  a: ReadonlyMap<PartitionKey, number>,
  b: ReadonlyMap<PartitionKey, number>,
): boolean {
  return a.size === b.size && [...a.keys()].every((key) => b.has(key))
}
