import { ProtocolError } from '../../../protocol/protocol-error.ts'
import type { MessageBatch } from '../../../protocol/records/message-batch.ts'

/** In the key of a control record, behind its version (KIP-98). */
const TYPE_AT = 2
const ABORT = 0

export interface AbortedTransaction {
  readonly producerId: bigint
  readonly firstOffset: bigint
}

/**
 * Tells the batches of one response that belong to aborted transactions, for consumers that read only what is
 * committed. A response names every aborted transaction that has messages between its first offset and its
 * last, including those that began earlier, so that nothing needs to be remembered between responses.
 *
 * A producer has one transaction at a time: its batches from the first offset on are aborted, up to its
 * marker, behind which another transaction of its may begin.
 */
export class AbortedTransactions {
  /** By their beginnings. */
  readonly #sorted: readonly AbortedTransaction[]
  /** How many of them have begun: an index, for a response may name millions, and `shift` moves them all. */
  #begun = 0
  readonly #open = new Set<bigint>()

  constructor(aborted: readonly AbortedTransaction[]) {
    this.#sorted = [...aborted].sort((a, b) => Number(a.firstOffset - b.firstOffset))
  }

  /** To be asked for each batch, in the order of the log. */
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
 * A marker that cannot be read ends the transaction, too: it is this producer's, and what follows it is of another
 * transaction. Brokers do not compress markers, and decompressing one here would be outside the consumer's budget.
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
