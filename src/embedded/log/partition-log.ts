import { Refused } from '../refused.ts'
import type { LogFiles } from './log-files.ts'
import { firstIndex, Segment, type BatchEntry } from './segment.ts'

/** A checked batch v2, and the fields of its header. */
export interface ReadyBatch {
  readonly data: Uint8Array
  readonly count: number
  readonly maxTimestamp: number
}

/** Segments start small and grow, so that a thousand nearly empty partitions need little memory. */
const FIRST_SEGMENT_BYTES = 16 * 1024
const LARGEST_SEGMENT_BYTES = 16 * 1024 * 1024

const BASE_OFFSET_AT = 0
const LEADER_EPOCH_AT = 12

/**
 * The log of a partition: a sequence of encoded batches. All replicas share it, so appended records
 * are replicated immediately, and the high watermark is the end of the log.
 */
export class PartitionLog {
  readonly #segments: Segment[] = []
  readonly #listeners = new Set<() => void>()
  readonly #files: LogFiles | undefined
  #segmentBytes = FIRST_SEGMENT_BYTES
  #startOffset = 0
  #endOffset = 0
  #totalBytes = 0

  /** Without files it is in memory only. */
  constructor(files?: LogFiles) {
    this.#files = files
  }

  /** A log that was loaded from files: its sealed segments, start offset and end offset. */
  static loaded(
    files: LogFiles,
    segments: readonly Segment[],
    startOffset: number,
    endOffset: number,
  ): PartitionLog {
    const log = new PartitionLog(files)
    const firstOffset = segments[0]?.baseOffset ?? endOffset
    log.#startOffset = Math.max(startOffset, firstOffset)
    log.#endOffset = Math.max(log.#startOffset, endOffset)
    for (const segment of segments) {
      segment.bytesBefore = log.#totalBytes
      log.#totalBytes += segment.usedBytes
      log.#segments.push(segment)
    }
    log.#segmentBytes = sizeAfter(log.#totalBytes)
    log.#deleteSegments()
    log.#segments[log.#segments.length - 1]?.reserve(log.#segmentBytes)
    return log
  }

  /** The log start offset: the first readable offset, which DeleteRecords and retention move. */
  get startOffset(): number {
    return this.#startOffset
  }

  /** The offset of the next record. */
  get endOffset(): number {
    return this.#endOffset
  }

  get sizeBytes(): number {
    const first = this.#segments[0]
    return first === undefined ? 0 : this.#totalBytes - first.bytesBefore
  }

  get segments(): readonly Segment[] {
    return this.#segments
  }

  /** Oldest first. */
  *entries(fromOffset = this.#startOffset): Generator<BatchEntry & { readonly segment: Segment }> {
    for (let i = this.#segmentIndex(fromOffset); i < this.#segments.length; i++) {
      const segment = this.#segments[i]!
      for (let at = segment.indexOf(fromOffset); at < segment.entries.length; at++) {
        yield { ...segment.entries[at]!, segment }
      }
    }
  }

  /** Gives the batch its offsets and stores a copy; returns the first offset. Throws Refused. */
  append(batch: ReadyBatch, leaderEpoch: number, nowMs: number): number {
    const baseOffset = this.#endOffset
    const sizeBytes = batch.data.length
    const current = this.#segments[this.#segments.length - 1]
    const segment = current?.hasRoomFor(sizeBytes) === true ? current : this.#next(sizeBytes, nowMs)
    const stored = segment.place(batch.data)
    // The batch's CRC does not cover these two fields, so that brokers can set them.
    stored.writeBigInt64BE(BigInt(baseOffset), BASE_OFFSET_AT)
    stored.writeInt32BE(leaderEpoch, LEADER_EPOCH_AT)
    segment.append(stored, {
      baseOffset,
      lastOffset: baseOffset + batch.count - 1,
      maxTimestamp: batch.maxTimestamp,
      leaderEpoch,
      sizeBytes,
    })
    if (segment !== current) {
      current?.seal()
      this.#segments.push(segment)
      this.#segmentBytes = Math.min(LARGEST_SEGMENT_BYTES, this.#segmentBytes * 4)
    }
    segment.lastAppendMs = nowMs
    this.#totalBytes += sizeBytes
    this.#endOffset = baseOffset + batch.count
    this.changed()
    return baseOffset
  }

  /**
   * Returns bytes, beginning with the batch that contains the offset. As in Kafka, they are cut off at the limit, in
   * the middle of a batch if necessary. With `wholeFirst` (KIP-74) the first batch is returned completely, whatever its
   * size. Batches that begin at `beforeOffset` or later are not returned. Throws Refused, for example with
   * OFFSET_OUT_OF_RANGE.
   */
  read(
    offset: number,
    maxBytes: number,
    wholeFirst: boolean,
    beforeOffset = this.#endOffset,
  ): Buffer {
    this.checkOffset(offset)
    const segment = this.#segments[this.#segmentIndex(offset)]
    const first = segment?.entries[segment.indexOf(offset)]
    if (segment === undefined || first === undefined) return Buffer.alloc(0)
    const limit = wholeFirst ? Math.max(maxBytes, first.sizeBytes) : maxBytes
    const mayUpTo = beforeOffset < this.#endOffset ? segment.positionOf(beforeOffset) : Infinity
    const end = Math.min(segment.usedBytes, mayUpTo, first.position + Math.max(0, limit))
    return end <= first.position ? Buffer.alloc(0) : segment.bytes(first.position, end)
  }

  /** The number of readable bytes from one offset up to another; 0 for an offset out of range. */
  bytesFrom(offset: number, beforeOffset = this.#endOffset): number {
    return Math.max(0, this.#bytesBefore(beforeOffset) - this.#bytesBefore(offset))
  }

  checkOffset(offset: number): void {
    if (offset >= this.#startOffset && offset <= this.#endOffset) return
    throw new Refused(
      'OFFSET_OUT_OF_RANGE',
      `offset ${offset} must be from ${this.#startOffset} to ${this.#endOffset}`,
    )
  }

  /**
   * Deletes the records before the offset; memory of whole segments is released. Throws Refused.
   */
  deleteBefore(offset: number): void {
    if (offset <= this.#startOffset) return
    this.#moveStart(Math.min(offset, this.#endOffset))
    this.#deleteSegments()
    this.changed()
  }

  /** Removes the batches that contain the offset or come after it. Throws Refused. */
  truncateTo(offset: number): void {
    if (offset >= this.#endOffset) return
    for (;;) {
      const segment = this.#segments.pop()
      if (segment === undefined) break
      const cut = (segment.last?.lastOffset ?? -1) < offset ? segment : segment.cutAt(offset)
      if (cut === undefined) continue
      this.#segments.push(cut)
      break
    }
    const last = this.#segments[this.#segments.length - 1]
    this.#endOffset =
      last?.last === undefined ? Math.min(this.#startOffset, offset) : last.last.lastOffset + 1
    if (this.#endOffset < this.#startOffset) this.#moveStart(this.#endOffset)
    this.#totalBytes = last === undefined ? 0 : last.bytesBefore + last.usedBytes
    this.changed()
  }

  /**
   * Calls the listener on every change that a waiting fetch may depend on. Returns a function that
   * removes the listener.
   */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /**
   * Notifies waiting fetches. Also used for changes of the partition that are outside the log: its
   * leader, its deletion.
   */
  changed(): void {
    for (const listener of [...this.#listeners]) listener()
  }

  #moveStart(offset: number): void {
    this.#files?.startMoved(offset)
    this.#startOffset = offset
  }

  #deleteSegments(): void {
    const isEmpty = this.#startOffset === this.#endOffset
    while (isEmpty ? this.#segments.length > 0 : this.#isOver(this.#segments[1])) {
      this.#segments.shift()?.delete()
    }
  }

  /** Whether all records before the end of this segment are unreadable. */
  #isOver(next: Segment | undefined): boolean {
    return next !== undefined && next.baseOffset <= this.#startOffset
  }

  /** The bytes of the log before the batch that contains the offset. */
  #bytesBefore(offset: number): number {
    const segment = this.#segments[this.#segmentIndex(offset)]
    return segment === undefined
      ? this.#totalBytes
      : segment.bytesBefore + segment.positionOf(offset)
  }

  #segmentIndex(offset: number): number {
    return firstIndex(this.#segments, (segment) => (segment.last?.lastOffset ?? -1) >= offset)
  }

  #next(sizeBytes: number, nowMs: number): Segment {
    const data = Buffer.allocUnsafeSlow(Math.max(this.#segmentBytes, sizeBytes))
    const file = this.#files?.create(this.#endOffset)
    const segment = new Segment(this.#endOffset, data, nowMs, file)
    segment.bytesBefore = this.#totalBytes
    return segment
  }
}

/** The size of the next segment of a log of this size. */
function sizeAfter(totalBytes: number): number {
  return Math.min(LARGEST_SEGMENT_BYTES, Math.max(FIRST_SEGMENT_BYTES, totalBytes))
}
