/**
 * Decides which compressed batches are decompressed when, so that what is decompressed stays within a budget over all
 * partitions. Memory is set aside before it is allocated: the claim of a batch's headers, which the codecs then
 * enforce. Only where nothing else is decompressed may a batch exceed the budget.
 *
 * A partition's first batch comes before those behind it, and partitions that wait are served in the order in which
 * they came: a large batch waits until the others are done with, and is not overtaken for ever by small ones.
 */
import { UnderstatedSizeError } from '../../protocol/records/message-batch.ts'
import type { Queued, QueuedBatch } from './partition-buffer.ts'
import type { PartitionState } from './partition-state.ts'

/** This many need not be forgotten when they have nothing more: most have something again soon. */
const MANY_HOLDERS = 100

export class Decompression {
  readonly #budgetBytes: number
  readonly #onReady: (state: PartitionState) => void
  /** Partitions that may hold decompressed bytes. */
  readonly #holders = new Set<PartitionState>()
  /** Partitions whose first batch waits for memory. */
  readonly #waiting = new Set<PartitionState>()
  #isFreeing = false

  /** `onReady` is called when `prepare` may return true where it returned false. */
  constructor(budgetBytes: number, onReady: (state: PartitionState) => void) {
    this.#budgetBytes = budgetBytes
    this.#onReady = onReady
  }

  /** Of partitions that are delivered: those that are paused keep what they have, but must not hold up others. */
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
   * Whether the first batch of a partition can be decoded now. Starts to decompress it, and the one behind it, on
   * another thread where they are large.
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

  /** The same, of a partition that may have been prepared before: without looking at it again then. */
  isPrepared(state: PartitionState): boolean {
    const head = state.buffer.queue[0]
    const isReserved = head?.kind === 'batch' && head.reservedBytes !== undefined
    return (isReserved && !isBeingDecompressed(head)) || this.prepare(state)
  }

  /** Sets memory aside for a batch, if there is enough. True where there is, or none is needed. */
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

  /** Whether of all that wait this comes first. */
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

  /** To be called when decompressed bytes were done with: lets partitions go on that wait for memory. */
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
        // The head comes first again: what is set aside for those behind it could be what it waits for.
        if (error instanceof UnderstatedSizeError) state.buffer.releaseQueued()
        else state.buffer.settle(queued)
        this.#onReady(state)
        this.freed()
      } else if (queued.decompression === undefined) {
        queued.batch.dropInflated()
      }
    }
    // What is damaged is found to be so again when it is decoded.
    queued.batch.inflate().then(() => done(), done)
  }
}

/** Whether it is to be decompressed on another thread, or was. */
function isLarge(queued: Queued | undefined): queued is QueuedBatch {
  return (
    queued?.kind === 'batch' &&
    !queued.isLeftOut &&
    (queued.decompression !== undefined || queued.batch.isInflatedElsewhere)
  )
}

function isBeingDecompressed(queued: Queued): boolean {
  return queued.kind === 'batch' && queued.decompression?.isDone === false
}
