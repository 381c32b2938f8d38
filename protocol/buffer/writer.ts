import { Buffer } from 'node:buffer'

/** From this size on, bytes are passed to the socket without copying them into the frame. */
const REFERENCE_FROM_BYTES = 4096

/**
 * Writes Kafka's primitive types into one growing buffer. Large byte fields (usually records) are
 * not copied but stored as separate segments: `finish` returns the list for one gathered write.
 */
export class Writer {
  #buffer: Buffer
  #view: DataView
  #offset = 0
  /** The start, in the buffer, of the bytes that are not yet part of a segment. */
  #segmentStart = 0
  readonly #segments: Uint8Array[] = []
  #segmentBytes = 0

  constructor(capacityBytes = 256) {
    this.#buffer = Buffer.allocUnsafe(capacityBytes)
    this.#view = new DataView(this.#buffer.buffer, this.#buffer.byteOffset, this.#buffer.byteLength)
  }

  /** The number of bytes written so far, including those stored by reference. */
  get length(): number {
    return this.#segmentBytes + this.#offset - this.#segmentStart
  }

  bool(value: boolean): void {
    this.int8(value ? 1 : 0)
  }

  int8(value: number): void {
    const at = this.#reserve(1) // first: it may replace the view
    this.#view.setInt8(at, value)
  }

  int16(value: number): void {
    const at = this.#reserve(2)
    this.#view.setInt16(at, value)
  }

  uint16(value: number): void {
    const at = this.#reserve(2)
    this.#view.setUint16(at, value)
  }

  int32(value: number): void {
    const at = this.#reserve(4)
    this.#view.setInt32(at, value)
  }

  uint32(value: number): void {
    const at = this.#reserve(4)
    this.#view.setUint32(at, value)
  }

  int64(value: bigint): void {
    const at = this.#reserve(8)
    this.#view.setBigInt64(at, value)
  }

  float64(value: number): void {
    const at = this.#reserve(8)
    this.#view.setFloat64(at, value)
  }

  /** A UUID as `Reader.uuid` returns it: 22 characters of base64url. */
  uuid(value: string): void {
    const at = this.#reserve(16)
    this.#buffer.fill(0, at, at + 16)
    this.#buffer.write(value, at, 16, 'base64url')
  }

  unsignedVarint(value: number): void {
    let rest = value >>> 0
    while (rest > 0x7f) {
      this.int8((rest & 0x7f) | 0x80)
      rest >>>= 7
    }
    this.int8(rest)
  }

  varint(value: number): void {
    this.unsignedVarint((value << 1) ^ (value >> 31))
  }

  varlong(value: bigint): void {
    let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n))
    while (rest > 0x7fn) {
      this.int8(Number(rest & 0x7fn) | 0x80)
      rest >>= 7n
    }
    this.int8(Number(rest))
  }

  /** The text as UTF-8, without a length before it; `byteLength` must be its length in UTF-8. */
  utf8(text: string, byteLength: number): void {
    const at = this.#reserve(byteLength)
    this.#buffer.write(text, at, byteLength, 'utf8')
  }

  /**
   * The bytes without a length before them. Large ones are stored by reference: do not change them
   * afterwards.
   */
  bytes(data: Uint8Array): void {
    if (data.length >= REFERENCE_FROM_BYTES) {
      this.#cut()
      this.#segments.push(data)
      this.#segmentBytes += data.length
    } else {
      const at = this.#reserve(data.length)
      this.#buffer.set(data, at)
    }
  }

  /** Everything that `other` has written. */
  append(other: Writer): void {
    for (const segment of other.finish()) this.bytes(segment)
  }

  /** The segments, in order; empty if nothing was written. The writer must not be used afterwards. */
  finish(): readonly Uint8Array[] {
    this.#cut()
    return this.#segments
  }

  #cut(): void {
    if (this.#offset === this.#segmentStart) return
    this.#segments.push(this.#buffer.subarray(this.#segmentStart, this.#offset))
    this.#segmentBytes += this.#offset - this.#segmentStart
    this.#segmentStart = this.#offset
  }

  #reserve(length: number): number {
    const at = this.#offset
    const needed = at + length
    if (needed > this.#buffer.length) return this.#grow(length)
    this.#offset = needed
    return at
  }

  #grow(length: number): number {
    // Existing segments remain views on the old buffer, so only the rest is copied.
    const pending = this.#offset - this.#segmentStart
    const larger = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, pending + length))
    this.#buffer.copy(larger, 0, this.#segmentStart, this.#offset)
    this.#buffer = larger
    this.#view = new DataView(larger.buffer, larger.byteOffset, larger.byteLength)
    this.#segmentStart = 0
    this.#offset = pending + length
    return pending
  }
}
