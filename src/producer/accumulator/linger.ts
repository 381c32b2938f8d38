import type { Batch } from './batch.ts'

/**
 * The batches that wait for more messages (`lingerMs`), oldest first, and how many messages are in them.
 *
 * A batch waits until its time has passed, until `flush` or `maxMessages` ends all waits, or until it is full. A full
 * batch is closed. The end of the time does not close the batch: it takes messages until a sink sends it. Batches are
 * therefore never smaller than without a linger, no matter how often a full queue or a flush ends their wait.
 */
export class Linger {
  readonly #lingerMs: number
  readonly #maxMessages: number
  #batches: Batch[] = []
  #messages = 0

  /** Once `maxMessages` messages wait, all waits end. */
  constructor(lingerMs: number, maxMessages: number) {
    this.#lingerMs = lingerMs
    this.#maxMessages = maxMessages
  }

  get isOn(): boolean {
    return this.#lingerMs > 0
  }

  /** The number of messages in batches that wait. */
  get messages(): number {
    return this.#messages
  }

  /** When the next wait ends, on performance.now()'s clock. */
  get nextEndAt(): number | undefined {
    const next = this.#batches.find(({ isDue }) => !isDue)
    return next === undefined ? undefined : next.createdAt + this.#lingerMs
  }

  /** Adds a new batch, which waits. */
  begin(batch: Batch): void {
    batch.isDue = false
    this.#batches.push(batch)
  }

  /**
   * Counts a message that was added to a batch that waits. Returns whether `maxMessages` is reached, so that all
   * batches must be sent.
   */
  count(): boolean {
    return ++this.#messages >= this.#maxMessages
  }

  /** Ends the wait of one batch: it is full, or it failed. */
  end(batch: Batch): void {
    if (batch.isDue) return
    batch.isDue = true
    this.#messages -= batch.count
  }

  /** Ends the wait of all batches that began at or before this time. Returns these batches. */
  endUntil(createdAt: number): Batch[] {
    const next = this.#batches.findIndex((batch) => batch.createdAt > createdAt)
    const over = this.#batches.splice(0, next < 0 ? this.#batches.length : next)
    const waiting = over.filter(({ isDue }) => !isDue)
    for (const batch of waiting) this.end(batch)
    return waiting
  }

  /** Ends the wait of batches whose time has passed. */
  endDue(): Batch[] {
    if (this.#batches.length === 0) return this.#batches
    // Timers may fire a little early, so a wait that is nearly over counts as over.
    return this.endUntil(performance.now() - this.#lingerMs + 1)
  }
}
