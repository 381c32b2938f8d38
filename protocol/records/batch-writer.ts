/**
 * Writes the records of a batch v2 (Kafka 0.11 and newer; KIP-98, KIP-82) one by one: each record
 * is encoded when it is appended, and only its bytes are kept.
 *
 * Hot path. Do not add a Buffer or a bigint for each record, a closure for each field, or a call
 * into Node for a short text (see SHORT_BYTES). benchmarks/codec.ts measures it. Compared with
 * records that stay objects until their batch is written, this takes half the time for each record:
 * there is one pass instead of two (sizes, then bytes), and nothing for the garbage collector to
 * move. Headers are counted by the lengths of their short texts, and written again if one turns out
 * not to be ASCII: reading the characters of three headers twice took a tenth of the time of a
 * record of 100 bytes. A list that is written again is copied from the record before it: a message
 * with three headers then takes a third less CPU time. Private fields use TypeScript's `private`
 * instead of #, with which Node 20 takes twice as long to create an object.
 */
import { crc32c } from '../buffer/crc32c.ts'
import {
  compressionCodeOf,
  type Codec,
  type Compression,
  type OutputMemory,
} from '../compression/index.ts'
import { ATTRIBUTE, BATCH_HEADER_BYTES, CRC_COVERS_FROM } from './format.ts'
import {
  bytesOf,
  headersBytes,
  SHORT_BYTES,
  sizedBytes,
  varintBytes,
  type HeaderFields,
} from './outgoing-record.ts'
import { varlongBytes, writeVarint, writeVarlong } from './varlong.ts'

/** The fields of a batch's header that do not follow from its records. */
export interface BatchIdentity {
  /** −1 (the default) without idempotence. */
  readonly producerId?: bigint
  readonly producerEpoch?: number
  readonly baseSequence?: number
  readonly transactional?: boolean
  /** A marker that ends a transaction; only brokers write it (including embedded ones). */
  readonly control?: boolean
  /** The position of the batch in the log, which brokers set. Default 0. */
  readonly baseOffset?: bigint
  /** −1 (unknown), unless a broker writes the batch. */
  readonly partitionLeaderEpoch?: number
}

/** A source of memory for batches, which also takes it back. */
export interface BatchMemory {
  /** Returns at least this many bytes. */
  take(bytes: number): Buffer
  /** Takes back memory that is no longer used. */
  give(buffer: Buffer): void
}

const FRESH: BatchMemory = { take: (bytes) => Buffer.allocUnsafe(bytes), give: () => undefined }

/**
 * The maximum size of a record besides its data: size 5, attributes 1, timestamp 10, offset 5,
 * three lengths of 5.
 */
export const MAX_RECORD_OVERHEAD_BYTES = 36

export class BatchWriter implements OutputMemory {
  count = 0
  /** The timestamp of the first record. */
  private baseTimestamp = 0
  /**
   * The largest difference from the first timestamp: a small number is stored in the object, a
   * large one has memory of its own.
   */
  private maxDelta = 0
  private buffer: Buffer
  private end = BATCH_HEADER_BYTES
  private readonly memory: BatchMemory
  /** The memory of the compressed batch. */
  private compressed: Buffer | undefined
  /** The headers that were written last, and their position. */
  private headers: HeaderFields | undefined
  private headersAt = 0
  private headersEnd = 0

  /** `capacityBytes` is the expected size; more memory is taken when it is needed. */
  constructor(capacityBytes: number, memory: BatchMemory = FRESH) {
    this.memory = memory
    this.buffer = memory.take(Math.max(capacityBytes, BATCH_HEADER_BYTES))
  }

  /** Header and records, before compression. */
  get sizeBytes(): number {
    return this.end
  }

  /** The allocated bytes of memory. */
  get capacityBytes(): number {
    return this.buffer.length
  }

  /**
   * Appends a record, unless the batch would become larger than `maxBytes`; returns whether it
   * appended the record. The byte counts of key and value are those of `bytesOf`, −1 for null; that
   * of the headers is `headersBytes` or `asciiHeadersBytes`.
   */
  append(
    key: Uint8Array | string | null,
    keyBytes: number,
    value: Uint8Array | string | null,
    valueBytes: number,
    timestamp: number,
    headers: HeaderFields | undefined,
    headerBytes: number,
    maxBytes: number,
  ): boolean {
    const index = this.count
    if (index === 0) this.baseTimestamp = timestamp
    const delta = timestamp - this.baseTimestamp
    const headerCount = headers === undefined ? 0 : headers.length >>> 1
    const body =
      1 +
      (delta >= 0 && delta < 0x40 ? 1 : varlongBytes(delta)) +
      varintBytes(index << 1) +
      sizedBytes(keyBytes) +
      sizedBytes(valueBytes) +
      varintBytes(headerCount << 1) +
      headerBytes
    let at = this.end
    const end = at + varintBytes(body << 1) + body
    if (end > maxBytes) return false
    if (end > this.buffer.length) this.grow(end)
    const { buffer } = this
    at = writeVarint(buffer, at, body)
    buffer[at++] = 0
    at = writeVarlong(buffer, at, delta)
    at = writeVarint(buffer, at, index)
    at = writeSized(buffer, at, key, keyBytes)
    at = writeSized(buffer, at, value, valueBytes)
    at = writeVarint(buffer, at, headerCount)
    if (headers !== undefined && this.writeHeaders(at, headers, end) !== end) {
      // A short text is not ASCII, and the headers need more room.
      const bytes = headersBytes(headers)
      return this.append(key, keyBytes, value, valueBytes, timestamp, headers, bytes, maxBytes)
    }
    if (delta > this.maxDelta) this.maxDelta = delta
    this.end = end
    this.count = index + 1
    return true
  }

  /** A view on the uncompressed records, which is the input of the compression. */
  records(): Buffer {
    return this.buffer.subarray(BATCH_HEADER_BYTES, this.end)
  }

  /**
   * The whole batch, uncompressed. A view on memory that belongs to the batch until it is released.
   */
  finish(identity: BatchIdentity): Buffer {
    const batch = this.buffer.subarray(0, this.end)
    this.writeHeader(batch, 'none', identity)
    return batch
  }

  /** The whole batch with compressed records: `batch` contains them after room for the header. */
  finishCompressed(batch: Buffer, compression: Compression, identity: BatchIdentity): void {
    this.writeHeader(batch, compression, identity)
  }

  /** The whole batch with compressed records, after room for its header; see `finishCompressed`. */
  compress(codec: Codec): Buffer {
    return asBuffer(codec.compress(this.records(), BATCH_HEADER_BYTES, this))
  }

  /** The same on another thread; undefined if the codec does not support that. */
  compressElsewhere(codec: Codec): Promise<Buffer> | undefined {
    return codec.compressAsync?.(this.records(), BATCH_HEADER_BYTES, this).then(asBuffer)
  }

  /** For the compressed batch. If it is compressed again, the garbage collector takes the first. */
  allocate(sizeBytes: number): Uint8Array {
    this.compressed = this.memory.take(sizeBytes)
    return this.compressed.subarray(0, sizeBytes)
  }

  /**
   * Releases the memory: no result of `finish`, `compress` or `compressElsewhere` may be in use any
   * more.
   */
  release(): void {
    this.memory.give(this.buffer)
    if (this.compressed !== undefined) this.memory.give(this.compressed)
  }

  /** Returns the position behind the headers; −1 if they do not fit before `end`. */
  private writeHeaders(at: number, headers: HeaderFields, end: number): number {
    const { buffer, headersAt, headersEnd } = this
    if (headers === this.headers) {
      const after = at + headersEnd - headersAt
      if (after <= end) buffer.copyWithin(at, headersAt, headersEnd)
      return after
    }
    const after = writeFields(buffer, at, headers, end)
    if (after === end) {
      this.headers = headers
      this.headersAt = at
      this.headersEnd = after
    }
    return after
  }

  private grow(neededBytes: number): void {
    const larger = this.memory.take(Math.max(neededBytes, 2 * this.buffer.length))
    larger.set(this.buffer.subarray(0, this.end))
    this.memory.give(this.buffer)
    this.buffer = larger
  }

  private writeHeader(batch: Buffer, compression: Compression, identity: BatchIdentity): void {
    const { transactional = false, control = false } = identity
    const attributes =
      compressionCodeOf(compression) |
      (transactional ? ATTRIBUTE.transactional : 0) |
      (control ? ATTRIBUTE.control : 0)
    if (identity.baseOffset === undefined) batch.fill(0, 0, 8)
    else batch.writeBigInt64BE(identity.baseOffset, 0)
    batch.writeInt32BE(batch.length - 12, 8)
    batch.writeInt32BE(identity.partitionLeaderEpoch ?? -1, 12)
    batch[16] = 2
    batch.writeInt16BE(attributes, 21)
    batch.writeInt32BE(this.count - 1, 23)
    writeInt64(batch, this.baseTimestamp, 27)
    writeInt64(batch, this.baseTimestamp + this.maxDelta, 35)
    if (identity.producerId === undefined) batch.fill(0xff, 43, 51)
    else batch.writeBigInt64BE(identity.producerId, 43)
    batch.writeInt16BE(identity.producerEpoch ?? -1, 51)
    batch.writeInt32BE(identity.baseSequence ?? -1, 53)
    batch.writeInt32BE(this.count, 57)
    batch.writeUInt32BE(crc32c(batch, CRC_COVERS_FROM), 17)
  }
}

/** Node's writeBigInt64BE creates up to five bigints for each number. */
function writeInt64(buffer: Buffer, value: number, at: number): void {
  buffer.writeInt32BE(Math.floor(value / 2 ** 32), at)
  buffer.writeUInt32BE(value >>> 0, at + 4)
}

function asBuffer({ buffer, byteOffset, length }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, length)
}

/** Returns the position behind the headers; −1 if they do not fit before `end`. */
function writeFields(buffer: Buffer, at: number, fields: HeaderFields, end: number): number {
  for (const field of fields) {
    at =
      typeof field === 'string'
        ? writeText(buffer, at, field, end)
        : writeWithin(buffer, at, field, end)
    if (at < 0) break
  }
  return at
}

/** Writes short ASCII without counting its bytes first: they are as many as its characters. */
function writeText(buffer: Buffer, at: number, text: string, end: number): number {
  const { length } = text
  const textEnd = at + 1 + length
  if (length > SHORT_BYTES || textEnd > end) return writeWithin(buffer, at, text, end)
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i)
    if (code > 0x7f) return writeWithin(buffer, at, text, end)
    buffer[at + 1 + i] = code
  }
  buffer[at] = length << 1
  return textEnd
}

function writeWithin(
  buffer: Buffer,
  at: number,
  data: Uint8Array | string | null,
  end: number,
): number {
  const length = bytesOf(data)
  return at + sizedBytes(length) > end ? -1 : writeSized(buffer, at, data, length)
}

function writeSized(
  buffer: Buffer,
  at: number,
  data: Uint8Array | string | null,
  length: number,
): number {
  at = writeVarint(buffer, at, length)
  if (data === null) return at
  if (typeof data !== 'string') {
    if (length > SHORT_BYTES) buffer.set(data, at)
    else for (let i = 0; i < length; i++) buffer[at + i] = data[i]!
  } else if (data.length !== length) {
    buffer.write(data, at, length, 'utf8')
  } else if (length > SHORT_BYTES) {
    // If there are as many bytes as characters, the text is ASCII, and latin1 copies it without
    // encoding.
    buffer.write(data, at, length, 'latin1')
  } else {
    for (let i = 0; i < length; i++) buffer[at + i] = data.charCodeAt(i)
  }
  return at + length
}
