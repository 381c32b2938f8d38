import { afterEach, describe, expect, it } from '@jest/globals'
import type { Compression } from '../../../protocol/compression/index.ts'
import {
  codecOf,
  compressionCodeOf,
  compressionOfCode,
  COMPRESSIONS,
  forcePureCodecs,
} from '../../../protocol/compression/index.ts'
import { compressBlock, compressedBound } from '../../../protocol/compression/snappy-compress.ts'
import { ProtocolError } from '../../../protocol/protocol-error.ts'
import { CODECS, incompressible, jsonLines } from './samples.ts'

const KIB = 1024
const SIZES = [0, 1, 2, 11, 12, 13, 64, 1000, 32 * KIB - 1, 32 * KIB, 32 * KIB + 1].concat([
  64 * KIB - 1,
  64 * KIB,
  64 * KIB + 1,
  1024 * KIB,
])

function equal(left: Uint8Array, right: Uint8Array): boolean {
  return Buffer.compare(left, right) === 0
}

afterEach(() => forcePureCodecs(false))

describe.each(CODECS)('%s', (_name, codec) => {
  it.each([
    ['zeros', (sizeBytes: number) => new Uint8Array(sizeBytes)],
    ['random bytes', incompressible],
    ['JSON lines', jsonLines],
  ] as const)('restores %s after compression', (_kind, make) => {
    for (const pure of [true, false]) {
      forcePureCodecs(pure)
      for (const sizeBytes of SIZES) {
        const data = make(sizeBytes)
        const before = data.slice()
        const compressed = codec.compress(data)
        expect(equal(codec.decompress(compressed, sizeBytes), data)).toBe(true)
        expect(equal(data, before)).toBe(true)
        if (sizeBytes > 0)
          expect(() => codec.decompress(compressed, sizeBytes - 1)).toThrow(ProtocolError)
      }
    }
  })

  it('leaves its previous output unchanged when it compresses something else', () => {
    const first = codec.compress(jsonLines(5000))
    const before = first.slice()
    codec.compress(incompressible(6000))
    expect(equal(first, before)).toBe(true)
  })

  it('reads views into a larger buffer', () => {
    const data = jsonLines(5000)
    const compressed = codec.compress(data)
    const within = Buffer.concat([incompressible(33), compressed, incompressible(33)])
    const view = within.subarray(33, 33 + compressed.length)
    expect(equal(codec.decompress(view, data.length), data)).toBe(true)
    const wide = Buffer.concat([incompressible(33), data, incompressible(33)])
    expect(equal(codec.compress(wide.subarray(33, 33 + data.length)), compressed)).toBe(true)
  })

  it('returns the same off the event loop, if it supports that', async () => {
    const data = jsonLines(100 * KIB)
    if (codec.compressAsync === undefined || codec.decompressAsync === undefined) return
    const compressed = await codec.compressAsync(data)
    expect(equal(codec.decompress(compressed, data.length), data)).toBe(true)
    expect(equal(await codec.decompressAsync(compressed, data.length), data)).toBe(true)
    const short = codec.decompressAsync(compressed, data.length - 1)
    await expect(short).rejects.toThrow(ProtocolError)
    const cut = codec.decompressAsync(compressed.subarray(0, -9), data.length)
    await expect(cut).rejects.toThrow(ProtocolError)
  })
})

describe('lz4', () => {
  it('stores data that does not shrink', () => {
    const data = incompressible(100 * KIB)
    // Header, two block lengths, end mark.
    expect(codecOf('lz4').compress(data).length).toBe(data.length + 7 + 8 + 4)
  })

  it('reads consecutive frames, and skips skippable ones', () => {
    const codec = codecOf('lz4')
    const skippable = Buffer.from('5a2a4d18030000000102ff', 'hex')
    const parts = [
      skippable,
      codec.compress(jsonLines(300)),
      skippable,
      codec.compress(jsonLines(70000)),
    ]
    const expected = Buffer.concat([jsonLines(300), jsonLines(70000)])
    expect(equal(codec.decompress(Buffer.concat(parts), 70300), expected)).toBe(true)
    expect(() => codec.decompress(Buffer.concat(parts), 70299)).toThrow(ProtocolError)
  })
})

describe('zstd', () => {
  it('reads consecutive frames', () => {
    const codec = codecOf('zstd')
    const skippable = Buffer.from('5a2a4d18030000000102ff', 'hex')
    const parts = [codec.compress(jsonLines(300)), skippable, codec.compress(jsonLines(70000))]
    const expected = Buffer.concat([jsonLines(300), jsonLines(70000)])
    expect(equal(codec.decompress(Buffer.concat(parts), 70300), expected)).toBe(true)
    expect(() => codec.decompress(Buffer.concat(parts), 70299)).toThrow(ProtocolError)
  })
})

describe('snappy', () => {
  it('reads consecutive streams', () => {
    const codec = codecOf('snappy')
    const parts = [codec.compress(jsonLines(300)), codec.compress(jsonLines(70000))]
    const expected = Buffer.concat([jsonLines(300), jsonLines(70000)])
    expect(equal(codec.decompress(Buffer.concat(parts), 70300), expected)).toBe(true)
  })

  it('reads a raw block', () => {
    const data = jsonLines(60_000)
    const block = new Uint8Array(compressedBound(data.length))
    const end = compressBlock(data, 0, data.length, block, 0)
    expect(equal(codecOf('snappy').decompress(block.subarray(0, end), data.length), data)).toBe(
      true,
    )
  })
})

describe('codecOf', () => {
  it('maps the codes of a batch’s attributes', () => {
    expect(COMPRESSIONS).toEqual(['none', 'gzip', 'snappy', 'lz4', 'zstd'])
    for (const [code, name] of COMPRESSIONS.entries()) {
      expect(compressionOfCode(code)).toBe(name)
      expect(compressionCodeOf(name)).toBe(code)
      expect(codecOf(code)).toBe(codecOf(name))
    }
    expect(() => codecOf(5)).toThrow(ProtocolError)
    expect(() => codecOf(-1)).toThrow(ProtocolError)
  })

  it.each([
    ['gzip', 0],
    ['gzip', 10],
    ['gzip', 1.5],
    ['zstd', 0],
    ['zstd', 23],
  ] as [Compression, number][])('rejects %s level %d', (name, level) => {
    expect(() => codecOf(name, { level })).toThrow(RangeError)
  })

  it('compresses more at a higher level', () => {
    const data = jsonLines(200 * KIB)
    for (const name of ['gzip', 'zstd'] as const) {
      const fast = codecOf(name, { level: 1 }).compress(data)
      const small = codecOf(name, { level: 9 }).compress(data)
      expect(small.length).toBeLessThan(fast.length)
    }
  })
})
