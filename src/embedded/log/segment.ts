import type { SegmentFile } from './log-files.ts'

/** The metadata of a stored batch, which the log keeps to avoid reading the batch. */
export interface BatchEntry {
  readonly baseOffset: number
  readonly lastOffset: number
  /** The largest timestamp of its records. */
  readonly maxTimestamp: number
  readonly leaderEpoch: number
  /** The position in its segment. */
  readonly position: number
  readonly sizeBytes: number
}

/**
 * A part of the log in one append-only block of memory; fetches return views on it, not copies. As
 * in Kafka, it is deleted as a whole, and a fetch reads from one segment at most.
 *
 * If the segment has a file, all data is written to the file first, and the memory is released when
 * the segment is full.
 */
export class Segment {
  readonly baseOffset: number
  readonly entries: BatchEntry[] = []
  usedBytes = 0
  /**
   * The bytes of the log before this segment, counted from the very beginning of the log; it never
   * decreases from segment to segment.
   */
  bytesBefore = 0
  lastAppendMs: number
  #largestTimestamp = -1
  #data: Buffer | undefined
  readonly #file: SegmentFile | undefined

  /** `data` is its memory, which is empty or has the content of its file. */
  constructor(baseOffset: number, data: Buffer, nowMs: number, file?: SegmentFile) {
    this.baseOffset = baseOffset
    this.lastAppendMs = nowMs
    this.#data = data
    this.#file = file
  }

  get last(): BatchEntry | undefined {
    return this.entries[this.entries.length - 1]
  }

  /**
   * The time that retention uses: the largest timestamp, or the time of the last write (KIP-32).
   */
  get newestMs(): number {
    return this.#largestTimestamp >= 0 ? this.#largestTimestamp : this.lastAppendMs
  }

  hasRoomFor(sizeBytes: number): boolean {
    return this.#data !== undefined && this.usedBytes + sizeBytes <= this.#data.length
  }

  /**
   * Copies a batch to the end, after the last one, so that its offsets can be set. The batch becomes part of the
   * segment with `added`.
   */
  place(batch: Uint8Array): Buffer {
    const data = this.#data
    if (data === undefined) throw new Error('the segment is full')
    data.set(batch, this.usedBytes)
    return data.subarray(this.usedBytes, this.usedBytes + batch.length)
  }

  /** Writes the placed batch to the file, and adds it. Throws Refused. */
  append(placed: Buffer, entry: Omit<BatchEntry, 'position'>): void {
    this.#file?.write(placed, this.usedBytes)
    this.add(entry)
  }

  /** Adds a batch that the segment already contains. */
  add(entry: Omit<BatchEntry, 'position'>): void {
    this.entries.push({ ...entry, position: this.usedBytes })
    this.usedBytes += entry.sizeBytes
    this.#largestTimestamp = Math.max(this.#largestTimestamp, entry.maxTimestamp)
  }

  /** Returns a view on the memory, or reads from the file. Throws Refused. */
  bytes(from: number, to: number): Buffer {
    if (this.#data !== undefined) return this.#data.subarray(from, to)
    return this.#file?.read(from, to - from) ?? Buffer.alloc(0)
  }

  bytesOf({ position, sizeBytes }: BatchEntry): Buffer {
    return this.bytes(position, position + sizeBytes)
  }

  /** Ends appending: a segment with a file then needs no memory. */
  seal(): void {
    if (this.#file !== undefined) this.#data = undefined
  }

  /** Makes room for more data, in new memory. */
  reserve(capacityBytes: number): void {
    const data = Buffer.allocUnsafeSlow(Math.max(capacityBytes, this.usedBytes))
    data.set(this.bytes(0, this.usedBytes))
    this.#data = data
  }

  /**
   * Returns the segment without the batches from the offset on; undefined if nothing is left. It
   * has new memory, because responses in progress still use views on the old memory.
   */
  cutAt(offset: number): Segment | undefined {
    const kept = this.entries.slice(0, this.indexOf(offset))
    const last = kept[kept.length - 1]
    if (last === undefined) {
      this.delete()
      return undefined
    }
    const usedBytes = last.position + last.sizeBytes
    this.#file?.truncate(usedBytes)
    const capacityBytes = this.#data?.length ?? usedBytes
    const cut = new Segment(
      this.baseOffset,
      Buffer.allocUnsafeSlow(capacityBytes),
      this.lastAppendMs,
      this.#file,
    )
    cut.place(this.bytes(0, usedBytes))
    for (const entry of kept) cut.add(entry)
    cut.bytesBefore = this.bytesBefore
    return cut
  }

  /** Deletes its file. */
  delete(): void {
    this.#file?.delete()
  }

  /**
   * The position of the first batch that contains the offset or comes after it; the end if there is
   * none.
   */
  positionOf(offset: number): number {
    return this.entries[this.indexOf(offset)]?.position ?? this.usedBytes
  }

  /**
   * The index of the first batch that contains the offset or comes after it; that of the end if
   * there is none.
   */
  indexOf(offset: number): number {
    return firstIndex(this.entries, (entry) => entry.lastOffset >= offset)
  }
}

/** The first index of a sorted list at which the condition is true. */
export function firstIndex<T>(list: readonly T[], holds: (item: T) => boolean): number {
  let low = 0
  let high = list.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (holds(list[middle]!)) high = middle
    else low = middle + 1
  }
  return low
}
