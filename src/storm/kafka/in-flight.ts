import type { ConsumedMessage } from '../../index.ts'

/** A message that is in the topology, or waits to be emitted again. */
export interface InFlight {
  readonly message: ConsumedMessage
  fails: number
  lastError: string | undefined
}

/**
 * The messages of a partition that are emitted and not acked, and the offset that can be committed.
 */
export class PartitionInFlight {
  /**
   * In the order of offsets, because messages are first emitted in that order: the first is the
   * lowest.
   */
  readonly #messages = new Map<number, InFlight>()
  /** The offset after the last emitted message. */
  #next: number | undefined
  #committed: number | undefined

  get size(): number {
    return this.#messages.size
  }

  add(message: ConsumedMessage): void {
    this.#messages.set(message.offset, { message, fails: 0, lastError: undefined })
    this.#next = message.offset + 1
  }

  get(offset: number): InFlight | undefined {
    return this.#messages.get(offset)
  }

  /** Returns whether it was in flight. */
  settle(offset: number): boolean {
    return this.#messages.delete(offset)
  }

  /**
   * The offset that can be committed and is not committed yet: the lowest offset that is not acked.
   */
  get toCommit(): number | undefined {
    const [lowest] = this.#messages.keys()
    const low = lowest ?? this.#next
    return low === this.#committed ? undefined : low
  }

  wasCommitted(offset: number): void {
    this.#committed = offset
  }
}
