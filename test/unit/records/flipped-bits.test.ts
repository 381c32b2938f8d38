import { describe, expect, it } from '@jest/globals'
import { ProtocolError } from '../../../protocol/protocol-error.ts'
import { encodeBatch } from '../../../protocol/records/encode-batch.ts'
import { encodeMessageSet } from '../../../protocol/records/message-set.ts'
import { OutgoingRecord } from '../../../protocol/records/outgoing-record.ts'
import { readBatches } from '../../../protocol/records/read-batches.ts'
import { compressionsOf } from '../../wire/support/random-batch.ts'

/** Both checksums find every single flipped bit, whatever the data: these tests hold for all of them. */

const TIMESTAMP = 1_790_000_000_000
/** Below and above the size from which the checksums are computed in another way. */
const records = [
  [new OutgoingRecord('key', 'value', TIMESTAMP)],
  Array.from(
    { length: 12 },
    (_, index) => new OutgoingRecord(`key ${index}`, `${index}`.repeat(80), TIMESTAMP + index),
  ),
]

describe('a flipped bit under a checksum or in it is detected', () => {
  it.each(compressionsOf(2))('in a batch v2, compression %s', (compression) => {
    for (const some of records) everyBit(encodeBatch(some, { compression }), 17)
  })

  describe.each([0, 1] as const)('in a message of format v%d', (magic) => {
    it.each(compressionsOf(magic))('compression %s', (compression) => {
      for (const some of records) {
        const set = encodeMessageSet(some, magic, compression)
        everyBit(set.subarray(0, 12 + set.readInt32BE(8)), 12)
      }
    })
  })
})

/** What precedes `from` no checksum covers: offset and size, with v2 also leader epoch and magic. */
function everyBit(batch: Buffer, from: number): void {
  expect(readBatches(batch, { topic: 't', partition: 0 })).toMatchObject({ error: undefined })
  const accepted: string[] = []
  for (let bit = from * 8; bit < batch.length * 8; bit++) {
    const flipped = Buffer.from(batch)
    flipped[bit >>> 3]! ^= 0x80 >>> (bit & 7)
    const { batches, error } = readBatches(flipped, { topic: 't', partition: 0 })
    if (batches.length > 0 || !(error instanceof ProtocolError)) accepted.push(`bit ${bit}`)
  }
  expect(accepted).toEqual([])
}
