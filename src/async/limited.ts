/** What `limited` aborts with when the time is over. */
export class TookTooLongError extends Error {
  override readonly name = 'TookTooLongError'

  constructor(timeoutMs: number) {
    super(`it took longer than ${timeoutMs} ms`)
  }
}

/**
 * Runs something with a signal that is aborted when the time is over or `outer` is. It takes its listener
 * off again: AbortSignal.any would keep one on a long-lived signal for every call.
 */
export async function limited<T>(
  timeoutMs: number,
  outer: AbortSignal | undefined,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  outer?.throwIfAborted()
  const controller = new AbortController()
  const timer = setTimeout(() => controller.abort(new TookTooLongError(timeoutMs)), timeoutMs)
  const onAbort = () => controller.abort(outer?.reason)
  outer?.addEventListener('abort', onAbort)
  try {
    return await run(controller.signal)
  } finally {
    clearTimeout(timer)
    outer?.removeEventListener('abort', onAbort)
  }
}
