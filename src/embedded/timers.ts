/** A timer that is still to fire. */
export interface Timer {
  cancel(): void
}

/**
 * All timers of a cluster, so that none is left when it stops, and so that what one of them throws is
 * reported rather than thrown at nobody.
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

  stop(): void {
    for (const timer of this.#pending) clearTimeout(timer)
    this.#pending.clear()
  }
}
