/**
 * Events on node:diagnostics_channel, which costs a property read without subscribers.
 * docs/observability.md lists them; their payloads are public.
 */
import { channel } from 'node:diagnostics_channel'

export interface ConnectEvent {
  readonly broker: string
  readonly purpose: string
  readonly durationMs: number
  /** Undefined when it succeeded. */
  readonly error: Error | undefined
}

export interface RequestEvent {
  readonly broker: string
  readonly api: string
  readonly version: number
  readonly durationMs: number
  readonly error: Error | undefined
}

export interface CloseEvent {
  readonly broker: string
  readonly reason: Error
}

export interface RetryEvent {
  /** What is tried again, such as `Metadata` or `producing to orders-3`. */
  readonly what: string
  readonly attempt: number
  readonly waitMs: number
  readonly error: Error
}

/** A consumer goes on elsewhere than where it was. */
export interface PositionEvent {
  readonly topic: string
  readonly partition: number
  /** The offset that would have been next, and the one that is. */
  readonly from: number
  readonly to: number
  /** The log does not have the offset (any more), or lost with a leader what had been read. */
  readonly reason: 'out-of-range' | 'truncated'
}

export interface DeliveryEvent {
  readonly topic: string
  readonly partition: number
  /** How many messages, of one batch. */
  readonly messages: number
  /** From when the first of them was produced. */
  readonly durationMs: number
  /** How often they were sent. */
  readonly attempts: number
  /** Undefined when they were acknowledged. */
  readonly error: Error | undefined
}

/** A rebalance of a group is over, and has changed what this member reads. */
export interface RebalanceEvent {
  readonly group: string
  readonly memberId: string
  readonly durationMs: number
  readonly assigned: readonly PartitionOfGroup[]
  readonly revoked: readonly PartitionOfGroup[]
  /** Without a chance to commit. */
  readonly lost: readonly PartitionOfGroup[]
  /** All that it reads now. */
  readonly assignment: readonly PartitionOfGroup[]
}
export interface PartitionOfGroup {
  readonly topic: string
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
