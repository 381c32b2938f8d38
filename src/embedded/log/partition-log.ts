import { Refused } from '../refused.ts'
import { firstIndex, Segment, type BatchEntry } from './segment.ts'

/** A batch v2 that has been checked, and what its header says. */
export interface ReadyBatch {
  readonly data: Uint8Array
  readonly count: number
  readonly maxTimestamp: number
}

/** Segments start small, so that a cluster with a hundred partitions starts at once, and double. */
const FIRST_SEGMENT_BYTES = 16 * 1024
const LARGEST_SEGMENT_BYTES = 16 * 1024 * 1024

const BASE_OFFSET_AT = 0
const LEADER_EPOCH_AT = 12

/**
 * The log of a partition: encoded batches one after the other. There is one for all replicas, so that
 * what is appended is replicated, and the high watermark is the log's end.
 */
export class PartitionLog {
  readonly #segments: Segment[] = []
  readonly #listeners = new Set<() => void>()
  #segmentBytes = FIRST_SEGMENT_BYTES
  #startOffset = 0
  #endOffset = 0
  #totalBytes = 0

  /** The first offset that can be read: moved by DeleteRecords and by retention. */
  get startOffset(): number {
    return this.#startOffset
  }

  /** The offset of the next record. */
  get endOffset(): number {
    return this.#endOffset
  }

  get sizeBytes(): number {
    const first = this.#segments[0]?.entries[0]
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

  /** Gives the batch its offsets and stores a copy; returns the first offset. */
  append(batch: ReadyBatch, leaderEpoch: number, nowMs: number): number {
    const baseOffset = this.#endOffset
    const segment = this.#segmentFor(batch.data.length, nowMs)
    const position = segment.usedBytes
    const stored = segment.write(batch.data)
    // Neither is covered by the batch's CRC, for just this reason.
    stored.writeBigInt64BE(BigInt(baseOffset), BASE_OFFSET_AT)
    stored.writeInt32BE(leaderEpoch, LEADER_EPOCH_AT)
    segment.entries.push({
      baseOffset,
      lastOffset: baseOffset + batch.count - 1,
      maxTimestamp: batch.maxTimestamp,
      leaderEpoch,
      position,
      sizeBytes: stored.length,
      bytesBefore: this.#totalBytes,
    })
    segment.lastAppendMs = nowMs
    this.#totalBytes += stored.length
    this.#endOffset = baseOffset + batch.count
    this.changed()
    return baseOffset
  }

  /**
   * Bytes from the batch that holds the offset on, cut off at the limit as Kafka cuts them, in the middle
   * of a batch if need be. With `wholeFirst` (KIP-74) the first batch comes whole whatever its size.
   * Throws OFFSET_OUT_OF_RANGE.
   */
  read(offset: number, maxBytes: number, wholeFirst: boolean): Buffer {
    this.checkOffset(offset)
    const segment = this.#segments[this.#segmentIndex(offset)]
    const first = segment?.entries[segment.indexOf(offset)]
    if (segment === undefined || first === undefined) return Buffer.alloc(0)
    const limit = wholeFirst ? Math.max(maxBytes, first.sizeBytes) : maxBytes
    const end = Math.min(segment.usedBytes, first.position + Math.max(0, limit))
    return segment.data.subarray(first.position, end)
  }

  /** How much there is to read from an offset on: 0 for one out of range. */
  bytesFrom(offset: number): number {
    const segment = this.#segments[this.#segmentIndex(offset)]
    const first = segment?.entries[segment.indexOf(offset)]
    return first === undefined ? 0 : this.#totalBytes - first.bytesBefore
  }

  checkOffset(offset: number): void {
    if (offset >= this.#startOffset && offset <= this.#endOffset) return
    throw new Refused(
      'OFFSET_OUT_OF_RANGE',
      `offset ${offset} is not from ${this.#startOffset} to ${this.#endOffset}`,
    )
  }

  /** Forgets what is before the offset; whole segments are freed. */
  deleteBefore(offset: number): void {
    if (offset <= this.#startOffset) return
    this.#startOffset = Math.min(offset, this.#endOffset)
    while (this.#segments.length > 1 && this.#segments[1]!.baseOffset <= this.#startOffset) {
      this.#segments.shift()
    }
    if (this.#startOffset === this.#endOffset) this.#segments.length = 0
    this.changed()
  }

  /**
   * Loses the batches that reach the offset or lie behind it. What is appended next goes into new memory:
   * views on the old are still on their way to clients.
   */
  truncateTo(offset: number): void {
    if (offset >= this.#endOffset) return
    const kept = this.#segments.splice(0)
    for (const segment of kept) {
      const entries = segment.entries.filter(({ lastOffset }) => lastOffset < offset)
      if (entries.length === 0) continue
      const last = entries[entries.length - 1]!
      const usedBytes = last.position + last.sizeBytes
      const copy = new Segment(segment.baseOffset, segment.data.length, segment.lastAppendMs)
      copy.write(segment.data.subarray(0, usedBytes))
      copy.entries.push(...entries)
      this.#segments.push(copy)
    }
    const last = this.#segments[this.#segments.length - 1]?.last
    this.#endOffset = last === undefined ? Math.min(this.#startOffset, offset) : last.lastOffset + 1
    this.#startOffset = Math.min(this.#startOffset, this.#endOffset)
    this.#totalBytes = last === undefined ? 0 : last.bytesBefore + last.sizeBytes
    this.changed()
  }

  /** Called on every change that a waiting fetch may be about. Returns what stops it. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Tells those who wait. Also for changes of the partition that aren't the log's: its leader, its end. */
  changed(): void {
    for (const listener of [...this.#listeners]) listener()
  }

  #segmentIndex(offset: number): number {
    return firstIndex(this.#segments, (segment) => (segment.last?.lastOffset ?? -1) >= offset)
  }

  #segmentFor(sizeBytes: number, nowMs: number): Segment {
    const current = this.#segments[this.#segments.length - 1]
    if (current?.hasRoomFor(sizeBytes) === true) return current
    const segment = new Segment(this.#endOffset, Math.max(this.#segmentBytes, sizeBytes), nowMs)
    this.#segmentBytes = Math.min(LARGEST_SEGMENT_BYTES, this.#segmentBytes * 4)
    this.#segments.push(segment)
    return segment
  }
}
