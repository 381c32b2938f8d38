import type { SegmentFile } from './log-files.ts'

/** What the log knows of a stored batch without reading it. */
export interface BatchEntry {
  readonly baseOffset: number
  readonly lastOffset: number
  /** Of all its records. */
  readonly maxTimestamp: number
  readonly leaderEpoch: number
  /** Where it starts in its segment. */
  readonly position: number
  readonly sizeBytes: number
}

/**
 * A stretch of the log in one block of memory that is only ever appended to: what is fetched are views on
 * it, not copies. As in Kafka, it is deleted as a whole, and a fetch reads from one segment at most.
 *
 * Where it has a file, all is written there first, and the memory is given up once the segment is full.
 */
export class Segment {
  readonly baseOffset: number
  readonly entries: BatchEntry[] = []
  usedBytes = 0
  /** Of the log, from its very beginning: never smaller in a later segment. */
  bytesBefore = 0
  lastAppendMs: number
  #largestTimestamp = -1
  #data: Buffer | undefined
  readonly #file: SegmentFile | undefined

  /** `data` is its memory, empty or with what its file holds. */
  constructor(baseOffset: number, data: Buffer, nowMs: number, file?: SegmentFile) {
    this.baseOffset = baseOffset
    this.lastAppendMs = nowMs
    this.#data = data
    this.#file = file
  }

  get last(): BatchEntry | undefined {
    return this.entries[this.entries.length - 1]
  }

  /** The time that retention uses: the largest timestamp, or the last write (KIP-32). */
  get newestMs(): number {
    return this.#largestTimestamp >= 0 ? this.#largestTimestamp : this.lastAppendMs
  }

  hasRoomFor(sizeBytes: number): boolean {
    return this.#data !== undefined && this.usedBytes + sizeBytes <= this.#data.length
  }

  /** Copies a batch behind the last, for its offsets to be set. It counts once it is `added`. */
  place(batch: Uint8Array): Buffer {
    const data = this.#data
    if (data === undefined) throw new Error('a segment that is full takes no batch')
    data.set(batch, this.usedBytes)
    return data.subarray(this.usedBytes, this.usedBytes + batch.length)
  }

  /** Writes to the file what was placed, and counts it. Throws Refused. */
  append(placed: Buffer, entry: Omit<BatchEntry, 'position'>): void {
    this.#file?.write(placed, this.usedBytes)
    this.add(entry)
  }

  /** Counts a batch that is there already. */
  add(entry: Omit<BatchEntry, 'position'>): void {
    this.entries.push({ ...entry, position: this.usedBytes })
    this.usedBytes += entry.sizeBytes
    this.#largestTimestamp = Math.max(this.#largestTimestamp, entry.maxTimestamp)
  }

  /** A view on memory, or what is read from the file. Throws Refused. */
  bytes(from: number, to: number): Buffer {
    if (this.#data !== undefined) return this.#data.subarray(from, to)
    return this.#file?.read(from, to - from) ?? Buffer.alloc(0)
  }

  bytesOf({ position, sizeBytes }: BatchEntry): Buffer {
    return this.bytes(position, position + sizeBytes)
  }

  /** Nothing more is appended: where there is a file, it needs no memory. */
  seal(): void {
    if (this.#file !== undefined) this.#data = undefined
  }

  /** Makes room for more, in new memory. */
  reserve(capacityBytes: number): void {
    const data = Buffer.allocUnsafeSlow(Math.max(capacityBytes, this.usedBytes))
    data.set(this.bytes(0, this.usedBytes))
    this.#data = data
  }

  /**
   * What it is without the batches that reach the offset; undefined where nothing is left. It has new memory:
   * views on the old are still on their way to clients.
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

  /** Its file, that is. */
  delete(): void {
    this.#file?.delete()
  }

  /** Where the first batch that reaches the offset begins; the end if none does. */
  positionOf(offset: number): number {
    return this.entries[this.indexOf(offset)]?.position ?? this.usedBytes
  }

  /** The number of the first batch that reaches the offset; that of the end if none does. */
  indexOf(offset: number): number {
    return firstIndex(this.entries, (entry) => entry.lastOffset >= offset)
  }
}

/** Where, in a sorted list, the condition begins to hold. */
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
