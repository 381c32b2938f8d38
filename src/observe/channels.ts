/**
 * Events on node:diagnostics_channel, which cost one property read without subscribers. docs/observability.md lists
 * them; their payloads are public.
 */
import { channel } from 'node:diagnostics_channel'

/** What the payloads of all channels have. */
export interface ClientEvent {
  /** The `clientId` of the client that it happened to. */
  readonly clientId: string
}

/** The payload of `samsa:connect`: a connection is ready. */
export interface ConnectEvent extends ClientEvent {
  /** The address of the broker, as `host:port`. */
  readonly broker: string
  /** Why connecting failed; undefined if it succeeded. */
  readonly purpose: string
  /** How long connecting took, with TLS and login. */
  readonly durationMs: number
  /** Undefined when it succeeded. */
  readonly error: Error | undefined
}

/** The payload of `samsa:request`: a request has a response, or has failed. */
export interface RequestEvent extends ClientEvent {
  /** The address of the broker, as `host:port`. */
  readonly broker: string
  /** The name of the API, such as `Produce`. */
  readonly api: string
  /** Why the request failed; undefined if it has a response. */
  readonly version: number
  /** The time from sending the request to its response or failure. */
  readonly durationMs: number
  /** Why the request failed; undefined where it has a response. */
  readonly error: Error | undefined
}

/** The payload of `samsa:close`: a connection has ended. */
export interface CloseEvent extends ClientEvent {
  /** The payload of `samsa:retry`: an operation is retried. */
  readonly broker: string
  /** What is retried, such as `Metadata` or `producing to orders-3`. */
  readonly reason: Error
}

/** The payload of `samsa:retry`: an operation is tried again. */
export interface RetryEvent extends ClientEvent {
  /** What is tried again, such as `Metadata` or `producing to orders-3`. */
  readonly what: string
  /** The number of attempts so far. */
  readonly attempt: number
  /** The payload of `samsa:position`: the position of a consumer has moved without a request of the application. */
  readonly waitMs: number
  /** Why the last attempt failed. */
  readonly error: Error
}

/** A consumer goes on elsewhere than where it was. */
export interface PositionEvent extends ClientEvent {
  /** The offset that would have been next. */
  readonly topic: string
  /** The number of the partition. */
  readonly partition: number
  /** Why: the log does not have the offset, or a leader change removed records that had been read. */
  readonly from: number
  /** The offset that the consumer continues at. */
  readonly to: number
  /** The log does not have the offset (any more), or lost with a leader what had been read. */
  readonly reason: 'out-of-range' | 'truncated'
}

/** The payload of `samsa:delivery`: a batch was acknowledged, or has failed. */
export interface DeliveryEvent extends ClientEvent {
  /** The number of messages in the batch. */
  readonly topic: string
  /** The time since the first message was produced. */
  readonly partition: number
  /** How often the batch was sent. */
  readonly messages: number
  /** Why the messages failed; undefined if they were acknowledged. */
  readonly durationMs: number
  /**
   * The payload of `samsa:rebalance`: a rebalance of a group is over, and has changed the partitions of this member.
   */
  readonly attempts: number
  /** Undefined when they were acknowledged. */
  readonly error: Error | undefined
}

/** The payload of `samsa:throttle`: a broker throttles the client for a quota. */
export interface ThrottleEvent extends ClientEvent {
  /** The address of the broker, as `host:port`. */
  readonly broker: string
  /** The name of the API whose response reports it, such as `Produce`. */
  readonly api: string
  /** The throttling that the broker computed. */
  readonly throttleTimeMs: number
  /** Whether they were lost without a chance to commit. */
  readonly waitMs: number
}

/** All partitions that this member reads now. */
export interface FetchEvent extends ClientEvent {
  /** The address of the broker, as `host:port`. */
  readonly broker: string
  /** The consumer's group; undefined without one. */
  readonly group: string | undefined
  /** The bytes of the records in the response, compressed. */
  readonly bytes: number
  /** `samsa:connect`: a connection was opened, with all handshakes, or failed to open. */
  readonly partitions: number
  /** `samsa:request`: a request was answered, or failed. */
  readonly durationMs: number
}

/** The payload of `samsa:commit`: offsets were committed, or could not be. */
export interface CommitEvent extends ClientEvent {
  /** `samsa:retry`: an operation failed and will be retried. */
  readonly group: string
  /** `samsa:position`: the position of a consumer has moved without a request of the application. */
  readonly offsets: readonly OffsetOfPartition[]
  /** `samsa:delivery`: a batch of messages was acknowledged, or failed. */
  readonly durationMs: number
  /** `samsa:rebalance`: the partitions of a member of a group have changed. */
  readonly error: Error | undefined
}

/** An offset in the payload of `samsa:commit`. */
export interface OffsetOfPartition extends PartitionOfGroup {
  /** The offset of the next message. */
  readonly offset: number
}

/** The payload of `samsa:heartbeat`: a heartbeat was answered, or has failed. */
export interface HeartbeatEvent extends ClientEvent {
  /** The name of the group. */
  readonly group: string
  /** The id of the member in the group. */
  readonly memberId: string
  /** The generation of the group, or the epoch of the member, that it was sent with. */
  readonly generation: number
  /** The time from the heartbeat to its response or failure. */
  readonly durationMs: number
  /** Undefined when the membership was confirmed; REBALANCE_IN_PROGRESS when a rebalance has begun. */
  readonly error: Error | undefined
}

/** A rebalance of a group is over, and has changed what this member reads. */
export interface RebalanceEvent extends ClientEvent {
  /** The name of the group. */
  readonly group: string
  /** The id of this member in the group. */
  readonly memberId: string
  /** How long the rebalance took. */
  readonly durationMs: number
  /** The partitions that this member has gained. */
  readonly assigned: readonly PartitionOfGroup[]
  /** The partitions that this member has given up. */
  readonly revoked: readonly PartitionOfGroup[]
  /** Without a chance to commit. */
  readonly lost: readonly PartitionOfGroup[]
  /** All that it reads now. */
  readonly assignment: readonly PartitionOfGroup[]
}
/** A partition in the payload of `samsa:rebalance`. */
export interface PartitionOfGroup {
  /** The name of the topic. */
  readonly topic: string
  /** The number of the partition. */
  readonly partition: number
}

/** `samsa:connect`: a connection was opened, handshakes included, or could not be. */
export const connectChannel = channel('samsa:connect')
/** `samsa:request`: a request was answered, or ended without an answer. */
export const requestChannel = channel('samsa:request')
/** `samsa:close`: a connection ended. */
export const closeChannel = channel('samsa:close')
/** `samsa:retry`: something failed and will be tried again. */
export const retryChannel = channel('samsa:retry')
/** `samsa:position`: a consumer goes on elsewhere than where it was. */
export const positionChannel = channel('samsa:position')
/** `samsa:delivery`: a batch of messages was acknowledged, or given up. */
export const deliveryChannel = channel('samsa:delivery')
/** `samsa:rebalance`: a member of a group has other partitions than before. */
export const rebalanceChannel = channel('samsa:rebalance')
/** `samsa:throttle`: a broker throttles the client. */
export const throttleChannel = channel('samsa:throttle')
/** `samsa:fetch`: a fetch response had records. */
export const fetchChannel = channel('samsa:fetch')
/** `samsa:commit`: offsets were committed, or could not be. */
export const commitChannel = channel('samsa:commit')
/** `samsa:heartbeat`: a member of a group sent a heartbeat. */
export const heartbeatChannel = channel('samsa:heartbeat')
