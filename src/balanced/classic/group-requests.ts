/** The requests of a member to its current coordinator, one attempt each. */
import { heartbeat } from '../../../protocol/apis/heartbeat.ts'
import { joinGroup } from '../../../protocol/apis/join-group.ts'
import { leaveGroup } from '../../../protocol/apis/leave-group.ts'
import { syncGroup } from '../../../protocol/apis/sync-group.ts'
import { ErrorCode } from '../../../protocol/errors.ts'
import type { Api } from '../../../protocol/schema/api.ts'
import type { Decoded, Fields } from '../../../protocol/schema/fields.ts'
import { Deadline } from '../../async/deadline.ts'
import { onAbort } from '../../async/on-abort.ts'
import type { Cluster } from '../../cluster/cluster.ts'
import { connectToCoordinator } from '../../cluster/connect-to-coordinator.ts'
import { topLevelError } from '../../cluster/response-errors.ts'
import { BrokerError, ClosedError, SocketDisconnectedError, requiresKafka } from '../../errors.ts'
import type { BodyFor, Broker } from '../../network/broker.ts'
import { checkHasGroups } from './has-groups.ts'
import type { GroupSettings } from './settings.ts'

/** Distinguishes a member from others, and an old generation from the current one. */
export interface Identity {
  /** Empty until the coordinator has assigned one. */
  readonly memberId: string
  /** −1 outside of a generation. */
  readonly generation: number
}

export interface JoinProtocol {
  readonly name: string
  readonly metadata: Buffer
}

export interface JoinedMember {
  readonly memberId: string
  readonly groupInstanceId: string | undefined
  readonly metadata: Uint8Array
}

export type JoinOutcome =
  /**
   * The member has to join again with this id (KIP-394), so that a client that stops half-way leaves no member
   * behind.
   */
  | { readonly kind: 'memberIdRequired'; readonly memberId: string }
  | {
      readonly kind: 'joined'
      readonly identity: Identity
      readonly leaderId: string
      readonly protocolName: string
      /** A static leader that has only restarted keeps the assignment as it was (KIP-814). */
      readonly keepsAssignment: boolean
      /** For the leader, which computes the assignment. */
      readonly members: readonly JoinedMember[] | undefined
    }

const PROTOCOL_TYPE = 'consumer'

const JOIN_WITH_INSTANCE_ID = 5
const SYNC_WITH_INSTANCE_ID = 3
const HEARTBEAT_WITH_INSTANCE_ID = 3
const LEAVE_WITH_MEMBERS = 3

/** How much longer than the rebalance itself its requests may take. */
const REBALANCE_LEEWAY_MS = 5_000

/** The connection on which JoinGroup and SyncGroup wait; each member has one. Heartbeats and commits use another. */
let nextLane = 0

export class GroupRequests {
  readonly #cluster: Cluster
  readonly #settings: GroupSettings
  readonly #lane = nextLane++
  /** The broker of the lane's last request. */
  #laneBroker: Broker | undefined

  constructor(cluster: Cluster, settings: GroupSettings) {
    this.#cluster = cluster
    this.#settings = settings
  }

  /**
   * Looks up the coordinator and opens both connections to it, so that `join` need not wait for that. Never throws:
   * `join` repeats what failed.
   */
  connect(signal: AbortSignal): Promise<void> {
    return connectToCoordinator(this.#cluster, this.#settings.groupId, async (broker) => {
      if (signal.aborted) return
      this.#laneBroker = broker
      await this.#openConnections(broker)
    })
  }

  /** Waits for all members. An abort ends the wait. Throws BrokerError and the errors of the connection. */
  async join(
    memberId: string,
    protocols: readonly JoinProtocol[],
    reason: string,
    signal: AbortSignal,
  ): Promise<JoinOutcome> {
    const { groupId, sessionTimeoutMs, maxPollIntervalMs } = this.#settings
    const what = `joining group '${groupId}'`
    const response = await this.#waiting(
      joinGroup,
      (version, { address }) => {
        this.#checkHasStaticMembers(version, what, address)
        return {
          groupId,
          sessionTimeoutMs,
          rebalanceTimeoutMs: maxPollIntervalMs,
          memberId,
          ...this.#instanceId(version >= JOIN_WITH_INSTANCE_ID),
          protocolType: PROTOCOL_TYPE,
          protocols: [...protocols],
          reason,
        }
      },
      what,
      signal,
    )
    if (response.errorCode === ErrorCode.MEMBER_ID_REQUIRED) {
      return { kind: 'memberIdRequired', memberId: response.memberId }
    }
    this.#checkProtocolType(response.protocolType, what)
    const isLeader = response.leader === response.memberId
    return {
      kind: 'joined',
      identity: { memberId: response.memberId, generation: response.generationId },
      leaderId: response.leader,
      protocolName: response.protocolName ?? '',
      keepsAssignment: response.skipAssignment,
      members: isLeader
        ? response.members.map((member) => ({
            memberId: member.memberId,
            groupInstanceId: member.groupInstanceId ?? undefined,
            metadata: member.metadata,
          }))
        : undefined,
    }
  }

  /** Waits for the leader's assignment, or sends it. Resolves with this member's assignment. */
  async sync(
    { memberId, generation }: Identity,
    protocolName: string,
    assignments: ReadonlyMap<string, Buffer>,
    signal: AbortSignal,
  ): Promise<Uint8Array> {
    const { groupId } = this.#settings
    const what = `getting the assignment of group '${groupId}'`
    const response = await this.#waiting(
      syncGroup,
      (version) => ({
        groupId,
        generationId: generation,
        memberId,
        ...this.#instanceId(version >= SYNC_WITH_INSTANCE_ID),
        protocolType: PROTOCOL_TYPE,
        protocolName,
        assignments: [...assignments].map(([id, assignment]) => ({ memberId: id, assignment })),
      }),
      what,
      signal,
    )
    this.#checkProtocolType(response.protocolType, what)
    if (response.protocolName !== null && response.protocolName !== protocolName) {
      const detail = `the assignment is for the assignor '${response.protocolName}', not '${protocolName}'`
      throw new BrokerError(ErrorCode.INCONSISTENT_GROUP_PROTOCOL, what, {}, detail)
    }
    return response.assignment
  }

  /** Throws BrokerError, including REBALANCE_IN_PROGRESS, by which a member learns of a rebalance. */
  async heartbeat({ memberId, generation }: Identity): Promise<void> {
    const { groupId, sessionTimeoutMs } = this.#settings
    // There must be time left for an attempt at another coordinator before the session expires.
    const timeoutMs = Math.ceil(sessionTimeoutMs / 3)
    await this.#atCoordinator(new Deadline(timeoutMs), async (broker) => {
      const body = (version: number) => ({
        groupId,
        generationId: generation,
        memberId,
        ...this.#instanceId(version >= HEARTBEAT_WITH_INSTANCE_ID),
      })
      const options = { timeoutMs, purpose: 'group' } as const
      const { errorCode } = await broker.request(heartbeat, body, options)
      this.#check(errorCode, `a heartbeat to group '${groupId}'`)
    })
  }

  async leave(memberId: string, reason: string, timeoutMs: number): Promise<void> {
    const { groupId } = this.#settings
    const what = `leaving group '${groupId}'`
    await this.#atCoordinator(new Deadline(timeoutMs), async (broker) => {
      const body = (version: number) =>
        version >= LEAVE_WITH_MEMBERS
          ? { groupId, members: [{ memberId, reason }] }
          : { groupId, memberId }
      const options = { timeoutMs, purpose: 'group' } as const
      const response = await broker.request(leaveGroup, body, options)
      this.#check(response.errorCode, what)
      for (const { errorCode } of response.members) this.#check(errorCode, what)
    })
  }

  /** Closes this member's own connection, which ends the requests that wait on it. */
  hangUp(): void {
    this.#laneBroker?.hangUp('group', this.#lane)
    this.#laneBroker = undefined
  }

  /** Sends JoinGroup or SyncGroup, which the coordinator answers when other members have done their part. */
  #waiting<Request extends Fields, Response extends Fields>(
    api: Api<Request, Response>,
    body: BodyFor<Request>,
    what: string,
    signal: AbortSignal,
  ): Promise<Decoded<Response>> {
    const deadline = new Deadline(this.#cluster.options.operationTimeoutMs, signal)
    return this.#atCoordinator(deadline, async (broker) => {
      const response = await this.#onOwnConnection(broker, api, body, what, signal)
      const { errorCode = ErrorCode.NONE } = topLevelError(response) ?? {}
      if (errorCode !== ErrorCode.MEMBER_ID_REQUIRED) this.#check(errorCode, what)
      return response
    })
  }

  async #onOwnConnection<Request extends Fields, Response extends Fields>(
    broker: Broker,
    api: Api<Request, Response>,
    body: BodyFor<Request>,
    what: string,
    signal: AbortSignal,
  ): Promise<Decoded<Response>> {
    const { requestTimeoutMs } = this.#cluster.options
    const { maxPollIntervalMs } = this.#settings
    if (this.#laneBroker !== broker) this.hangUp()
    this.#laneBroker = broker
    const stopWatching = onAbort(signal, () => this.hangUp())
    try {
      await this.#openConnections(broker)
      signal.throwIfAborted()
      // A failed heartbeat may have closed the connection in the meantime.
      this.#laneBroker = broker
      return await broker.request(api, body, {
        timeoutMs: Math.max(requestTimeoutMs, maxPollIntervalMs + REBALANCE_LEEWAY_MS),
        purpose: 'group',
        lane: this.#lane,
      })
    } catch (error) {
      signal.throwIfAborted()
      if (error instanceof ClosedError && this.#laneBroker !== broker) {
        const reason = `${what}: stopped waiting for ${broker.name}, which may not be the coordinator any more`
        throw new SocketDisconnectedError(reason, { broker: broker.name })
      }
      throw error
    } finally {
      stopWatching()
    }
  }

  /** Opens both connections at once: the heartbeats that follow need the other one. */
  async #openConnections(broker: Broker): Promise<void> {
    const { requestTimeoutMs } = this.#cluster.options
    await Promise.all([
      checkHasGroups(broker, requestTimeoutMs),
      broker.versions('group', this.#lane),
    ])
  }

  /** Makes a single attempt: the member's states decide what its failure means. */
  #atCoordinator<T>(deadline: Deadline, ask: (broker: Broker) => Promise<T>): Promise<T> {
    const to = { coordinator: 'group', key: this.#settings.groupId } as const
    return this.#cluster.router.attempt(to, deadline, ask)
  }

  #instanceId(isKnown: boolean): { readonly groupInstanceId?: string } {
    const { groupInstanceId } = this.#settings
    return isKnown && groupInstanceId !== undefined ? { groupInstanceId } : {}
  }

  #checkHasStaticMembers(version: number, what: string, broker: string): void {
    if (version >= JOIN_WITH_INSTANCE_ID || this.#settings.groupInstanceId === undefined) return
    throw requiresKafka(`${what}: static membership (groupInstanceId)`, '2.3', { broker })
  }

  #check(errorCode: number, what: string): void {
    if (errorCode === ErrorCode.NONE) return
    throw new BrokerError(errorCode, what, {}, this.#detailOf(errorCode))
  }

  /** Returns what to do about an error, if Kafka's own description does not say it for this member. */
  #detailOf(errorCode: number): string | undefined {
    const { assignors, groupInstanceId, sessionTimeoutMs } = this.#settings
    switch (errorCode) {
      case ErrorCode.INCONSISTENT_GROUP_PROTOCOL:
        return `the group has members with other assignors, or that are not consumers: this member offers ${assignors.map(({ name }) => name).join(', ')}`
      case ErrorCode.FENCED_INSTANCE_ID:
        return `another member took over the groupInstanceId '${groupInstanceId ?? ''}': each running member needs its own`
      case ErrorCode.INVALID_SESSION_TIMEOUT:
        return `sessionTimeoutMs is ${sessionTimeoutMs}, which is outside the broker's group.min.session.timeout.ms and group.max.session.timeout.ms`
      default:
        return undefined
    }
  }

  #checkProtocolType(protocolType: string | null, what: string): void {
    if (protocolType === null || protocolType === PROTOCOL_TYPE) return
    const detail = `the group has the protocol type '${protocolType}', not 'consumer'`
    throw new BrokerError(ErrorCode.INCONSISTENT_GROUP_PROTOCOL, what, {}, detail)
  }
}
