/** The heartbeats of a member to its current coordinator. */
import {
  consumerGroupHeartbeat,
  type ConsumerGroupHeartbeatResponse,
} from '../../../protocol/apis/consumer-group-heartbeat.ts'
import { ErrorCode } from '../../../protocol/errors.ts'
import { Deadline } from '../../async/deadline.ts'
import type { Cluster } from '../../cluster/cluster.ts'
import { BrokerError, UnsupportedVersionError } from '../../errors.ts'
import type { Broker } from '../../network/broker.ts'
import type { NextHeartbeat } from './heartbeat-fields.ts'
import type { ConsumerGroupSettings } from './settings.ts'

/** The first version in which the client makes the member id (KIP-1082). v0 was a preview in Kafka 3.7 to 3.9. */
const WITH_OWN_MEMBER_ID = 1

/** The epochs of a leaving member. */
const LEAVES = -1
const STATIC_MEMBER_LEAVES = -2

/** The group protocol is not available: Kafka before 4.0, or the feature `group.version` is not enabled. */
export class NoConsumerProtocolError extends UnsupportedVersionError {}

export interface HeartbeatCall {
  readonly timeoutMs: number
  /** Aborted when the member leaves. */
  readonly signal: AbortSignal
  /** Called immediately before the request is written. */
  readonly onSend: () => void
}

export class MemberRequests {
  readonly #cluster: Cluster
  readonly #settings: ConsumerGroupSettings
  readonly #memberId: string

  constructor(cluster: Cluster, settings: ConsumerGroupSettings, memberId: string) {
    this.#cluster = cluster
    this.#settings = settings
    this.#memberId = memberId
  }

  /**
   * Makes a single attempt: the member's states decide what a failure means. After `signal` is aborted it sends
   * nothing, so that a join cannot follow the request that leaves. Throws BrokerError, NoConsumerProtocolError.
   */
  heartbeat(
    epoch: number,
    { body }: NextHeartbeat,
    { timeoutMs, signal, onSend }: HeartbeatCall,
  ): Promise<ConsumerGroupHeartbeatResponse> {
    const { groupId } = this.#settings
    const to = { coordinator: 'group', key: groupId } as const
    return this.#cluster.router.attempt(to, new Deadline(timeoutMs, signal), async (broker) => {
      await checkHasProtocol(broker)
      const response = await broker.request(
        consumerGroupHeartbeat,
        // Called when the connection is open, immediately before the request is written.
        () => {
          signal.throwIfAborted()
          onSend()
          return { groupId, memberId: this.#memberId, memberEpoch: epoch, ...body }
        },
        { timeoutMs, purpose: 'group' },
      )
      const { errorCode, errorMessage } = response
      if (errorCode === ErrorCode.NONE) return response
      const what = `a heartbeat to group '${groupId}'`
      if (errorCode === ErrorCode.UNSUPPORTED_VERSION) throw featureDisabled(broker, what)
      throw new BrokerError(errorCode, what, {}, this.#detailOf(errorCode, errorMessage))
    })
  }

  /** Leaves permanently or, as a static member, until it joins again. Retries within the time. */
  async leave(timeoutMs: number): Promise<void> {
    const { groupId, groupInstanceId } = this.#settings
    const body = {
      groupId,
      memberId: this.#memberId,
      memberEpoch: groupInstanceId === undefined ? LEAVES : STATIC_MEMBER_LEAVES,
      instanceId: groupInstanceId ?? null,
    }
    await this.#cluster.router.call(consumerGroupHeartbeat, body, {
      to: { coordinator: 'group', key: groupId },
      what: `leaving group '${groupId}'`,
      deadline: new Deadline(timeoutMs),
      purpose: 'group',
    })
  }

  /** Returns what to do about an error, if neither the broker's message nor Kafka's own description says it. */
  #detailOf(errorCode: number, message: string | null): string | null {
    const { groupInstanceId = '', remoteAssignor = '', subscription } = this.#settings
    const said = message === null || message === '' ? '' : `${message} `
    switch (errorCode) {
      case ErrorCode.UNRELEASED_INSTANCE_ID:
        return `${said}Another member has the groupInstanceId '${groupInstanceId}' and has not left: each running member needs its own, or set groupInstanceWaitMs to wait for it.`
      case ErrorCode.UNSUPPORTED_ASSIGNOR:
        return `${said}The remoteAssignor '${remoteAssignor}' is not one of the broker's group.consumer.assignors.`
      case ErrorCode.INVALID_REGULAR_EXPRESSION:
        return `${said}The pattern is ${subscription.serverPattern ?? ''}: the broker accepts expressions of RE2/J.`
      case ErrorCode.GROUP_ID_NOT_FOUND:
        return `${said}The group is of another type, or has members that do not use the consumer protocol.`
      default:
        return message
    }
  }
}

/** Throws NoConsumerProtocolError. */
async function checkHasProtocol(broker: Broker): Promise<void> {
  const versions = await broker.versions('group')
  const isSupported =
    versions.has(consumerGroupHeartbeat) &&
    versions.pick(consumerGroupHeartbeat) >= WITH_OWN_MEMBER_ID
  if (isSupported) return
  throw new NoConsumerProtocolError(
    `groupProtocol: 'consumer' needs Kafka 4.0 or newer, and ${broker.name} is older: use 'classic', or 'auto' to use what the broker has`,
    { broker: broker.name },
  )
}

function featureDisabled({ name }: Broker, what: string): NoConsumerProtocolError {
  return new NoConsumerProtocolError(
    `${what} failed: groupProtocol: 'consumer' needs the feature group.version 1 (Kafka 4.0 or newer), which the cluster of ${name} has not enabled: use 'classic', or 'auto' to use what the broker has`,
    { broker: name },
  )
}
