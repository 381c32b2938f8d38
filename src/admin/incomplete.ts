import type { BrokerFailure } from '../cluster/fan-out.ts'
import { InvalidArgumentError, UnsupportedVersionError } from '../errors.ts'

/**
 * Throws where brokers did not answer because of the request itself: an answer without them would look like one of a
 * cluster that has nothing.
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
