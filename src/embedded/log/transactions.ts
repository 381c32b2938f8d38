/**
 * The transactions in a log, as its batches define them: the start offsets of open ones, and the
 * aborted ones. In Kafka this is in ProducerStateManager and the transaction index (KIP-98).
 */
import { controlRecordTypeSchema } from '../../../protocol/messages/control-records.ts'
import { Reader } from '../../../protocol/buffer/reader.ts'
import type { BatchV2 } from '../../../protocol/records/batch-v2.ts'

export interface AbortedTransaction {
  readonly producerId: bigint
  readonly firstOffset: number
  /** The offset of the marker that ends it. */
  readonly lastOffset: number
}

/** The version before the type of a control record, in its key. */
const VERSION_BYTES = 2
const ABORT = 0
const COMMIT = 1

export class LogTransactions {
  readonly #open = new Map<bigint, number>()
  readonly #aborted: AbortedTransaction[] = []

  /** Updates the state for an appended batch. */
  appended(batch: BatchV2, baseOffset: number): void {
    const { producerId, transactional, control } = batch
    if (!transactional) return
    if (!control) {
      this.began(producerId, baseOffset)
      return
    }
    const type = markerOf(batch)
    if (type !== ABORT && type !== COMMIT) return
    const firstOffset = this.#open.get(producerId)
    this.#open.delete(producerId)
    if (type === ABORT && firstOffset !== undefined) {
      this.#aborted.push({ producerId, firstOffset, lastOffset: baseOffset })
    }
  }

  /** Updates the state for records of a transaction; the first of them starts it. */
  began(producerId: bigint, baseOffset: number): void {
    if (!this.#open.has(producerId)) this.#open.set(producerId, baseOffset)
  }

  /** The first offset of the open transaction of a producer; undefined if none is open. */
  startOf(producerId: bigint): number | undefined {
    return this.#open.get(producerId)
  }

  isOpen(producerId: bigint): boolean {
    return this.#open.has(producerId)
  }

  /** The last stable offset: `read_committed` consumers get no records from there on. */
  lastStableOffset(endOffset: number): number {
    let stable = endOffset
    for (const firstOffset of this.#open.values()) stable = Math.min(stable, firstOffset)
    return stable
  }

  /** The aborted transactions with records between the two offsets. */
  abortedIn(fromOffset: number, toOffset: number): readonly AbortedTransaction[] {
    return this.#aborted.filter(
      ({ firstOffset, lastOffset }) => lastOffset >= fromOffset && firstOffset < toOffset,
    )
  }

  clear(): void {
    this.#open.clear()
    this.#aborted.length = 0
  }
}

function markerOf(batch: BatchV2): number | undefined {
  const key = batch.messages()[0]?.key
  if (key === undefined || key === null || key.length < VERSION_BYTES) return undefined
  return controlRecordTypeSchema.decode(new Reader(key.subarray(VERSION_BYTES)), 0).type
}
