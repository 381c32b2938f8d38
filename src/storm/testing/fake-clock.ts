import type { Clock } from '../component/clock.ts'

interface Timer {
  readonly at: number
  readonly callback: () => void
}

/** A clock that stands still until it is advanced. */
export class FakeClock implements Clock {
  #now = 0
  #timers: Timer[] = []

  /** The time of the clock, in milliseconds. */
  now(): number {
    return this.#now
  }

  /**
   * Calls the function when `advance` has moved the clock this far. Returns a function that cancels
   * it.
   */
  after(waitMs: number, callback: () => void): () => void {
    const timer: Timer = { at: this.#now + waitMs, callback }
    this.#timers.push(timer)
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer)
    }
  }

  /** The time of the next callback; undefined if there is none. */
  get nextDue(): number | undefined {
    return this.#due(Infinity)?.at
  }

  /** Advances the clock, and calls the callbacks that become due, in the order of time. */
  advance(ms: number): void {
    const end = this.#now + ms
    for (let next = this.#due(end); next !== undefined; next = this.#due(end)) {
      this.#timers = this.#timers.filter((other) => other !== next)
      this.#now = next.at
      next.callback()
    }
    this.#now = end
  }

  #due(end: number): Timer | undefined {
    const due = this.#timers.filter(({ at }) => at <= end)
    return due.length === 0 ? undefined : due.reduce((a, b) => (b.at < a.at ? b : a))
  }
}
