import { compressionCodeOf } from '../../../protocol/compression/index.ts'
import {
  ATTRIBUTE,
  BATCH_HEADER_BYTES,
  LOG_OVERHEAD_BYTES,
  MAGIC_OFFSET,
} from '../../../protocol/records/format.ts'
import { Refused } from '../refused.ts'

/** The versions of Produce that added record batches v2, and zstd. */
export const FIRST_WITH_BATCH_V2 = 3
const FIRST_WITH_ZSTD = 7

const MIN_BATCH_BYTES = 14
/** The low byte of a batch's attributes. */
const ATTRIBUTES_AT = 22

/**
 * Returns the records of a partition if a request of this version may contain them: from v3 on
 * exactly one batch v2. Its content is checked later. Throws Refused.
 */
export function requestRecords(records: Uint8Array | null, produceVersion: number): Buffer {
  const data =
    records === null
      ? Buffer.alloc(0)
      : Buffer.from(records.buffer, records.byteOffset, records.byteLength)
  if (produceVersion < FIRST_WITH_BATCH_V2) return data
  checkOnlyBatch(data)
  const isZstd =
    data.length >= BATCH_HEADER_BYTES &&
    (data[ATTRIBUTES_AT]! & ATTRIBUTE.compression) === compressionCodeOf('zstd')
  if (isZstd && produceVersion < FIRST_WITH_ZSTD) {
    throw new Refused(
      'UNSUPPORTED_COMPRESSION_TYPE',
      `Produce requests with version ${produceVersion} are not allowed to use ZStandard compression`,
    )
  }
  return data
}

function checkOnlyBatch(data: Buffer): void {
  const sizeBytes =
    data.length < LOG_OVERHEAD_BYTES ? Infinity : LOG_OVERHEAD_BYTES + data.readInt32BE(8)
  if (sizeBytes < LOG_OVERHEAD_BYTES + MIN_BATCH_BYTES) {
    throw new Refused(
      'CORRUPT_MESSAGE',
      `a batch has a length of ${sizeBytes} bytes, which is too short`,
    )
  }
  const what = 'Produce requests with version 3 and above'
  if (sizeBytes > data.length) {
    throw new Refused('INVALID_RECORD', `${what} must have at least one record batch per partition`)
  }
  if (data[MAGIC_OFFSET] !== 2) {
    throw new Refused(
      'INVALID_RECORD',
      `${what} are only allowed to contain record batches with magic version 2`,
    )
  }
  if (sizeBytes < data.length) {
    throw new Refused(
      'INVALID_RECORD',
      `${what} are only allowed to contain exactly one record batch per partition`,
    )
  }
}
