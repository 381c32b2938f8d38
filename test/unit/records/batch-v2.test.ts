import { describe, expect, it } from '@jest/globals'
import { crc32c } from '../../../protocol/buffer/crc32c.ts'
import type { Compression } from '../../../protocol/compression/index.ts'
import { ProtocolError } from '../../../protocol/protocol-error.ts'
import { encodeBatch } from '../../../protocol/records/encode-batch.ts'
import { readBatches } from '../../../protocol/records/read-batches.ts'
import {
  batchesOf,
  expected,
  messagesOf,
  NOW,
  plain,
  readAll,
  record,
  SAMPLES,
  SOURCE,
} from './records.ts'

const CODECS: readonly Compression[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd']
const HEADER_BYTES = 61

/** The batch with some of its bytes changed and its checksum made right again. */
function altered(batch: Buffer, change: (copy: Buffer) => void): Buffer {
  const copy = Buffer.from(batch)
  change(copy)
  copy.writeUInt32BE(crc32c(copy, 21), 17)
  return copy
}

/** Why a batch cannot be read. */
function damageIn(data: Buffer): string {
  const result = readAll(data)
  if (!(result instanceof Error)) throw new Error(`It was read: ${result.length} messages`)
  expect(result).toBeInstanceOf(ProtocolError)
  return result.message
}

describe('record batches v2', () => {
  it.each(CODECS)('are read as they were written, compressed with %s', (compression) => {
    const batch = encodeBatch(SAMPLES, { compression, baseOffset: 1000n })
    const [read, ...others] = batchesOf(batch)
    expect(others).toEqual([])
    expect(read).toMatchObject({
      ...SOURCE,
      magic: 2,
      baseOffset: 1000,
      lastOffset: 1000 + SAMPLES.length - 1,
      compression,
      timestampType: 'create-time',
      count: SAMPLES.length,
      sizeBytes: batch.length,
    })
    expect(read?.messages().map(plain)).toEqual(SAMPLES.map((one, i) => expected(one, 1000 + i)))
  })

  it('contain the fields that a transaction needs', () => {
    const batch = encodeBatch([record('k', 'v')], {
      producerId: 2n ** 40n,
      producerEpoch: 7,
      baseSequence: 123_456,
      transactional: true,
      control: true,
      partitionLeaderEpoch: 9,
    })
    expect(batchesOf(batch)[0]).toMatchObject({
      producerId: 2n ** 40n,
      producerEpoch: 7,
      baseSequence: 123_456,
      transactional: true,
      control: true,
      leaderEpoch: 9,
    })
  })

  it('keep headers in order, including repeated, empty and null ones', () => {
    const headers = [
      { key: 'a', value: '1' },
      { key: 'b', value: null },
      { key: 'a', value: Buffer.from([255]) },
      { key: '', value: '' },
    ]
    const [message] = messagesOf(encodeBatch([record('k', 'v', NOW, headers)]))
    expect(
      message?.headers.map(({ key, value }) => [key, value?.toString('latin1') ?? null]),
    ).toEqual([
      ['a', '1'],
      ['b', null],
      ['a', '\xff'],
      ['', ''],
    ])
  })

  it('keep headers of all lengths, with characters of several bytes at each place', () => {
    const texts = Array.from({ length: 70 }, (_, length) => 'x'.repeat(length)).flatMap((text) => [
      ...[text, `é${text}`, `${text}値`, `${text.slice(0, 5)}😀${text.slice(5)}`],
    ])
    const headers = texts.map((text) => ({ key: text, value: text }))
    const [message] = messagesOf(encodeBatch([record('k', 'v', NOW, headers)]))
    expect(message?.headers.map(({ key }) => key)).toEqual(texts)
    expect(message?.headers.map(({ value }) => value?.toString())).toEqual(texts)
  })

  it.each([0, 1, -1, 63, 64, -64, -65, 2 ** 31 - 1, 2 ** 31, -(2 ** 31), -(2 ** 31) - 1])(
    'keep timestamps that are %p ms apart',
    (delta) => expectTimestamps(NOW, NOW + delta),
  )

  it.each([2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1, 2 ** 35, -(2 ** 35), 2 ** 41, -(2 ** 41), 2 ** 51])(
    'keep timestamps that are more than 32 bits apart: %p ms',
    (delta) => expectTimestamps(2 ** 42, 2 ** 42 + delta),
  )

  function expectTimestamps(first: number, second: number): void {
    const batch = encodeBatch([record(null, 'a', first), record(null, 'b', second)])
    expect(messagesOf(batch).map(({ timestamp }) => timestamp)).toEqual([first, second])
    expect(Number(batch.readBigInt64BE(35))).toBe(Math.max(first, second))
  }

  it('have the timestamp of the broker if the topic is configured so', () => {
    const batch = altered(encodeBatch(SAMPLES), (copy) => {
      copy.writeInt16BE(copy.readInt16BE(21) | 0x08, 21)
      copy.writeBigInt64BE(BigInt(NOW + 5000), 35)
    })
    expect(batchesOf(batch)[0]?.timestampType).toBe('log-append-time')
    const times = messagesOf(batch).map(({ timestamp }) => timestamp)
    expect(new Set(times)).toEqual(new Set([NOW + 5000]))
  })

  it('can have gaps between offsets and at the end, which compaction leaves', () => {
    // The first record, of offset delta 0: size, attributes, timestamp, then the offset's byte.
    const batch = altered(encodeBatch([record('a', '1'), record('b', '2')]), (copy) => {
      const second = HEADER_BYTES + 1 + copy[HEADER_BYTES]! / 2
      copy[second + 3] = 5 * 2
      copy.writeInt32BE(9, 23)
    })
    expect(messagesOf(batch).map(({ offset }) => offset)).toEqual([0, 5])
    expect(batchesOf(batch)[0]?.lastOffset).toBe(9)
  })

  it.each([
    ['a negative offset', -50_000],
    ['an offset behind the last one of the header', 2],
    ['the offset of the record before it', 0],
  ])('are rejected when a record has %s', (_, delta) => {
    const batch = altered(encodeBatch([record('a', '1'), record('b', '2')]), (copy) => {
      const second = HEADER_BYTES + 1 + copy[HEADER_BYTES]! / 2
      // Three bytes instead of one: the record takes them from its value.
      const zigzag = delta < 0 ? -delta * 2 - 1 : delta * 2
      if (zigzag < 0x80) copy[second + 3] = zigzag
      else
        copy.set([(zigzag & 0x7f) | 0x80, ((zigzag >> 7) & 0x7f) | 0x80, zigzag >> 14], second + 3)
    })
    expect(() => messagesOf(batch)).toThrow(/offset delta/)
  })

  it('are rejected when the header has a last offset before the first', () => {
    const batch = altered(encodeBatch([record('a', '1')]), (copy) => copy.writeInt32BE(-1, 23))
    expect(() => batchesOf(batch)).toThrow(/has the offsets/)
  })

  it('can be empty, because compaction leaves the header', () => {
    const batch = altered(encodeBatch([record('a', '1')]).subarray(0, HEADER_BYTES), (copy) => {
      copy.writeInt32BE(HEADER_BYTES - 12, 8)
      copy.writeInt32BE(0, 57)
    })
    expect(messagesOf(batch)).toEqual([])
    expect(batchesOf(batch)[0]?.lastOffset).toBe(0)
  })

  it('with any flipped bit from the checksum on are rejected', () => {
    const batch = encodeBatch([record('key', 'some value', NOW, [{ key: 'h', value: '1' }])])
    for (let bit = 17 * 8; bit < batch.length * 8; bit++) {
      const damaged = Buffer.from(batch)
      damaged[bit >> 3]! ^= 1 << (bit & 7)
      expect(damageIn(damaged)).toContain('CRC-32C')
    }
  })

  it('are truncated at the end of a response at any byte', () => {
    const first = encodeBatch([record('a', '1')])
    const second = encodeBatch([record('b', '2')], { baseOffset: 1n })
    const both = Buffer.concat([first, second])
    for (let length = first.length; length < both.length; length++) {
      const { batches, cutOffBytes, error } = readBatches(both.subarray(0, length), SOURCE)
      expect(error).toBeUndefined()
      expect(batches.map(({ baseOffset }) => baseOffset)).toEqual([0])
      const isSizeKnown = length >= first.length + 12
      if (length === first.length) expect(cutOffBytes).toBe(0)
      else expect(cutOffBytes).toBe(isSizeKnown ? second.length : length - first.length + 13)
    }
  })

  it('are read up to a damaged one, whose offset is named', () => {
    const good = encodeBatch([record('a', '1')], { baseOffset: 41n })
    const bad = encodeBatch([record('b', '2')], { baseOffset: 42n })
    bad[bad.length - 1]! ^= 1
    const { batches, error } = readBatches(Buffer.concat([good, bad, good]), SOURCE)
    expect(batches.map(({ baseOffset }) => baseOffset)).toEqual([41])
    expect(error?.message).toContain('events-1 at offset 42')
  })

  describe('that contradict themselves are rejected, although their checksum is correct', () => {
    const batch = encodeBatch([record('key', 'value')])
    const size = HEADER_BYTES
    const key = HEADER_BYTES + 4
    const value = key + 4

    it.each([
      ['a count that is too large', (copy: Buffer) => copy.writeInt32BE(0x7fffffff, 57)],
      ['a negative count', (copy: Buffer) => copy.writeInt32BE(-1, 57)],
      ['one record more than there is', (copy: Buffer) => copy.writeInt32BE(2, 57)],
      ['one record less than there is', (copy: Buffer) => copy.writeInt32BE(0, 57)],
      ['a record past the end', (copy: Buffer) => (copy[size] = 126)],
      ['a record that ends early', (copy: Buffer) => (copy[size] = copy[size]! - 2)],
      ['a record of a negative size', (copy: Buffer) => (copy[size] = 1)],
      ['a key past the end', (copy: Buffer) => (copy[key] = 126)],
      ['a key that ends early', (copy: Buffer) => (copy[key] = 2)],
      ['a value past the end', (copy: Buffer) => (copy[value] = 126)],
      ['a null value with bytes', (copy: Buffer) => (copy[value] = 1)],
      ['a varint without an end', (copy: Buffer) => copy.fill(0xff, size)],
      ['a negative number of headers', (copy: Buffer) => (copy[copy.length - 1] = 1)],
      ['more headers than there are', (copy: Buffer) => (copy[copy.length - 1] = 4)],
      ['an unknown codec', (copy: Buffer) => copy.writeInt16BE(7, 21)],
      ['a base offset past 2^53', (copy: Buffer) => copy.writeBigInt64BE(2n ** 60n, 0)],
    ])('with %s', (_, lie) => {
      expect(damageIn(altered(batch, (copy) => void lie(copy)))).not.toBe('')
    })

    it.each([-1, 0, 13, -0x80000000])('with a size of %p', (claimed) => {
      const copy = Buffer.from(batch)
      copy.writeInt32BE(claimed, 8)
      expect(damageIn(copy)).toContain(`a length of ${claimed} bytes`)
    })

    it('with a batch that is shorter than its header', () => {
      const copy = Buffer.from(batch.subarray(0, 40))
      copy.writeInt32BE(40 - 12, 8)
      expect(damageIn(copy)).toContain('40 bytes')
    })

    it('with an unknown format', () => {
      const copy = Buffer.from(batch)
      copy[16] = 3
      expect(damageIn(copy)).toContain('unknown message format v3')
    })
  })
})
