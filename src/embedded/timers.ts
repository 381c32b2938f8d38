/** A timer that has not fired yet. */
export interface Timer {
  cancel(): void
}

/** From this delay on, a timer counts as late. */
const LATE_MS = 10

/**
 * All timers of a cluster, so that none remains when it stops, and so that their errors are
 * reported instead of being uncaught.
 */
export class Timers {
  readonly #pending = new Set<NodeJS.Timeout>()
  readonly #onError: (error: unknown) => void

  constructor(onError: (error: unknown) => void) {
    this.#onError = onError
  }

  after(delayMs: number, run: () => void): Timer {
    const timer = setTimeout(() => {
      this.#pending.delete(timer)
      try {
        run()
      } catch (error) {
        this.#onError(error)
      }
    }, delayMs)
    this.#pending.add(timer)
    return {
      cancel: () => {
        clearTimeout(timer)
        this.#pending.delete(timer)
      },
    }
  }

  /**
   * For timeouts of clients that have sent nothing for that time. If this process stood still (it
   * was suspended, or its event loop was blocked), pending input is handled first, and clients in
   * the same process get a turn: the timeout is postponed once, by as long as it is late.
   */
  afterSilence(delayMs: number, run: () => void): Timer {
    const dueAt = performance.now() + delayMs
    let timer = this.after(delayMs, () => {
      const lateMs = performance.now() - dueAt
      if (lateMs < LATE_MS) run()
      else timer = this.after(Math.min(lateMs, delayMs), run)
    })
    return { cancel: () => timer.cancel() }
  }

  stop(): void {
    for (const timer of this.#pending) clearTimeout(timer)
    this.#pending.clear()
  }
}
