/** Queues a partition's part of a fetch response. */
import { readBatches } from '../../../protocol/records/read-batches.ts'
import { CorruptBatchError } from '../../errors.ts'
import type { Logger } from '../../observe/logger.ts'
import type { PartitionState } from '../partition-state.ts'
import { AbortedTransactions } from './aborted-transactions.ts'
import { behindDamage } from './damage.ts'
import type { FetchedPartition } from './fetch-request.ts'
import type { Lease } from './lease.ts'
import type { FetchSettings } from './settings.ts'

/** The largest batch to request if brokers cut at a limit; no broker accepts a message this large. */
const LARGEST_FETCH_BYTES = 0x3fffffff

/** Returns the end of the log that this consumer can see; −1 before the first response. */
export function visibleEnd(state: PartitionState, isReadCommitted: boolean): number {
  const { highWatermark, lastStableOffset } = state.fetch
  return isReadCommitted && lastStableOffset >= 0 ? lastStableOffset : highWatermark
}

/**
 * Queues the batches from the fetch offset on; for a damaged batch, the error, or the jump past it. Returns true if the
 * response brought progress: a batch, or an error that ends the partition.
 */
export function queueRecords(
  state: PartitionState,
  fetched: FetchedPartition,
  lease: Lease | undefined,
  { isReadCommitted, skipCorrupt, decompressedBatchMaxBytes }: FetchSettings,
  logger: Logger,
): boolean {
  const { records } = fetched
  if (records === null) return false
  const aborted = isReadCommitted
    ? new AbortedTransactions(fetched.abortedTransactions ?? [])
    : undefined
  let data = Buffer.from(records.buffer, records.byteOffset, records.length)
  let isFurther = false
  let largest = 0
  for (;;) {
    const { batches, cutOffBytes, error, damagedAt } = readBatches(
      data,
      state,
      decompressedBatchMaxBytes,
      lease?.frameMemory,
    )
    for (const batch of batches) {
      largest = Math.max(largest, batch.sizeBytes)
      const isLeftOut = aborted?.includes(batch) === true || batch.control
      if (batch.lastOffset < state.fetch.offset) continue
      lease?.retain()
      state.buffer.enqueue({ kind: 'batch', batch, from: state.fetch.offset, isLeftOut, lease })
      state.fetch.advanceTo(batch.lastOffset + 1, batch.leaderEpoch)
      isFurther = true
    }
    state.fetch.sawBatch(largest)
    if (error === undefined) {
      // Brokers before KIP-74 (0.10.1) cut off even the first batch: request all of it.
      if (!isFurther && batches.length === 0 && cutOffBytes > 0) {
        askForMore(state, Math.max(cutOffBytes, state.fetch.maxBytes * 2))
      }
      return isFurther
    }
    const damage = new CorruptBatchError(state.topic, state.partition, state.fetch.offset, error)
    if (!skipCorrupt) {
      state.buffer.enqueue({ kind: 'error', error: damage })
      return true
    }
    data = data.subarray(damagedAt)
    const { offset: fetchOffset, maxBytes } = state.fetch
    const endOffset = visibleEnd(state, isReadCommitted)
    const behind = behindDamage(data, { fetchOffset, endOffset, maxBytes })
    if (behind.kind === 'ask-for-more') {
      askForMore(state, behind.maxBytes)
      return isFurther
    }
    logger.warn(
      `${damage.message}; continuing at offset ${behind.offset} instead of ${fetchOffset}`,
    )
    state.jumpTo(behind.offset)
    if (behind.at < 0) return isFurther
    data = data.subarray(behind.at)
  }
}

function askForMore(state: PartitionState, maxBytes: number): void {
  state.fetch.askFor(Math.min(LARGEST_FETCH_BYTES, maxBytes))
}
