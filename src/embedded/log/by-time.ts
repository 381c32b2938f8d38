import { BatchV2 } from '../../../protocol/records/batch-v2.ts'
import type { PartitionLog } from './partition-log.ts'
import { INFLATE_LIMIT_BYTES } from './record-rules.ts'

export interface OffsetAtTime {
  readonly offset: number
  readonly timestamp: number
  readonly leaderEpoch: number
}

const NOWHERE = { topic: '', partition: 0 }

/** The first record at or after a time: batch headers say where to look. */
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
 * ListOffsets v0: starts of segments and the end of the log, newest first, from the last that was there at
 * the time; −1 is the end, −2 the start.
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
 * Where a leader epoch ended, and which epoch that is: the largest one there is up to the one asked for. Where all of
 * those are deleted, it is the one asked for, which ended where the log begins, as in Kafka's LeaderEpochFileCache.
 * Undefined for an epoch that has not been.
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
