import { deferred } from './deferred.ts'
import { onAbort } from './on-abort.ts'

/**
 * Waits for a promise that does not take a signal, until the signal is aborted: then rejects with the signal's reason.
 * A result that arrives later is passed to `discard`.
 */
export async function abortable<T>(
  running: Promise<T>,
  signal: AbortSignal,
  discard: (late: T) => void = () => undefined,
): Promise<T> {
  const aborted = deferred<never>()
  const abort = () => {
    aborted.reject(signal.reason)
    running.then(discard, () => undefined)
  }
  const stop = onAbort(signal, abort)
  try {
    if (signal.aborted) abort()
    return await Promise.race([running, aborted.promise])
  } finally {
    stop()
  }
}
