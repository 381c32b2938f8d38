import { afterEach, describe, expect, it } from '@jest/globals'
import {
  codecOf,
  forcePureCodecs,
  lz4Legacy,
  type InflateMemory,
} from '../../../protocol/compression/index.ts'
import { xxhash32 } from '../../../protocol/compression/xxhash32.ts'
import { CODECS, incompressible, jsonLines } from './samples.ts'

/** Where codecs write their output. */

const KIB = 1024
const LIMIT_BYTES = 8 * KIB * KIB

/** New memory, and what was asked of it and given back. */
class Watched implements InflateMemory {
  readonly allocated: Uint8Array[] = []
  readonly givenBack: ArrayBufferLike[] = []

  allocate(sizeBytes: number): Uint8Array {
    const memory = new Uint8Array(sizeBytes).fill(0xa5)
    this.allocated.push(memory)
    return memory
  }

  giveBack(memory: ArrayBufferLike): void {
    this.givenBack.push(memory)
  }
}

function expectSame(found: Uint8Array, expected: Uint8Array): void {
  expect(found.length).toBe(expected.length)
  expect(Buffer.compare(found, expected)).toBe(0)
}

afterEach(() => forcePureCodecs(false))

describe.each(CODECS)('%s', (name, codec) => {
  it('leaves room before compressed data, and the data as they are without it', async () => {
    for (const data of [jsonLines(300), jsonLines(70 * KIB), incompressible(70 * KIB)]) {
      const expected = codec.compress(data)
      const output = codec.compress(data, 61)
      expectSame(output.subarray(61), expected)
      const elsewhere = (await codec.compressAsync?.(data, 61)) ?? output
      expectSame(codec.decompress(elsewhere.subarray(61), data.length), data)
    }
  })

  it('states the size of its content, as far as its format can', async () => {
    const data = jsonLines(70 * KIB)
    const claimed = codec.claimedBytes(codec.compress(data), LIMIT_BYTES)
    const elsewhere = await codec.compressAsync?.(data)
    if (elsewhere !== undefined) expect(codec.claimedBytes(elsewhere, LIMIT_BYTES)).toBe(claimed)
    if (name.startsWith('zstd')) expect(claimed).toBe(data.length)
  })

  it('compresses into memory of the caller, which is asked for once', async () => {
    for (const data of [jsonLines(300), jsonLines(70 * KIB), incompressible(70 * KIB)]) {
      for (const beforeBytes of [0, 61]) {
        const memory = new Watched()
        const output = codec.compress(data, beforeBytes, memory)
        const elsewhere = await codec.compressAsync?.(data, beforeBytes, memory)
        const outputs = elsewhere === undefined ? [output] : [output, elsewhere]
        expect(memory.allocated).toHaveLength(outputs.length)
        outputs.forEach((one, index) => {
          expect(one.buffer).toBe(memory.allocated[index]!.buffer)
          expect(one.length).toBe(memory.allocated[index]!.length)
          expectSame(codec.decompress(one.subarray(beforeBytes), data.length), data)
        })
      }
    }
  })
})

describe.each([
  ['snappy', codecOf('snappy')],
  ['lz4', codecOf('lz4')],
  ['lz4 for message format 0', lz4Legacy],
])('%s', (_name, codec) => {
  it.each([1, 100, 1000, 64 * KIB - 1, 64 * KIB, 64 * KIB + 1, 300 * KIB])(
    'decompresses %d bytes into memory of the caller',
    (sizeBytes) => {
      for (const make of [jsonLines, incompressible]) {
        for (const pure of [true, false]) {
          forcePureCodecs(pure)
          const data = make(sizeBytes)
          const memory = new Watched()
          const output = codec.decompress(codec.compress(data), LIMIT_BYTES, memory)
          expectSame(output, data)
          expect(memory.allocated.at(-1)!.buffer).toBe(output.buffer)
          expect(memory.givenBack).toEqual(memory.allocated.slice(0, -1).map((one) => one.buffer))
        }
      }
    },
  )

  it('allocates exactly the size of small content', () => {
    const memory = new Watched()
    for (const sizeBytes of [1, 200, 20 * KIB, 64 * KIB])
      codec.decompress(codec.compress(jsonLines(sizeBytes)), LIMIT_BYTES, memory)
    expect(memory.allocated.map(({ length }) => length)).toEqual([1, 200, 20 * KIB, 64 * KIB])
  })

  it('does not change earlier content when it decompresses small content', () => {
    const first = codec.decompress(codec.compress(jsonLines(5000)), LIMIT_BYTES)
    codec.decompress(codec.compress(incompressible(6000)), LIMIT_BYTES)
    expectSame(first, jsonLines(5000))
  })
})

describe('lz4', () => {
  it('keeps no more memory than the content takes if the headers allow for much more', () => {
    const data = jsonLines(60 * KIB)
    const frame = codecOf('lz4').compress(data)
    // Blocks of 4 MiB, as other clients write them: the content of this one may be as large.
    frame[5] = 7 << 4
    frame[6] = (xxhash32(frame, 4, 6) >>> 8) & 0xff
    for (const pure of [true, false]) {
      forcePureCodecs(pure)
      const memory = new Watched()
      const output = codecOf('lz4').decompress(frame, LIMIT_BYTES, memory)
      expectSame(output, data)
      expect(memory.allocated.map(({ length }) => length > data.length)).toEqual([true, false])
      expect(output.buffer.byteLength).toBe(data.length)
      expect(memory.givenBack).toEqual([memory.allocated[0]!.buffer])
    }
  })
})
