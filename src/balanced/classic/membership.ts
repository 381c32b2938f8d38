/** One member of a Kafka group: its state (member-states.ts), its identity, and its heartbeats. */
import { abortable } from '../../async/abortable.ts'
import { backoffMs } from '../../async/backoff.ts'
import { deferred, type Deferred } from '../../async/deferred.ts'
import { Deadline } from '../../async/deadline.ts'
import type { Cluster } from '../../cluster/cluster.ts'
import { reportRetry } from '../../cluster/retry.ts'
import { ClosedError, KafkaError } from '../../errors.ts'
import { groupChannel, type GroupEvent } from '../../observe/channels.ts'
import { reportHeartbeat } from '../../observe/heartbeat.ts'
import { textOfThrown } from '../../observe/thrown.ts'
import type { CoordinatorEvents } from '../coordinator.ts'
import { RebalanceError } from '../errors.ts'
import { MembershipLostError } from '../membership-errors.ts'
import {
  GroupRequests,
  type Identity,
  type JoinedMember,
  type JoinProtocol,
} from './group-requests.ts'
import { Heartbeats } from '../heartbeats.ts'
import { nextState, reactionTo, type MemberEvent, type MemberState } from './member-states.ts'
import { SlowApplication } from '../slow-application.ts'
import type { GroupSettings } from './settings.ts'

/** The data that members of this kind of group exchange. The membership protocol does not interpret it. */
export interface Role {
  /** Returns what the member sends to the leader, for each assignor. */
  protocols(generation: number): Promise<readonly JoinProtocol[]>
  /** As leader: returns the assignment of each member, or with `keepsAssignment` nothing new. */
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

/** How long leaving may take. A session that is not ended expires by itself. */
const LEAVE_TIMEOUT_MS = 3_000

export class Membership {
  readonly #cluster: Cluster
  readonly #settings: GroupSettings
  readonly #events: CoordinatorEvents
  readonly #requests: GroupRequests
  readonly #heartbeats: Heartbeats
  readonly #slowApplication: SlowApplication
  #state: MemberState = 'unjoined'
  #identity = NO_IDENTITY
  /** When the last request was sent whose response confirmed the membership. */
  #provenAt = -Infinity
  /** The reason that the next JoinGroup sends for the coordinator's log (KIP-800). */
  #joinReason = ''
  /** For callers that wait for the next generation. */
  #joined: Deferred<void> | undefined
  /** Aborted when the member leaves, which ends all waits for the group. */
  readonly #leaving = new AbortController()

  constructor(cluster: Cluster, settings: GroupSettings, events: CoordinatorEvents) {
    this.#cluster = cluster
    this.#settings = settings
    this.#events = events
    this.#requests = new GroupRequests(cluster, settings)
    this.#heartbeats = new Heartbeats(settings.heartbeatIntervalMs, () => this.#beat())
    this.#slowApplication = new SlowApplication(settings, (error) => events.problem(error))
  }

  get state(): MemberState {
    return this.#state
  }

  /** The identity for commits. It stays after the membership was lost, so that commits are refused. */
  get identity(): Identity {
    return this.#identity
  }

  /** See Coordinator.ownedUntil. */
  get ownedUntil(): number {
    return this.#identity.generation < 0 ? 0 : this.#provenAt + this.#settings.sessionTimeoutMs
  }

  /**
   * True if the coordinator accepts no commits: a generation is about to begin, or has begun and is not known here
   * yet.
   */
  get isJoining(): boolean {
    return this.#state === 'joining' || this.#state === 'syncing'
  }

  /** Resolves when the member is no longer joining, with or without success. */
  async untilJoined(): Promise<void> {
    if (!this.isJoining) return
    this.#joined ??= deferred()
    await this.#joined.promise
  }

  /**
   * Sends a heartbeat at once to check if this is still a member, because the response to another request denied it.
   * The response to the heartbeat decides, as it does at the interval.
   */
  verify(): void {
    this.#heartbeats.hurry()
  }

  /** Connects to the coordinator, before the first `join`. Never throws. */
  connect(): Promise<void> {
    return this.#requests.connect(this.#leaving.signal)
  }

  /** Sets the reason of the next JoinGroup. */
  wantsToJoin(reason: string): void {
    this.#joinReason = reason.slice(0, 255)
  }

  /**
   * Joins, or joins again as the same member. `hasOwned`: something is lost with the membership; then a lost
   * membership is reported, and this throws MembershipLostError. Otherwise it joins again by itself.
   *
   * An abort ends the wait. The running attempt continues until `leave`: in a generation that has begun the
   * coordinator accepts commits only after the leader has assigned, and a closing member has to make its last commit.
   */
  join(role: Role, hasOwned: boolean, signal: AbortSignal): Promise<SyncedGeneration> {
    return abortable(this.#joinUntilIn(role, hasOwned), signal)
  }

  /** Ends the membership, at the broker too, unless the place of a static member is to be kept. */
  async leave(): Promise<void> {
    this.#leaving.abort(new ClosedError('consumer'))
    const { memberId } = this.#identity
    const wasRefused = this.#state === 'refused'
    this.#move('leave')
    this.#heartbeats.stop()
    this.#requests.hangUp()
    this.#identity = NO_IDENTITY
    if (!wasRefused) await this.#sendLeaveGroup(memberId, 'the consumer is being closed')
    this.#move('left')
  }

  /** The place of a static member is kept until its session ends. */
  async #sendLeaveGroup(memberId: string, reason: string): Promise<void> {
    const { groupId, groupInstanceId } = this.#settings
    if (memberId === '' || groupInstanceId !== undefined) return
    try {
      await this.#requests.leave(memberId, reason, LEAVE_TIMEOUT_MS)
    } catch (error) {
      this.#cluster.options.logger.info(
        `could not leave group '${groupId}', whose coordinator removes this member after its session timeout: ${textOfThrown(error)}`,
      )
    }
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

  /** Resolves if the join is to be retried, and throws otherwise. */
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
        // A heartbeat has detected the loss first, and has reported it.
        throw this.#state === 'refused' ? error : this.#lostError(error)
      case 'new member':
      case 'new generation':
        this.#lose(reaction, error)
        if (!hasOwned) return this.#pauseAfter(attempt, deadline)
        this.#events.lost(this.#lostError(error))
        throw this.#lostError(error)
      case 'refused':
        this.#refuse()
        // The assignor failed. The others wait for this leader's assignment; after it has left, the next leader
        // computes one, or its assignor fails there.
        if (error instanceof RebalanceError) {
          await this.#sendLeaveGroup(this.#identity.memberId, 'its assignor failed')
        }
        throw thrown
      case 'later': {
        const waitMs = backoffMs(attempt, options.backoff)
        // The caller decides how long retries are worthwhile.
        if (!deadline.leaves(waitMs)) throw error
        const what = `joining group '${this.#settings.groupId}'`
        reportRetry(options, { what, attempt: attempt + 1, waitMs, error })
        await deadline.sleep(waitMs)
      }
    }
  }

  /**
   * The second attempt follows the first at once; then it waits, so that a coordinator that keeps refusing is not
   * flooded.
   */
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

  /** Sends one heartbeat. Returns the wait before the next. */
  async #beat(): Promise<number> {
    const { heartbeatIntervalMs } = this.#settings
    const sent = this.#identity
    if (sent.generation < 0) return heartbeatIntervalMs
    this.#slowApplication.check()
    const sentAt = performance.now()
    try {
      await this.#requests.heartbeat(sent)
      this.#report(sent, sentAt, undefined)
      if (this.#identity === sent) this.#prove(sentAt)
      return heartbeatIntervalMs
    } catch (thrown) {
      this.#report(sent, sentAt, asKafkaError(thrown))
      // The heartbeat was of a generation that is over: its response is out of date.
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
        // The coordinator still counts it as a member, otherwise the error would be another one.
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
        // While JoinGroup is running, its response on another connection may not have arrived yet.
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
        // Requests that wait for the same coordinator would wait for long.
        if (error.code !== 'COORDINATOR_LOAD_IN_PROGRESS') this.#requests.hangUp()
        return waitMs
      }
    }
  }

  #publishRebalancing(): void {
    if (!groupChannel.hasSubscribers) return
    const event: GroupEvent = {
      kind: 'rebalancing',
      clientId: this.#cluster.options.metrics.clientId,
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

  /** Throws if a heartbeat response has ended the membership while JoinGroup or SyncGroup waited. */
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

  #move(event: MemberEvent): void {
    this.#state = nextState(this.#state, event)
    if (this.isJoining) return
    this.#joined?.resolve()
    this.#joined = undefined
  }
}

/** An error that is not a KafkaError is a bug, perhaps of an assignor; a retry does not help. */
function asKafkaError(error: unknown): KafkaError {
  return error instanceof KafkaError ? error : new RebalanceError('joining the group', error)
}
