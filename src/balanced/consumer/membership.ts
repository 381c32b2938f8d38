/** One member of a consumer group: its state (member-states.ts), its epoch, its assignment, and its heartbeats. */
import type { ConsumerGroupHeartbeatResponse } from '../../../protocol/apis/consumer-group-heartbeat.ts'
import { abortable } from '../../async/abortable.ts'
import { backoffMs } from '../../async/backoff.ts'
import { Deadline } from '../../async/deadline.ts'
import { deferred, type Deferred } from '../../async/deferred.ts'
import { cryptoModule } from '../../builtins.ts'
import type { Cluster } from '../../cluster/cluster.ts'
import { reportRetry } from '../../cluster/retry.ts'
import { ClosedError, KafkaError } from '../../errors.ts'
import { textOfThrown } from '../../observe/thrown.ts'
import type { CoordinatorEvents } from '../coordinator.ts'
import { RebalanceError } from '../errors.ts'
import { reportHeartbeat } from '../../observe/heartbeat.ts'
import { Heartbeats } from '../heartbeats.ts'
import { MembershipLostError } from '../membership-errors.ts'
import { SlowApplication } from '../slow-application.ts'
import {
  isSameAssignment,
  NOTHING_ASSIGNED,
  readAssignment,
  type AssignedTopic,
} from './assignment.ts'
import { HeartbeatFields } from './heartbeat-fields.ts'
import { MemberRequests } from './member-requests.ts'
import {
  nextState,
  reactionTo,
  type MemberEvent,
  type MemberState,
  type Reaction,
} from './member-states.ts'
import { Revocation } from './revocation.ts'
import type { SessionTimeout } from './session-timeout.ts'
import type { ConsumerGroupSettings } from './settings.ts'
import type { SubscribedTopics } from './subscribed-topics.ts'

/** Kafka's default, until the broker sends another interval. */
const HEARTBEAT_INTERVAL_MS = 5_000

/**
 * For two intervals after a change, heartbeats are sent at least every second: other members learn of a change at
 * their own interval, and the partitions that they give up are free from then on.
 */
const EAGER = { maxWaitMs: 1_000, forMs: 10_000 }

/** How long leaving may take. A session that is not ended expires by itself. */
const LEAVE_TIMEOUT_MS = 3_000

/** The epoch before the first response with an epoch. */
const NEVER_JOINED = -1
const JOINS = 0

/** A heartbeat that was sent. */
interface Sent {
  readonly sentAt: number
  readonly owned: readonly AssignedTopic[]
}

export class Membership {
  /** Created by the client, and kept for the life of the member, also after it was fenced. */
  readonly memberId = cryptoModule().randomUUID()
  readonly #cluster: Cluster
  readonly #settings: ConsumerGroupSettings
  readonly #events: CoordinatorEvents
  readonly #session: SessionTimeout
  readonly #topics: SubscribedTopics
  readonly #requests: MemberRequests
  readonly #fields: HeartbeatFields
  readonly #heartbeats: Heartbeats
  readonly #slowApplication: SlowApplication
  #state: MemberState = 'unjoined'
  #epoch = NEVER_JOINED
  #target = NOTHING_ASSIGNED
  #owned = NOTHING_ASSIGNED
  #intervalMs = HEARTBEAT_INTERVAL_MS
  /** Incremented by each join, fencing and leaving: responses to earlier heartbeats do not count. */
  #incarnation = 0
  /** The number of failed heartbeats since the last response. */
  #failures = 0
  /** When the last heartbeat was sent whose response confirmed the membership. */
  #provenAt = -Infinity
  readonly #revocation: Revocation
  /** The coordinator may have this member: a join was sent, and no response has shown that the membership ended. */
  #mayBeKnown = false
  /**
   * The problem that was reported to the application. It is reported once, until a heartbeat is answered without it.
   */
  #reportedProblem: string | undefined
  /** For callers that wait for the next response. */
  #answered: Deferred<void> | undefined
  /** Aborted when the member leaves, which ends all waits for the group. */
  readonly #leaving = new AbortController()

  constructor(
    cluster: Cluster,
    settings: ConsumerGroupSettings,
    topics: SubscribedTopics,
    session: SessionTimeout,
    events: CoordinatorEvents,
  ) {
    this.#cluster = cluster
    this.#settings = settings
    this.#topics = topics
    this.#session = session
    this.#events = events
    this.#requests = new MemberRequests(cluster, settings, this.memberId)
    this.#fields = new HeartbeatFields(settings)
    this.#revocation = new Revocation(settings.maxPollIntervalMs)
    this.#heartbeats = new Heartbeats(HEARTBEAT_INTERVAL_MS, () => this.#beat(), EAGER)
    this.#slowApplication = new SlowApplication(settings, (error) => events.problem(error))
  }

  get state(): MemberState {
    return this.#state
  }

  /**
   * The epoch for commits; −1 before the member joined. It stays after the member was fenced, so that commits are
   * refused.
   */
  get epoch(): number {
    return this.#epoch
  }

  /** All partitions that the member has to own, by the last response. */
  get target(): readonly AssignedTopic[] {
    return this.#target
  }

  /** See Coordinator.ownedUntil. */
  get ownedUntil(): number {
    if (this.#state !== 'member') return 0
    return Math.min(this.#provenAt + this.#session.timeoutMs, this.#revocation.endsAt)
  }

  /**
   * Joins unless it is a member. Throws a KafkaError, which is retriable if the coordinator cannot be reached. An
   * abort ends the wait; the attempts continue until `leave`.
   */
  async join(signal: AbortSignal): Promise<void> {
    if (this.#state === 'member') return
    await abortable(this.#joinUntilIn(), signal)
  }

  /**
   * Sets the partitions that the member owns from now on. The next heartbeat, which is sent at once, acknowledges
   * them.
   */
  own(owned: readonly AssignedTopic[]): void {
    this.#owned = owned
    this.#changed()
  }

  /** The subscribed topics have changed. */
  subscribed(): void {
    this.#changed()
  }

  /**
   * Resolves when a heartbeat that is sent after this call is answered, so that the epoch is current. Also resolves
   * when the membership has ended.
   */
  async untilAnswered(): Promise<void> {
    const since = performance.now()
    const incarnation = this.#incarnation
    this.#heartbeats.hurry()
    while (this.#state === 'member' && incarnation === this.#incarnation) {
      if (this.#provenAt >= since) return
      this.#answered ??= deferred()
      await this.#answered.promise
    }
  }

  /** Ends the membership, at the broker too. The place of a static member is kept. */
  async leave(): Promise<void> {
    this.#leaving.abort(new ClosedError('consumer'))
    this.#move('leave')
    this.#heartbeats.stop()
    if (this.#mayBeKnown) {
      try {
        await this.#requests.leave(LEAVE_TIMEOUT_MS)
      } catch (error) {
        this.#cluster.options.logger.info(
          `could not leave group '${this.#settings.groupId}', whose coordinator removes this member after its session timeout: ${textOfThrown(error)}`,
        )
      }
    }
    this.#move('left')
  }

  async #joinUntilIn(): Promise<void> {
    const { signal } = this.#leaving
    const deadline = new Deadline(this.#cluster.options.operationTimeoutMs, signal)
    const instanceDeadline = new Deadline(this.#settings.groupInstanceWaitMs, signal)
    try {
      for (let attempt = 0; ; attempt++) {
        signal.throwIfAborted()
        this.#move('join')
        this.#fields.forget()
        try {
          await this.#exchange(JOINS)
          return
        } catch (thrown) {
          signal.throwIfAborted()
          await this.#onJoinFailed(asKafkaError(thrown), attempt, deadline, instanceDeadline)
        }
      }
    } finally {
      if (this.#state === 'joining') this.#move('abandoned')
    }
  }

  /** Resolves if the join is to be retried, and throws otherwise. */
  async #onJoinFailed(
    error: KafkaError,
    attempt: number,
    deadline: Deadline,
    instanceDeadline: Deadline,
  ): Promise<void> {
    const { options } = this.#cluster
    const reaction = reactionTo(error)
    const isInstanceHeld = reaction === 'instance held'
    // A member that was in the group before waits until it may read its topics again, as it does in the group.
    const isProblem = reaction === 'problem' && this.#epoch !== NEVER_JOINED
    const isWorthIt = isInstanceHeld ? !instanceDeadline.isOver : isProblem || isPassing(reaction)
    if (!isWorthIt) {
      this.#move('refused')
      this.#mayBeKnown = false
      throw error
    }
    if (isProblem) this.#reportProblem(error)
    const waitMs = backoffMs(attempt, options.backoff)
    // The machine decides how long retries are worthwhile; the wait for an instance id happens here.
    if (!isInstanceHeld && !deadline.leaves(waitMs)) throw retriable(error)
    const what = `joining group '${this.#settings.groupId}'`
    reportRetry(options, { what, attempt: attempt + 1, waitMs, error })
    await (isInstanceHeld ? instanceDeadline : deadline).sleep(waitMs)
  }

  /** Sends one heartbeat. Returns the wait before the next. */
  async #beat(): Promise<number> {
    if (this.#state !== 'member') return this.#intervalMs
    this.#slowApplication.check()
    void this.#session.refresh()
    const incarnation = this.#incarnation
    const generation = this.#epoch
    const sentAt = performance.now()
    try {
      await this.#exchange(generation)
      this.#report(generation, sentAt, undefined)
      return this.#intervalMs
    } catch (thrown) {
      this.#report(generation, sentAt, asKafkaError(thrown))
      if (incarnation !== this.#incarnation) return this.#intervalMs
      // It is unknown if the coordinator processed the heartbeat, and what the response said.
      this.#fields.forget()
      return this.#onHeartbeatFailed(asKafkaError(thrown))
    }
  }

  #report(generation: number, sentAt: number, error: KafkaError | undefined): void {
    const group = this.#settings.groupId
    const durationMs = performance.now() - sentAt
    const { metrics } = this.#cluster.options
    reportHeartbeat(metrics, { group, memberId: this.memberId, generation, durationMs, error })
  }

  /** Sends a heartbeat and applies its response. Throws the errors of the request. */
  async #exchange(epoch: number): Promise<void> {
    const incarnation = this.#incarnation
    const next = this.#fields.next({ topics: this.#topics.names, owned: this.#owned })
    const sentAt = performance.now()
    // There must be time left for an attempt at another coordinator before the session expires.
    const timeoutMs = Math.ceil(this.#session.timeoutMs / 3)
    const response = await this.#requests.heartbeat(epoch, next, {
      timeoutMs,
      signal: this.#leaving.signal,
      onSend: () => {
        if (epoch === JOINS) this.#mayBeKnown = true
      },
    })
    // The member has left or was fenced in the meantime: an epoch that arrives now must not be used (librdkafka
    // 2.12).
    if (incarnation !== this.#incarnation) return
    this.#fields.confirm(next.contents)
    this.#failures = 0
    this.#reportedProblem = undefined
    if (epoch === JOINS) {
      this.#move('joined')
      // A member that joins again may get the epoch and the assignment that it had: #accept detects no change.
      this.#heartbeats.start()
    }
    this.#accept(response, { sentAt, owned: next.contents.owned })
  }

  #accept(response: ConsumerGroupHeartbeatResponse, { sentAt, owned }: Sent): void {
    const { memberEpoch, heartbeatIntervalMs, assignment } = response
    const wasInDoubt = performance.now() >= this.ownedUntil
    const isNewEpoch = memberEpoch !== this.#epoch
    this.#epoch = memberEpoch
    if (heartbeatIntervalMs > 0) this.#intervalMs = heartbeatIntervalMs
    const target = assignment === null ? this.#target : readAssignment(assignment.topicPartitions)
    const isNewTarget = !isSameAssignment(target, this.#target)
    this.#revocation.answered({ sentAt, owned, before: this.#target, target })
    this.#target = target
    // The coordinator waits for an acknowledgement also if this member has not claimed yet what it has to give up.
    if (isNewTarget) this.#fields.forgetOwned()
    this.#provenAt = Math.max(this.#provenAt, sentAt)
    this.#resolveAnswered()
    if (wasInDoubt && performance.now() < this.ownedUntil) this.#events.renewed()
    if (isNewEpoch || isNewTarget) this.#heartbeats.start()
    if (isNewTarget) this.#events.changed(`member epoch ${memberEpoch} has another assignment`)
  }

  #onHeartbeatFailed(error: KafkaError): number {
    const { backoff, logger } = this.#cluster.options
    const { groupId } = this.#settings
    const reaction = reactionTo(error)
    switch (reaction) {
      case 'fenced':
      case 'no group':
        this.#move('fenced')
        this.#heartbeats.stop()
        this.#mayBeKnown = false
        this.#target = NOTHING_ASSIGNED
        this.#owned = NOTHING_ASSIGNED
        this.#revocation.end()
        this.#events.lost(new MembershipLostError(groupId, error))
        return this.#intervalMs
      case 'refused':
      case 'instance held':
        this.#move('refused')
        this.#mayBeKnown = false
        this.#heartbeats.stop()
        this.#events.failed(error)
        return this.#intervalMs
      case 'problem':
        this.#reportProblem(error)
        return this.#intervalMs
      case 'later':
        logger.warn(`a heartbeat to group '${groupId}' failed: ${error.message}`)
        return Math.min(this.#intervalMs, backoffMs(this.#failures++, backoff))
    }
  }

  #reportProblem(error: KafkaError): void {
    if (this.#reportedProblem !== error.code) this.#events.problem(error)
    this.#reportedProblem = error.code
  }

  #changed(): void {
    if (this.#state !== 'member') return
    this.#heartbeats.start()
    this.#heartbeats.hurry()
  }

  #resolveAnswered(): void {
    this.#answered?.resolve()
    this.#answered = undefined
  }

  #move(event: MemberEvent): void {
    const before = this.#state
    this.#state = nextState(before, event)
    // Attempts to join are answered in order; a request that was sent before a member ended must not count after it.
    if (before === 'member' || event === 'leave') {
      this.#incarnation++
      this.#resolveAnswered()
    }
  }
}

function isPassing(reaction: Reaction): boolean {
  return reaction === 'later' || reaction === 'fenced'
}

/**
 * Makes the error retriable, so that the machine tries again later if a coordinator keeps answering a join as if the
 * member had existed.
 */
function retriable(error: KafkaError): KafkaError {
  if (error.retriable) return error
  return new KafkaError(error.code, error.message, true, { broker: error.broker, cause: error })
}

/** An error that is not a KafkaError is a bug; a retry does not help. */
function asKafkaError(error: unknown): KafkaError {
  return error instanceof KafkaError ? error : new RebalanceError('a heartbeat', error)
}
