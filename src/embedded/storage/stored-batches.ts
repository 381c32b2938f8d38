/**
 * Record batches v2 in a segment's file, and the remains that a crash may leave after the last of
 * them.
 */
import { BatchV2 } from '../../../protocol/records/batch-v2.ts'
import { crc32c } from '../../../protocol/buffer/crc32c.ts'
import {
  BATCH_HEADER_BYTES,
  LOG_OVERHEAD_BYTES,
  MAGIC_OFFSET,
} from '../../../protocol/records/format.ts'
import { ProtocolError } from '../../../protocol/protocol-error.ts'
import { INFLATE_LIMIT_BYTES } from '../log/record-rules.ts'

const BASE_OFFSET_BYTES = 8
const SIZE_AT = 8
const CRC_AT = 17
const CHECKED_FROM = 21
const MAX_TIMESTAMP_AT = 35
const NOWHERE = { topic: '', partition: 0 }

/** The batch at a position; undefined if there is no complete batch with a correct checksum. */
export function batchAt(data: Buffer, at: number): BatchV2 | undefined {
  if (at + BATCH_HEADER_BYTES > data.length || data[at + MAGIC_OFFSET] !== 2) return undefined
  const end = endOfBatch(data, at)
  if (end < at + BATCH_HEADER_BYTES || end > data.length) return undefined
  try {
    return new BatchV2(data.subarray(at, end), NOWHERE, INFLATE_LIMIT_BYTES)
  } catch (error) {
    if (error instanceof ProtocolError) return undefined
    throw error
  }
}

export function maxTimestampAt(data: Buffer, at: number): number {
  return Number(data.readBigInt64BE(at + MAX_TIMESTAMP_AT))
}

/**
 * Whether the bytes after the last complete batch can come from an interrupted write: the first
 * bytes of the next batch, or zeros after a power failure. Anything else was damaged later.
 */
export function isTorn(data: Buffer, at: number, nextOffset: number): boolean {
  const rest = data.subarray(at)
  if (rest.every((byte) => byte === 0)) return true
  const baseOffset = Buffer.alloc(BASE_OFFSET_BYTES)
  baseOffset.writeBigInt64BE(BigInt(nextOffset))
  const length = Math.min(rest.length, BASE_OFFSET_BYTES)
  if (!rest.subarray(0, length).equals(baseOffset.subarray(0, length))) return false
  if (rest.length < LOG_OVERHEAD_BYTES) return true
  return (
    endOfBatch(data, at) > data.length && !isWhole(rest) && !hasBatchBehind(data, at, nextOffset)
  )
}

/** Whether it is a batch in which only the size is wrong. */
function isWhole(rest: Buffer): boolean {
  if (rest.length < BATCH_HEADER_BYTES) return false
  return crc32c(rest.subarray(CHECKED_FROM)) === rest.readUInt32BE(CRC_AT)
}

/** Whether a later batch exists: then the size of this one is wrong, and its end is not missing. */
function hasBatchBehind(data: Buffer, at: number, nextOffset: number): boolean {
  for (let behind = at + 1; behind + BATCH_HEADER_BYTES <= data.length; behind++) {
    if (data[behind + MAGIC_OFFSET] !== 2 || data.readBigInt64BE(behind) <= nextOffset) continue
    if (batchAt(data, behind) !== undefined) return true
  }
  return false
}

function endOfBatch(data: Buffer, at: number): number {
  return at + LOG_OVERHEAD_BYTES + data.readInt32BE(at + SIZE_AT)
}
