import { deferred } from './deferred.ts'

/**
 * Waits for something that knows nothing of signals, until the signal is aborted: then throws its reason.
 * What comes after that all the same goes to `discard`.
 */
export async function abortable<T>(
  running: Promise<T>,
  signal: AbortSignal,
  discard: (late: T) => void = () => undefined,
): Promise<T> {
  const aborted = deferred<never>()
  const onAbort = () => {
    aborted.reject(signal.reason)
    running.then(discard, () => undefined)
  }
  signal.addEventListener('abort', onAbort)
  try {
    if (signal.aborted) onAbort()
    return await Promise.race([running, aborted.promise])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
