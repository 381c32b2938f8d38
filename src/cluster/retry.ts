import { backoffMs, type BackoffOptions } from '../async/backoff.ts'
import { bounded } from '../async/bounded.ts'
import type { Deadline } from '../async/deadline.ts'
import { TookTooLongError } from '../async/limited.ts'
import { BrokerError, isRetriable, RequestTimeoutError } from '../errors.ts'
import { retryChannel, type RetryEvent } from '../observe/channels.ts'
import type { ClusterOptions } from './cluster-options.ts'

/** Where retries are reported and counted: the options of a cluster. */
export type Reporting = Pick<ClusterOptions, 'logger' | 'metrics'>

export interface RetryOptions {
  /** What is retried, for events and logs: `looking up topic 'orders'`. */
  readonly what: string
  readonly deadline: Deadline
  readonly backoff: BackoffOptions
  /** Of the cluster: where the retries are reported. */
  readonly reporting: Reporting
  /** Whether to stop at an error that is retriable. */
  readonly giveUp?: (error: Error) => boolean
}

/**
 * Retries until the function succeeds, fails with an error that is not retriable, or the deadline leaves no time for
 * another wait: then the last error is thrown. The deadline and an abort also end the wait for an attempt in progress;
 * its requests settle by themselves.
 */
export async function retrying<T>(
  options: RetryOptions,
  attempt: (attempt: number) => Promise<T>,
): Promise<T> {
  const { what, deadline, backoff, reporting, giveUp } = options
  let last: Error | undefined
  for (let number = 0; ; number++) {
    try {
      return await bounded(deadline.remainingMs, deadline.signal, () => attempt(number))
    } catch (error) {
      deadline.signal?.throwIfAborted()
      if (error instanceof TookTooLongError) {
        // The reason is the cluster's last error, whether the time ended in a wait or in an attempt.
        throw last instanceof BrokerError ? last : tookTooLong(what, deadline, last)
      }
      const waitMs = backoffMs(number, backoff)
      if (!(error instanceof Error) || !isRetriable(error) || giveUp?.(error) === true) throw error
      if (!deadline.leaves(waitMs)) throw error
      reportRetry(reporting, { what, attempt: number + 1, waitMs, error })
      last = error
      await deadline.sleep(waitMs)
    }
  }
}

function tookTooLong(what: string, { timeoutMs }: Deadline, last: Error | undefined): Error {
  const before = last === undefined ? '' : `; the previous attempt failed: ${last.message}`
  return new RequestTimeoutError(`${what} took longer than ${timeoutMs} ms${before}`, {
    cause: last,
  })
}

/** Reports to the log, the metrics and the diagnostics channel that an operation failed and will be retried. */
export function reportRetry(
  { logger, metrics }: Reporting,
  event: Omit<RetryEvent, 'clientId'>,
): void {
  const { what, attempt, waitMs, error } = event
  logger.debug(
    `${what}: attempt ${attempt} failed, next in ${Math.round(waitMs)} ms: ${error.message}`,
  )
  metrics.retried(error)
  if (!retryChannel.hasSubscribers) return
  const complete: RetryEvent = { clientId: metrics.clientId, ...event }
  retryChannel.publish(complete)
}
