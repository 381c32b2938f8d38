/** Time, as components and their tests have it. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number
  /** Calls back once, after this many milliseconds. Returns what withdraws it. */
  after(waitMs: number, callback: () => void): () => void
}

/** The system's clock. Its timers keep no process alive: standard input does that. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after: (waitMs, callback) => {
    const timer = setTimeout(callback, waitMs).unref()
    return () => clearTimeout(timer)
  },
}
