/**
 * Divides `queuedMaxBytes` between what is in flight and what has arrived. A consumer that has met compressed batches
 * has a third share, for decompressed bytes.
 */
import type { Queued } from '../partition-buffer.ts'
import type { PartitionState } from '../partition-state.ts'

const SHARES = 2
export const SHARES_WITH_COMPRESSION = 3

/**
 * The memory of a queued batch beside its bytes, measured on Node 20 and 24. For a batch of one small message this is
 * more than the message.
 */
const BATCH_OVERHEAD_BYTES = 400

export class FetchBudget {
  readonly #queuedMaxBytes: number
  #shares = SHARES

  constructor(queuedMaxBytes: number) {
    this.#queuedMaxBytes = queuedMaxBytes
  }

  /** The size of one share, in bytes. All shares have the same size. */
  get shareBytes(): number {
    return this.#queuedMaxBytes / this.#shares
  }

  /** Call this when something of a partition was queued. */
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
