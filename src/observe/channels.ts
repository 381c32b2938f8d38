/**
 * The events on node:diagnostics_channel. A channel without subscribers costs one property read. The payloads are
 * public; docs/observability.md lists them.
 */
import { channel } from 'node:diagnostics_channel'
import type { ClientMetricsSnapshot } from './metrics/snapshot.ts'

/** The common property of the payloads. */
export interface ClientEvent {
  /** The `clientId` of the client. */
  readonly clientId: string
}

/** The payload of `samsa:connect`: a connection is ready. */
export interface ConnectEvent extends ClientEvent {
  /** The address of the broker, as `host:port`. */
  readonly broker: string
  /** What the connection is for, such as `produce` or `fetch`. */
  readonly purpose: string
  /** How long connecting took, with TLS and login. */
  readonly durationMs: number
  /** Why connecting failed; undefined if it succeeded. */
  readonly error: Error | undefined
}

/** The payload of `samsa:request`: a request has a response, or has failed. */
export interface RequestEvent extends ClientEvent {
  /** The address of the broker, as `host:port`. */
  readonly broker: string
  /** The node id of the broker; −1 on a connection to a bootstrap address. */
  readonly nodeId: number
  /** The name of the API, such as `Produce`. */
  readonly api: string
  /** Kafka's number of the API, such as 0 for `Produce`. */
  readonly apiKey: number
  /** The version of the API. */
  readonly version: number
  /** The `instanceId` of the KafkaClient that sent the request: clients of a process may share a `clientId`. */
  readonly instanceId: number
  /** The number of the request on its connection. */
  readonly correlationId: number
  /** The size of the response; 0 where there is none. */
  readonly responseBytes: number
  /** The time from sending the request to its response or failure. */
  readonly durationMs: number
  /** Why the request failed; undefined if it has a response. */
  readonly error: Error | undefined
}

/** The payload of `samsa:close`: a connection ended. */
export interface CloseEvent extends ClientEvent {
  /** The address of the broker, as `host:port`. */
  readonly broker: string
  /** Why the connection ended. */
  readonly reason: Error
}

/** The payload of `samsa:retry`: an operation is retried. */
export interface RetryEvent extends ClientEvent {
  /** What is retried, such as `Metadata` or `producing to orders-3`. */
  readonly what: string
  /** The number of attempts so far. */
  readonly attempt: number
  /** The wait before the next attempt. */
  readonly waitMs: number
  /** Why the last attempt failed. */
  readonly error: Error
}

/** The payload of `samsa:position`: the position of a consumer has moved without a request of the application. */
export interface PositionEvent extends ClientEvent {
  /** The topic of the partition. */
  readonly topic: string
  /** The number of the partition. */
  readonly partition: number
  /** The offset that would have been next. */
  readonly from: number
  /** The offset that the consumer continues at. */
  readonly to: number
  /** Why: the log does not have the offset, or a leader change removed records that had been read. */
  readonly reason: 'out-of-range' | 'truncated'
}

/** The payload of `samsa:delivery`: a batch was acknowledged, or has failed. */
export interface DeliveryEvent extends ClientEvent {
  /** The id of the cluster; undefined before Kafka 0.10.1. */
  readonly clusterId: string | undefined
  /** The topic of the batch. */
  readonly topic: string
  /** The partition of the batch. */
  readonly partition: number
  /** The offset of the first message; −1 if it is not known. */
  readonly offset: number
  /** The number of messages in the batch. */
  readonly messages: number
  /** The time since the first message was produced. */
  readonly durationMs: number
  /** How often the batch was sent. */
  readonly attempts: number
  /** Why the messages failed; undefined if they were acknowledged. */
  readonly error: Error | undefined
}

/** The payload of `samsa:throttle`: a broker throttles the client for a quota. */
export interface ThrottleEvent extends ClientEvent {
  /** The address of the broker, as `host:port`. */
  readonly broker: string
  /** The name of the API whose response reports it, such as `Produce`. */
  readonly api: string
  /** The throttle time in the response. */
  readonly throttleTimeMs: number
  /** How long the client waits before its next request; 0 if the broker has delayed the response (before Kafka 2.0). */
  readonly waitMs: number
}

/** The payload of `samsa:fetch`: a fetch response had records. */
export interface FetchEvent extends ClientEvent {
  /** The address of the broker, as `host:port`. */
  readonly broker: string
  /** The id of the cluster; undefined before Kafka 0.10.1. */
  readonly clusterId: string | undefined
  /** The consumer's group; undefined without one. */
  readonly group: string | undefined
  /** The topics in the request. */
  readonly topics: readonly string[]
  /** The size of the records in the response, compressed. */
  readonly bytes: number
  /** The number of partitions in the request. */
  readonly partitions: number
  /** The time from the request to its response, including the broker's wait for records. */
  readonly durationMs: number
}

/** The payload of `samsa:commit`: offsets were committed, or could not be. */
export interface CommitEvent extends ClientEvent {
  /** The id of the cluster; undefined before Kafka 0.10.1. */
  readonly clusterId: string | undefined
  /** The name of the group. */
  readonly group: string
  /** The offsets to commit: of the next message of each partition. */
  readonly offsets: readonly OffsetOfPartition[]
  /** How long the commit took, including its retries. */
  readonly durationMs: number
  /** Why at least one offset was not committed; undefined if all were. */
  readonly error: Error | undefined
}

/** An offset in the payload of `samsa:commit`. */
export interface OffsetOfPartition extends PartitionOfGroup {
  /** The offset of the next message. */
  readonly offset: number
}

/** The payload of `samsa:process`: handlers have processed messages of a partition. */
export interface ProcessEvent extends ClientEvent {
  /** The id of the cluster; undefined before Kafka 0.10.1. */
  readonly clusterId: string | undefined
  /** The consumer's group; undefined without one. */
  readonly group: string | undefined
  /** The topic of the messages. */
  readonly topic: string
  /** The partition of the messages. */
  readonly partition: number
  /** The number of messages, one that failed included. */
  readonly messages: number
  /** How long the handlers took. Handlers that run at the same time count once. */
  readonly durationMs: number
  /** What a handler threw; undefined if all of them succeeded. */
  readonly error: unknown
}

/** The payload of `samsa:acknowledge`: a share consumer sent acknowledgements of a partition, with their result. */
export interface AcknowledgeEvent extends ClientEvent {
  /** The id of the cluster. */
  readonly clusterId: string | undefined
  /** The address of the broker, as `host:port`. */
  readonly broker: string
  /** The name of the share group. */
  readonly group: string
  /** The topic of the messages. */
  readonly topic: string
  /** The partition of the messages. */
  readonly partition: number
  /** The number of messages that were processed. */
  readonly accepted: number
  /** The number of messages to deliver again. */
  readonly released: number
  /** The number of messages not to deliver again. */
  readonly rejected: number
  /** The time from the request to its response or failure. A fetch that has them waits for messages, too. */
  readonly durationMs: number
  /** Why they had no effect, or may have had none: those that are in time are repeated. */
  readonly error: Error | undefined
}

/** The payload of `samsa:heartbeat`: a heartbeat was answered, or has failed. */
export interface HeartbeatEvent extends ClientEvent {
  /** The name of the group. */
  readonly group: string
  /** The id of the member in the group. */
  readonly memberId: string
  /** The generation of the group, or the epoch of the member, in the request. */
  readonly generation: number
  /** The time from the heartbeat to its response or failure. */
  readonly durationMs: number
  /** Undefined if the membership was confirmed; REBALANCE_IN_PROGRESS if a rebalance has begun. */
  readonly error: Error | undefined
}

/** The payload of `samsa:deadletter`: `withDeadLetters` has sent a message to a dead-letter topic. */
export interface DeadLetterEvent extends ClientEvent {
  /** The topic that the message was read from. */
  readonly topic: string
  /** The partition that the message was read from. */
  readonly partition: number
  /** The offset of the message in its partition. */
  readonly offset: number
  /** How often its handler was called; 0 for a message that could not be deserialized. */
  readonly attempts: number
  /** What the handler threw last. */
  readonly error: unknown
}

/** The payload of `samsa:client`: a client was created. */
export interface ClientCreatedEvent extends ClientEvent {
  /** Returns the client's metrics, like `client.metrics()`. */
  readonly metrics: () => ClientMetricsSnapshot
  /** Returns whether the client is closed. */
  readonly isClosed: () => boolean
}

/** The payload of `samsa:rebalance`: a rebalance has ended, and has changed the partitions of this member. */
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
  /** The partitions that this member has lost without a chance to commit. */
  readonly lost: readonly PartitionOfGroup[]
  /** All partitions that this member reads now. */
  readonly assignment: readonly PartitionOfGroup[]
}

/** The payload of `samsa:group`: a generation of a classic group has begun or ends for this member. */
export type GroupEvent = GroupJoinedEvent | GroupRebalancingEvent

/** A generation of the group has begun: this member has received its assignment. */
export interface GroupJoinedEvent extends ClientEvent {
  /** Distinguishes the events of the channel. */
  readonly kind: 'joined'
  /** The name of the group. */
  readonly group: string
  /** The `instanceId` of the member's KafkaClient. */
  readonly instanceId: number
  /** The id of this member in the group. */
  readonly memberId: string
  /** The number of the generation. */
  readonly generation: number
  /** The id of the member that decided the assignment. */
  readonly leaderId: string
  /** The name of the assignor that the coordinator has chosen. */
  readonly assignor: string
  /** How long joining took. */
  readonly durationMs: number
  /** What the leader assigned to this member, topics included to which it has not subscribed: it does not read these. */
  readonly assignment: readonly PartitionOfGroup[]
}

/** The group rebalances: this member will join it again. */
export interface GroupRebalancingEvent extends ClientEvent {
  /** Distinguishes the events of the channel. */
  readonly kind: 'rebalancing'
  /** The name of the group. */
  readonly group: string
  /** The `instanceId` of the member's KafkaClient. */
  readonly instanceId: number
  /** The id of this member in the group. */
  readonly memberId: string
  /** The number of the generation that ends. */
  readonly generation: number
}

/** A partition in the payloads of `samsa:rebalance` and `samsa:group`. */
export interface PartitionOfGroup {
  /** The name of the topic. */
  readonly topic: string
  /** The number of the partition. */
  readonly partition: number
}

/** `samsa:connect`: a connection was opened, with all handshakes, or failed to open. */
export const connectChannel = channel('samsa:connect')
/** `samsa:request`: a request was answered, or failed. */
export const requestChannel = channel('samsa:request')
/** `samsa:close`: a connection ended. */
export const closeChannel = channel('samsa:close')
/** `samsa:retry`: an operation failed and will be retried. */
export const retryChannel = channel('samsa:retry')
/** `samsa:position`: the position of a consumer has moved without a request of the application. */
export const positionChannel = channel('samsa:position')
/** `samsa:delivery`: a batch of messages was acknowledged, or failed. */
export const deliveryChannel = channel('samsa:delivery')
/** `samsa:rebalance`: the partitions of a member of a group have changed. */
export const rebalanceChannel = channel('samsa:rebalance')
/** `samsa:throttle`: a broker throttles the client. */
export const throttleChannel = channel('samsa:throttle')
/** `samsa:fetch`: a fetch response had records. */
export const fetchChannel = channel('samsa:fetch')
/** `samsa:commit`: offsets were committed, or could not be. */
export const commitChannel = channel('samsa:commit')
/** `samsa:process`: handlers have processed messages of a partition. */
export const processChannel = channel('samsa:process')
/** `samsa:acknowledge`: a share consumer has acknowledged messages, or could not. */
export const acknowledgeChannel = channel('samsa:acknowledge')
/** `samsa:heartbeat`: a member of a group sent a heartbeat. */
export const heartbeatChannel = channel('samsa:heartbeat')
/** `samsa:deadletter`: a message was sent to a dead-letter topic. */
export const deadLetterChannel = channel('samsa:deadletter')
/** `samsa:client`: a client was created. */
export const clientChannel = channel('samsa:client')
/** `samsa:group`: a member of a group has joined a generation, or has learned that it ends. */
export const groupChannel = channel('samsa:group')
