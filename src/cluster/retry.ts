import { backoffMs, type BackoffOptions } from '../async/backoff.ts'
import type { Deadline } from '../async/deadline.ts'
import { isRetriable } from '../errors.ts'
import { retryChannel, type RetryEvent } from '../observe/channels.ts'
import type { Logger } from '../observe/logger.ts'

export interface RetryOptions {
  /** What is tried, for events and logs: `looking up topic 'orders'`. */
  readonly what: string
  readonly deadline: Deadline
  readonly backoff: BackoffOptions
  readonly logger: Logger
  /** What to do between two attempts, after the wait. */
  readonly before?: (error: Error) => Promise<void> | void
  /** Whether an error that could be retried should end it all the same. */
  readonly giveUp?: (error: Error) => boolean
}

/**
 * Tries until it works, fails with an error that trying again cannot help, or the deadline leaves no room
 * for another wait: then the last error is thrown. An abort ends it at once.
 */
export async function retrying<T>(
  options: RetryOptions,
  attempt: (attempt: number) => Promise<T>,
): Promise<T> {
  const { what, deadline, backoff, logger, before, giveUp } = options
  for (let number = 0; ; number++) {
    deadline.signal?.throwIfAborted()
    try {
      return await attempt(number)
    } catch (error) {
      const waitMs = backoffMs(number, backoff)
      if (!(error instanceof Error) || !isRetriable(error) || giveUp?.(error) === true) throw error
      if (!deadline.leaves(waitMs)) throw error
      reportRetry(logger, { what, attempt: number + 1, waitMs, error })
      await deadline.sleep(waitMs)
      await before?.(error)
    }
  }
}

/** Tells the log and whoever listens that something failed and will be tried again. */
export function reportRetry(logger: Logger, event: RetryEvent): void {
  const { what, attempt, waitMs, error } = event
  logger.debug(
    `${what}: attempt ${attempt} failed, next in ${Math.round(waitMs)} ms: ${error.message}`,
  )
  if (retryChannel.hasSubscribers) retryChannel.publish(event)
}
