import { onAbort } from './on-abort.ts'
import { Timer } from './timer.ts'

/** The reason with which `limited` aborts its signal, and `bounded` rejects, when the time has passed. */
export class TookTooLongError extends Error {
  override readonly name = 'TookTooLongError'

  constructor(timeoutMs: number) {
    super(`it took longer than ${timeoutMs} ms`)
  }
}

/**
 * Runs a function with a signal that is aborted when the time has passed or `outer` is aborted, and removes its
 * listener afterwards. AbortSignal.any would keep a listener on a long-lived signal for every call.
 */
export async function limited<T>(
  timeoutMs: number,
  outer: AbortSignal | undefined,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  outer?.throwIfAborted()
  const controller = new AbortController()
  const timer = new Timer(timeoutMs, () => controller.abort(new TookTooLongError(timeoutMs)))
  const stop =
    outer === undefined ? undefined : onAbort(outer, () => controller.abort(outer.reason))
  try {
    return await run(controller.signal)
  } finally {
    timer.cancel()
    stop?.()
  }
}
