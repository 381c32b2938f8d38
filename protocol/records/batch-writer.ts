/**
 * Writes the records of a batch v2 (Kafka 0.11 and newer; KIP-98, KIP-82) as they come: each is bytes as
 * soon as it is appended, and nothing of it is kept but those.
 *
 * Hot path. Don't add: a Buffer a record, a bigint a record, a closure a field, a call into Node for a short
 * text (see SHORT_BYTES). Measured by benchmarks/codec.ts. Against records that
 * stay objects until their batch is written: half the time a record, for there is one pass rather than two
 * (sizes, then bytes) and nothing for the garbage collector to move. TypeScript's private rather than #:
 * Node 20 takes twice as long to make an object with those.
 */
import { crc32c } from '../buffer/crc32c.ts'
import { codeOf, type Compression } from '../compression/index.ts'
import { ATTRIBUTE, BATCH_HEADER_BYTES, CRC_COVERS_FROM } from './format.ts'
import {
  bytesOf,
  SHORT_BYTES,
  sizedBytes,
  varintBytes,
  type OutgoingHeader,
} from './outgoing-record.ts'
import { varlongBytes, writeVarint, writeVarlong } from './varlong.ts'

/** What a batch's header says besides what follows from its records. */
export interface BatchIdentity {
  /** −1 (the default) without idempotence. */
  readonly producerId?: bigint
  readonly producerEpoch?: number
  readonly baseSequence?: number
  readonly transactional?: boolean
  /** A marker that ends a transaction; only brokers write it (and the embedded one). */
  readonly control?: boolean
  /** Where the batch stands in the log: brokers set it. Default 0. */
  readonly baseOffset?: bigint
  /** −1, unknown, unless a broker writes. */
  readonly partitionLeaderEpoch?: number
}

/** Where the memory of batches comes from and goes to. */
export interface BatchMemory {
  /** At least this many bytes. */
  take(bytes: number): Buffer
  /** Takes back memory that is no longer used. */
  give(buffer: Buffer): void
}

const FRESH: BatchMemory = { take: (bytes) => Buffer.allocUnsafe(bytes), give: () => undefined }

/** What a record may take besides its data: size 5, attributes 1, timestamp 10, offset 5, three lengths of 5. */
export const MAX_RECORD_OVERHEAD_BYTES = 36

export class BatchWriter {
  count = 0
  /** Of the first record. */
  private baseTimestamp = 0
  /** The largest, from the first: a small number is in the object, a large one has memory of its own. */
  private maxDelta = 0
  private buffer: Buffer
  private end = BATCH_HEADER_BYTES
  private readonly memory: BatchMemory

  /** `capacityBytes` is what is expected; more is taken as it is needed. */
  constructor(capacityBytes: number, memory: BatchMemory = FRESH) {
    this.memory = memory
    this.buffer = memory.take(Math.max(capacityBytes, BATCH_HEADER_BYTES))
  }

  /** Header and records, before compression. */
  get sizeBytes(): number {
    return this.end
  }

  /** Bytes of memory held. */
  get capacityBytes(): number {
    return this.buffer.length
  }

  /**
   * Appends a record, unless the batch would become larger than `maxBytes`; returns whether it did. The bytes
   * of key and value are as `bytesOf` counts them, −1 for null.
   */
  append(
    key: Uint8Array | string | null,
    keyBytes: number,
    value: Uint8Array | string | null,
    valueBytes: number,
    timestamp: number,
    headers: readonly OutgoingHeader[] | undefined,
    headersBytes: number,
    maxBytes: number,
  ): boolean {
    const index = this.count
    if (index === 0) this.baseTimestamp = timestamp
    const delta = timestamp - this.baseTimestamp
    const headerCount = headers === undefined ? 0 : headers.length
    const body =
      1 +
      (delta >= 0 && delta < 0x40 ? 1 : varlongBytes(delta)) +
      varintBytes(index << 1) +
      sizedBytes(keyBytes) +
      sizedBytes(valueBytes) +
      varintBytes(headerCount << 1) +
      headersBytes
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
    if (headers !== undefined) writeHeaders(buffer, at, headers)
    if (delta > this.maxDelta) this.maxDelta = delta
    this.end = end
    this.count = index + 1
    return true
  }

  /** The records as they are, what is compressed. A view. */
  records(): Buffer {
    return this.buffer.subarray(BATCH_HEADER_BYTES, this.end)
  }

  /** The whole batch, uncompressed. A view on memory that is the batch's until it is released. */
  finish(identity: BatchIdentity): Buffer {
    const batch = this.buffer.subarray(0, this.end)
    this.writeHeader(batch, 'none', identity)
    return batch
  }

  /** The whole batch with its records compressed: `batch` is them, behind room for the header. */
  finishCompressed(batch: Buffer, compression: Compression, identity: BatchIdentity): void {
    this.writeHeader(batch, compression, identity)
  }

  /** Gives the memory back: nothing that was made by `finish` may be in use any more. */
  release(): void {
    this.memory.give(this.buffer)
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
      codeOf(compression) |
      (transactional ? ATTRIBUTE.transactional : 0) |
      (control ? ATTRIBUTE.control : 0)
    batch.writeBigInt64BE(identity.baseOffset ?? 0n, 0)
    batch.writeInt32BE(batch.length - 12, 8)
    batch.writeInt32BE(identity.partitionLeaderEpoch ?? -1, 12)
    batch[16] = 2
    batch.writeInt16BE(attributes, 21)
    batch.writeInt32BE(this.count - 1, 23)
    batch.writeBigInt64BE(BigInt(this.baseTimestamp), 27)
    batch.writeBigInt64BE(BigInt(this.baseTimestamp + this.maxDelta), 35)
    batch.writeBigInt64BE(identity.producerId ?? -1n, 43)
    batch.writeInt16BE(identity.producerEpoch ?? -1, 51)
    batch.writeInt32BE(identity.baseSequence ?? -1, 53)
    batch.writeInt32BE(this.count, 57)
    batch.writeUInt32BE(crc32c(batch, CRC_COVERS_FROM), 17)
  }
}

/** Room for a batch's header with compressed records behind it. */
export function behindHeader(compressedRecords: Uint8Array): Buffer {
  const batch = Buffer.allocUnsafe(BATCH_HEADER_BYTES + compressedRecords.length)
  batch.set(compressedRecords, BATCH_HEADER_BYTES)
  return batch
}

function writeHeaders(buffer: Buffer, at: number, headers: readonly OutgoingHeader[]): number {
  for (const { key, value } of headers) {
    at = writeSized(buffer, at, key, bytesOf(key))
    at = writeSized(buffer, at, value, bytesOf(value))
  }
  return at
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
    // As many bytes as characters: the text is ASCII, and latin1 copies without encoding.
    buffer.write(data, at, length, 'latin1')
  } else {
    for (let i = 0; i < length; i++) buffer[at + i] = data.charCodeAt(i)
  }
  return at + length
}
