/**
 * The wait before the first heartbeat after a change; it doubles with each heartbeat, up to the interval. Other
 * members that start at the same time, or give partitions up for this member, change the group again at once. A
 * member learns of that from a heartbeat response, which with the interval alone would come seconds later.
 */
const FIRST_AFTER_MS = 100

/** The frequent heartbeats for a while after a change. */
export interface EagerHeartbeats {
  /** The longest wait between two of them. */
  readonly maxWaitMs: number
  /** How long they are sent. */
  readonly forMs: number
}

/** Calls a function repeatedly, never twice at a time. The function returns the longest wait before the next call. */
export class Heartbeats {
  readonly #intervalMs: number
  readonly #beat: () => Promise<number>
  readonly #eager: EagerHeartbeats
  #timer: NodeJS.Timeout | undefined
  #isRunning = false
  #isBeating = false
  /** Another heartbeat has to follow the running one at once. */
  #isHurried = false
  #soonMs = FIRST_AFTER_MS
  #changedAt = -Infinity

  /** Without `eager` the wait doubles until it reaches the interval. */
  constructor(
    intervalMs: number,
    beat: () => Promise<number>,
    eager: EagerHeartbeats = { maxWaitMs: Infinity, forMs: Infinity },
  ) {
    this.#intervalMs = intervalMs
    this.#beat = beat
    this.#eager = eager
  }

  /** Something changed, such as the generation: the next heartbeat comes soon. */
  start(): void {
    this.#isRunning = true
    this.#soonMs = FIRST_AFTER_MS
    this.#changedAt = performance.now()
    if (!this.#isBeating) this.#schedule(this.#intervalMs)
  }

  /**
   * Sends the next heartbeat at once, or after the response of the running one, which may have been sent too early to
   * tell.
   */
  hurry(): void {
    if (!this.#isRunning) return
    if (this.#isBeating) this.#isHurried = true
    else this.#schedule(0)
  }

  stop(): void {
    this.#isRunning = false
    this.#isHurried = false
    clearTimeout(this.#timer)
  }

  #schedule(waitMs: number): void {
    clearTimeout(this.#timer)
    const isEager = performance.now() - this.#changedAt < this.#eager.forMs
    const soonMs = isEager ? this.#soonMs : Infinity
    this.#timer = setTimeout(() => void this.#run(), Math.min(waitMs, soonMs))
    this.#soonMs = Math.min(this.#soonMs * 2, this.#eager.maxWaitMs)
  }

  async #run(): Promise<void> {
    this.#isBeating = true
    const waitMs = await this.#beat()
    this.#isBeating = false
    const isHurried = this.#isHurried
    this.#isHurried = false
    if (this.#isRunning) this.#schedule(isHurried ? 0 : waitMs)
  }
}
