import type { BrokerFailure } from '../cluster/fan-out.ts'
import { InvalidArgumentError, UnsupportedVersionError } from '../errors.ts'

/**
 * Throws if brokers did not respond because of the request itself: a result without them would look
 * like that of an empty cluster.
 */
export function throwIfRequestRejected(incomplete: readonly BrokerFailure[]): void {
  const wrong = incomplete.find(
    ({ error }) =>
      error instanceof InvalidArgumentError ||
      error instanceof UnsupportedVersionError ||
      error.code === 'INVALID_REGULAR_EXPRESSION',
  )
  if (wrong !== undefined) throw wrong.error
}
