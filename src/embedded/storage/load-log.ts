import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { BatchV2 } from '../../../protocol/records/batch-v2.ts'
import {
  BATCH_HEADER_BYTES,
  LOG_OVERHEAD_BYTES,
  MAGIC_OFFSET,
} from '../../../protocol/records/format.ts'
import { ProtocolError } from '../../../protocol/protocol-error.ts'
import { PartitionLog } from '../log/partition-log.ts'
import { LogState } from '../log/log-state.ts'
import { INFLATE_LIMIT_BYTES } from '../log/record-rules.ts'
import { Segment } from '../log/segment.ts'
import type { KeptLog } from './cluster-storage.ts'
import { baseOffsetOf, type PartitionFiles } from './partition-files.ts'

const SIZE_AT = 8
const MAX_TIMESTAMP_AT = 35
const NOWHERE = { topic: '', partition: 0 }

/**
 * Reads a partition's folder. From the first byte on that is not of a whole batch, one with a right checksum
 * and the offset that is next, everything is cut off, as Kafka does after a crash: `onCut` is told.
 */
export function loadLog(
  files: PartitionFiles,
  startOffset: number,
  onCut: (what: string) => void,
): KeptLog {
  const state = new LogState()
  const segments: Segment[] = []
  let nextOffset: number | undefined
  let isCut = false
  for (const { name, baseOffset } of segmentsIn(files.folder)) {
    const file = files.existing(baseOffset)
    const path = join(files.folder, name)
    if (isCut || (nextOffset !== undefined && baseOffset !== nextOffset)) {
      isCut = true
      onCut(`${path}, which does not follow what is before it`)
      file.delete()
      continue
    }
    const data = readFileSync(path)
    const segment = new Segment(baseOffset, data, Math.floor(statSync(path).mtimeMs), file)
    readEntries(segment, data, state)
    segment.seal()
    if (segment.usedBytes < data.length) {
      isCut = true
      onCut(`${data.length - segment.usedBytes} bytes of ${path}, from ${segment.usedBytes} on`)
      file.truncate(segment.usedBytes)
    }
    nextOffset = (segment.last?.lastOffset ?? baseOffset - 1) + 1
    if (segment.last === undefined) file.delete()
    else segments.push(segment)
  }
  const log = PartitionLog.loaded(files, segments, startOffset, nextOffset ?? startOffset)
  return { log, state }
}

function segmentsIn(folder: string) {
  return namesIn(folder)
    .flatMap((name) => {
      const baseOffset = baseOffsetOf(name)
      return baseOffset === undefined ? [] : [{ name, baseOffset }]
    })
    .sort((one, other) => one.baseOffset - other.baseOffset)
}

export function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch (error) {
    // A partition that nothing was ever written to has none.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

/** Up to the first that is not whole and right. */
function readEntries(segment: Segment, data: Buffer, state: LogState): void {
  let nextOffset = segment.baseOffset
  for (;;) {
    const batch = batchAt(data, segment.usedBytes)
    if (batch?.baseOffset !== nextOffset || batch.lastOffset < nextOffset) return
    const maxTimestamp = Number(data.readBigInt64BE(segment.usedBytes + MAX_TIMESTAMP_AT))
    state.appended(batch, batch.baseOffset, maxTimestamp)
    segment.add({
      baseOffset: batch.baseOffset,
      lastOffset: batch.lastOffset,
      maxTimestamp,
      leaderEpoch: batch.leaderEpoch,
      sizeBytes: batch.sizeBytes,
    })
    nextOffset = batch.lastOffset + 1
  }
}

function batchAt(data: Buffer, at: number): BatchV2 | undefined {
  if (at + BATCH_HEADER_BYTES > data.length || data[at + MAGIC_OFFSET] !== 2) return undefined
  const end = at + LOG_OVERHEAD_BYTES + data.readInt32BE(at + SIZE_AT)
  if (end < at + BATCH_HEADER_BYTES || end > data.length) return undefined
  try {
    return new BatchV2(data.subarray(at, end), NOWHERE, INFLATE_LIMIT_BYTES)
  } catch (error) {
    if (error instanceof ProtocolError) return undefined
    throw error
  }
}
