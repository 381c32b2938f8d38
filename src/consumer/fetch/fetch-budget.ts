/**
 * How `queuedMaxBytes` is shared out: what is on its way, and what has arrived. A consumer that has met compressed
 * batches has a third share, for what is decompressed.
 */
import type { Queued } from '../partition-buffer.ts'
import type { PartitionState } from '../partition-state.ts'

const SHARES = 2
export const SHARES_WITH_COMPRESSION = 3

/**
 * What a queued batch takes beside its bytes, measured on Node 20 and 24: for batches of one small message more than
 * the message.
 */
const BATCH_OVERHEAD_BYTES = 400

export class FetchBudget {
  readonly #queuedMaxBytes: number
  #shares = SHARES

  constructor(queuedMaxBytes: number) {
    this.#queuedMaxBytes = queuedMaxBytes
  }

  /** For what is on its way, and as much again for what has arrived. */
  get shareBytes(): number {
    return this.#queuedMaxBytes / this.#shares
  }

  /** To be called when something of a partition was queued. */
  saw({ buffer: { queue } }: PartitionState): void {
    if (this.#shares === SHARES_WITH_COMPRESSION || !queue.some(isCompressed)) return
    this.#shares = SHARES_WITH_COMPRESSION
  }
}

function isCompressed(queued: Queued): boolean {
  return queued.kind === 'batch' && queued.batch.compression !== 'none'
}

/** The memory that a partition's queue takes. */
export function queuedBytes({ buffer: { bytes, queue } }: PartitionState): number {
  return bytes + queue.length * BATCH_OVERHEAD_BYTES
}
