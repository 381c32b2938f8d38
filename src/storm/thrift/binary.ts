/** Thrift's binary protocol: numbers are big-endian, fields have a type and a number. */

/** Thrift's types by their numbers. */
export const WireType = {
  stop: 0,
  bool: 2,
  byte: 3,
  double: 4,
  i16: 6,
  i32: 8,
  i64: 10,
  string: 11,
  struct: 12,
  map: 13,
  set: 14,
  list: 15,
} as const
export type WireType = number

const DEEPEST = 64

export class ThriftWriter {
  readonly #parts: Uint8Array[] = []
  #length = 0

  byte(value: number): void {
    this.#push(Uint8Array.of(value))
  }

  i16(value: number): void {
    const bytes = Buffer.alloc(2)
    bytes.writeInt16BE(value)
    this.#push(bytes)
  }

  i32(value: number): void {
    const bytes = Buffer.alloc(4)
    bytes.writeInt32BE(value)
    this.#push(bytes)
  }

  i64(value: bigint): void {
    const bytes = Buffer.alloc(8)
    bytes.writeBigInt64BE(value)
    this.#push(bytes)
  }

  double(value: number): void {
    const bytes = Buffer.alloc(8)
    bytes.writeDoubleBE(value)
    this.#push(bytes)
  }

  string(value: string): void {
    this.bytes(Buffer.from(value))
  }

  bytes(value: Uint8Array): void {
    this.i32(value.length)
    this.#push(value)
  }

  field(wire: WireType, id: number): void {
    this.byte(wire)
    this.i16(id)
  }

  stop(): void {
    this.byte(WireType.stop)
  }

  finish(): Buffer {
    return Buffer.concat(this.#parts, this.#length)
  }

  #push(bytes: Uint8Array): void {
    this.#parts.push(bytes)
    this.#length += bytes.length
  }
}

/** Throws RangeError for bytes that are not Thrift, and for incomplete ones. */
export class ThriftReader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  byte(): number {
    return this.#take(1).readUInt8()
  }

  i16(): number {
    return this.#take(2).readInt16BE()
  }

  i32(): number {
    return this.#take(4).readInt32BE()
  }

  double(): number {
    return this.#take(8).readDoubleBE()
  }

  integer(wire: WireType): bigint {
    switch (wire) {
      case WireType.byte:
        return BigInt(this.#take(1).readInt8())
      case WireType.i16:
        return BigInt(this.i16())
      case WireType.i32:
        return BigInt(this.i32())
      case WireType.i64:
        return this.#take(8).readBigInt64BE()
      default:
        throw new RangeError(`the type ${wire} is not that of a whole number`)
    }
  }

  bytes(): Buffer {
    return this.#take(this.size())
  }

  /**
   * A number of bytes or elements. Each element has at least one byte, so a response cannot claim
   * more than its size.
   */
  size(): number {
    const size = this.i32()
    if (size < 0 || size > this.#bytes.length - this.#at) throw new RangeError(`the length ${size}`)
    return size
  }

  /** Skips a value of this type. */
  skip(wire: WireType, depth = 0): void {
    if (depth > DEEPEST) throw new RangeError('structures that are nested too deeply')
    switch (wire) {
      case WireType.bool:
      case WireType.byte:
        this.#take(1)
        break
      case WireType.i16:
        this.#take(2)
        break
      case WireType.i32:
        this.#take(4)
        break
      case WireType.i64:
      case WireType.double:
        this.#take(8)
        break
      case WireType.string:
        this.bytes()
        break
      case WireType.struct:
        for (let field = this.byte(); field !== WireType.stop; field = this.byte()) {
          this.i16()
          this.skip(field, depth + 1)
        }
        break
      case WireType.map: {
        const [key, value] = [this.byte(), this.byte()]
        for (let left = this.size(); left > 0; left--) {
          this.skip(key, depth + 1)
          this.skip(value, depth + 1)
        }
        break
      }
      case WireType.list:
      case WireType.set: {
        const element = this.byte()
        for (let left = this.size(); left > 0; left--) this.skip(element, depth + 1)
        break
      }
      default:
        throw new RangeError(`the type ${wire}`)
    }
  }

  #take(length: number): Buffer {
    const end = this.#at + length
    if (end > this.#bytes.length) throw new RangeError('an end in the middle of a value')
    const taken = this.#bytes.subarray(this.#at, end)
    this.#at = end
    return taken
  }
}
