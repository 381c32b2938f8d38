import type { ShareGroupMetrics } from '../observe/metrics/share-metrics.ts'

/**
 * Measures how the application polls. A poll is a request for a message that finds none in the buffer: like poll() of
 * Java's consumer, it acknowledges what was delivered before, and leads to a fetch.
 */
export class PollTimes {
  readonly #metrics: ShareGroupMetrics
  #beganAt: number | undefined
  #isWaiting = false

  constructor(metrics: ShareGroupMetrics) {
    this.#metrics = metrics
  }

  /** When the last poll began, by `performance.now()`; undefined before the first. */
  get lastBeganAt(): number | undefined {
    return this.#beganAt
  }

  /** Called when the application begins to wait for a message. */
  began(): void {
    if (this.#isWaiting) return
    const now = performance.now()
    if (this.#beganAt !== undefined) this.#metrics.pollInterval.recordMs(now - this.#beganAt)
    this.#beganAt = now
    this.#isWaiting = true
  }

  /** Called when the wait ends, with or without a message. */
  ended(): void {
    if (!this.#isWaiting || this.#beganAt === undefined) return
    this.#metrics.waitDuration.recordMs(performance.now() - this.#beganAt)
    this.#isWaiting = false
  }
}
