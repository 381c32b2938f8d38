import { describe, expect, it } from '@jest/globals'
import { crc32 } from '../../../protocol/buffer/crc32.ts'
import { crc32c } from '../../../protocol/buffer/crc32c.ts'
import { codecOf, compressionCodeOf } from '../../../protocol/compression/index.ts'
import { ProtocolError } from '../../../protocol/protocol-error.ts'
import { encodeBatch } from '../../../protocol/records/encode-batch.ts'
import type { Message } from '../../../protocol/records/message.ts'
import { encodeMessageSet } from '../../../protocol/records/message-set.ts'
import { OutgoingRecord } from '../../../protocol/records/outgoing-record.ts'
import { readBatches } from '../../../protocol/records/read-batches.ts'

/** Records as no sane producer writes them, with checksums that are right. */

const SOURCE = { topic: 't', partition: 0 }
const TIMESTAMP = 1_790_000_000_000

function messagesOf(data: Buffer, limitBytes?: number): Message[] {
  const { batches, error } = readBatches(data, SOURCE, limitBytes)
  if (error !== undefined) throw error
  return batches.flatMap((batch) => batch.messages())
}

/** The set with the CRC of its first message, of this many bytes, corrected. */
function sealedMessage(set: Buffer, bytes: number): Buffer {
  set.writeUInt32BE(crc32(set, 16, bytes), 12)
  return set
}

describe('headers', () => {
  /** Where the first of two records, each with one header, has its count of headers. */
  const HEADER_COUNT_AT = 67
  const record = new OutgoingRecord(null, '', TIMESTAMP, [{ key: 'key', value: 'value' }])
  const batch = encodeBatch([record, record])

  function withByte(at: number, byte: number): Message {
    const changed = Buffer.from(batch)
    changed[at] = byte
    changed.writeUInt32BE(crc32c(changed, 21), 17)
    return messagesOf(changed)[0]!
  }

  it('are read', () => {
    const expected = [{ key: 'key', value: Buffer.from('value') }]
    expect(withByte(HEADER_COUNT_AT, 2).headers).toEqual(expected)
  })

  it('of a negative count are rejected', () => {
    const message = withByte(HEADER_COUNT_AT, 1)
    expect(() => message.headers).toThrow(new ProtocolError('a record has -1 headers', 67))
  })

  it('that extend into the next record are rejected', () => {
    const more = withByte(HEADER_COUNT_AT, 4)
    expect(() => more.headers).toThrow(/0 are left/)
    const longer = withByte(HEADER_COUNT_AT + 5, 12)
    expect(() => longer.headers).toThrow(/6 bytes are expected, but only 5 are left/)
  })

  it('that end before their record does are rejected', () => {
    const message = withByte(HEADER_COUNT_AT + 5, 8)
    expect(() => message.headers).toThrow(/1 bytes follow the last header/)
  })

  it('are read up to 100,000 of them, and more are rejected', () => {
    const headersOf = (count: number) => {
      const headers = Array<{ key: string; value: null }>(count).fill({ key: '', value: null })
      return messagesOf(encodeBatch([new OutgoingRecord(null, null, TIMESTAMP, headers)]))[0]!
    }
    expect(headersOf(100_000).headers).toHaveLength(100_000)
    const message = headersOf(100_001)
    expect(() => message.headers).toThrow(/a record has 100001 headers; at most 100000 are allowed/)
  })

  it('without a key are rejected', () => {
    const message = withByte(HEADER_COUNT_AT + 1, 1)
    expect(() => message.headers).toThrow(/has no key/)
  })
})

describe('a timestamp above 2^53', () => {
  const NANOSECONDS = BigInt(TIMESTAMP) * 1_000_000n + 1n
  const record = new OutgoingRecord(null, 'value', TIMESTAMP + 1)

  it('is rejected in a message set, and leaves the others exact', () => {
    const set = encodeMessageSet([record, record, record], 1)
    set.writeBigInt64BE(NANOSECONDS, 18)
    const [strange, ...others] = messagesOf(sealedMessage(set, set.length / 3))
    expect(() => strange!.timestamp).toThrow(RangeError)
    expect(others.map(({ timestamp }) => timestamp)).toEqual([TIMESTAMP + 1, TIMESTAMP + 1])
  })

  it('makes all timestamps of its batch v2 be rejected instead of rounded', () => {
    // The second is below 2^53 and exact by itself, but not as a distance from a base that is not.
    const batch = encodeBatch([record, new OutgoingRecord(null, 'value', TIMESTAMP - 1)])
    batch.writeBigInt64BE(2n ** 53n + 1n, 27)
    batch.writeUInt32BE(crc32c(batch, 21), 17)
    for (const message of messagesOf(batch)) expect(() => message.timestamp).toThrow(RangeError)
  })
})

describe('compressed messages nested in compressed messages', () => {
  const big = encodeMessageSet([new OutgoingRecord(null, Buffer.alloc(30_000), 1)], 1, 'gzip')

  /** A compressed message that has these as its content. */
  function around(...messages: readonly Buffer[]): Buffer {
    const content = codecOf('gzip').compress(Buffer.concat(messages))
    const inner = new OutgoingRecord(null, content, 1)
    const message = encodeMessageSet([inner], 1)
    message[17] = compressionCodeOf('gzip')
    return sealedMessage(message, message.length)
  }

  it('are read', () => {
    expect(messagesOf(around(big, big)).map(({ value }) => value!.length)).toEqual([30_000, 30_000])
  })

  it('decompress to no more than the limit, all of them together', () => {
    expect(() => messagesOf(around(big, big, big), 64 * 1024)).toThrow(
      /decompresses to more than the limit/,
    )
  })

  it('are nested at most four deep', () => {
    expect(() => messagesOf(around(around(around(big))))).toThrow(/too deep/)
  })
})

describe('a compressed message of an old format', () => {
  it.each([0, 1] as const)(
    'with more messages than its limit allows is rejected (v%i)',
    (magic) => {
      const records = Array<OutgoingRecord>(10_000).fill(new OutgoingRecord(null, null, TIMESTAMP))
      const set = encodeMessageSet(records, magic, 'gzip')
      // 340 KB or less once it is decompressed, and 2 MB once it is decoded.
      expect(() => messagesOf(set, 1_000_000)).toThrow(/more memory than the limit/)
      expect(messagesOf(set, 3_000_000)).toHaveLength(10_000)
    },
  )

  it('reserves enough memory to be decoded at once', () => {
    const records = Array<OutgoingRecord>(10_000).fill(new OutgoingRecord(null, null, TIMESTAMP))
    const { batches } = readBatches(encodeMessageSet(records, 1, 'lz4'), SOURCE)
    expect(batches[0]!.claimedBytes).toBeGreaterThan(10_000 * 200)
    expect(batches[0]!.nextMessages(10_000).messages).toHaveLength(10_000)
  })
})
