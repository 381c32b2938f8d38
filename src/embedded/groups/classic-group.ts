/**
 * The coordinator's half of the classic group protocol. A group passes through its states
 * repeatedly:
 *
 *     Empty -> PreparingRebalance -> CompletingRebalance -> Stable
 *
 * PreparingRebalance gathers the members' JoinGroup requests, CompletingRebalance waits for the
 * leader's SyncGroup. TRANSITIONS lists all valid changes of the state.
 */
import { Refused } from '../refused.ts'
import type { Timer, Timers } from '../timers.ts'
import {
  commonProtocols,
  electProtocol,
  kept,
  metadataOf,
  newMember,
  newMemberId,
  NO_BYTES,
  sameProtocols,
  type JoinAnswer,
  type JoinRequest,
  type Member,
  type SyncAnswer,
} from './member.ts'
import type { Save } from '../storage/saved-entry.ts'
import type { Group, GroupDescription } from './group.ts'
import { GroupOffsets } from './offsets.ts'
import { subscribedIn } from './subscriptions.ts'
import type { ErrorName } from '../../../protocol/errors.ts'

export type GroupState = 'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable' | 'Dead'

type GroupEvent = 'rebalance' | 'joined' | 'emptied' | 'assigned' | 'deleted'

const TRANSITIONS: Readonly<Record<GroupState, Partial<Record<GroupEvent, GroupState>>>> = {
  Empty: { rebalance: 'PreparingRebalance', deleted: 'Dead' },
  PreparingRebalance: { joined: 'CompletingRebalance', emptied: 'Empty' },
  CompletingRebalance: { assigned: 'Stable', rebalance: 'PreparingRebalance' },
  Stable: { rebalance: 'PreparingRebalance' },
  Dead: {},
}

export interface GroupSettings {
  readonly initialRebalanceDelayMs: number
}

export interface SyncRequest {
  readonly memberId: string
  readonly instanceId: string | null
  readonly generation: number
  readonly protocolType: string | null
  readonly protocolName: string | null
  readonly assignments: readonly { readonly memberId: string; readonly assignment: Uint8Array }[]
}

export class ClassicGroup implements Group {
  readonly id: string
  readonly type = 'classic'
  readonly offsets: GroupOffsets
  readonly members = new Map<string, Member>()
  state: GroupState = 'Empty'
  generation = 0
  /** Usually `consumer`. Null until the first member joins. */
  protocolType: string | null = null
  /** The assignor that was elected. */
  protocolName: string | null = null
  leader: string | null = null
  readonly #settings: GroupSettings
  readonly #timers: Timers
  readonly #staticMembers = new Map<string, string>()
  /** Members that have received an id, and must join with it before the timer fires. */
  readonly #pending = new Map<string, Timer>()
  /** Members of this generation that have not sent SyncGroup yet. */
  readonly #unsynced = new Set<string>()
  #rebalanceTimer: Timer | undefined
  #syncTimer: Timer | undefined
  /**
   * The first rebalance of an empty group lasts for its whole delay, even if all members have
   * joined.
   */
  #isInitialRebalance = false

  /** `offsets` are those of a group of another type that this one replaces. */
  constructor(
    id: string,
    settings: GroupSettings,
    timers: Timers,
    save: Save,
    offsets = new GroupOffsets(id, save),
  ) {
    this.id = id
    this.offsets = offsets
    this.#settings = settings
    this.#timers = timers
  }

  get isEmpty(): boolean {
    return this.state === 'Empty'
  }

  describe(): GroupDescription {
    const isStable = this.state === 'Stable'
    return {
      groupState: this.state,
      protocolType: this.protocolType ?? '',
      protocolData: isStable ? (this.protocolName ?? '') : '',
      members: [...this.members.values()].map((member) => ({
        memberId: member.id,
        groupInstanceId: member.instanceId,
        clientId: member.clientId,
        clientHost: member.clientHost,
        memberMetadata: isStable ? metadataOf(member, this.protocolName) : NO_BYTES,
        memberAssignment: isStable ? member.assignment : NO_BYTES,
      })),
    }
  }

  subscribedTopics(): ReadonlySet<string> {
    if (this.members.size === 0) return new Set()
    if (this.protocolType !== 'consumer') throw new Refused('NON_EMPTY_GROUP')
    const protocols = [...this.members.values()].flatMap((member) => member.protocols)
    return new Set(protocols.flatMap(({ metadata }) => subscribedIn(metadata)))
  }

  /** Resolves when the rebalance is complete. Throws Refused. */
  join(request: JoinRequest): Promise<JoinAnswer> {
    this.#checkProtocols(request)
    return new Promise((answer) => {
      if (request.memberId !== '') this.#rejoin(request, answer)
      else if (request.instanceId !== null) this.#joinStatic(request, request.instanceId, answer)
      else this.#joinNew(request, answer)
    })
  }

  /** Resolves when the leader has sent the assignment. Throws Refused. */
  sync(request: SyncRequest): Promise<SyncAnswer> {
    const member = this.checkMember(request.memberId, request.instanceId, request.generation)
    const { protocolType, protocolName } = request
    if (
      (protocolType !== null && protocolType !== this.protocolType) ||
      (protocolName !== null && protocolName !== this.protocolName)
    ) {
      throw new Refused('INCONSISTENT_GROUP_PROTOCOL')
    }
    switch (this.state) {
      case 'Empty':
      case 'Dead':
        throw new Refused('UNKNOWN_MEMBER_ID')
      case 'PreparingRebalance':
        throw new Refused('REBALANCE_IN_PROGRESS')
      case 'CompletingRebalance':
        this.#synced(member)
        return new Promise((answer) => {
          member.awaitingSync = answer
          if (member.id === this.leader) this.#assign(request.assignments)
        })
      case 'Stable':
        this.#synced(member)
        this.#touch(member)
        return Promise.resolve(this.#syncAnswer(member))
    }
  }

  /** Throws Refused; with REBALANCE_IN_PROGRESS members learn of a rebalance. */
  heartbeat(memberId: string, instanceId: string | null, generation: number): void {
    const member = this.checkMember(memberId, instanceId, generation)
    this.#touch(member)
    if (this.state === 'PreparingRebalance') throw new Refused('REBALANCE_IN_PROGRESS')
  }

  /** Returns the id of the member that left. Throws Refused. */
  leave(memberId: string, instanceId: string | null): string {
    const pending = this.#pending.get(memberId)
    if (pending !== undefined) {
      pending.cancel()
      this.#pending.delete(memberId)
      this.#completeJoinIfAll()
      return memberId
    }
    const member = this.#find(memberId, instanceId)
    this.#remove(member)
    return member.id
  }

  checkCommit(memberId: string, instanceId: string | null, generation: number): void {
    const isOutsider = generation < 0 && memberId === '' && instanceId === null
    if (isOutsider || (generation < 0 && this.state === 'Empty')) {
      if (this.state === 'Empty') return
      throw new Refused('UNKNOWN_MEMBER_ID')
    }
    const member = this.checkMember(memberId, instanceId, generation)
    if (this.state === 'CompletingRebalance') throw new Refused('REBALANCE_IN_PROGRESS')
    this.#touch(member)
  }

  /** The member of the current generation. Throws Refused. */
  checkMember(memberId: string, instanceId: string | null, generation: number): Member {
    const member = this.#find(memberId, instanceId)
    if (memberId === '' && instanceId !== null) throw new Refused('UNKNOWN_MEMBER_ID')
    if (generation !== this.generation) throw new Refused('ILLEGAL_GENERATION')
    return member
  }

  delete(): void {
    if (this.state !== 'Empty') throw new Refused('NON_EMPTY_GROUP')
    this.#move('deleted')
  }

  unload(): void {
    for (const member of this.members.values()) this.#answerWaiting(member, 'NOT_COORDINATOR')
  }

  #joinNew(request: JoinRequest, answer: (answer: JoinAnswer) => void): void {
    const memberId = newMemberId(request)
    if (!request.needsMemberId) {
      this.#add(newMember(memberId, request), request, answer)
      return
    }
    const timer = this.#timers.afterSilence(request.sessionTimeoutMs, () => {
      this.#pending.delete(memberId)
      this.#completeJoinIfAll()
    })
    this.#pending.set(memberId, timer)
    answer(refusedJoin(memberId, 'MEMBER_ID_REQUIRED'))
  }

  /** A static member without an id has restarted: it replaces the earlier one (KIP-345). */
  #joinStatic(
    request: JoinRequest,
    instanceId: string,
    answer: (answer: JoinAnswer) => void,
  ): void {
    const previous = this.members.get(this.#staticMembers.get(instanceId) ?? '')
    const member = newMember(newMemberId(request), request)
    if (previous === undefined) {
      this.#add(member, request, answer)
      return
    }
    const previousLeader = this.leader ?? ''
    this.#answerWaiting(previous, 'FENCED_INSTANCE_ID')
    previous.session?.cancel()
    this.#replace(previous, member)
    if (
      this.state !== 'Stable' ||
      electProtocol([...this.members.values()]) !== this.protocolName
    ) {
      member.awaitingJoin = answer
      this.#rebalance()
      return
    }
    // Nothing that the assignment depends on has changed, so there is no rebalance. A leader whose
    // version cannot skip the assignment gets a response that names another leader.
    this.#touch(member)
    const isLeader = this.leader === member.id
    answer({
      ...this.#joinAnswer(member),
      leader: isLeader && !request.canSkipAssignment ? previousLeader : (this.leader ?? ''),
      skipAssignment: isLeader && request.canSkipAssignment,
      members: isLeader && request.canSkipAssignment ? this.#memberList() : [],
    })
  }

  #rejoin(request: JoinRequest, answer: (answer: JoinAnswer) => void): void {
    const { memberId, instanceId } = request
    const pending = this.#pending.get(memberId)
    if (pending !== undefined) {
      pending.cancel()
      this.#pending.delete(memberId)
      this.#add(newMember(memberId, request), request, answer)
      return
    }
    let member: Member
    try {
      member = this.#find(memberId, instanceId)
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      answer(refusedJoin(memberId, error.error))
      return
    }
    const isSame = sameProtocols(member, request.protocols)
    switch (this.state) {
      case 'CompletingRebalance':
        // The member may not have received the response to its first JoinGroup.
        if (isSame) answer(this.#joinAnswer(member))
        else this.#updateAndRebalance(member, request, answer)
        return
      case 'Stable':
        // A leader joins again to request a new assignment.
        if (isSame && member.id !== this.leader) {
          this.#touch(member)
          answer(this.#joinAnswer(member))
        } else this.#updateAndRebalance(member, request, answer)
        return
      case 'PreparingRebalance':
        this.#updateAndRebalance(member, request, answer)
        return
      case 'Empty':
      case 'Dead':
        answer(refusedJoin(memberId, 'UNKNOWN_MEMBER_ID'))
    }
  }

  #add(member: Member, request: JoinRequest, answer: (answer: JoinAnswer) => void): void {
    this.protocolType ??= request.protocolType
    this.leader ??= member.id
    this.members.set(member.id, member)
    if (member.instanceId !== null) this.#staticMembers.set(member.instanceId, member.id)
    member.awaitingJoin = answer
    this.#rebalance()
  }

  #replace(previous: Member, member: Member): void {
    member.assignment = previous.assignment
    // The member keeps its position, because assignments depend on the order of members.
    const members = [...this.members.values()].map((one) => (one === previous ? member : one))
    this.members.clear()
    for (const one of members) this.members.set(one.id, one)
    if (member.instanceId !== null) this.#staticMembers.set(member.instanceId, member.id)
    if (this.leader === previous.id) this.leader = member.id
    this.#unsynced.delete(previous.id)
  }

  #updateAndRebalance(
    member: Member,
    request: JoinRequest,
    answer: (answer: JoinAnswer) => void,
  ): void {
    member.protocols = kept(request.protocols)
    member.sessionTimeoutMs = request.sessionTimeoutMs
    member.rebalanceTimeoutMs = request.rebalanceTimeoutMs
    // A member that lost its connection sends the request again; the first request then needs no response.
    member.awaitingJoin?.(refusedJoin(member.id, 'UNKNOWN_MEMBER_ID'))
    member.awaitingJoin = answer
    this.#rebalance()
  }

  #remove(member: Member): void {
    member.session?.cancel()
    this.#answerWaiting(member, 'UNKNOWN_MEMBER_ID')
    this.members.delete(member.id)
    this.#unsynced.delete(member.id)
    if (member.instanceId !== null) this.#staticMembers.delete(member.instanceId)
    if (this.leader === member.id) this.leader = this.members.keys().next().value ?? null
    this.#rebalance()
  }

  /** Starts a rebalance, or continues the current one. */
  #rebalance(): void {
    if (this.state === 'PreparingRebalance') {
      this.#completeJoinIfAll()
      return
    }
    this.#isInitialRebalance = this.state === 'Empty'
    this.#syncTimer?.cancel()
    this.#unsynced.clear()
    for (const member of this.members.values()) {
      member.assignment = this.state === 'CompletingRebalance' ? NO_BYTES : member.assignment
      this.#answerSync(member, 'REBALANCE_IN_PROGRESS')
    }
    this.#move('rebalance')
    const waitMs = this.#isInitialRebalance
      ? this.#settings.initialRebalanceDelayMs
      : this.#rebalanceTimeoutMs()
    this.#rebalanceTimer = this.#timers.after(waitMs, () => this.#completeJoin())
    this.#completeJoinIfAll()
  }

  #completeJoinIfAll(): void {
    if (this.state !== 'PreparingRebalance' || this.#isInitialRebalance) return
    const haveJoined = [...this.members.values()].every((one) => one.awaitingJoin !== undefined)
    if (haveJoined && this.#pending.size === 0) this.#completeJoin()
  }

  /** Removes members that have not joined, except static members, which may return. */
  #completeJoin(): void {
    this.#rebalanceTimer?.cancel()
    this.#isInitialRebalance = false
    for (const member of [...this.members.values()]) {
      if (member.awaitingJoin !== undefined || member.instanceId !== null) continue
      member.session?.cancel()
      this.members.delete(member.id)
    }
    const joined = [...this.members.values()].filter((one) => one.awaitingJoin !== undefined)
    if (joined.length === 0 && this.members.size > 0) {
      this.#rebalanceTimer = this.#timers.after(this.#rebalanceTimeoutMs(), () =>
        this.#completeJoin(),
      )
      return
    }
    this.generation++
    if (this.members.size === 0) {
      this.leader = null
      this.protocolName = null
      this.#move('emptied')
      return
    }
    if (!joined.some(({ id }) => id === this.leader)) this.leader = joined[0]?.id ?? null
    this.protocolName = electProtocol([...this.members.values()])
    this.#move('joined')
    for (const member of joined) {
      this.#unsynced.add(member.id)
      const answer = member.awaitingJoin
      member.awaitingJoin = undefined
      this.#touch(member)
      answer?.(this.#joinAnswer(member))
    }
    this.#syncTimer = this.#timers.after(this.#rebalanceTimeoutMs(), () => this.#dropUnsynced())
  }

  #assign(assignments: SyncRequest['assignments']): void {
    for (const member of this.members.values()) {
      const assigned = assignments.find(({ memberId }) => memberId === member.id)
      member.assignment = Uint8Array.from(assigned?.assignment ?? [])
    }
    this.#move('assigned')
    for (const member of this.members.values()) this.#answerSync(member, 'NONE')
  }

  #synced(member: Member): void {
    this.#unsynced.delete(member.id)
    if (this.#unsynced.size === 0) this.#syncTimer?.cancel()
  }

  /** Removes members that have joined but not sent SyncGroup: they would block the group forever. */
  #dropUnsynced(): void {
    for (const id of [...this.#unsynced]) {
      const member = this.members.get(id)
      if (member !== undefined) this.#remove(member)
    }
  }

  /** Restarts the member's session timeout, because it has sent a request. */
  #touch(member: Member): void {
    member.session?.cancel()
    member.session = this.#timers.afterSilence(member.sessionTimeoutMs, () => {
      if (this.members.get(member.id) !== member) return
      // A member that waits for a response cannot send heartbeats at the same time.
      if (member.awaitingJoin !== undefined || member.awaitingSync !== undefined) {
        this.#touch(member)
      } else this.#remove(member)
    })
  }

  #answerWaiting(member: Member, error: ErrorName): void {
    const answer = member.awaitingJoin
    member.awaitingJoin = undefined
    answer?.(refusedJoin(member.id, error))
    this.#answerSync(member, error)
  }

  #answerSync(member: Member, error: ErrorName): void {
    const answer = member.awaitingSync
    if (answer === undefined) return
    member.awaitingSync = undefined
    this.#touch(member)
    answer(error === 'NONE' ? this.#syncAnswer(member) : refusedSync(error))
  }

  #syncAnswer({ assignment }: Member): SyncAnswer {
    const { protocolType, protocolName } = this
    return { error: 'NONE', protocolType, protocolName, assignment }
  }

  #joinAnswer(member: Member): JoinAnswer {
    return {
      error: 'NONE',
      memberId: member.id,
      generation: this.generation,
      protocolType: this.protocolType,
      protocolName: this.protocolName,
      leader: this.leader ?? '',
      skipAssignment: false,
      members:
        this.leader === member.id && this.state === 'CompletingRebalance' ? this.#memberList() : [],
    }
  }

  #memberList(): JoinAnswer['members'] {
    return [...this.members.values()].map((member) => ({
      memberId: member.id,
      groupInstanceId: member.instanceId,
      metadata: metadataOf(member, this.protocolName),
    }))
  }

  /** Finds a member by its id or, if it has none yet, by its instance id. Throws Refused. */
  #find(memberId: string, instanceId: string | null): Member {
    if (instanceId !== null) {
      const current = this.#staticMembers.get(instanceId)
      if (current === undefined) throw new Refused('UNKNOWN_MEMBER_ID')
      if (memberId !== '' && memberId !== current) throw new Refused('FENCED_INSTANCE_ID')
      memberId = current
    }
    const member = this.members.get(memberId)
    if (member === undefined) throw new Refused('UNKNOWN_MEMBER_ID')
    return member
  }

  #checkProtocols({ memberId, protocolType, protocols }: JoinRequest): void {
    const others = [...this.members.values()].filter(({ id }) => id !== memberId)
    if (this.state === 'Empty' || others.length === 0) {
      if (protocolType === '' || protocols.length === 0) {
        throw new Refused('INCONSISTENT_GROUP_PROTOCOL')
      }
      if (this.members.size === 0) this.protocolType = protocolType
      return
    }
    const common = commonProtocols(others)
    if (protocolType !== this.protocolType || !protocols.some(({ name }) => common.has(name))) {
      throw new Refused('INCONSISTENT_GROUP_PROTOCOL')
    }
  }

  #rebalanceTimeoutMs(): number {
    return Math.max(0, ...[...this.members.values()].map((member) => member.rebalanceTimeoutMs))
  }

  #move(event: GroupEvent): void {
    const next = TRANSITIONS[this.state][event]
    if (next === undefined)
      throw new Error(`group ${this.id}: the event '${event}' is not valid in state ${this.state}`)
    this.state = next
  }
}

export function refusedJoin(memberId: string, error: ErrorName): JoinAnswer {
  return {
    error,
    memberId,
    generation: -1,
    protocolType: null,
    protocolName: null,
    leader: '',
    skipAssignment: false,
    members: [],
  }
}

export function refusedSync(error: ErrorName): SyncAnswer {
  return { error, protocolType: null, protocolName: null, assignment: NO_BYTES }
}
