import { Timer } from '../../async/timer.ts'
import type { IncompleteBatches } from '../accumulator/incomplete-batches.ts'
import type { Outcomes } from './outcomes.ts'

/** Fails batches whose `deliveryTimeoutMs` has passed. */
export class Expiry {
  readonly #incomplete: IncompleteBatches
  readonly #deliveryTimeoutMs: number
  readonly #outcomes: Outcomes
  #timer: Timer | undefined

  constructor(incomplete: IncompleteBatches, deliveryTimeoutMs: number, outcomes: Outcomes) {
    this.#incomplete = incomplete
    this.#deliveryTimeoutMs = deliveryTimeoutMs
    this.#outcomes = outcomes
  }

  expire(): void {
    const until = performance.now() - this.#deliveryTimeoutMs
    for (;;) {
      const batch = this.#incomplete.first
      if (batch === undefined || batch.createdAt > until) return
      this.#outcomes.expired(batch)
    }
  }

  /** Sets the timer for the oldest batch. */
  watch(): void {
    const { first } = this.#incomplete
    if (this.#timer !== undefined || first === undefined) return
    const waitMs = first.createdAt + this.#deliveryTimeoutMs - performance.now()
    this.#timer = new Timer(Math.max(0, waitMs), () => {
      this.#timer = undefined
      this.expire()
      this.watch()
    })
    // The timer does not keep the process alive: requests and other waits do.
    this.#timer.unref()
  }

  stop(): void {
    this.#timer?.cancel()
  }
}
