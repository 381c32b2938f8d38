import { shareAcknowledge } from '../../protocol/apis/share-acknowledge.ts'
import {
  shareGroupHeartbeat,
  type ShareGroupHeartbeatResponse,
} from '../../protocol/apis/share-group-heartbeat.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import { abortable } from '../async/abortable.ts'
import { backoffMs } from '../async/backoff.ts'
import { Deadline } from '../async/deadline.ts'
import { deferred, type Deferred } from '../async/deferred.ts'
import { limited } from '../async/limited.ts'
import { onAbort } from '../async/on-abort.ts'
import { cryptoModule } from '../builtins.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { MaxPollIntervalError } from '../consumer/max-poll-interval-error.ts'
import {
  BrokerError,
  ClosedError,
  isRetriable,
  KafkaError,
  UnsupportedVersionError,
} from '../errors.ts'
import type { Broker } from '../network/broker.ts'
import { reportHeartbeat } from '../observe/heartbeat.ts'
import { asError, textOfThrown } from '../observe/thrown.ts'
import type { SessionPartition } from './share-session.ts'

export interface MembershipOptions {
  readonly group: string
  readonly topics: readonly string[]
  readonly rack: string | undefined
  readonly maxPollIntervalMs: number
  /** Returns how long the application has requested no message; 0 while it waits for one. */
  readonly busyForMs: () => number
}

export interface MembershipEvents {
  /** Called with the partitions that this member reads from now on. */
  readonly onAssigned: (partitions: readonly SessionPartition[]) => void
  /** Called when the member leaves the group because of a slow application. It joins again after `requested`. */
  readonly onLeft: (reason: MaxPollIntervalError) => void
  /** Called with an error that an administrator may correct, once, while the member continues. */
  readonly onProblem: (error: Error) => void
  /** Called when the member cannot stay in the group. */
  readonly onFailed: (error: Error) => void
}

const JOINING = 0
const LEAVING = -1
/** The interval until a coordinator sends another. */
const FIRST_INTERVAL_MS = 1_000
/** How long leaving because of a slow application may take: a session that is not ended expires by itself. */
const LEAVE_TIMEOUT_MS = 3_000
/** The first version of ShareAcknowledge with renewals: Kafka 4.2, the first release with complete share groups. */
const WITH_RENEWALS = 2

/**
 * The wait before the heartbeat after the coordinator has added the member; it doubles with each heartbeat, up to the
 * interval. The coordinator may assign partitions only after its response, and then sends them in the response to the
 * next heartbeat.
 */
const SOON_MS = 100
/**
 * The longest of these waits until the member has partitions. Kafka 4.4 assigns them to a new group a second after the
 * join (`group.share.assignment.interval.ms`), and a second later if it has to create the state of the partitions first.
 */
const UNASSIGNED_WAIT_MS = 200
/** The short waits end at this time after the join: the topics of a member without partitions may not exist. */
const UNASSIGNED_FOR_MS = 5_000

/** The member id is a UUID that the client creates and keeps, also after the coordinator has forgotten the member. */
function newMemberId(): string {
  for (;;) {
    const id = cryptoModule().randomBytes(16).toString('base64url')
    // Like Kafka, avoids an id that a command line would read as an option.
    if (!id.startsWith('-')) return id
  }
}

/**
 * A member of a share group (KIP-932). One request joins, keeps the membership and leaves. The coordinator assigns
 * partitions; a member need not give them up before others get them, because records are locked one by one.
 */
export class ShareMembership {
  readonly memberId = newMemberId()
  readonly #cluster: Cluster
  readonly #options: MembershipOptions
  readonly #events: MembershipEvents
  readonly #stopping = new AbortController()
  #epoch = JOINING
  /** True after the coordinator has received all fields; false before the first request and after a failed one. */
  #hasSentAll = false
  /** True after a request to join was sent, also if its response was lost: the coordinator may have added the member. */
  #mayBeMember = false
  #isProblemReported = false
  #intervalMs = FIRST_INTERVAL_MS
  #soonMs = SOON_MS
  #joinedAt = -Infinity
  #lastHeartbeatAt: number | undefined
  #hasPartitions = false
  #failures = 0
  /** Resolves when the application requests messages again. */
  #requested: Deferred<void> | undefined

  constructor(cluster: Cluster, options: MembershipOptions, events: MembershipEvents) {
    this.#cluster = cluster
    this.#options = options
    this.#events = events
  }

  /** Joins the group. Resolves when the coordinator has added the member. `leave` ends it. */
  async join(deadline: Deadline): Promise<void> {
    const ending = new AbortController()
    const stops = [this.#stopping.signal, deadline.signal].map(
      (signal) => signal && onAbort(signal, () => ending.abort(signal.reason)),
    )
    try {
      await this.#ask('joining', new Deadline(deadline.remainingMs, ending.signal))
    } finally {
      for (const stop of stops) stop?.()
    }
  }

  /** Starts to send heartbeats. */
  start(): void {
    void this.#keepBeating()
  }

  /** Called when the application requests a message, and waits. */
  requested(): void {
    // The reader of a run also waits while all its handlers are busy.
    if (this.#requested !== undefined && !this.#isSlow) this.#requested.resolve()
  }

  /**
   * Leaves, within the time of the deadline. Other members get the records that the member still holds at once. A
   * heartbeat in flight no longer has an effect.
   */
  async leave(deadline: Deadline): Promise<void> {
    this.#epoch = LEAVING
    this.#stopping.abort(new ClosedError('share consumer'))
    if (!this.#mayBeMember) return
    try {
      await limited(deadline.remainingMs, deadline.signal, (signal) =>
        abortable(this.#ask('leaving', new Deadline(deadline.remainingMs, signal)), signal),
      )
    } catch (error) {
      const isGone = error instanceof BrokerError && error.errorCode === ErrorCode.UNKNOWN_MEMBER_ID
      if (!isGone) throw error
    }
  }

  async #keepBeating(): Promise<void> {
    const { signal } = this.#stopping
    const what = `a heartbeat to share group '${this.#options.group}'`
    let waitMs = this.#nextWait()
    const isLeaving = () => signal.aborted
    while (!isLeaving()) {
      try {
        if (!(await this.#sleep(new Deadline(waitMs, signal)))) await this.#leaveUntilRequested()
        const deadline = new Deadline(this.#cluster.options.operationTimeoutMs, signal)
        await this.#cluster.router.attempt(this.#coordinator, deadline, (broker) =>
          this.#beat(broker, what, deadline),
        )
        this.#failures = 0
        this.#isProblemReported = false
        waitMs = this.#nextWait()
      } catch (error) {
        if (isLeaving()) return
        waitMs = this.#waitAfter(error)
        if (waitMs === Infinity) {
          this.#events.onFailed(asError(error))
          return
        }
      }
    }
  }

  get #isSlow(): boolean {
    const { busyForMs, maxPollIntervalMs } = this.#options
    return busyForMs() >= maxPollIntervalMs
  }

  /** Returns false as soon as the application is too slow. */
  async #sleep(deadline: Deadline): Promise<boolean> {
    const { busyForMs, maxPollIntervalMs } = this.#options
    while (!this.#isSlow) {
      if (deadline.isOver) return true
      await deadline.sleep(Math.min(deadline.remainingMs, maxPollIntervalMs - busyForMs()))
    }
    return false
  }

  /** Leaves the group, so that others get the partitions, and returns when the application requests messages. */
  async #leaveUntilRequested(): Promise<void> {
    const { group, maxPollIntervalMs } = this.#options
    const { signal } = this.#stopping
    const { logger } = this.#cluster.options
    const error = new MaxPollIntervalError(group, maxPollIntervalMs, 'the member leaves the group')
    logger.warn(error.message)
    this.#requested = deferred()
    this.#epoch = LEAVING
    this.#events.onLeft(error)
    try {
      await this.#ask('leaving', new Deadline(LEAVE_TIMEOUT_MS, signal))
      this.#mayBeMember = false
    } catch (failure) {
      logger.debug(`leaving share group '${group}' failed: ${textOfThrown(failure)}`)
    }
    await abortable(this.#requested.promise, signal)
    this.#requested = undefined
    this.#joinsAgain()
  }

  #nextWait(): number {
    const isEager = !this.#hasPartitions && performance.now() - this.#joinedAt < UNASSIGNED_FOR_MS
    const soonMs = isEager ? Math.min(this.#soonMs, UNASSIGNED_WAIT_MS) : this.#soonMs
    this.#soonMs *= 2
    return Math.min(soonMs, this.#intervalMs)
  }

  /** Returns the wait before the heartbeat that follows an error; Infinity if no later one can succeed. */
  #waitAfter(error: unknown): number {
    this.#hasSentAll = false
    const code = error instanceof BrokerError ? error.errorCode : undefined
    switch (code) {
      case ErrorCode.UNKNOWN_MEMBER_ID:
      case ErrorCode.FENCED_MEMBER_EPOCH:
        return this.#joinAgain(asError(error))
      case ErrorCode.GROUP_ID_NOT_FOUND:
        // For a member: the group was deleted. For a joining member: the name belongs to a group of another type.
        if (this.#epoch !== JOINING) return this.#joinAgain(asError(error))
        return Infinity
      case ErrorCode.TOPIC_AUTHORIZATION_FAILED:
        // The member keeps what it has until its session ends, and continues when the ACL is back.
        if (!this.#isProblemReported) this.#events.onProblem(asError(error))
        this.#isProblemReported = true
        return this.#intervalMs
      default: {
        if (!isRetriable(error)) return Infinity
        const { logger, backoff } = this.#cluster.options
        logger.debug(`share group '${this.#options.group}': ${asError(error).message}`)
        return Math.min(this.#intervalMs, backoffMs(this.#failures++, backoff))
      }
    }
  }

  #joinAgain(error: Error): number {
    const { group } = this.#options
    this.#cluster.options.logger.warn(
      `share group '${group}': the member joins again after ${error.message}`,
    )
    this.#joinsAgain()
    return this.#failures++ === 0 ? 0 : backoffMs(this.#failures, this.#cluster.options.backoff)
  }

  #joinsAgain(): void {
    this.#epoch = JOINING
    this.#hasSentAll = false
    this.#hasPartitions = false
    this.#soonMs = SOON_MS
  }

  /**
   * True from the time at which the member leaves because of a slow application, until the application requests
   * messages.
   */
  get hasLeft(): boolean {
    return this.#requested !== undefined
  }

  /** When the last heartbeat was sent, by `performance.now()`; undefined before the first. */
  get lastHeartbeatAt(): number | undefined {
    return this.#lastHeartbeatAt
  }

  get #coordinator() {
    return { coordinator: 'group', key: this.#options.group } as const
  }

  /** Sends a heartbeat, and repeats it until the deadline. */
  async #ask(doing: 'joining' | 'leaving', deadline: Deadline): Promise<void> {
    const what = `${doing} share group '${this.#options.group}'`
    await this.#cluster.router.ask({ to: this.#coordinator, what, deadline }, ({ broker }) =>
      this.#beat(broker!, what, deadline),
    )
  }

  async #beat(broker: Broker, what: string, deadline: Deadline): Promise<void> {
    const { group: groupId, topics, rack } = this.#options
    const epoch = this.#epoch
    const isWhole = epoch === JOINING || (epoch !== LEAVING && !this.#hasSentAll)
    const versions = await broker.versions('group')
    if (!versions.has(shareAcknowledge) || versions.pick(shareAcknowledge) < WITH_RENEWALS) {
      throw unsupported(what, broker.name, 'is older')
    }
    // A join that is sent after the request to leave would add a member that stays until its session ends.
    deadline.signal?.throwIfAborted()
    if (epoch === JOINING) this.#mayBeMember = true
    const { requestTimeoutMs } = this.#cluster.options
    const response = await this.#reported(epoch, async () => {
      const answer = await broker.request(
        shareGroupHeartbeat,
        {
          groupId,
          memberId: this.memberId,
          memberEpoch: epoch,
          rackId: isWhole ? (rack ?? null) : null,
          subscribedTopicNames: isWhole ? [...topics] : null,
        },
        { timeoutMs: Math.min(requestTimeoutMs, deadline.remainingMs), purpose: 'group' },
      )
      if (answer.errorCode !== ErrorCode.NONE) throw this.#errorOf(answer, what, broker)
      return answer
    })
    // A heartbeat from before the member left, or joined again, no longer counts.
    if (this.#epoch !== epoch || epoch === LEAVING) return
    if (epoch === JOINING) this.#joinedAt = performance.now()
    this.#hasSentAll = true
    this.#epoch = response.memberEpoch
    this.#intervalMs = response.heartbeatIntervalMs || FIRST_INTERVAL_MS
    const { assignment } = response
    if (assignment === null) return
    this.#hasPartitions = assignment.topicPartitions.length > 0
    this.#cluster.options.metrics.group(groupId).share.assignments++
    this.#events.onAssigned(
      assignment.topicPartitions.flatMap(({ topicId, partitions }) =>
        partitions.map((partition) => ({ topicId, partition })),
      ),
    )
  }

  /** Counts a heartbeat, and publishes its event. */
  async #reported<Response>(generation: number, send: () => Promise<Response>): Promise<Response> {
    const sentAt = performance.now()
    this.#lastHeartbeatAt = sentAt
    const report = (error: Error | undefined): void => {
      if (generation === LEAVING) return
      reportHeartbeat(this.#cluster.options.metrics, {
        group: this.#options.group,
        memberId: this.memberId,
        generation,
        durationMs: performance.now() - sentAt,
        error,
      })
    }
    try {
      const response = await send()
      report(undefined)
      return response
    } catch (error) {
      report(asError(error))
      throw error
    }
  }

  #errorOf(
    { errorCode, errorMessage }: ShareGroupHeartbeatResponse,
    what: string,
    { name: broker }: Broker,
  ): KafkaError {
    if (errorCode === ErrorCode.UNSUPPORTED_VERSION) {
      const reason =
        'supports share groups, but the feature share.version of the cluster is 0: update it to 1'
      return unsupported(what, broker, reason)
    }
    const isOfOtherType = errorCode === ErrorCode.GROUP_ID_NOT_FOUND && this.#epoch === JOINING
    const detail = isOfOtherType
      ? `a group of another type has this name (${errorMessage ?? ''}): choose another name, or delete that group`
      : errorMessage
    return new BrokerError(errorCode, what, { broker }, detail)
  }
}

function unsupported(what: string, broker: string, reason: string): UnsupportedVersionError {
  const text = `${what}: share groups need Kafka 4.2 or newer with the feature share.version; ${broker} ${reason}`
  return new UnsupportedVersionError(text, { broker })
}
