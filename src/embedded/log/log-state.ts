import type { BatchV2 } from '../../../protocol/records/batch-v2.ts'
import { ProducerStates } from './producer-state.ts'
import { LogTransactions } from './transactions.ts'

/**
 * The state that follows from the batches of a log: updated by each append, and rebuilt when a log
 * is loaded.
 */
export class LogState {
  readonly producers = new ProducerStates()
  readonly transactions = new LogTransactions()

  /** Updates the state for a batch in the log. */
  appended(batch: BatchV2, baseOffset: number, timestamp: number): void {
    // Markers have no sequence number, but may fence the producer.
    if (batch.control) this.producers.ended(batch.producerId, batch.producerEpoch, timestamp)
    else this.producers.appended(batch, baseOffset, timestamp)
    this.transactions.appended(batch, baseOffset)
  }

  /** Removes producers without an open transaction that have written nothing after `beforeMs`. */
  expireProducers(beforeMs: number): void {
    this.producers.expire(beforeMs, (producerId) => this.transactions.isOpen(producerId))
  }

  clear(): void {
    this.producers.clear()
    this.transactions.clear()
  }
}
