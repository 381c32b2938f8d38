/** A partition that got as much has had its share. Java's default batch has 16 KiB. */
export const STICKY_BYTES = 64 * 1024

/**
 * Chooses the partition of messages without a key: the same one for some bytes, so that batches fill, then another
 * (KIP-480, KIP-794). By bytes rather than by batches, so that each partition gets as much. Of two partitions chosen at
 * random the one with less in its queue is next, so that a slow partition gets less.
 */
export class StickyPartition {
  readonly #stickyBytes: number
  readonly #queuedIn: (partition: number) => number
  #current = -1
  #leftBytes = 0

  /** `queuedIn` returns how much waits for a partition, in any unit. */
  constructor(stickyBytes: number, queuedIn: (partition: number) => number) {
    this.#stickyBytes = stickyBytes
    this.#queuedIn = queuedIn
  }

  choose(partitionCount: number, messageBytes: number): number {
    if (this.#leftBytes <= 0 || this.#current >= partitionCount) {
      this.#current = this.#next(partitionCount)
      this.#leftBytes = this.#stickyBytes
    }
    this.#leftBytes -= messageBytes
    return this.#current
  }

  /** Chooses another partition for the next message if the current one has had its share. */
  rest(): void {
    if (this.#stickyBytes - this.#leftBytes >= STICKY_BYTES) this.#leftBytes = 0
  }

  #next(partitionCount: number): number {
    if (partitionCount === 1) return 0
    const one = this.#other(this.#current, partitionCount)
    const two = this.#other(this.#current, partitionCount)
    return this.#queuedIn(two) < this.#queuedIn(one) ? two : one
  }

  /** Returns any other partition, each with the same probability. */
  #other(current: number, partitionCount: number): number {
    if (current < 0 || current >= partitionCount) return Math.floor(Math.random() * partitionCount)
    const step = 1 + Math.floor(Math.random() * (partitionCount - 1))
    return (current + step) % partitionCount
  }
}
