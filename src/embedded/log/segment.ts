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
  /** Bytes of the log before it, counted from the log's very beginning: never smaller later. */
  readonly bytesBefore: number
}

/**
 * A stretch of the log in one block of memory that is only ever appended to: what is fetched are views on
 * it, not copies. As in Kafka, it is deleted as a whole, and a fetch reads from one segment at most.
 */
export class Segment {
  readonly baseOffset: number
  readonly data: Buffer
  readonly entries: BatchEntry[] = []
  usedBytes = 0
  lastAppendMs: number

  constructor(baseOffset: number, capacityBytes: number, nowMs: number) {
    this.baseOffset = baseOffset
    this.data = Buffer.allocUnsafeSlow(capacityBytes)
    this.lastAppendMs = nowMs
  }

  hasRoomFor(sizeBytes: number): boolean {
    return this.usedBytes + sizeBytes <= this.data.length
  }

  /** Copies the batch in, and returns that copy for its offsets to be set. */
  write(batch: Uint8Array): Buffer {
    this.data.set(batch, this.usedBytes)
    const stored = this.data.subarray(this.usedBytes, this.usedBytes + batch.length)
    this.usedBytes += batch.length
    return stored
  }

  /** The number of the first batch that reaches the offset; that of the end if none does. */
  indexOf(offset: number): number {
    return firstIndex(this.entries, (entry) => entry.lastOffset >= offset)
  }

  get last(): BatchEntry | undefined {
    return this.entries[this.entries.length - 1]
  }

  bytesOf(entry: BatchEntry): Buffer {
    return this.data.subarray(entry.position, entry.position + entry.sizeBytes)
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
