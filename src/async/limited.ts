/**
 * Runs something with a signal that is aborted when the time is over or `outer` is. It takes its listener
 * off again: AbortSignal.any would keep one on a long-lived signal for every call.
 */
export async function limited<T>(
  timeoutMs: number,
  outer: AbortSignal,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  outer.throwIfAborted()
  const controller = new AbortController()
  const timer = setTimeout(() => controller.abort(new Error('it took too long')), timeoutMs)
  const onAbort = () => controller.abort(outer.reason)
  outer.addEventListener('abort', onAbort)
  try {
    return await run(controller.signal)
  } finally {
    clearTimeout(timer)
    outer.removeEventListener('abort', onAbort)
  }
}
