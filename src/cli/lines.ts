import { UsageError } from './failure.ts'

const NEWLINE = Buffer.from('\n')
const NOTHING = Buffer.alloc(0)

/**
 * Splits a byte stream into lines without their delimiters. It does not decode the bytes. A line
 * within one chunk is a view on it; the parts of other lines are joined once, at their end.
 */
export class LineSplitter {
  readonly #maxLineBytes: number
  readonly #delimiter: Buffer
  /** The start of a line whose end has not arrived yet. */
  #parts: Buffer[] = []
  #partsBytes = 0
  #lines = 0

  /** `delimiter` ends a line, and has one byte or more. */
  constructor(maxLineBytes: number, delimiter: Buffer = NEWLINE) {
    this.#maxLineBytes = maxLineBytes
    this.#delimiter = delimiter
  }

  /** Returns the lines that end in this chunk. Throws UsageError if a line is too long. */
  *push(chunk: Buffer): Generator<Buffer, void, undefined> {
    const { length } = this.#delimiter
    // Searching for a byte is faster than searching for a text of one byte.
    const wanted = length === 1 ? this.#delimiter[0]! : this.#delimiter
    let rest = chunk
    let from = 0
    if (length > 1 && this.#parts.length > 0) {
      // The delimiter may have started in the previous chunk.
      from = Math.max(0, this.#partsBytes - length + 1)
      rest = Buffer.concat([...this.#parts, chunk])
      this.#parts = []
      this.#partsBytes = 0
    }
    let start = 0
    for (;;) {
      const end = rest.indexOf(wanted, from)
      if (end < 0) break
      yield this.#complete(rest.subarray(start, end))
      start = end + length
      from = start
    }
    if (start < rest.length) this.#keep(rest.subarray(start))
  }

  /** Returns the last line, if no newline ends it. */
  finish(): Buffer | undefined {
    return this.#parts.length === 0 ? undefined : this.#complete(NOTHING)
  }

  #complete(end: Buffer): Buffer {
    this.#check(end.length)
    this.#lines++
    if (this.#parts.length === 0) return end
    const line = Buffer.concat([...this.#parts, end])
    this.#parts = []
    this.#partsBytes = 0
    return line
  }

  #keep(part: Buffer): void {
    this.#check(part.length)
    this.#parts.push(part)
    this.#partsBytes += part.length
  }

  /** Input without newlines must not fill the memory: this is the limit. */
  #check(moreBytes: number): void {
    if (this.#partsBytes + moreBytes <= this.#maxLineBytes) return
    throw new UsageError(
      `line ${this.#lines + 1} is longer than ${this.#maxLineBytes} bytes (see --max-message-bytes)`,
    )
  }
}

/**
 * Splits a line at the first separator; without one, the whole line is the value and the key is
 * missing.
 */
export function splitKey(line: Buffer, separator: Buffer): { key: Buffer | null; value: Buffer } {
  const at = line.indexOf(separator)
  if (at < 0) return { key: null, value: line }
  return { key: line.subarray(0, at), value: line.subarray(at + separator.length) }
}
