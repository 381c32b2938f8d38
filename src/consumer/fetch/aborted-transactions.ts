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
 * last, wherever it began: so that nothing needs to be remembered between responses.
 *
 * A producer has one transaction at a time: its batches from the first offset on are aborted, up to its
 * marker, behind which another transaction of its may begin.
 */
export class AbortedTransactions {
  /** By their beginnings, what has not begun yet. */
  readonly #coming: AbortedTransaction[]
  readonly #open = new Set<bigint>()

  constructor(aborted: readonly AbortedTransaction[]) {
    this.#coming = [...aborted].sort((a, b) => Number(a.firstOffset - b.firstOffset))
  }

  /** To be asked for each batch, in the order of the log. */
  includes(batch: MessageBatch): boolean {
    for (let next = this.#coming[0]; next !== undefined; next = this.#coming[0]) {
      if (next.firstOffset > BigInt(batch.lastOffset)) break
      this.#open.add(next.producerId)
      this.#coming.shift()
    }
    if (!batch.transactional || !this.#open.has(batch.producerId)) return false
    if (batch.control && isAbort(batch)) this.#open.delete(batch.producerId)
    return true
  }
}

function isAbort(batch: MessageBatch): boolean {
  const [record] = batch.messages()
  const key = record?.key
  if (key === null || key === undefined || key.length < TYPE_AT + 2) {
    throw new ProtocolError('a control batch has no type')
  }
  return key.readInt16BE(TYPE_AT) === ABORT
}
