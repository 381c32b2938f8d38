import { afterEach, describe, expect, it, jest } from '@jest/globals'
import fc from 'fast-check'
import { spawnSync } from 'node:child_process'
import {
  type BlockCodec,
  NOT_HERE,
  startBlockCodecs,
} from '../../../protocol/compression/block-codecs.ts'
import { codecOf } from '../../../protocol/compression/index.ts'
import * as lz4Compress from '../../../protocol/compression/lz4-compress.ts'
import * as lz4Decompress from '../../../protocol/compression/lz4-decompress.ts'
import * as snappyCompress from '../../../protocol/compression/snappy-compress.ts'
import * as snappyDecompress from '../../../protocol/compression/snappy-decompress.ts'
import { ProtocolError } from '../../../protocol/protocol-error.ts'
import { incompressible, jsonLines } from './samples.ts'

const KIB = 1024
/** SEED=1234 repeats a run: the seed is in the names of the tests that use it. */
const SEED = Number(process.env['SEED'] ?? Date.now() & 0x7fffffff)
const EDGE_BYTES = 64
const EDGE = 0xa5

const codecs = startBlockCodecs(0)
const FORMATS: readonly Format[] = [
  {
    name: 'lz4',
    codec: codecs.lz4!,
    bound: lz4Compress.compressedBound,
    compress: lz4Compress.compressBlock,
    decompress: (input, start, end, output, at, outputEnd) =>
      lz4Decompress.decompressBlock(input, start, end, output, at, outputEnd, at),
  },
  {
    name: 'snappy',
    codec: codecs.snappy!,
    bound: snappyCompress.compressedBound,
    compress: snappyCompress.compressBlock,
    decompress(...parameters) {
      snappyDecompress.decompressBlock(...parameters)
      return parameters[5]
    },
  },
]

interface Format {
  name: string
  /** By WebAssembly. */
  codec: BlockCodec
  /** In TypeScript. */
  bound: (sizeBytes: number) => number
  compress: typeof lz4Compress.compressBlock
  decompress: BlockCodec['decompress']
}

/** Bytes of few and of many values, which repeat with short and with long periods. */
const content = fc
  .record({
    period: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 70_000 })),
    pattern: fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 300 }),
      fc.array(fc.constantFrom(0, 1, 97), { minLength: 1, maxLength: 300 }),
    ),
    sizeBytes: fc.oneof(fc.nat(40), fc.nat(1000), fc.nat(64 * KIB)),
    noise: fc.array(fc.record({ at: fc.nat(64 * KIB), byte: fc.nat(255) }), { maxLength: 50 }),
    lines: fc.boolean(),
  })
  .map(({ period, pattern, sizeBytes, noise, lines }) => {
    const bytes = lines ? jsonLines(sizeBytes) : new Uint8Array(sizeBytes)
    if (!lines) bytes.forEach((_, at) => (bytes[at] = pattern[(at % period) % pattern.length]!))
    if (sizeBytes > 0) for (const { at, byte } of noise) bytes[at % sizeBytes] = byte
    return bytes
  })

/**
 * The content, or undefined if the block is rejected. Throws if bytes outside of the room changed.
 */
function outcomeOf(
  decompress: BlockCodec['decompress'],
  block: Uint8Array,
  roomBytes: number,
): Buffer | undefined {
  const input = new Uint8Array(block.length + 2 * EDGE_BYTES).fill(EDGE)
  input.set(block, EDGE_BYTES)
  const output = new Uint8Array(roomBytes + 2 * EDGE_BYTES).fill(EDGE)
  const outputEnd = EDGE_BYTES + roomBytes
  const inputEnd = EDGE_BYTES + block.length
  let end = NOT_HERE
  try {
    end = decompress(input, EDGE_BYTES, inputEnd, output, EDGE_BYTES, outputEnd)
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
  }
  if (!isEdge(output.subarray(0, EDGE_BYTES)) || !isEdge(output.subarray(outputEnd)))
    throw new Error('bytes outside of the room changed')
  return end === NOT_HERE || end === lz4Decompress.OVERFLOW
    ? undefined
    : Buffer.from(output.subarray(EDGE_BYTES, end))
}

function isEdge(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === EDGE)
}

/** Not `toEqual`, which takes milliseconds for this many bytes. */
function expectSame(found: Buffer | undefined, expected: Buffer | undefined): void {
  expect(found?.length).toBe(expected?.length)
  if (found !== undefined && expected !== undefined) expect(found.equals(expected)).toBe(true)
}

describe.each(FORMATS)('$name by WebAssembly', ({ name, codec, bound, compress, decompress }) => {
  const inTypeScript = (data: Uint8Array) => {
    const output = new Uint8Array(bound(data.length))
    return output.subarray(0, compress(data, 0, data.length, output, 0))
  }
  const byWebAssembly: BlockCodec['decompress'] = (...parameters) => codec.decompress(...parameters)

  it(`compresses to the same bytes as in TypeScript (seed ${SEED})`, () => {
    fc.assert(
      fc.property(content, fc.nat(100), (data, before) => {
        const expected = inTypeScript(data)
        const output = new Uint8Array(before + bound(data.length) + EDGE_BYTES).fill(EDGE)
        const input = Buffer.concat([incompressible(before), data, incompressible(50)])
        const end = codec.compress(input, before, before + data.length, output, before)
        expect(Buffer.compare(output.subarray(before, end), expected)).toBe(0)
        expect(isEdge(output.subarray(0, before)) && isEdge(output.subarray(end))).toBe(true)
      }),
      { seed: SEED, numRuns: 200 },
    )
  })

  it(`decompresses and rejects the same blocks as in TypeScript (seed ${SEED})`, () => {
    const change = fc.record({
      at: fc.oneof(fc.nat(40), fc.nat(64 * KIB)),
      byte: fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 15, 0xf0, 0xff, 0xfc, 0xfd, 0xfe)),
    })
    const damaged = fc.record({
      data: content,
      changes: fc.array(change, { maxLength: 4 }),
      cut: fc.option(fc.nat(64 * KIB), { freq: 3 }),
      lessRoom: fc.option(fc.integer({ min: -3, max: 40 }), { freq: 2 }),
    })
    const seen = { content: 0, rejected: 0 }
    fc.assert(
      fc.property(damaged, ({ data, changes, cut, lessRoom }) => {
        const block = inTypeScript(data).slice()
        for (const { at, byte } of changes) block[at % block.length] = byte
        const input = cut === null ? block : block.subarray(0, cut % block.length)
        const roomBytes = Math.max(0, data.length - (lessRoom ?? 0))
        const expected = outcomeOf(decompress, input, roomBytes)
        // Whatever the block before left in the module's memory must not matter.
        expectSame(outcomeOf(byWebAssembly, input, roomBytes), expected)
        seen[expected === undefined ? 'rejected' : 'content']++
      }),
      { seed: SEED, numRuns: 600 },
    )
    expect(Math.min(seen.content, seen.rejected)).toBeGreaterThan(50)
  })

  it(`decompresses and rejects any bytes as in TypeScript (seed ${SEED})`, () => {
    const byte = fc.oneof(fc.nat(255), fc.nat(20), fc.constantFrom(0xff, 0xf0, 0xfc))
    const any = fc.array(byte, { minLength: 1, maxLength: 60 })
    fc.assert(
      fc.property(any, fc.nat(400), (bytes, roomBytes) => {
        // snappy.ts has read the length at the start of a block of snappy, which this code skips.
        const block = Uint8Array.from(name === 'snappy' ? [1, ...bytes] : bytes)
        const expected = outcomeOf(decompress, block, roomBytes)
        expectSame(outcomeOf(byWebAssembly, block, roomBytes), expected)
      }),
      { seed: SEED, numRuns: 2000 },
    )
  })

  it('leaves blocks of more than 4 MiB to the code in TypeScript', () => {
    const large = new Uint8Array(4 * KIB * KIB + 1)
    expect(codec.decompress(large, 0, large.length, large, 0, 10)).toBe(NOT_HERE)
    expect(codec.decompress(large, 0, 10, large, 0, large.length)).toBe(NOT_HERE)
  })
})

describe('the module', () => {
  const own = globalThis as { WebAssembly?: unknown }
  const { WebAssembly } = own

  afterEach(() => {
    own.WebAssembly = WebAssembly
  })

  it('is what assembly/ compiles to', () => {
    const check = ['--import', 'tsx', 'build/embed-block-codecs.ts', '--check']
    const { status, stderr } = spawnSync(process.execPath, check, { encoding: 'utf8' })
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  })

  it('is replaced by the code in TypeScript where Node.js has no WebAssembly', async () => {
    jest.resetModules()
    delete own.WebAssembly
    const { startBlockCodecs: start } =
      await import('../../../protocol/compression/block-codecs.ts')
    const { codecOf: codecOfPure } = await import('../../../protocol/compression/index.ts')
    expect(start(0)).toEqual({})
    const data = jsonLines(200 * KIB)
    for (const name of ['lz4', 'snappy'] as const) {
      const compressed = codecOfPure(name).compress(data)
      expect(Buffer.compare(compressed, codecOf(name).compress(data))).toBe(0)
      expect(Buffer.compare(codecOfPure(name).decompress(compressed, data.length), data)).toBe(0)
    }
  })
})
