/** One member of a Kafka group: its state (member-states.ts), its identity, and that it is known to live. */
import { abortable } from '../../async/abortable.ts'
import { backoffMs } from '../../async/backoff.ts'
import { deferred, type Deferred } from '../../async/deferred.ts'
import { Deadline } from '../../async/deadline.ts'
import type { Cluster } from '../../cluster/cluster.ts'
import { reportRetry } from '../../cluster/retry.ts'
import { ClosedError, KafkaError } from '../../errors.ts'
import { groupChannel, type GroupEvent } from '../../observe/channels.ts'
import { reportHeartbeat } from '../../observe/heartbeat.ts'
import type { CoordinatorEvents } from '../coordinator.ts'
import { RebalanceError } from '../errors.ts'
import { MaxPollIntervalError, MembershipLostError } from '../membership-errors.ts'
import {
  GroupRequests,
  type Identity,
  type JoinedMember,
  type JoinProtocol,
} from './group-requests.ts'
import { Heartbeats } from '../heartbeats.ts'
import { nextState, reactionTo, type MemberEvent, type MemberState } from './member-states.ts'
import type { GroupSettings } from './settings.ts'

/** What members of this kind of group say to each other: opaque to the protocol of membership. */
export interface Role {
  /** What to tell the leader, for each assignor. */
  protocols(generation: number): Promise<readonly JoinProtocol[]>
  /** As leader: what each member gets, or with `keepsAssignment` nothing new. */
  assign(
    protocolName: string,
    members: readonly JoinedMember[],
    keepsAssignment: boolean,
  ): Promise<ReadonlyMap<string, Buffer>>
}

export interface SyncedGeneration {
  readonly identity: Identity
  readonly leaderId: string
  readonly protocolName: string
  readonly assignment: Uint8Array
}

interface JoinAttempt {
  readonly hasOwned: boolean
  readonly attempt: number
  readonly deadline: Deadline
}

const NO_IDENTITY: Identity = { memberId: '', generation: -1 }

/** How long leaving may take: a session that is not ended ends by itself. */
const LEAVE_TIMEOUT_MS = 3_000

export class Membership {
  readonly #cluster: Cluster
  readonly #settings: GroupSettings
  readonly #events: CoordinatorEvents
  readonly #requests: GroupRequests
  readonly #heartbeats: Heartbeats
  #state: MemberState = 'unjoined'
  #identity = NO_IDENTITY
  /** When the last request was sent that was answered to a member. */
  #provenAt = -Infinity
  /** Told to the coordinator's log with the next JoinGroup (KIP-800). */
  #joinReason = ''
  #isToldOfSlowness = false
  /** Of callers that wait for the next generation. */
  #joined: Deferred<void> | undefined
  /** Aborted when it leaves: what waits for the group ends. */
  readonly #leaving = new AbortController()

  constructor(cluster: Cluster, settings: GroupSettings, events: CoordinatorEvents) {
    this.#cluster = cluster
    this.#settings = settings
    this.#events = events
    this.#requests = new GroupRequests(cluster, settings)
    this.#heartbeats = new Heartbeats(settings.heartbeatIntervalMs, () => this.#beat())
  }

  get state(): MemberState {
    return this.#state
  }

  /** For commits: also after it was lost, so that they are refused. */
  get identity(): Identity {
    return this.#identity
  }

  /** See Coordinator.ownedUntil. */
  get ownedUntil(): number {
    return this.#identity.generation < 0 ? 0 : this.#provenAt + this.#settings.sessionTimeoutMs
  }

  /** Whether the coordinator takes no commits: a generation is about to begin, or has and is not known here. */
  get isJoining(): boolean {
    return this.#state === 'joining' || this.#state === 'syncing'
  }

  /** Resolves when it is not joining any more, with or without success. */
  async untilJoined(): Promise<void> {
    if (!this.isJoining) return
    this.#joined ??= deferred()
    await this.#joined.promise
  }

  /**
   * Asks the coordinator at once, by a heartbeat, whether this is still a member: something else was answered as if
   * it were not. The answer to the heartbeat decides, as it does at the interval.
   */
  verify(): void {
    this.#heartbeats.hurry()
  }

  /** Says why the next JoinGroup is sent. */
  wantsToJoin(reason: string): void {
    this.#joinReason = reason.slice(0, 255)
  }

  /**
   * Joins, or joins again as the same member. `hasOwned` says whether something is lost with the membership:
   * then it throws MembershipLostError, having notified of it; otherwise it joins again by itself.
   *
   * Aborting ends the waiting for it. What is under way goes on until `leave`: in a generation that has begun the
   * coordinator takes commits only when the leader has decided, and a closing member has its last commit to make.
   */
  join(role: Role, hasOwned: boolean, signal: AbortSignal): Promise<SyncedGeneration> {
    return abortable(this.#joinUntilIn(role, hasOwned), signal)
  }

  /** Ends the membership, at the broker too, unless a static member's place is to be kept for it. */
  async leave(): Promise<void> {
    this.#leaving.abort(new ClosedError('consumer'))
    const { memberId } = this.#identity
    const { groupId, groupInstanceId } = this.#settings
    const wasRefused = this.#state === 'refused'
    this.#move('leave')
    this.#heartbeats.stop()
    this.#requests.hangUp()
    this.#identity = NO_IDENTITY
    if (memberId !== '' && !wasRefused && groupInstanceId === undefined) {
      try {
        await this.#requests.leave(memberId, 'the consumer is being closed', LEAVE_TIMEOUT_MS)
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error)
        this.#cluster.options.logger.info(
          `could not leave group '${groupId}', whose coordinator removes this member after its session timeout: ${reason}`,
        )
      }
    }
    this.#move('left')
  }

  async #joinUntilIn(role: Role, hasOwned: boolean): Promise<SyncedGeneration> {
    const { signal } = this.#leaving
    const deadline = new Deadline(this.#cluster.options.operationTimeoutMs, signal)
    try {
      for (let attempt = 0; ; attempt++) {
        signal.throwIfAborted()
        this.#move('join')
        try {
          return await this.#joinOnce(role, signal)
        } catch (error) {
          signal.throwIfAborted()
          await this.#onJoinFailed(error, { hasOwned, attempt, deadline })
        }
      }
    } finally {
      if (this.isJoining) this.#move('abandoned')
    }
  }

  /** Resolves when it is to be tried again, and throws where it is not. */
  async #onJoinFailed(
    thrown: unknown,
    { hasOwned, attempt, deadline }: JoinAttempt,
  ): Promise<void> {
    const { options } = this.#cluster
    const error = asKafkaError(thrown)
    const reaction = this.isJoining ? reactionTo(error) : 'ended'
    switch (reaction) {
      case 'again':
        return this.#pauseAfter(attempt, deadline)
      case 'ended':
        // A heartbeat has noticed first, and notified of it.
        throw this.#state === 'refused' ? error : this.#lostError(error)
      case 'new member':
      case 'new generation':
        this.#lose(reaction, error)
        if (!hasOwned) return this.#pauseAfter(attempt, deadline)
        this.#events.lost(this.#lostError(error))
        throw this.#lostError(error)
      case 'refused':
        this.#refuse()
        throw thrown
      case 'later': {
        const waitMs = backoffMs(attempt, options.backoff)
        // The caller decides how long it is worth trying.
        if (!deadline.leaves(waitMs)) throw error
        const what = `joining group '${this.#settings.groupId}'`
        reportRetry(options, { what, attempt: attempt + 1, waitMs, error })
        await deadline.sleep(waitMs)
      }
    }
  }

  /** The first attempt is followed by another at once: a coordinator that answers nothing else must not be flooded. */
  async #pauseAfter(attempt: number, deadline: Deadline): Promise<void> {
    if (attempt === 0) return
    await deadline.sleep(backoffMs(attempt - 1, this.#cluster.options.backoff))
  }

  async #joinOnce(role: Role, signal: AbortSignal): Promise<SyncedGeneration> {
    const before = this.#identity
    const protocols = await role.protocols(before.generation)
    const joined = await this.#join(before.memberId, protocols, signal)
    this.#throwIfEnded()
    this.#move('joined')
    this.#identity = joined.identity
    this.#joinReason = ''
    this.#heartbeats.start()
    const { groupId } = this.#settings
    const { memberId, generation } = joined.identity
    this.#cluster.options.logger.info(
      `group '${groupId}', generation ${generation}: '${memberId}' joined with ${joined.protocolName}`,
    )
    const assignments =
      joined.members === undefined
        ? new Map<string, Buffer>()
        : await role.assign(joined.protocolName, joined.members, joined.keepsAssignment)
    const sentAt = performance.now()
    const assignment = await this.#requests.sync(
      joined.identity,
      joined.protocolName,
      assignments,
      signal,
    )
    this.#throwIfEnded()
    this.#move('synced')
    this.#prove(sentAt)
    const { identity, leaderId, protocolName } = joined
    return { identity, leaderId, protocolName, assignment }
  }

  async #join(memberId: string, protocols: readonly JoinProtocol[], signal: AbortSignal) {
    const reason = this.#joinReason
    const outcome = await this.#requests.join(memberId, protocols, reason, signal)
    if (outcome.kind === 'joined') return outcome
    this.#identity = { memberId: outcome.memberId, generation: -1 }
    const again = await this.#requests.join(outcome.memberId, protocols, reason, signal)
    if (again.kind === 'joined') return again
    throw new KafkaError(
      'MEMBER_ID_REQUIRED',
      'the coordinator rejected the member id that it has just assigned',
      true,
    )
  }

  /** One heartbeat. Returns how long to wait for the next. */
  async #beat(): Promise<number> {
    const { heartbeatIntervalMs } = this.#settings
    const sent = this.#identity
    if (sent.generation < 0) return heartbeatIntervalMs
    this.#watchApplication()
    const sentAt = performance.now()
    try {
      await this.#requests.heartbeat(sent)
      this.#report(sent, sentAt, undefined)
      if (this.#identity === sent) this.#prove(sentAt)
      return heartbeatIntervalMs
    } catch (thrown) {
      this.#report(sent, sentAt, asKafkaError(thrown))
      // Of a generation that is over already: what it says has been said.
      if (this.#identity !== sent) return heartbeatIntervalMs
      return this.#onHeartbeatFailed(asKafkaError(thrown), sentAt)
    }
  }

  #report({ memberId, generation }: Identity, sentAt: number, error: KafkaError | undefined): void {
    const group = this.#settings.groupId
    const durationMs = performance.now() - sentAt
    const { metrics } = this.#cluster.options
    reportHeartbeat(metrics, { group, memberId, generation, durationMs, error })
  }

  #onHeartbeatFailed(error: KafkaError, sentAt: number): number {
    const { heartbeatIntervalMs } = this.#settings
    switch (reactionTo(error)) {
      case 'again':
        // It is a member, or would have been told otherwise.
        this.#prove(sentAt)
        if (this.#state === 'stable') {
          this.#publishRebalancing()
          this.wantsToJoin('the group is rebalancing')
          this.#events.changed('the group is rebalancing')
        }
        return heartbeatIntervalMs
      case 'new member':
        this.#lose('new member', error)
        this.#events.lost(this.#lostError(error))
        return heartbeatIntervalMs
      case 'new generation':
        // While JoinGroup is under way its answer, on another connection, may just not be here yet.
        if (this.#state !== 'stable') return heartbeatIntervalMs
        this.#lose('new generation', error)
        this.#events.lost(this.#lostError(error))
        return heartbeatIntervalMs
      case 'refused':
        this.#refuse()
        this.#events.failed(error)
        return heartbeatIntervalMs
      case 'later': {
        const { backoff, logger } = this.#cluster.options
        const waitMs = Math.min(heartbeatIntervalMs, backoffMs(0, backoff))
        logger.warn(`a heartbeat to group '${this.#settings.groupId}' failed: ${error.message}`)
        // What waits for the same coordinator would wait for long.
        if (error.code !== 'COORDINATOR_LOAD_IN_PROGRESS') this.#requests.hangUp()
        return waitMs
      }
    }
  }

  #publishRebalancing(): void {
    if (!groupChannel.hasSubscribers) return
    const event: GroupEvent = {
      kind: 'rebalancing',
      group: this.#settings.groupId,
      instanceId: this.#cluster.options.broker.instanceId ?? 0,
      ...this.#identity,
    }
    groupChannel.publish(event)
  }

  #lose(reaction: 'new member' | 'new generation', error: KafkaError): void {
    this.#move('lost')
    this.#identity =
      reaction === 'new member'
        ? NO_IDENTITY
        : { memberId: this.#identity.memberId, generation: -1 }
    this.wantsToJoin(error.code)
  }

  #lostError(error: KafkaError): MembershipLostError {
    return new MembershipLostError(this.#settings.groupId, error)
  }

  /** Where a heartbeat was told, while JoinGroup or SyncGroup waited, that the membership is over. */
  #throwIfEnded(): void {
    if (this.isJoining) return
    throw new KafkaError('UNKNOWN_MEMBER_ID', 'the membership was lost meanwhile', true)
  }

  #refuse(): void {
    this.#move('refused')
    this.#heartbeats.stop()
    this.#provenAt = -Infinity
  }

  #prove(sentAt: number): void {
    const wasInDoubt = performance.now() >= this.ownedUntil
    this.#provenAt = Math.max(this.#provenAt, sentAt)
    if (wasInDoubt && performance.now() < this.ownedUntil) this.#events.renewed()
  }

  /** Tells the application, once each time, that it takes too long. */
  #watchApplication(): void {
    const { maxPollIntervalMs, busyForMs, groupId } = this.#settings
    const isTooSlow = busyForMs() >= maxPollIntervalMs
    if (isTooSlow && !this.#isToldOfSlowness) {
      this.#events.problem(new MaxPollIntervalError(groupId, maxPollIntervalMs))
    }
    this.#isToldOfSlowness = isTooSlow
  }

  #move(event: MemberEvent): void {
    this.#state = nextState(this.#state, event)
    if (this.isJoining) return
    this.#joined?.resolve()
    this.#joined = undefined
  }
}

/** What is no error of Kafka's is a bug, an assignor's perhaps: nothing that a retry helps with. */
function asKafkaError(error: unknown): KafkaError {
  return error instanceof KafkaError ? error : new RebalanceError('joining the group', error)
}
