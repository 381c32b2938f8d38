/** The source of time for components and their tests. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number
  /** Calls the function once, after this many milliseconds. Returns a function that cancels it. */
  after(waitMs: number, callback: () => void): () => void
}

/** The system's clock. Its timers do not keep the process alive: standard input does that. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after: (waitMs, callback) => {
    const timer = setTimeout(callback, waitMs).unref()
    return () => clearTimeout(timer)
  },
}
