/** The longest delay that Node's timers hold, 24.8 days: they run a longer one after 1 ms. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1

/** Node's timers may run this much early. */
const EARLY_MS = 1
/** A timer that runs later than this has been held up: the event loop was blocked, or the process stopped. */
const LATE_MS = 50
/** The most that is added to a wait that was held up. */
const LONGEST_GRACE_MS = 1_000

/**
 * A bounded wait. The callback runs after `waitMs`, and after sockets were read: Node runs timers before it
 * polls sockets, so that in a process that was blocked or stopped a plain timer abandons a request whose
 * response has already arrived. Whatever cancels this timer therefore gets its turn first:
 *
 * - An elapsed timer lets one poll phase pass before it calls back (`setImmediate` runs after it).
 * - A timer that runs late is extended once by as long as it is late, one second at most: the rest of a large
 *   response, or the next step of a handshake, could not be sent while nothing was read here.
 *
 * Any `waitMs` is valid: a wait that is longer than Node's timers hold continues in parts.
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

  /** After this the callback does not run. Safe to call again, and after the callback ran. */
  cancel(): void {
    clearTimeout(this.#timeout)
    clearImmediate(this.#immediate)
  }

  /** Lets the process end while this waits. */
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
      // Not unreferenced: Node would run it only after the next event of another kind.
      this.#immediate = setImmediate(this.#onElapsed)
    }
  }
}
