import { PastCeilingError } from '../protocol/compression/index.ts'
import { describeError, ErrorCode, type ErrorName } from '../protocol/errors.ts'
import { printable } from './observe/printable.ts'
import { textOfThrown } from './observe/thrown.ts'
import { recoveryFor, type Recovery } from './recovery.ts'

/** The longest message of an error, so that a broker's text cannot fill a log. */
const LONGEST_MESSAGE = 4_000

/** The subject of an error, if it is known. */
export interface ErrorContext {
  /** `host:port` of the broker. */
  readonly broker?: string | undefined
  readonly topic?: string | undefined
  readonly partition?: number | undefined
  readonly cause?: unknown
}

/**
 * The base class of all errors of samsa. `code` identifies the error, `retriable` is true if the same call may
 * succeed later, and `recovery` says what to do about it.
 */
export class KafkaError extends Error {
  override readonly name: string = 'KafkaError'
  /** Kafka's own name for an error of a broker (`NOT_LEADER_OR_FOLLOWER`), one in its style otherwise. */
  readonly code: string
  readonly retriable: boolean
  /** `retry` if and only if the error is retriable. */
  readonly recovery: Recovery
  readonly broker: string | undefined
  readonly topic: string | undefined
  readonly partition: number | undefined

  constructor(code: string, message: string, retriable: boolean, context: ErrorContext = {}) {
    // Shortened here for all errors, because a part of the message may be a broker's text.
    super(
      printable(message, LONGEST_MESSAGE),
      context.cause === undefined ? undefined : { cause: context.cause },
    )
    this.code = code
    this.retriable = retriable
    this.recovery = recoveryFor(code, retriable)
    this.broker = context.broker
    this.topic = context.topic
    this.partition = context.partition
  }

  /** Called by `JSON.stringify`, because an Error's own message is not enumerable. */
  toJSON(): Record<string, unknown> {
    const { name, code, message, retriable, recovery, broker, topic, partition } = this
    return { name, code, message, retriable, recovery, broker, topic, partition }
  }
}

/** A broker answered with an error code. */
export class BrokerError extends KafkaError {
  override readonly name = 'BrokerError'
  /** Kafka's number of the error. */
  readonly errorCode: number
  /** True if newer metadata may help: the leader moved, or the broker does not know the topic. */
  readonly invalidMetadata: boolean

  constructor(errorCode: number, what: string, context: ErrorContext = {}, detail?: string | null) {
    const { name, meaning, retriable, invalidMetadata } = describeError(errorCode)
    const on = context.broker === undefined ? '' : ` on ${context.broker}`
    super(
      name,
      `${what} failed${on} with ${name}: ${brokerReason(name, meaning, detail)}`,
      retriable,
      context,
    )
    this.errorCode = errorCode
    this.invalidMetadata = invalidMetadata
  }
}

/** A broker's text about missing permissions does not say what to do, so our description is added. */
function brokerReason(name: string, meaning: string, detail: string | null | undefined): string {
  if (detail === undefined || detail === null) return meaning
  return name.endsWith('_AUTHORIZATION_FAILED') && detail !== '' ? `${detail} ${meaning}` : detail
}

/** An option, an argument or a message that is not valid, whatever the state of the cluster. */
export class InvalidArgumentError extends KafkaError {
  override readonly name = 'InvalidArgumentError'

  constructor(message: string, context?: ErrorContext) {
    super('INVALID_ARGUMENT', message, false, context)
  }
}

/** The connection could not be opened, or the server is not a Kafka broker. */
export class ConnectionError extends KafkaError {
  override readonly name: string = 'ConnectionError'

  constructor(code: ConnectionErrorCode, message: string, context: ErrorContext) {
    super(code, message, code !== 'NOT_KAFKA', context)
  }
}
export type ConnectionErrorCode =
  | 'CONNECTION_FAILED'
  | 'CONNECTION_TIMED_OUT'
  | 'CONNECTION_CLOSED'
  | 'NOT_KAFKA'
  | 'MALFORMED_RESPONSE'
  | 'INCONSISTENT_CLUSTER_ID'

/** The connection ended while a request was in flight: it is unknown if the broker processed the request. */
export class SocketDisconnectedError extends ConnectionError {
  override readonly name = 'SocketDisconnectedError'

  constructor(message: string, context: ErrorContext) {
    super('CONNECTION_CLOSED', message, context)
  }
}

/**
 * The server at a broker's address belongs to another cluster, or is another broker of this one; no request other
 * than the check was sent to it. Retriable, because another server may use the address for a while, or the broker may
 * have moved.
 */
export class WrongClusterError extends ConnectionError {
  override readonly name = 'WrongClusterError'

  /** `found` is the id of the other cluster; undefined if the broker only reported that it is another broker. */
  constructor(broker: string, found: string | undefined, expected: string) {
    const other =
      found === undefined
        ? 'responded that it is another broker, or of another cluster'
        : `belongs to the cluster '${found}'`
    super(
      'INCONSISTENT_CLUSTER_ID',
      `${broker} ${other}; this client uses the cluster '${expected}'`,
      {
        broker,
      },
    )
  }
}

/**
 * A broker did not respond in time. Its connection is closed, so that a late response is not matched to another
 * request.
 */
export class RequestTimeoutError extends KafkaError {
  override readonly name = 'RequestTimeoutError'

  constructor(message: string, context: ErrorContext) {
    super('REQUEST_TIMED_OUT', message, true, context)
  }
}

/** No broker could be reached. `attempts` has the reason for each address. */
export class NoBrokersAvailableError extends KafkaError {
  override readonly name = 'NoBrokersAvailableError'
  readonly attempts: readonly { readonly address: string; readonly error: Error }[]

  constructor(attempts: NoBrokersAvailableError['attempts']) {
    const reasons = attempts.map(({ address, error }) => `${address}: ${reasonOf(error)}`)
    super('NO_BROKERS_AVAILABLE', `no broker could be reached (${reasons.join('; ')})`, true, {
      cause: attempts[0]?.error,
    })
    this.attempts = attempts
  }
}

function reasonOf(error: Error): string {
  // A lost connection has more information than its cause: the interrupted request, and what to check.
  const isComplete =
    !(error instanceof KafkaError) ||
    error.code === 'NOT_KAFKA' ||
    error instanceof SocketDisconnectedError
  // The cause does not repeat the address, which the caller puts first.
  return !isComplete && error.cause instanceof Error
    ? error.cause.message || error.message
    : error.message
}

/** The broker and samsa have no version of this API in common, or the broker lacks a requested feature. */
export class UnsupportedVersionError extends KafkaError {
  override readonly name = 'UnsupportedVersionError'

  constructor(message: string, context?: ErrorContext) {
    super('UNSUPPORTED_VERSION', message, false, context)
  }
}

/**
 * Returns the error for what a newer Kafka than the broker's introduced. `what` is the subject of the sentence; the
 * context names the broker, if it is known.
 */
export function requiresKafka(
  what: string,
  release: string,
  context: ErrorContext = {},
): UnsupportedVersionError {
  const { broker } = context
  const isOlder = broker === undefined ? '' : `, but ${broker} is older`
  return new UnsupportedVersionError(
    `${what} requires Kafka ${release} or newer${isOlder}`,
    context,
  )
}

/**
 * A broker returned an int64 above 2^53, such as an offset, which a number would round. The message contains the
 * exact value.
 */
export class UnsafeIntegerError extends KafkaError {
  override readonly name = 'UnsafeIntegerError'
  readonly value: bigint

  constructor(what: string, value: bigint, context?: ErrorContext) {
    super('UNSAFE_INTEGER', `${what} is ${value}, which is larger than 2^53`, false, context)
    this.value = value
  }

  override toJSON(): Record<string, unknown> {
    return { ...super.toJSON(), value: String(this.value) }
  }
}

/** The topic or partition does not exist, and the request did not create it. */
export class UnknownTopicError extends KafkaError {
  override readonly name = 'UnknownTopicError'

  constructor(message: string, context: ErrorContext) {
    super('UNKNOWN_TOPIC_OR_PARTITION', message, false, context)
  }
}

/** The partition had no leader for as long as the caller would wait. */
export class LeaderNotFoundError extends KafkaError {
  override readonly name = 'LeaderNotFoundError'

  constructor(message: string, context: ErrorContext) {
    super('LEADER_NOT_AVAILABLE', message, true, context)
  }
}

/** The message is larger than the limit of the producer or the broker. */
export class MessageTooLargeError extends KafkaError {
  override readonly name = 'MessageTooLargeError'

  constructor(message: string, context: ErrorContext) {
    super('MESSAGE_TOO_LARGE', message, false, context)
  }
}

/**
 * The message was not acknowledged in time. `outcomeUnknown` is true if a request with it was in flight: the message
 * may be in the log.
 */
export class ProduceFailureError extends KafkaError {
  override readonly name = 'ProduceFailureError'
  readonly outcomeUnknown: boolean

  constructor(message: string, outcomeUnknown: boolean, context: ErrorContext) {
    super('PRODUCE_FAILED', message, true, context)
    this.outcomeUnknown = outcomeUnknown
  }
}

/** A message that failed. */
export interface FailedMessage {
  /** The message as it was given, or as bytes if it was already encoded. */
  readonly message: unknown
  readonly error: Error
}

/** Some messages of `produceMany` failed; `code` is that of the first. The others are in the log. */
export class ProduceManyError extends KafkaError {
  override readonly name = 'ProduceManyError'
  readonly failures: readonly FailedMessage[]
  readonly delivered: number

  constructor(failures: readonly FailedMessage[], delivered: number) {
    const { error } = failures[0]!
    const known = error instanceof KafkaError ? error : undefined
    const code = known?.code ?? 'PRODUCE_FAILED'
    const of = failures.length + delivered
    const reason = `${failures.length} of ${of} messages failed; the first: ${error.message}`
    super(code, reason, known?.retriable ?? false, {
      topic: known?.topic,
      partition: known?.partition,
      broker: known?.broker,
      cause: error,
    })
    this.failures = failures
    this.delivered = delivered
  }
}

/** The queue exceeds `maxQueuedBytes`: await `ready()` before producing more. */
export class ProducerQueueFullError extends KafkaError {
  override readonly name = 'ProducerQueueFullError'

  constructor(message: string) {
    super('PRODUCER_QUEUE_FULL', message, true)
  }
}

/** A client, producer or consumer was used after it was closed. */
export class ClosedError extends KafkaError {
  override readonly name = 'ClosedError'

  constructor(what: string) {
    super('CLOSED', `the ${what} is closed`, false)
  }
}

/**
 * The partition is being taken away from this consumer, or was: the reason of the `signal` of handlers. Unfinished
 * messages are delivered to the partition's next owner.
 */
export class PartitionRevokedError extends KafkaError {
  override readonly name = 'PartitionRevokedError'

  constructor({ topic, partition }: { readonly topic: string; readonly partition: number }) {
    const where = { topic, partition }
    super(
      'PARTITION_REVOKED',
      `${topic}-${partition} is no longer assigned to this consumer`,
      false,
      where,
    )
  }
}

/**
 * The library that a codec needs cannot be loaded or does not run here, such as zstd on Node.js before 22.15 with
 * WebAssembly turned off (`--jitless`). The error says nothing about the data, so `skipCorrupt` does not skip them.
 */
export class CompressionUnavailableError extends KafkaError {
  override readonly name = 'CompressionUnavailableError'

  constructor(cause: Error, context: ErrorContext = {}) {
    super('COMPRESSION_UNAVAILABLE', cause.message, false, { ...context, cause })
  }
}

/**
 * A batch does not match its checksum, or its records do not match its header. The position stays before the batch.
 */
export class CorruptBatchError extends KafkaError {
  override readonly name = 'CorruptBatchError'
  readonly offset: number

  constructor(topic: string, partition: number, offset: number, cause: Error) {
    const hint = cause instanceof PastCeilingError ? ', which decompressedBatchMaxBytes sets' : ''
    const message = `damaged data in ${cause.message}${hint}`
    super('CORRUPT_MESSAGE', message, false, { topic, partition, cause })
    this.offset = offset
  }
}

/** A deserializer threw. The position stays at the message, unless `onDeserializationError` skips it. */
export class DeserializationError extends KafkaError {
  override readonly name = 'DeserializationError'
  readonly offset: number

  constructor(topic: string, partition: number, offset: number, cause: unknown) {
    const message = `the message at ${topic}-${partition} offset ${offset} could not be deserialized: ${textOfThrown(cause)}`
    super('DESERIALIZATION_FAILED', message, false, { topic, partition, cause })
    this.offset = offset
  }
}

/**
 * There is no position to read from, and `autoOffsetReset` is `none`: the group has committed none, or the log does
 * not contain it (or no longer). `seek` sets a position.
 */
export class NoOffsetError extends KafkaError {
  override readonly name = 'NoOffsetError'
  /** The position that is not in the log; undefined if there was none. */
  readonly offset: number | undefined

  constructor(message: string, offset: number | undefined, context: ErrorContext) {
    super(offset === undefined ? 'NO_OFFSET' : 'OFFSET_OUT_OF_RANGE', message, false, context)
    this.offset = offset
  }
}

/** The topic was deleted and created again while it was read: the offsets of the old one are not valid in it. */
export class TopicRecreatedError extends KafkaError {
  override readonly name = 'TopicRecreatedError'

  constructor(topic: string, partition: number) {
    const message = `topic '${topic}' was deleted and created again while it was read: seek to the new position of partition ${partition}`
    super('INCONSISTENT_TOPIC_ID', message, false, { topic, partition })
  }
}

/** Some offsets were not committed; `code` is that of the first. The others of the same call were committed. */
export class OffsetCommitError extends KafkaError {
  override readonly name = 'OffsetCommitError'
  readonly failures: readonly KafkaError[]

  constructor(failures: readonly [KafkaError, ...KafkaError[]]) {
    const [first] = failures
    const more = failures.length === 1 ? '' : ` (and ${failures.length - 1} more partitions)`
    super(first.code, `${first.message}${more}`, first.retriable, {
      broker: first.broker,
      topic: first.topic,
      partition: first.partition,
      cause: first,
    })
    this.failures = failures
  }
}

/** A consumer with `autoStart: false` was read before it was started. */
export class NotStartedError extends KafkaError {
  override readonly name = 'NotStartedError'

  constructor() {
    super('NOT_STARTED', 'the consumer was not started: call start() first', false)
  }
}

/** A consumer is being read in two ways at the same time: each message would go to only one of them. */
export class ConsumerBusyError extends KafkaError {
  override readonly name = 'ConsumerBusyError'

  constructor(message: string) {
    super('CONSUMER_BUSY', message, false)
  }
}

export type { ErrorName, Recovery }

/** Returns true if a retry may help. Errors that are not samsa's are bugs, and are never retried. */
export function isRetriable(error: unknown): boolean {
  return error instanceof KafkaError && error.retriable
}

/** Returns true if the broker could not be reached or did not respond: another broker may. */
export function isUnreachable(error: unknown): error is KafkaError {
  return (
    error instanceof ConnectionError ||
    error instanceof RequestTimeoutError ||
    (error instanceof TlsError && error.retriable)
  )
}

/**
 * Returns true if a broker responded that it does not know the topic or the partition, which may be new, or deleted.
 */
export function deniesTopic(error: unknown): boolean {
  if (!(error instanceof BrokerError)) return false
  const { errorCode } = error
  return (
    errorCode === ErrorCode.UNKNOWN_TOPIC_OR_PARTITION || errorCode === ErrorCode.UNKNOWN_TOPIC_ID
  )
}

/** Returns true if the known leaders are or may be out of date. */
export function suggestsNewMetadata(error: unknown): boolean {
  if (error instanceof BrokerError) return error.invalidMetadata
  return error instanceof LeaderNotFoundError || isUnreachable(error)
}

/**
 * Logging in to a broker failed. `code` is the code that the broker returned, SASL_SERVER_NOT_TRUSTED if the broker
 * could not prove its own identity, or SASL_CREDENTIALS_UNAVAILABLE if there were no credentials. A retry may help
 * only for the last one: `retriable` is true if its cause is retriable, and once the client has reached the cluster,
 * because a token provider may be unavailable for a while.
 */
export class AuthenticationError extends KafkaError {
  override readonly name = 'AuthenticationError'
  /** Kafka's name of the mechanism: `PLAIN`, `SCRAM-SHA-256`, … */
  readonly mechanism: string

  constructor(
    code: AuthenticationErrorCode,
    message: string,
    context: ErrorContext & { readonly mechanism: string; readonly retriable?: boolean },
  ) {
    super(code, message, context.retriable ?? false, context)
    this.mechanism = context.mechanism
  }
}
export type AuthenticationErrorCode =
  | 'SASL_AUTHENTICATION_FAILED'
  | 'UNSUPPORTED_SASL_MECHANISM'
  | 'ILLEGAL_SASL_STATE'
  | 'SASL_SERVER_NOT_TRUSTED'
  | 'SASL_CREDENTIALS_UNAVAILABLE'

/** TLS could not be set up with a broker, for the given `reason`. Only a lost connection is worth a retry. */
export class TlsError extends KafkaError {
  override readonly name = 'TlsError'
  readonly reason: TlsFailure

  constructor(reason: TlsFailure, message: string, context: ErrorContext) {
    super('TLS_HANDSHAKE_FAILED', message, reason === 'CONNECTION_LOST', context)
    this.reason = reason
  }
}
export type TlsFailure =
  | 'UNTRUSTED_CERTIFICATE'
  | 'CERTIFICATE_EXPIRED'
  | 'CERTIFICATE_NOT_YET_VALID'
  | 'HOSTNAME_MISMATCH'
  | 'CLIENT_CERTIFICATE_REQUIRED'
  | 'CLIENT_CERTIFICATE_REJECTED'
  | 'NO_COMMON_PROTOCOL'
  | 'NO_TLS'
  | 'CONNECTION_LOST'
  | 'OTHER'
