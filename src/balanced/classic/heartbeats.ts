/**
 * How soon after a generation began the first one is sent; each later one after twice as long, up to the interval.
 * Other members that start at the same time, or give partitions up for this member (cooperative-sticky), make another
 * generation at once, and it is by a heartbeat that a member learns of it: with the interval alone after 3 s.
 */
const FIRST_AFTER_MS = 100

/** Calls something again and again, never twice at a time; it says when it wants to be called next, at the latest. */
export class Heartbeats {
  readonly #intervalMs: number
  readonly #beat: () => Promise<number>
  #timer: NodeJS.Timeout | undefined
  #isRunning = false
  #isBeating = false
  /** Another is to follow at once the one that is under way. */
  #isHurried = false
  #soonMs = FIRST_AFTER_MS

  constructor(intervalMs: number, beat: () => Promise<number>) {
    this.#intervalMs = intervalMs
    this.#beat = beat
  }

  /** A generation has begun: the next comes soon. */
  start(): void {
    this.#isRunning = true
    this.#soonMs = FIRST_AFTER_MS
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
    clearTimeout(this.#timer)
  }

  #schedule(waitMs: number): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#run(), Math.min(waitMs, this.#soonMs))
    this.#soonMs *= 2
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
