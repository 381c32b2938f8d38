import { afterEach, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { Codec } from '../../../protocol/compression/index.ts'
import { codecOf, forcePureCodecs } from '../../../protocol/compression/index.ts'
import { zstdCodec } from '../../../protocol/compression/zstd.ts'
import { ProtocolError } from '../../../protocol/protocol-error.ts'
import { CODECS, incompressible, jsonLines } from './samples.ts'
import { WRITTEN_BY_OTHERS } from './vectors.ts'

const MIB = 1024 * 1024
const LIMIT_BYTES = 256 * 1024
/** SEED=1234 repeats a run: the seed is in the names of the tests that use it. */
const SEED = Number(process.env['SEED'] ?? Date.now() & 0x7fffffff)
const RUNS = 400

afterEach(() => forcePureCodecs(false))

/** A value within the limit or a ProtocolError: nothing else may come out. */
function survives(codec: Codec, data: Uint8Array) {
  try {
    expect(codec.decompress(data, LIMIT_BYTES).length).toBeLessThanOrEqual(LIMIT_BYTES)
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
  }
}

const others = Object.values(WRITTEN_BY_OTHERS).map((text) => Buffer.from(text, 'base64'))
const compressed = CODECS.filter(([name]) => name !== 'none')

describe.each(compressed)('%s', (_name, codec) => {
  const own = [jsonLines(300), jsonLines(70_000), incompressible(500), new Uint8Array(9000)].map(
    (data) => codec.compress(data),
  )

  it.each([true, false])(`survives changed bytes (pure: %s, seed ${SEED})`, (pure) => {
    forcePureCodecs(pure)
    const change = fc.record({
      at: fc.oneof(fc.nat(60), fc.nat(100_000)),
      byte: fc.oneof(fc.nat(255), fc.constantFrom(0, 127, 128, 255)),
    })
    const changed = fc.record({
      from: fc.constantFrom(...own, ...others),
      changes: fc.array(change, { minLength: 1, maxLength: 6 }),
      cut: fc.option(fc.nat(100_000), { freq: 3 }),
    })
    fc.assert(
      fc.property(changed, ({ from, changes, cut }) => {
        const data = Uint8Array.from(from)
        for (const { at, byte } of changes) data[at % data.length] = byte
        survives(codec, cut === null ? data : data.subarray(0, cut % data.length))
      }),
      { seed: SEED, numRuns: RUNS },
    )
  })

  it('claims no less memory than data decompresses to, and no more than the limit', () => {
    for (const data of own) {
      const { length } = codec.decompress(data, LIMIT_BYTES)
      expect(codec.claimedBytes(data, LIMIT_BYTES)).toBeGreaterThanOrEqual(length)
      expect(codec.claimedBytes(data, 100)).toBeLessThanOrEqual(100)
    }
  })

  it(`survives any bytes (seed ${SEED})`, () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (data) => survives(codec, data)),
      { seed: SEED, numRuns: RUNS },
    )
  })

  it('rejects every truncation', () => {
    const data = codec.compress(jsonLines(300))
    for (let length = 0; length < data.length; length++) {
      // A snappy stream that ends after its header has no content: no end is marked.
      if (codec === codecOf('snappy') && length === 16) continue
      expect(() => codec.decompress(data.subarray(0, length), LIMIT_BYTES)).toThrow(ProtocolError)
    }
  })

  it('stops a decompression bomb of 8 MiB at 1 MiB', () => {
    const bomb = codec.compress(new Uint8Array(8 * MIB))
    for (const pure of [true, false]) {
      forcePureCodecs(pure)
      expect(() => codec.decompress(bomb, MIB)).toThrow(/more than the limit of 1048576/)
      expect(() => codec.decompress(bomb, 0)).toThrow(ProtocolError)
    }
  })
})

describe('snappy', () => {
  const codec = codecOf('snappy')
  const framed = (...blocks: string[]) => {
    const header = '82534e41505059000000000100000001'
    return Buffer.from(header + blocks.join(''), 'hex')
  }

  it('counts all chunks against the limit', () => {
    // Chunks of 768 KiB each: the length 0xc0000, one literal, then copies of 64 from 1 before.
    const copies = Buffer.alloc(((768 * 1024) / 64) * 3, Buffer.from('fe0100', 'hex'))
    copies.fill(Buffer.from('fa0100', 'hex'), 0, 3)
    const block = Buffer.concat([Buffer.from('8080300061', 'hex'), copies])
    const length = Buffer.alloc(4)
    length.writeInt32BE(block.length)
    const one = Buffer.concat([framed(), length, block])
    const two = Buffer.concat([one, length, block])
    expect(codec.decompress(one, MIB)).toHaveLength(768 * 1024)
    expect(codec.decompress(two, 2 * MIB)).toHaveLength(2 * 768 * 1024)
    expect(() => codec.decompress(two, MIB)).toThrow(/decompresses to more than the limit/)
  })

  it.each([
    ['a length that no block so short can have', Buffer.from('ffffffff0f0061', 'hex')],
    ['a length of more than 32 bits', Buffer.from('ffffffff7f0061', 'hex')],
    ['a length without an end', Buffer.from('ffffffffffff', 'hex')],
    ['a literal whose 32-bit length is negative', Buffer.from('05fcfaffffff00', 'hex')],
    ['a copy from before the start', Buffer.from('0500610902', 'hex')],
    ['a copy of offset 0', Buffer.from('0500610100', 'hex')],
    ['a copy past the end', Buffer.from('0200610901', 'hex')],
    ['less than its length', Buffer.from('050061', 'hex')],
    ['a negative chunk length', framed('fffffff0', '010061')],
    ['a chunk past the end', framed('00000100', '010061')],
    ['a chunk of no bytes', framed('00000000')],
    ['a stream version of 0', Buffer.from('82534e41505059000000000000000001', 'hex')],
  ])('rejects %s', (_what, data) => {
    for (const pure of [true, false]) {
      forcePureCodecs(pure)
      expect(() => codec.decompress(data, MIB)).toThrow(ProtocolError)
    }
  })
})

describe('lz4', () => {
  const codec = codecOf('lz4')

  it.each([
    ['another version', '04224d18a0400000000000'],
    ['another magic number', '05224d186040820000000000'],
    ['a wrong header checksum', '04224d18604083' + '00000000'],
    ['no end mark', '04224d18604082'],
    ['a block past the end', '04224d18604082' + '10000000' + '1061' + '00000000'],
    ['a block larger than its size', '04224d18604082' + '01000180' + '00000000'],
    ['a match from before the start', '04224d18604082' + '05000000' + '1061020000' + '00000000'],
    ['a match of offset 0', '04224d18604082' + '05000000' + '1061000000' + '00000000'],
    ['a match length without an end', '04224d18604082' + '05000000' + '1f610100ff' + '00000000'],
    ['bytes after the frame', '04224d18604082' + '00000000' + '01'],
    ['a skippable frame past the end', '502a4d18ffffffff00'],
  ])('rejects %s', (_what, hex) => {
    for (const pure of [true, false]) {
      forcePureCodecs(pure)
      expect(() => codec.decompress(Buffer.from(hex, 'hex'), MIB)).toThrow(ProtocolError)
    }
  })

  it('verifies block and content checksums', () => {
    const frame = Buffer.from(WRITTEN_BY_OTHERS.lz4Linked, 'base64')
    const content = Uint8Array.from(frame)
    content[content.length - 1]! ^= 1
    expect(() => codec.decompress(content, MIB)).toThrow(/content checksum/)
    const block = Uint8Array.from(frame)
    // After the header of 15 bytes and the block's length: within its first literals.
    block[25]! ^= 1
    expect(() => codec.decompress(block, MIB)).toThrow(/block checksum/)
  })
})

/** Of the processor. */
function secondsOf(work: () => void): number {
  const before = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1e6
}

describe.each([
  ['zstd', codecOf('zstd')],
  ['zstd by WebAssembly', zstdCodec(3, true)],
])('%s', (_name, codec) => {
  it('decompresses 400,000 frames of one byte in less time than as many calls take', () => {
    const frame = zstdCodec(3, true).compress(Uint8Array.of(97))
    const data = Buffer.concat(Array<Uint8Array>(400_000).fill(frame))
    const together = secondsOf(() => expect(codec.decompress(data, MIB)).toHaveLength(400_000))
    const calls = secondsOf(() => {
      for (let call = 0; call < 20_000; call++) codec.decompress(frame, MIB)
    })
    // A fifth of it; five times as much with a decompressor for each frame.
    expect(together / (20 * calls)).toBeLessThan(1)
  })

  it('decompresses small and large frames alternately', async () => {
    const parts = [1, 2_000_000, 3, 4, 9_000_000, 5, 6, 7, 2_000_000].map((length, index) =>
      Buffer.alloc(length, 97 + index),
    )
    const data = Buffer.concat(parts.map((part) => codec.compress(part)))
    const expected = Buffer.concat(parts)
    expect(expected.equals(codec.decompress(data, 16 * MIB))).toBe(true)
    const elsewhere = await codec.decompressAsync?.(data, 16 * MIB)
    if (elsewhere !== undefined) expect(expected.equals(elsewhere)).toBe(true)
    expect(() => codec.decompress(data, 8 * MIB)).toThrow(/more than the limit of 8388608/)
  })

  it('rejects a header of 8 GiB at once', () => {
    const data = Buffer.from('28b52ffde0' + '0000000002000000' + '010000', 'hex')
    expect(() => codec.decompress(data, MIB)).toThrow(/decompresses to more than the limit/)
    // Nor with a ceiling above it: three bytes of blocks cannot hold that.
    expect(() => codec.decompress(data, 2 ** 40)).toThrow(ProtocolError)
  })

  it('stops a frame without content size at the limit', () => {
    // 80 blocks that repeat one byte 128 KiB times, with a window of 128 KiB.
    const block = Buffer.from([(131072 << 3) | 2, (131072 << 3) >>> 8, (131072 << 3) >>> 16, 97])
    const last = Buffer.from([(1 << 3) | 3, 0, 0, 97])
    const start = Buffer.from('28b52ffd0038', 'hex')
    const data = Buffer.concat([start, ...Array<Buffer>(80).fill(block), last])
    expect(codec.decompress(data, 16 * MIB)).toHaveLength(80 * 131072 + 1)
    expect(() => codec.decompress(data, MIB)).toThrow(/decompresses to more than the limit/)
  })

  it.each([
    ['a window of more than 128 MiB', '28b52ffd00a0' + '010000'],
    ['a reserved bit', '28b52ffd2805' + '010000'],
    ['a reserved block type', '28b52ffd2000' + '070000'],
    ['a dictionary', '28b52ffd210100' + '010000'],
    ['bytes after the frame', '28b52ffd2000' + '010000' + '00'],
  ])('rejects %s', (_what, hex) => {
    expect(() => codec.decompress(Buffer.from(hex, 'hex'), MIB)).toThrow(ProtocolError)
  })
})
