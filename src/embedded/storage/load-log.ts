import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { EmbeddedClusterError } from '../embedded-cluster-error.ts'
import { PartitionLog } from '../log/partition-log.ts'
import { LogState } from '../log/log-state.ts'
import { Segment } from '../log/segment.ts'
import type { KeptLog } from './cluster-storage.ts'
import { namesIn } from './names-in.ts'
import { baseOffsetOf, type PartitionFiles } from './partition-files.ts'
import { batchAt, isTorn, maxTimestampAt } from './stored-batches.ts'

/**
 * Reads a partition's folder. As in Kafka, the remains of an interrupted write are truncated, and
 * `onWarning` is called. Throws EmbeddedClusterError for other damage, before anything is changed.
 */
export function loadLog(
  files: PartitionFiles,
  startOffset: number,
  onWarning: (message: string) => void,
): KeptLog {
  const state = new LogState()
  const read = readSegments(files, state)
  for (const { segment, path, tornBytes } of read) {
    if (tornBytes > 0) {
      const where = `${tornBytes} bytes of ${path}, from ${segment.usedBytes} on`
      onWarning(`truncated records that were written only in part: ${where}`)
      files.existing(segment.baseOffset).truncate(segment.usedBytes)
    }
    if (segment.last === undefined) segment.delete()
  }
  const first = read[0]
  if (first !== undefined && first.segment.baseOffset > startOffset) {
    onWarning(
      `${files.folder} does not have the records from offset ${startOffset} to ${first.segment.baseOffset - 1}`,
    )
  }
  const segments = read.map(({ segment }) => segment)
  const log = PartitionLog.loaded(
    files,
    segments.filter(({ last }) => last !== undefined),
    startOffset,
    segments.length === 0 ? startOffset : nextOffset(segments[segments.length - 1]!),
  )
  return { log, state }
}

interface ReadSegment {
  readonly segment: Segment
  readonly path: string
  readonly tornBytes: number
}

function readSegments(files: PartitionFiles, state: LogState): readonly ReadSegment[] {
  const read: ReadSegment[] = []
  for (const { name, baseOffset } of segmentsIn(files.folder)) {
    const path = join(files.folder, name)
    const before = read[read.length - 1]
    const next = before === undefined ? baseOffset : nextOffset(before.segment)
    if (baseOffset !== next) {
      throw damaged(
        `${path} does not follow the records before it, which end at offset ${next - 1}`,
        'restore the file between them from a copy, or move this one and later ones out of the folder',
      )
    }
    const data = readFileSync(path)
    const lastAppendMs = Math.floor(statSync(path).mtimeMs)
    const segment = new Segment(baseOffset, data, lastAppendMs, files.existing(baseOffset))
    readBatches(segment, data, state)
    segment.seal()
    const at = segment.usedBytes
    if (at < data.length && !isTorn(data, at, nextOffset(segment))) {
      throw damaged(
        `${path} is damaged from byte ${at} (offset ${nextOffset(segment)})`,
        `restore it from a copy, or truncate it to ${at} bytes and move later files out of the folder to continue with the records before`,
      )
    }
    read.push({ segment, path, tornBytes: data.length - at })
  }
  return read
}

function nextOffset({ last, baseOffset }: Segment): number {
  return last === undefined ? baseOffset : last.lastOffset + 1
}

function damaged(what: string, remedy: string): EmbeddedClusterError {
  return new EmbeddedClusterError('DATA_FOLDER_DAMAGED', `${what}. Nothing was changed: ${remedy}`)
}

function segmentsIn(folder: string) {
  return namesIn(folder)
    .flatMap((name) => {
      const baseOffset = baseOffsetOf(name)
      return baseOffset === undefined ? [] : [{ name, baseOffset }]
    })
    .sort((one, other) => one.baseOffset - other.baseOffset)
}

/** Up to the first batch that is incomplete, invalid or out of sequence. */
function readBatches(segment: Segment, data: Buffer, state: LogState): void {
  for (;;) {
    const next = nextOffset(segment)
    const batch = batchAt(data, segment.usedBytes)
    if (batch?.baseOffset !== next || batch.lastOffset < next) return
    const maxTimestamp = maxTimestampAt(data, segment.usedBytes)
    state.appended(batch, batch.baseOffset, maxTimestamp)
    segment.add({
      baseOffset: batch.baseOffset,
      lastOffset: batch.lastOffset,
      maxTimestamp,
      leaderEpoch: batch.leaderEpoch,
      sizeBytes: batch.sizeBytes,
    })
  }
}
