import { deferred } from './deferred.ts'
import { onAbort } from './on-abort.ts'

/**
 * Waits for something that does not know signals, until the signal is aborted: then throws its reason. A
 * result that arrives after that is passed to `discard`.
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
