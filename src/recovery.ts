import { describeError, ErrorCode, type ErrorName, type Recovery } from '../protocol/errors.ts'

export type { Recovery }

/**
 * The recovery of samsa's own errors, and of errors that it has already retried, if they are not retriable. The codes
 * of brokers are in protocol/errors.ts.
 */
const OWN: Readonly<Record<string, Recovery>> = {
  ALREADY_ACKNOWLEDGED: 'abort',
  CLOSED: 'recreate',
  COMPRESSION_FAILED: 'abort',
  COMPRESSION_UNAVAILABLE: 'fix-configuration',
  CONSUMER_BUSY: 'abort',
  CORRUPT_MESSAGE: 'abort',
  DATA_FOLDER_DAMAGED: 'fix-configuration',
  DATA_FOLDER_UNUSABLE: 'fix-configuration',
  DESERIALIZATION_FAILED: 'abort',
  INCONSISTENT_TOPIC_ID: 'abort',
  INVALID_ARGUMENT: 'fix-configuration',
  MALFORMED_RESPONSE: 'abort',
  NOT_KAFKA: 'fix-configuration',
  NOT_STARTED: 'abort',
  NO_OFFSET: 'fix-configuration',
  NO_TRANSACTION: 'abort',
  PARTITION_NOT_OWNED: 'abort',
  PARTITION_REVOKED: 'abort',
  PLAN_OUTDATED: 'abort',
  PORT_UNAVAILABLE: 'fix-configuration',
  PRODUCE_FAILED: 'abort',
  REBALANCE_FAILED: 'abort',
  SASL_CREDENTIALS_UNAVAILABLE: 'fix-configuration',
  SASL_SERVER_NOT_TRUSTED: 'fix-configuration',
  TLS_HANDSHAKE_FAILED: 'fix-configuration',
  TOKEN_ENDPOINT_FAILED: 'fix-configuration',
  TRANSACTION_ABORTED: 'abort',
  TRANSACTION_COMMITTED: 'abort',
  TRANSACTION_ENDED: 'abort',
  TRANSACTION_FAILED: 'abort',
  TRANSACTION_IN_PROGRESS: 'abort',
  TRANSACTION_OUTCOME_UNKNOWN: 'abort',
  UNKNOWN_TOPIC_OR_PARTITION: 'fix-configuration',
  UNSAFE_INTEGER: 'abort',
  ZOOKEEPER_NOT_ALLOWED: 'fix-configuration',
  ZOOKEEPER_NO_CHROOT: 'fix-configuration',
}

const CODES: ReadonlyMap<string, ErrorName> = new Map(
  // `keysOf` is in options.ts, which depends on the errors of this file.
  (Object.keys(ErrorCode) as ErrorName[]).map((name) => [name, name]),
)

/** Returns what to do about an error. The result is `retry` for retriable errors, and only for them. */
export function recoveryFor(code: string, retriable: boolean): Recovery {
  if (retriable) return 'retry'
  const own = OWN[code]
  if (own !== undefined) return own
  const name = CODES.get(code)
  const recovery = name === undefined ? 'abort' : describeError(ErrorCode[name]).recovery
  return recovery === 'retry' ? 'abort' : recovery
}

/** For the test that every error of samsa has a recovery. */
export function hasRecovery(code: string): boolean {
  return OWN[code] !== undefined || CODES.has(code)
}
