import type { PartitionLog } from '../log/partition-log.ts'
import type { TopicConfig } from './topic-config.ts'

/** Kafka's log.retention.check.interval.ms. */
export const RETENTION_CHECK_INTERVAL_MS = 300_000

/**
 * Deletes whole segments, but never the newest. Kafka checks this only periodically; here each
 * append does, to save memory.
 */
export function retainBySize(
  log: PartitionLog,
  { retentionBytes, deletesRecords }: TopicConfig,
): void {
  if (!deletesRecords || retentionBytes < 0) return
  for (;;) {
    const [oldest, next] = log.segments
    if (oldest === undefined || next === undefined) return
    if (log.sizeBytes - oldest.usedBytes < retentionBytes) return
    log.deleteBefore(next.baseOffset)
  }
}

/** Deletes whole segments whose records are all too old, including the newest, as Kafka does. */
export function retainByTime(
  log: PartitionLog,
  { retentionMs, deletesRecords }: TopicConfig,
  nowMs: number,
): void {
  if (!deletesRecords || retentionMs < 0) return
  for (;;) {
    const [oldest, next] = log.segments
    if (oldest === undefined || nowMs - oldest.newestMs <= retentionMs) return
    log.deleteBefore(next?.baseOffset ?? log.endOffset)
  }
}
