/**
 * Writes record batches v2 (Kafka 0.11 and newer; KIP-98, KIP-82).
 *
 * Hot path. Sizes are known first, then everything is written once into one buffer of exactly the right
 * size, and length and CRC are put in last. Don't add: a Buffer a record, a bigint a record, a closure a
 * field, a call into Node for a short text (see SHORT_BYTES). Measured by benchmarks/codec.ts. Not worth it:
 * memory that is used again for what is then compressed (4 to 9 % less time for batches of 100 KB).
 */
import { crc32c } from '../buffer/crc32c.ts'
import { codecOf, codeOf, type Compression } from '../compression/index.ts'
import { ATTRIBUTE, BATCH_HEADER_BYTES, CRC_COVERS_FROM } from './format.ts'
import {
  bytesOf,
  SHORT_BYTES,
  sizedBytes,
  varintBytes,
  type OutgoingHeader,
  type OutgoingRecord,
} from './outgoing-record.ts'
import { varlongBytes, writeVarint, writeVarlong } from './varlong.ts'

export interface BatchOptions {
  /** Default: none. */
  readonly compression?: Compression
  /** gzip: 1 to 9, zstd: 1 to 22. */
  readonly level?: number
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

/** One batch of at least one record, offsets counted up from the base. */
export function encodeBatch(
  records: readonly OutgoingRecord[],
  options: BatchOptions = {},
): Buffer {
  const { compression = 'none' } = options
  const baseTimestamp = records[0]!.timestamp
  const bodyBytes = recordsBytes(records, baseTimestamp)
  let batch = Buffer.allocUnsafe(BATCH_HEADER_BYTES + bodyBytes)
  const maxTimestamp = writeRecords(batch, BATCH_HEADER_BYTES, records, baseTimestamp)
  if (compression !== 'none') {
    const body = codecOf(compression, options).compress(batch.subarray(BATCH_HEADER_BYTES))
    const compressed = Buffer.allocUnsafe(BATCH_HEADER_BYTES + body.length)
    compressed.set(body, BATCH_HEADER_BYTES)
    batch = compressed
  }
  writeHeader(batch, options, records.length, baseTimestamp, maxTimestamp)
  return batch
}

function writeHeader(
  batch: Buffer,
  options: BatchOptions,
  count: number,
  baseTimestamp: number,
  maxTimestamp: number,
): void {
  const { compression = 'none', transactional = false, control = false } = options
  const attributes =
    codeOf(compression) |
    (transactional ? ATTRIBUTE.transactional : 0) |
    (control ? ATTRIBUTE.control : 0)
  batch.writeBigInt64BE(options.baseOffset ?? 0n, 0)
  batch.writeInt32BE(batch.length - 12, 8)
  batch.writeInt32BE(options.partitionLeaderEpoch ?? -1, 12)
  batch[16] = 2
  batch.writeInt16BE(attributes, 21)
  batch.writeInt32BE(count - 1, 23)
  batch.writeBigInt64BE(BigInt(baseTimestamp), 27)
  batch.writeBigInt64BE(BigInt(maxTimestamp), 35)
  batch.writeBigInt64BE(options.producerId ?? -1n, 43)
  batch.writeInt16BE(options.producerEpoch ?? -1, 51)
  batch.writeInt32BE(options.baseSequence ?? -1, 53)
  batch.writeInt32BE(count, 57)
  batch.writeUInt32BE(crc32c(batch, CRC_COVERS_FROM), 17)
}

function recordsBytes(records: readonly OutgoingRecord[], baseTimestamp: number): number {
  let total = 0
  for (let i = 0; i < records.length; i++) {
    const size = bodyBytes(records[i]!, i, baseTimestamp)
    total += varintBytes(size << 1) + size
  }
  return total
}

function bodyBytes(record: OutgoingRecord, index: number, baseTimestamp: number): number {
  const delta = record.timestamp - baseTimestamp
  return (
    1 +
    (delta >= 0 && delta < 0x40 ? 1 : varlongBytes(delta)) +
    varintBytes(index << 1) +
    sizedBytes(record.keyBytes) +
    sizedBytes(record.valueBytes) +
    varintBytes(record.headers.length << 1) +
    record.headersBytes
  )
}

/** Writes all records and returns the largest timestamp. */
function writeRecords(
  buffer: Buffer,
  start: number,
  records: readonly OutgoingRecord[],
  baseTimestamp: number,
): number {
  let maxTimestamp = baseTimestamp
  let at = start
  for (let i = 0; i < records.length; i++) {
    const record = records[i]!
    const { timestamp, headers } = record
    if (timestamp > maxTimestamp) maxTimestamp = timestamp
    at = writeVarint(buffer, at, bodyBytes(record, i, baseTimestamp))
    buffer[at++] = 0
    at = writeVarlong(buffer, at, timestamp - baseTimestamp)
    at = writeVarint(buffer, at, i)
    at = writeSized(buffer, at, record.key, record.keyBytes)
    at = writeSized(buffer, at, record.value, record.valueBytes)
    at = writeVarint(buffer, at, headers.length)
    if (headers.length > 0) at = writeHeaders(buffer, at, headers)
  }
  return maxTimestamp
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
