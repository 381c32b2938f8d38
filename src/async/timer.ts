/** The longest delay of Node's timers, 24.8 days: a longer one runs after 1 ms. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1

/** Node's timers may run this much early. */
const EARLY_MS = 1
/** A timer that runs later than this was delayed: the event loop was blocked, or the process was stopped. */
const LATE_MS = 50
/** The maximum extension of a wait that was delayed. */
const LONGEST_GRACE_MS = 1_000

/**
 * A bounded wait. The callback runs after `waitMs`, and only after sockets were read: Node runs timers before it polls
 * sockets, so that after a blocked event loop or a stopped process a plain timer would abandon a request whose response
 * has already arrived. Code that cancels this timer therefore runs first:
 *
 * - An elapsed timer lets one poll phase pass before it calls back (`setImmediate` runs after it).
 * - A timer that runs late is extended once by its delay, by one second at most, because the rest of a large response,
 *   or the next step of a handshake, could not arrive while nothing was read.
 *
 * Any `waitMs` is valid: a wait that is longer than Node's timers allow continues in parts.
 */
export class Timer {
  readonly #onElapsed: () => void
  readonly #waitMs: number
  #endsAt: number
  #isExtended = false
  #timeout: NodeJS.Timeout | undefined
  #immediate: NodeJS.Immediate | undefined
  #keepsAlive = true

  constructor(waitMs: number, onElapsed: () => void) {
    this.#onElapsed = onElapsed
    this.#waitMs = waitMs
    this.#endsAt = performance.now() + waitMs
    this.#start(waitMs)
  }

  /** Prevents the callback. Safe to call again, and after the callback has run. */
  cancel(): void {
    clearTimeout(this.#timeout)
    clearImmediate(this.#immediate)
  }

  /** Lets the process end while this timer waits. */
  unref(): this {
    this.#keepsAlive = false
    this.#timeout?.unref()
    return this
  }

  #start(waitMs: number): void {
    this.#timeout = setTimeout(() => this.#elapse(), Math.min(waitMs, LONGEST_TIMER_MS))
    if (!this.#keepsAlive) this.#timeout.unref()
  }

  #elapse(): void {
    const leftMs = this.#endsAt - performance.now()
    if (leftMs < -LATE_MS && !this.#isExtended) {
      this.#isExtended = true
      const graceMs = Math.min(-leftMs, this.#waitMs, LONGEST_GRACE_MS)
      this.#endsAt = performance.now() + graceMs
      this.#start(graceMs)
    } else if (leftMs > EARLY_MS) {
      this.#start(leftMs)
    } else {
      // Not unreferenced, because Node would run it only after the next event of another kind.
      this.#immediate = setImmediate(this.#onElapsed)
    }
  }
}
