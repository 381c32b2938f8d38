/** Converts errors of samsa to those of kafkajs. */
import {
  AuthenticationError,
  BrokerError,
  ConnectionError,
  KafkaError,
  LeaderNotFoundError,
  MembershipLostError,
  MessageTooLargeError,
  NoBrokersAvailableError,
  OffsetCommitError,
  ProduceFailureError,
  ProduceManyError,
  ProducerFencedError,
  RequestTimeoutError,
  SocketDisconnectedError,
  TlsError,
  UnknownTopicError,
  UnsupportedVersionError,
} from '../index.ts'
import { describeError, ErrorCode, type ErrorName } from '../../protocol/index.ts'
import {
  KafkaJSConnectionClosedError,
  KafkaJSConnectionError,
  KafkaJSError,
  KafkaJSNonRetriableError,
  KafkaJSProtocolError,
  KafkaJSRequestTimeoutError,
  KafkaJSSASLAuthenticationError,
  KafkaJSServerDoesNotSupportApiKey,
} from './errors.ts'
import { ERROR_TEXTS, unknownErrorText } from './error-texts.ts'
import { textOf } from './text.ts'

/** The error codes that have older names in kafkajs. */
const OLD_NAMES: Readonly<Record<number, string>> = {
  [-1]: 'UNKNOWN',
  6: 'NOT_LEADER_FOR_PARTITION',
  14: 'GROUP_LOAD_IN_PROGRESS',
  15: 'GROUP_COORDINATOR_NOT_AVAILABLE',
  16: 'NOT_COORDINATOR_FOR_GROUP',
}

/** The names of mechanisms in the texts of kafkajs that differ from Kafka's. */
const SASL_NAMES: Readonly<Record<string, string>> = {
  'SCRAM-SHA-256': 'SCRAM SHA256',
  'SCRAM-SHA-512': 'SCRAM SHA512',
}

/** The highest error code that kafkajs knows. */
const LAST_KNOWN_CODE = 88
const UNKNOWN_CODE = -99

/** The error for an error code of a response. As in kafkajs, a code that kafkajs does not know has the code −99. */
export function protocolErrorOf(code: number): KafkaJSProtocolError {
  const { name, retriable } = describeError(code)
  const isKnown = code <= LAST_KNOWN_CODE && !name.startsWith('UNKNOWN_CODE_')
  return new KafkaJSProtocolError(
    Object.assign(new Error(ERROR_TEXTS.get(code) ?? unknownErrorText(code)), {
      type: isKnown ? (OLD_NAMES[code] ?? name) : 'KAFKAJS_UNKNOWN_ERROR_CODE',
      code: isKnown ? code : UNKNOWN_CODE,
      retriable: isKnown && retriable,
    }),
  )
}

/** Throws the error for an error code of a response, unless the code is 0. */
export function throwIfFailed(code: number): void {
  if (code !== 0) throw protocolErrorOf(code)
}

/**
 * The error that kafkajs would have thrown. An error that is not samsa's, such as one of a handler, is returned as it
 * is, and a value that is not an error becomes the message of one.
 */
export function errorFrom(error: unknown): Error {
  if (error instanceof KafkaJSError) return error
  if (error instanceof KafkaError) return fromSamsa(error)
  return error instanceof Error ? error : new Error(textOf(error))
}

function fromSamsa(error: KafkaError): Error {
  if (error instanceof BrokerError) return protocolErrorOf(error.errorCode)
  if (error instanceof ProduceManyError) return errorFrom(error.failures[0]?.error)
  if (error instanceof OffsetCommitError) return errorFrom(error.failures[0])
  if (error instanceof ProduceFailureError) {
    // Without a cause, no attempt got a response.
    return error.cause === undefined
      ? new KafkaJSRequestTimeoutError(error.message, { broker: error.broker ?? '' })
      : errorFrom(error.cause)
  }
  if (error instanceof UnknownTopicError)
    return protocolErrorOf(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
  if (error instanceof LeaderNotFoundError) return protocolErrorOf(ErrorCode.LEADER_NOT_AVAILABLE)
  if (error instanceof MessageTooLargeError) return protocolErrorOf(ErrorCode.MESSAGE_TOO_LARGE)
  if (error instanceof ProducerFencedError) return protocolErrorOf(ErrorCode.INVALID_PRODUCER_EPOCH)
  if (error instanceof MembershipLostError) return errorFrom(error.cause)
  if (error instanceof UnsupportedVersionError) {
    return new KafkaJSServerDoesNotSupportApiKey(error.message)
  }
  if (error instanceof AuthenticationError) return authenticationError(error)
  return connectionError(error) ?? byCode(error)
}

function authenticationError(error: AuthenticationError): Error {
  // An error of the application's provider of tokens or of its mechanism.
  if (error.code === 'SASL_CREDENTIALS_UNAVAILABLE' && error.cause instanceof Error) {
    return errorFrom(error.cause)
  }
  const name = SASL_NAMES[error.mechanism] ?? error.mechanism
  const reason = `SASL ${name} authentication failed: ${error.message}`
  return new KafkaJSSASLAuthenticationError(reason, { cause: error })
}

function connectionError(error: KafkaError): Error | undefined {
  const broker = error.broker ?? ''
  if (error instanceof RequestTimeoutError) {
    return new KafkaJSRequestTimeoutError(error.message, { broker })
  }
  if (error instanceof NoBrokersAvailableError) {
    const [first] = error.attempts
    if (first === undefined) return new KafkaJSConnectionError(error.message)
    if (first.error instanceof AuthenticationError) return errorFrom(first.error)
    return new KafkaJSConnectionError(`Connection error: ${first.error.message}`, {
      broker: first.address,
      code: systemCodeOf(first.error),
    })
  }
  if (error instanceof SocketDisconnectedError) {
    const [, host = '', port = ''] = /^(.*):(\d+)$/.exec(broker) ?? []
    return new KafkaJSConnectionClosedError(error.message, { host, port: Number(port) })
  }
  if (error instanceof ConnectionError || error instanceof TlsError) {
    return new KafkaJSConnectionError(error.message, { broker, code: systemCodeOf(error) })
  }
  return undefined
}

/** Node's code of the error or of one of its causes, such as ECONNREFUSED. */
function systemCodeOf(error: Error): string {
  let one: unknown = error
  while (typeof one === 'object' && one !== null) {
    const code: unknown = Reflect.get(one, 'code')
    if (typeof code === 'string' && /^E[A-Z]+$/.test(code)) return code
    one = Reflect.get(one, 'cause')
  }
  return error instanceof KafkaError ? error.code : ''
}

function byCode(error: KafkaError): Error {
  if (isErrorName(error.code)) return protocolErrorOf(ErrorCode[error.code])
  if (error.retriable) return new KafkaJSError(error.message, { cause: error })
  return new KafkaJSNonRetriableError(error.message, { cause: error })
}

function isErrorName(code: string): code is ErrorName {
  return Object.hasOwn(ErrorCode, code)
}
