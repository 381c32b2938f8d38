import { BatchV2 } from '../../../protocol/records/batch-v2.ts'
import type { Partition } from './partition.ts'
import { INFLATE_LIMIT_BYTES } from '../log/record-rules.ts'

/**
 * Truncates the log, and removes the state that its lost records produced. Returns how many records
 * were lost.
 */
export function loseTail(partition: Partition, count: number): number {
  const { log } = partition
  const end = log.endOffset
  log.truncateTo(Math.max(log.startOffset, end - count))
  rebuildState(partition)
  partition.setLeader(partition.leader)
  return end - log.endOffset
}

/** Rebuilds the state from the producers in the batches, as a broker does when it loads a log. */
function rebuildState({ topic, index, log, state }: Partition): void {
  state.clear()
  for (const { segment, ...entry } of log.entries()) {
    const source = { topic, partition: index }
    const batch = new BatchV2(segment.bytesOf(entry), source, INFLATE_LIMIT_BYTES)
    state.appended(batch, batch.baseOffset, entry.maxTimestamp)
  }
}
