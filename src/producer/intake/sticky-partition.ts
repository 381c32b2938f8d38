/**
 * The share of a partition: after this many bytes another one is chosen. Java uses its batch size, by default 16 KiB.
 */
export const STICKY_BYTES = 64 * 1024

/**
 * Chooses the partition of messages without a key: the same one for a share of bytes, so that batches fill, then
 * another (KIP-480, KIP-794). Shares are counted in bytes, not in batches, so that all partitions get the same amount.
 * Of two partitions that are chosen at random, the one with less in its queue is next, so that a slow partition gets
 * less.
 */
export class StickyPartition {
  readonly #stickyBytes: number
  readonly #queuedIn: (partition: number) => number
  /** The partitions to choose from. Undefined: all. */
  #preferred: readonly number[] | undefined
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

  /**
   * Chooses from these partitions, or from all. A partition that is not among them gets no more messages: at a low rate
   * it would take hours until its share is complete.
   */
  prefer(partitions: readonly number[] | undefined): void {
    this.#preferred = partitions
    if (partitions?.includes(this.#current) === false) this.#leftBytes = 0
  }

  /** Chooses another partition for the next message if the share of the current one is complete. */
  switchPartition(): void {
    if (this.#stickyBytes - this.#leftBytes >= STICKY_BYTES) this.#leftBytes = 0
  }

  #next(partitionCount: number): number {
    const from = this.#preferred
    const count = from?.length ?? partitionCount
    const current = from?.indexOf(this.#current) ?? this.#current
    const at = (index: number) => from?.[index] ?? index
    if (count === 1) return at(0)
    const one = at(otherThan(current, count))
    const two = at(otherThan(current, count))
    return this.#queuedIn(two) < this.#queuedIn(one) ? two : one
  }
}

/** Returns any other number below `count`, each with the same probability. */
function otherThan(current: number, count: number): number {
  if (current < 0 || current >= count) return Math.floor(Math.random() * count)
  const step = 1 + Math.floor(Math.random() * (count - 1))
  return (current + step) % count
}
