import { UsageError } from './failure.ts'

const NEWLINE = 0x0a
const NOTHING = Buffer.alloc(0)

/**
 * Cuts a byte stream into lines, without what ends them. Bytes stay as they are: nothing is decoded. A line that
 * lies whole in one chunk is a view on it; the parts of one that does not are joined once, at its end.
 */
export class LineSplitter {
  readonly #maxLineBytes: number
  readonly #delimiter: number
  /** The start of a line whose end has not come yet. */
  #parts: Buffer[] = []
  #partsBytes = 0
  #lines = 0

  /** `delimiter` is the byte that ends a line. */
  constructor(maxLineBytes: number, delimiter = NEWLINE) {
    this.#maxLineBytes = maxLineBytes
    this.#delimiter = delimiter
  }

  /** The lines that end in this chunk. Throws UsageError once a line is too long. */
  *push(chunk: Buffer): Generator<Buffer, void, undefined> {
    let start = 0
    for (;;) {
      const end = chunk.indexOf(this.#delimiter, start)
      if (end < 0) break
      yield this.#complete(chunk.subarray(start, end))
      start = end + 1
    }
    if (start < chunk.length) this.#keep(chunk.subarray(start))
  }

  /** The last line, where no newline ends it. */
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

  /** Input without newlines must not fill the memory: it ends here. */
  #check(moreBytes: number): void {
    if (this.#partsBytes + moreBytes <= this.#maxLineBytes) return
    throw new UsageError(
      `line ${this.#lines + 1} is longer than ${this.#maxLineBytes} bytes (see --max-message-bytes)`,
    )
  }
}

/** A line split at the first separator; without one, the whole line is the value and there is no key. */
export function splitKey(line: Buffer, separator: Buffer): { key: Buffer | null; value: Buffer } {
  const at = line.indexOf(separator)
  if (at < 0) return { key: null, value: line }
  return { key: line.subarray(0, at), value: line.subarray(at + separator.length) }
}
