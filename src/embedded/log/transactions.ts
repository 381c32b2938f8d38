/**
 * The transactions in a log, as its batches report them: where those begin that are not ended yet, and which
 * were aborted. In Kafka this is in ProducerStateManager and the transaction index (KIP-98).
 */
import { controlRecordTypeSchema } from '../../../protocol/messages/control-records.ts'
import { Reader } from '../../../protocol/buffer/reader.ts'
import type { BatchV2 } from '../../../protocol/records/batch-v2.ts'

export interface AbortedTransaction {
  readonly producerId: bigint
  readonly firstOffset: number
  /** Of the marker that ends it. */
  readonly lastOffset: number
}

/** Before the type of a control record, in its key. */
const VERSION_BYTES = 2
const ABORT = 0
const COMMIT = 1

export class Transactions {
  readonly #open = new Map<bigint, number>()
  readonly #aborted: AbortedTransaction[] = []

  /** Takes note of a batch that was appended. */
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

  /** Takes note of records of a transaction, the first of which begin it. */
  began(producerId: bigint, baseOffset: number): void {
    if (!this.#open.has(producerId)) this.#open.set(producerId, baseOffset)
  }

  /** Where the open transaction of a producer begins; undefined where none is open. */
  startOf(producerId: bigint): number | undefined {
    return this.#open.get(producerId)
  }

  isOpen(producerId: bigint): boolean {
    return this.#open.has(producerId)
  }

  /** Where what is certain ends: `read_committed` sees nothing from there on. */
  lastStableOffset(endOffset: number): number {
    let stable = endOffset
    for (const firstOffset of this.#open.values()) stable = Math.min(stable, firstOffset)
    return stable
  }

  /** Those that have records from the one offset on, and before the other. */
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
