interface Watch {
  readonly callbacks: Set<() => void>
  readonly stop: () => void
}

const watches = new WeakMap<AbortSignal, Watch>()

/**
 * Runs `callback` when the signal is aborted, unless the returned function is called first. A signal has only one
 * listener, no matter how many callbacks wait for it: Node warns of a leak at more than ten listeners, and one signal may
 * serve any number of waits. If the signal is already aborted, nothing runs.
 */
export function onAbort(signal: AbortSignal, callback: () => void): () => void {
  let watch = watches.get(signal)
  if (watch === undefined) {
    watch = startWatch(signal)
    watches.set(signal, watch)
  }
  const { callbacks, stop } = watch
  // Each call adds a function of its own, because the same callback may be passed twice.
  const run = () => callback()
  callbacks.add(run)
  return () => {
    if (!callbacks.delete(run) || callbacks.size > 0) return
    stop()
    watches.delete(signal)
  }
}

function startWatch(signal: AbortSignal): Watch {
  const callbacks = new Set<() => void>()
  const onEvent = () => {
    // A callback may remove another one, which then does not run.
    for (const callback of callbacks) callback()
  }
  signal.addEventListener('abort', onEvent)
  return { callbacks, stop: () => signal.removeEventListener('abort', onEvent) }
}
