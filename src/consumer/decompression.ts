/**
 * Decides when each compressed batch is decompressed, so that the decompressed bytes of all partitions stay within a
 * budget. Memory is reserved before it is allocated, by the size that the batch's headers state; the codecs enforce
 * this size. A batch may exceed the budget only if nothing else is decompressed.
 *
 * The first batch of a partition comes before the later ones, and waiting partitions are served in their order of
 * arrival: a large batch waits until the others are released, and small ones cannot overtake it without end.
 */
import { UnderstatedSizeError } from '../../protocol/records/message-batch.ts'
import type { Queued, FetchedBatch } from './partition-buffer.ts'
import type { PartitionState } from './partition-state.ts'

/** Up to this number of partitions without decompressed bytes stay in the set: most have some again soon. */
const MANY_HOLDERS = 100

export class Decompression {
  readonly #budgetBytes: number
  readonly #onReady: (state: PartitionState) => void
  /** Partitions that may hold decompressed bytes. */
  readonly #holders = new Set<PartitionState>()
  /** Partitions whose first batch waits for memory. */
  readonly #waiting = new Set<PartitionState>()
  #isFreeing = false

  /** `onReady` is called when `prepare` may now return true after it has returned false. */
  constructor(budgetBytes: number, onReady: (state: PartitionState) => void) {
    this.#budgetBytes = budgetBytes
    this.#onReady = onReady
  }

  /**
   * The used bytes of partitions that are delivered. Paused partitions keep their bytes but must not delay others.
   */
  get usedBytes(): number {
    let bytes = 0
    for (const state of this.#holders) {
      if (state.buffer.decompressedBytes === 0 && this.#holders.size > MANY_HOLDERS) {
        this.#holders.delete(state)
      } else if (state.isDeliverable && state.buffer.error === undefined)
        bytes += state.buffer.decompressedBytes
    }
    return bytes
  }

  /**
   * True if the first batch of a partition can be decoded now. Starts to decompress this batch and the next one on
   * another thread, if they are large.
   */
  prepare(state: PartitionState): boolean {
    const [head, second] = state.buffer.queue
    if (head === undefined) return true
    if (!this.reserve(state, head)) {
      this.#waiting.add(state)
      return false
    }
    this.#waiting.delete(state)
    this.#start(state, head)
    if (isLarge(second) && this.reserve(state, second)) this.#start(state, second)
    return !isBeingDecompressed(head)
  }

  /** Like `prepare`, for a partition that may already be prepared: then it does not look at the batch again. */
  isPrepared(state: PartitionState): boolean {
    const head = state.buffer.queue[0]
    const isReserved = head?.kind === 'batch' && head.reservedBytes !== undefined
    return (isReserved && !isBeingDecompressed(head)) || this.prepare(state)
  }

  /** Reserves memory for a batch, if there is enough. True if it is reserved, or if none is needed. */
  reserve(state: PartitionState, queued: Queued): boolean {
    if (queued.kind !== 'batch' || queued.isLeftOut || queued.reservedBytes !== undefined) {
      return true
    }
    const bytes = queued.batch.claimedBytes
    if (bytes > 0) {
      if (this.#waiting.size > 0 && !this.#isNext(state, queued)) return false
      const usedBytes = this.usedBytes
      if (usedBytes > 0 && usedBytes + bytes > this.#budgetBytes) return false
      this.#holders.add(state)
    }
    state.buffer.reserve(queued, bytes)
    return true
  }

  /** True if this is the first of all waiting batches. */
  #isNext(state: PartitionState, queued: Queued): boolean {
    const [first] = this.#waiting
    return first === state && queued === state.buffer.queue[0]
  }

  /** Nothing of this partition is delivered for now: drops what was decompressed ahead. */
  drop(state: PartitionState): void {
    this.#waiting.delete(state)
    state.buffer.releaseQueued()
    this.freed()
  }

  /** Call this when decompressed bytes were released, so that waiting partitions can continue. */
  freed(): void {
    if (this.#isFreeing) return
    this.#isFreeing = true
    for (const state of this.#waiting) {
      const head = state.buffer.queue[0]
      if (state.isReady && head !== undefined && !this.reserve(state, head)) break
      this.#waiting.delete(state)
      this.#onReady(state)
    }
    this.#isFreeing = false
  }

  #start(state: PartitionState, queued: Queued): void {
    if (!isLarge(queued) || queued.decompression !== undefined) return
    const running = { isDone: false }
    queued.decompression = running
    const done = (error?: unknown) => {
      running.isDone = true
      if (queued.decompression === running) {
        // The first batch comes first again, because it may be waiting for the memory that the later ones have
        // reserved.
        if (error instanceof UnderstatedSizeError) state.buffer.releaseQueued()
        else state.buffer.settle(queued)
        this.#onReady(state)
        this.freed()
      } else if (queued.decompression === undefined) {
        queued.batch.dropInflated()
      }
    }
    // Decoding finds the damage of the batch again.
    queued.batch.inflate().then(() => done(), done)
  }
}

/** True if the batch is to be decompressed on another thread, or already was. */
function isLarge(queued: Queued | undefined): queued is FetchedBatch {
  return (
    queued?.kind === 'batch' &&
    !queued.isLeftOut &&
    (queued.decompression !== undefined || queued.batch.isInflatedElsewhere)
  )
}

function isBeingDecompressed(queued: Queued): boolean {
  return queued.kind === 'batch' && queued.decompression?.isDone === false
}
