import { Buffer } from 'node:buffer'
import { ProtocolError } from '../protocol-error.ts'

/**
 * Reads Kafka's primitive types from one contiguous block of bytes.
 *
 * The bytes come from the network and may be malicious: every read first checks how many bytes are
 * left, and throws a ProtocolError with the position; nothing is allocated based on a length alone.
 * `bytes` and similar methods return views on the block, not copies.
 */
export class Reader {
  readonly buffer: Buffer
  readonly #view: DataView
  /** The position of the next read. */
  offset: number
  /**
   * Whether tagged fields that are not declared are skipped instead of kept: such a field takes two
   * bytes on the wire and about a hundred in memory.
   */
  dropsUnknownFields = false
  /** The end of the block; reads beyond it fail. */
  readonly end: number

  constructor(buffer: Buffer, start = 0, end = buffer.length) {
    this.buffer = buffer
    this.#view = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength)
    this.offset = start
    this.end = end
  }

  get remaining(): number {
    return this.end - this.offset
  }

  /** Moves forward by `length` bytes and returns their position. */
  skip(length: number): number {
    const start = this.offset
    if (length > this.end - start) throw this.#tooShort(length)
    this.offset = start + length
    return start
  }

  bool(): boolean {
    return this.int8() !== 0
  }

  int8(): number {
    return this.#view.getInt8(this.skip(1))
  }

  int16(): number {
    return this.#view.getInt16(this.skip(2))
  }

  uint16(): number {
    return this.#view.getUint16(this.skip(2))
  }

  int32(): number {
    return this.#view.getInt32(this.skip(4))
  }

  uint32(): number {
    return this.#view.getUint32(this.skip(4))
  }

  int64(): bigint {
    return this.#view.getBigInt64(this.skip(8))
  }

  float64(): number {
    return this.#view.getFloat64(this.skip(8))
  }

  /** 16 bytes as Kafka prints them: 22 characters of base64url. */
  uuid(): string {
    const start = this.skip(16)
    return this.buffer.toString('base64url', start, start + 16)
  }

  /** An unsigned varint of at most 32 bits (5 bytes), used for lengths, counts and tags. */
  unsignedVarint(): number {
    const start = this.offset
    let result = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.buffer[this.skip(1)]!
      if (shift === 28 && byte > 0x0f) break
      result |= (byte & 0x7f) << shift
      if (byte < 0x80) return result >>> 0
    }
    throw new ProtocolError('a varint is longer than 32 bits', start)
  }

  /** A zigzag varint of at most 32 bits. */
  varint(): number {
    const value = this.unsignedVarint()
    return (value >>> 1) ^ -(value & 1)
  }

  /** A zigzag varint of at most 64 bits (10 bytes). */
  varlong(): bigint {
    const start = this.offset
    let result = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.buffer[this.skip(1)]!
      if (shift === 63n && byte > 1) break
      result |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return BigInt.asIntN(64, (result >> 1n) ^ -(result & 1n))
    }
    throw new ProtocolError('a varint is longer than 64 bits', start)
  }

  /** The next `length` bytes as UTF-8. */
  utf8(length: number): string {
    const start = this.skip(length)
    return this.buffer.toString('utf8', start, start + length)
  }

  /** The next `length` bytes, as a view. */
  bytes(length: number): Buffer {
    const start = this.skip(length)
    return this.buffer.subarray(start, start + length)
  }

  #tooShort(length: number): ProtocolError {
    if (length < 0) return new ProtocolError(`the length ${length} is negative`, this.offset)
    return new ProtocolError(
      `${length} bytes are expected, but only ${this.end - this.offset} are left`,
      this.offset,
    )
  }
}
