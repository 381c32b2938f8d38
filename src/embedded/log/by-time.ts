import { BatchV2 } from '../../../protocol/records/batch-v2.ts'
import type { PartitionLog } from './partition-log.ts'
import { INFLATE_LIMIT_BYTES } from './record-rules.ts'

export interface OffsetAtTime {
  readonly offset: number
  readonly timestamp: number
  readonly leaderEpoch: number
}

const NOWHERE = { topic: '', partition: 0 }

/** Finds the first record at or after a time; the batch headers limit the search. */
export function firstAtOrAfter(log: PartitionLog, timestamp: number): OffsetAtTime | undefined {
  for (const { segment, ...entry } of log.entries()) {
    if (entry.maxTimestamp < timestamp) continue
    const batch = new BatchV2(segment.bytesOf(entry), NOWHERE, INFLATE_LIMIT_BYTES)
    for (const message of batch.messages()) {
      if (message.nearTimestamp < timestamp || message.offset < log.startOffset) continue
      const { offset, nearTimestamp: found } = message
      return { offset, timestamp: found, leaderEpoch: entry.leaderEpoch }
    }
  }
  return undefined
}

/** The first record with the largest timestamp (KIP-734). */
export function withMaxTimestamp(log: PartitionLog): OffsetAtTime | undefined {
  let max = -1
  for (const { maxTimestamp } of log.entries()) max = Math.max(max, maxTimestamp)
  return max < 0 ? undefined : firstAtOrAfter(log, max)
}

/**
 * ListOffsets v0: the start offsets of segments and the end offset of the log, newest first, from
 * the last one before the given time; −1 means the end, −2 the start.
 */
export function segmentOffsets(log: PartitionLog, timestamp: number, maxCount: number): number[] {
  const marks = log.segments.map(({ baseOffset, lastAppendMs }) => ({
    offset: Math.max(baseOffset, log.startOffset),
    atMs: lastAppendMs,
  }))
  if (marks.length === 0) marks.push({ offset: log.startOffset, atMs: 0 })
  if (log.endOffset > marks[marks.length - 1]!.offset) {
    marks.push({ offset: log.endOffset, atMs: Infinity })
  }
  const known =
    timestamp === -1
      ? marks
      : timestamp === -2
        ? marks.slice(0, 1)
        : marks.filter(({ atMs }) => atMs <= timestamp)
  return known
    .map(({ offset }) => offset)
    .reverse()
    .slice(0, Math.max(0, maxCount))
}

/**
 * Returns where a leader epoch ended, with its number: the largest known epoch up to the requested
 * one. If all of those are deleted, it returns the requested epoch and the log start offset, as
 * Kafka's LeaderEpochFileCache does. Undefined for an epoch that never existed.
 */
export function endOfEpoch(
  log: PartitionLog,
  epoch: number,
  currentEpoch: number,
): { readonly epoch: number; readonly endOffset: number } | undefined {
  if (epoch === currentEpoch) return { epoch, endOffset: log.endOffset }
  if (epoch < 0 || epoch > currentEpoch) return undefined
  let found: number | undefined
  for (const { leaderEpoch, baseOffset } of log.entries()) {
    if (leaderEpoch > epoch) {
      return { epoch: found ?? epoch, endOffset: Math.max(baseOffset, log.startOffset) }
    }
    found = leaderEpoch
  }
  return { epoch: found ?? epoch, endOffset: log.endOffset }
}
