import { ProtocolError } from '../../../protocol/protocol-error.ts'
import type { MessageBatch } from '../../../protocol/records/message-batch.ts'

/** The offset of the type in the key of a control record, after the version (KIP-98). */
const TYPE_AT = 2
const ABORT = 0

export interface AbortedTransaction {
  readonly producerId: bigint
  readonly firstOffset: bigint
}

/**
 * Finds the batches of one response that belong to aborted transactions, for consumers that read only committed
 * messages. A response names every aborted transaction with messages between its first and its last offset, including
 * those that began earlier, so that no state is kept between responses.
 *
 * A producer has one transaction at a time: its batches are aborted from the first offset up to its marker; after the
 * marker its next transaction may begin.
 */
export class AbortedTransactions {
  /** Sorted by their first offsets. */
  readonly #sorted: readonly AbortedTransaction[]
  /**
   * How many of them have begun. It is an index, because a response may name millions, and `shift` moves them all.
   */
  #begun = 0
  readonly #open = new Set<bigint>()

  constructor(aborted: readonly AbortedTransaction[]) {
    this.#sorted = [...aborted].sort((a, b) => Number(a.firstOffset - b.firstOffset))
  }

  /** Call this for each batch, in the order of the log. */
  includes(batch: MessageBatch): boolean {
    const lastOffset = BigInt(batch.lastOffset)
    for (; this.#begun < this.#sorted.length; this.#begun++) {
      const { firstOffset, producerId } = this.#sorted[this.#begun]!
      if (firstOffset > lastOffset) break
      this.#open.add(producerId)
    }
    if (!batch.transactional || !this.#open.has(batch.producerId)) return false
    if (batch.control && isAbort(batch)) this.#open.delete(batch.producerId)
    return true
  }
}

/**
 * A marker that cannot be read also ends the transaction: it is this producer's, and what follows belongs to another
 * transaction. Brokers do not compress markers, and decompressing one here would not count against the consumer's
 * budget.
 */
function isAbort(batch: MessageBatch): boolean {
  if (batch.compression !== 'none') return true
  try {
    const key = batch.messages()[0]?.key
    return key === null || key === undefined || key.length < TYPE_AT + 2
      ? true
      : key.readInt16BE(TYPE_AT) === ABORT
  } catch (error) {
    if (error instanceof ProtocolError) return true
    throw error
  }
}
