/** Just enough of Kafka's and ZooKeeper's primitive types; both are big-endian. */
export class ByteWriter {
  readonly #parts: Buffer[] = []

  int8(value: number): this {
    return this.#add(1, (buffer) => buffer.writeInt8(value))
  }

  int16(value: number): this {
    return this.#add(2, (buffer) => buffer.writeInt16BE(value))
  }

  int32(value: number): this {
    return this.#add(4, (buffer) => buffer.writeInt32BE(value))
  }

  int64(value: bigint): this {
    return this.#add(8, (buffer) => buffer.writeBigInt64BE(value))
  }

  /** Kafka's string: a length of two bytes. */
  string(text: string): this {
    return this.int16(Buffer.byteLength(text)).raw(Buffer.from(text))
  }

  /** A length of four bytes before it: Kafka's bytes, ZooKeeper's strings and buffers. */
  bytes(data: Buffer | string): this {
    const buffer = Buffer.from(data)
    return this.int32(buffer.length).raw(buffer)
  }

  array<T>(items: readonly T[], write: (item: T) => void): this {
    this.int32(items.length)
    items.forEach(write)
    return this
  }

  raw(buffer: Buffer): this {
    this.#parts.push(buffer)
    return this
  }

  toBuffer(): Buffer {
    return Buffer.concat(this.#parts)
  }

  #add(size: number, write: (buffer: Buffer) => void): this {
    const buffer = Buffer.alloc(size)
    write(buffer)
    return this.raw(buffer)
  }
}

export class ByteReader {
  readonly #buffer: Buffer
  #at = 0

  constructor(buffer: Buffer) {
    this.#buffer = buffer
  }

  int16(): number {
    return this.#buffer.readInt16BE(this.#skip(2))
  }

  int32(): number {
    return this.#buffer.readInt32BE(this.#skip(4))
  }

  int64(): bigint {
    return this.#buffer.readBigInt64BE(this.#skip(8))
  }

  /** A null string is read as an empty one. */
  string(): string {
    const length = Math.max(0, this.int16())
    const start = this.#skip(length)
    return this.#buffer.toString('utf8', start, start + length)
  }

  array<T>(read: () => T): T[] {
    return Array.from({ length: Math.max(0, this.int32()) }, read)
  }

  #skip(size: number): number {
    const at = this.#at
    this.#at += size
    return at
  }
}
