import { TookTooLongError } from './limited.ts'
import { deferred } from './deferred.ts'
import { onAbort } from './on-abort.ts'
import { Timer } from './timer.ts'

/**
 * Waits for a function that takes no signal. Rejects with TookTooLongError when the time has passed, or with the reason
 * of the signal when it is aborted; the function then continues by itself. Costs a timer and no AbortController,
 * because every request of the client waits like this.
 */
export async function bounded<T>(
  timeoutMs: number,
  signal: AbortSignal | undefined,
  run: () => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted()
  const ended = deferred<never>()
  const timer = new Timer(timeoutMs, () => ended.reject(new TookTooLongError(timeoutMs)))
  const stop = signal === undefined ? undefined : onAbort(signal, () => ended.reject(signal.reason))
  try {
    return await Promise.race([run(), ended.promise])
  } finally {
    timer.cancel()
    stop?.()
  }
}
