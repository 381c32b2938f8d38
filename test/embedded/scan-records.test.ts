import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { crc32c } from '../../protocol/buffer/crc32c.ts'
import { BatchV2 } from '../../protocol/records/batch-v2.ts'
import { encodeBatch } from '../../protocol/records/encode-batch.ts'
import { BATCH_HEADER_BYTES, CRC_COVERS_FROM } from '../../protocol/records/format.ts'
import { OutgoingRecord } from '../../protocol/records/outgoing-record.ts'
import { scanRecords } from '../../src/embedded/log/scan-records.ts'

const NOWHERE = { topic: '', partition: 0 }

const bytes = fc.oneof(
  { weight: 9, arbitrary: fc.uint8Array({ maxLength: 200 }) },
  { weight: 1, arbitrary: fc.uint8Array({ minLength: 8_000, maxLength: 20_000 }) },
)
const record = fc.record({
  key: fc.option(bytes),
  value: fc.option(bytes),
  timestamp: fc.integer({ min: 1_700_000_000_000, max: 1_700_000_000_000 + 2 ** 31 - 1 }),
  headers: fc.array(fc.record({ key: fc.string(), value: fc.option(bytes) }), { maxLength: 2 }),
})

function batchOf(
  records: readonly (typeof record extends fc.Arbitrary<infer R> ? R : never)[],
): Buffer {
  return encodeBatch(
    records.map(
      ({ key, value, timestamp, headers }) =>
        new OutgoingRecord(
          key && Buffer.from(key),
          value && Buffer.from(value),
          timestamp,
          headers.map((header) => ({
            key: header.key,
            value: header.value && Buffer.from(header.value),
          })),
        ),
    ),
  )
}

/** What decoding says; undefined where it throws, or offsets are not one after the other. */
function decoded(data: Buffer) {
  data.writeUInt32BE(crc32c(data, CRC_COVERS_FROM), 17)
  try {
    const batch = new BatchV2(data, NOWHERE, 1_000_000)
    const messages = batch.messages()
    if (messages.some(({ offset }, index) => offset !== batch.baseOffset + index)) return undefined
    const deltas = messages.map(({ timestamp }) => timestamp - batch.baseTimestamp)
    return {
      minTimestampDelta: Math.min(0, ...deltas),
      maxTimestampDelta: Math.max(0, ...deltas),
      hasKeys: messages.every(({ key }) => key !== null),
    }
  } catch {
    return undefined
  }
}

describe('scanning the records of a batch', () => {
  it('finds the same records as decoding them', () => {
    fc.assert(
      fc.property(fc.array(record, { minLength: 1, maxLength: 20 }), (records) => {
        const data = batchOf(records)
        const scan = scanRecords(data, BATCH_HEADER_BYTES, records.length)
        expect(scan).toEqual(decoded(data))
        expect(scan).toBeDefined()
      }),
    )
  })

  it('accepts nothing that decoding rejects', () => {
    fc.assert(
      fc.property(
        fc.array(record, { minLength: 1, maxLength: 5 }),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        fc.integer({ min: -1, max: 6 }),
        (records, where, flip, count) => {
          const data = batchOf(records)
          const at = BATCH_HEADER_BYTES + (where % (data.length - BATCH_HEADER_BYTES))
          data[at]! ^= flip
          data.writeInt32BE(count, BATCH_HEADER_BYTES - 4)
          const scan = scanRecords(data, BATCH_HEADER_BYTES, count)
          if (scan !== undefined) expect(decoded(data)).toEqual(scan)
        },
      ),
      { numRuns: 2_000 },
    )
  })

  it('leaves timestamps that are far apart to the decoder', () => {
    const records = [0, 2 ** 31].map((timestamp) => new OutgoingRecord(null, null, timestamp))
    expect(scanRecords(encodeBatch(records), BATCH_HEADER_BYTES, 2)).toBeUndefined()
  })
})
