/**
 * How soon after a change the first heartbeat is sent; each later one after twice as long, up to the interval. Other
 * members that start at the same time, or give partitions up for this member, change the group again at once, and a
 * member learns of it from the answer to a heartbeat: with the interval alone only seconds later.
 */
const FIRST_AFTER_MS = 100

/** How often heartbeats are sent for a while after a change. */
export interface EagerHeartbeats {
  /** The longest wait between two of them during that time. */
  readonly maxWaitMs: number
  /** How long that time is. */
  readonly forMs: number
}

/** Calls something again and again, never twice at a time; it says when it wants to be called next, at the latest. */
export class Heartbeats {
  readonly #intervalMs: number
  readonly #beat: () => Promise<number>
  readonly #eager: EagerHeartbeats
  #timer: NodeJS.Timeout | undefined
  #isRunning = false
  #isBeating = false
  /** Another is to follow at once the one that is under way. */
  #isHurried = false
  #soonMs = FIRST_AFTER_MS
  #changedAt = -Infinity

  /** Without `eager` the wait doubles until it is the interval. */
  constructor(
    intervalMs: number,
    beat: () => Promise<number>,
    eager: EagerHeartbeats = { maxWaitMs: Infinity, forMs: Infinity },
  ) {
    this.#intervalMs = intervalMs
    this.#beat = beat
    this.#eager = eager
  }

  /** Something changed, such as the generation: the next comes soon. */
  start(): void {
    this.#isRunning = true
    this.#soonMs = FIRST_AFTER_MS
    this.#changedAt = performance.now()
    if (!this.#isBeating) this.#schedule(this.#intervalMs)
  }

  /** Sends the next one at once, or as soon as the one under way, which may be too old to tell, is answered. */
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
