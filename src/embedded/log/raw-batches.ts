import { BatchV2 } from '../../../protocol/records/batch-v2.ts'
import {
  BATCH_HEADER_BYTES,
  LOG_OVERHEAD_BYTES,
  MAGIC_OFFSET,
} from '../../../protocol/records/format.ts'
import { ProtocolError } from '../../../protocol/protocol-error.ts'
import { InvalidArgumentError } from '../../errors.ts'
import type { ReadyBatch } from './partition-log.ts'
import { INFLATE_LIMIT_BYTES } from './record-rules.ts'

const SIZE_AT = 8
const LAST_OFFSET_DELTA_AT = 23
const MAX_TIMESTAMP_AT = 35
const NOWHERE = { topic: '', partition: 0 }

export interface RawBatch extends ReadyBatch {
  /** Undefined if it is damaged. */
  readonly decoded: BatchV2 | undefined
}

/**
 * A sequence of batches v2, damaged or not. Throws InvalidArgumentError if the sizes do not match
 * the bytes.
 */
export function rawBatches(bytes: Uint8Array): readonly RawBatch[] {
  const data = Buffer.from(bytes)
  const batches: RawBatch[] = []
  for (let at = 0; at < data.length;) {
    const hasHeader = at + BATCH_HEADER_BYTES <= data.length && data[at + MAGIC_OFFSET] === 2
    const end = hasHeader ? at + LOG_OVERHEAD_BYTES + data.readInt32BE(at + SIZE_AT) : 0
    const batch = data.subarray(at, end)
    if (end > data.length || batch.length < BATCH_HEADER_BYTES) {
      throw new InvalidArgumentError(`the data have no complete record batch v2 at byte ${at}`)
    }
    batches.push({
      data: batch,
      count: Math.max(1, batch.readInt32BE(LAST_OFFSET_DELTA_AT) + 1),
      maxTimestamp: Number(batch.readBigInt64BE(MAX_TIMESTAMP_AT)),
      decoded: decoded(batch),
    })
    at = end
  }
  return batches
}

function decoded(data: Buffer): BatchV2 | undefined {
  try {
    return new BatchV2(data, NOWHERE, INFLATE_LIMIT_BYTES)
  } catch (error) {
    if (error instanceof ProtocolError) return undefined
    throw error
  }
}
