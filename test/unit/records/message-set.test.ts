import { describe, expect, it } from '@jest/globals'
import { crc32 } from '../../../protocol/buffer/crc32.ts'
import {
  codecOf,
  compressionCodeOf,
  lz4Legacy,
  type Compression,
} from '../../../protocol/compression/index.ts'
import { ProtocolError } from '../../../protocol/protocol-error.ts'
import { encodeBatch } from '../../../protocol/records/encode-batch.ts'
import { encodeMessageSet } from '../../../protocol/records/message-set.ts'
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

type Magic = 0 | 1

const CODECS: readonly Compression[] = ['none', 'gzip', 'snappy', 'lz4']
const KINDS = ([0, 1] as const).flatMap((magic) => CODECS.map((codec) => [magic, codec] as const))

/** One message by hand: a value is given, or a set that is compressed to be it. */
function message(
  magic: Magic,
  offset: number,
  value: Buffer | null,
  { attributes = 0, timestamp = NOW } = {},
): Buffer {
  const body = Buffer.concat([
    Buffer.from([magic, attributes]),
    ...(magic === 1 ? [int64(timestamp)] : []),
    int32(-1),
    int32(value?.length ?? -1),
    value ?? Buffer.alloc(0),
  ])
  return withHeader(offset, body)
}

/** Offset, size and the checksum that is right. */
function withHeader(offset: number, body: Buffer): Buffer {
  const checksum = Buffer.alloc(4)
  checksum.writeUInt32BE(crc32(body, 0, body.length))
  return Buffer.concat([int64(offset), int32(body.length + 4), checksum, body])
}

function compressed(
  magic: Magic,
  offset: number,
  inner: readonly Buffer[],
  codec: Compression = 'gzip',
  attributes = 0,
  timestamp = NOW,
): Buffer {
  const with0 = codec === 'lz4' && magic === 0 ? lz4Legacy : codecOf(codec)
  const value = Buffer.from(with0.compress(Buffer.concat(inner)))
  return message(magic, offset, value, {
    attributes: attributes | compressionCodeOf(codec),
    timestamp,
  })
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

function int64(value: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64BE(BigInt(value))
  return bytes
}

function offsets(data: Buffer): number[] {
  return messagesOf(data).map(({ offset }) => offset)
}

describe('message sets', () => {
  it.each(KINDS)('of v%p are read as they were written, compressed with %s', (magic, codec) => {
    const read = messagesOf(encodeMessageSet(SAMPLES, magic, codec))
    const hasTimestamp = magic === 1
    expect(read.map(plain)).toEqual(SAMPLES.map((one, i) => expected(one, i, { hasTimestamp })))
    expect(read[0]?.timestampType).toBe(magic === 1 ? 'create-time' : 'none')
    expect(read[0]?.batch).toMatchObject({
      magic,
      compression: codec,
      lastOffset: SAMPLES.length - 1,
    })
  })

  it('of v0 have absolute offsets inside compressed messages', () => {
    const inner = [7, 9, 12].map((offset) => message(0, offset, Buffer.from('x')))
    expect(offsets(compressed(0, 12, inner))).toEqual([7, 9, 12])
  })

  it.each(CODECS.slice(1))('of v1 have relative offsets inside those of %s', (codec) => {
    const inner = [0, 1, 2].map((offset) => message(1, offset, Buffer.from('x')))
    expect(offsets(compressed(1, 1002, inner, codec))).toEqual([1000, 1001, 1002])
  })

  it('of v1 keep the gaps that compaction leaves', () => {
    const inner = [1, 4, 6].map((offset) => message(1, offset, Buffer.from('x')))
    expect(offsets(compressed(1, 1006, inner))).toEqual([1001, 1004, 1006])
    const plainOnes = [3, 9].map((offset) => message(1, offset, Buffer.from('x')))
    expect(offsets(Buffer.concat(plainOnes))).toEqual([3, 9])
  })

  it('of v1 with the timestamp of the broker have that of the wrapper', () => {
    const inner = [0, 1].map((offset) => message(1, offset, null, { timestamp: NOW }))
    const [first, second] = messagesOf(compressed(1, 1, inner, 'gzip', 0x08, NOW + 99))
    expect(first?.timestampType).toBe('log-append-time')
    expect([first?.timestamp, second?.timestamp]).toEqual([NOW + 99, NOW + 99])
  })

  it('keep timestamps of each message', () => {
    const records = [NOW, NOW - 5, NOW + 2 ** 33].map((time) => record(null, 'x', time))
    for (const codec of CODECS) {
      const read = messagesOf(encodeMessageSet(records, 1, codec))
      expect(read.map(({ timestamp }) => timestamp)).toEqual(records.map((one) => one.timestamp))
    }
  })

  it('are read when they are mixed with newer formats in an upgraded log', () => {
    const log = Buffer.concat([
      message(0, 0, Buffer.from('a')),
      message(0, 1, Buffer.from('b')),
      message(1, 2, Buffer.from('c')),
      compressed(1, 4, [message(1, 0, Buffer.from('d')), message(1, 1, Buffer.from('e'))]),
      message(1, 5, Buffer.from('f')),
      encodeBatch([record(null, 'g')], { baseOffset: 6n }),
      message(1, 7, Buffer.from('h')),
    ])
    expect(batchesOf(log).map(({ magic }) => magic)).toEqual([0, 1, 1, 1, 2, 1])
    expect(
      messagesOf(log)
        .map(({ value }) => value?.toString())
        .join(''),
    ).toBe('abcdefgh')
    expect(offsets(log)).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
  })

  it.each([0, 1] as const)(
    'of v%p with any flipped bit from the checksum on are rejected',
    (magic) => {
      const set = encodeMessageSet([record('key', 'some value')], magic)
      for (let bit = 12 * 8; bit < set.length * 8; bit++) {
        const damaged = Buffer.from(set)
        damaged[bit >> 3]! ^= 1 << (bit & 7)
        // In the byte that names the format the message may turn into one that is none.
        expect(readAll(damaged)).toBeInstanceOf(ProtocolError)
      }
    },
  )

  it('with a flipped bit inside a compressed message are rejected', () => {
    const inner = message(1, 0, Buffer.from('x'))
    inner[inner.length - 1]! ^= 1
    expect(readAll(compressed(1, 0, [inner]))).toBeInstanceOf(ProtocolError)
  })

  it('are truncated at the end of a response at any byte', () => {
    const first = message(1, 0, Buffer.from('first'))
    const second = message(1, 1, Buffer.from('second'))
    const both = Buffer.concat([first, second])
    for (let length = first.length; length < both.length; length++) {
      const { batches, cutOffBytes, error } = readBatches(both.subarray(0, length), SOURCE)
      expect(error).toBeUndefined()
      expect(batches.flatMap((batch) => batch.messages()).map(({ offset }) => offset)).toEqual([0])
      if (length > first.length) expect(cutOffBytes).toBeGreaterThan(length - first.length)
      if (length >= first.length + 12) expect(cutOffBytes).toBe(second.length)
    }
  })

  describe('that contradict themselves are rejected, although their checksum is correct', () => {
    const body = (keyBytes: number, valueBytes: number, rest: number) =>
      Buffer.concat([Buffer.from([0, 0]), int32(keyBytes), int32(valueBytes), Buffer.alloc(rest)])

    it.each([
      ['a key past the end', withHeader(0, body(100, -1, 0))],
      ['a key of the largest length', withHeader(0, body(0x7fffffff, -1, 0))],
      ['a value past the end', withHeader(0, body(-1, 100, 0))],
      ['a value that ends early', withHeader(0, body(-1, 1, 2))],
      ['a null value with bytes', withHeader(0, body(-1, -1, 2))],
      ['no room for key and value', withHeader(0, Buffer.from([0, 0, 0, 0]))],
      [
        'v1 without its timestamp',
        withHeader(0, Buffer.concat([Buffer.from([1, 0]), int32(-1), int32(-1)])),
      ],
      ['a compressed message of null', message(1, 0, null, { attributes: 1 })],
      ['a compressed message with nothing inside', compressed(1, 0, [])],
      ['an inner message that is cut off', compressed(1, 0, [message(1, 0, null).subarray(0, -1)])],
      ['zstd, which these formats do not have', message(1, 0, Buffer.from('x'), { attributes: 4 })],
      ['an offset past 2^53', message(1, 2 ** 60, null)],
      ['compressed in compressed without end', deep(6)],
    ])('with %s', (_, data) => {
      expect(readAll(data)).toBeInstanceOf(ProtocolError)
    })
  })

  function deep(levels: number): Buffer {
    return levels === 0 ? message(1, 0, Buffer.from('x')) : compressed(1, 0, [deep(levels - 1)])
  }
})
