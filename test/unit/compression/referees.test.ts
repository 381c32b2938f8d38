import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { spawnSync } from 'node:child_process'
import crc32js from 'crc-32'
import crc32cJs from 'crc-32/crc32c.js'
import lz4js from 'lz4js'
import snappyjs from 'snappyjs'
import { crc32 } from '../../../protocol/buffer/crc32.ts'
import { crc32c } from '../../../protocol/buffer/crc32c.ts'
import { codecOf, forcePureCodecs } from '../../../protocol/compression/index.ts'
import { ProtocolError } from '../../../protocol/protocol-error.ts'
import { LOG, WRITTEN_BY_OTHERS } from './vectors.ts'

const LIMIT_BYTES = 4 * 1024 * 1024
/** A hang, on any machine: the decoder needs microseconds. */
const HANG_MS = 5_000

const noise = Uint8Array.from({ length: 100_000 }, (_, i) => Math.imul(i + 1, 2_654_435_761) >>> 24)
const SAMPLES: readonly (readonly [string, Uint8Array])[] = [
  ['one byte', Uint8Array.of(7)],
  ['lines of a log', Buffer.from(LOG, 'latin1')],
  ['repeats over several blocks', Buffer.from(LOG.repeat(20).slice(0, 300_000), 'latin1')],
  ['noise', noise],
]

/** The blocks of the snappy format that Java's clients write: a header of 16 bytes, then size and block in turn. */
function blocksOf(written: Uint8Array): Uint8Array[] {
  const view = new DataView(written.buffer, written.byteOffset, written.byteLength)
  const blocks: Uint8Array[] = []
  for (let at = 16; at < written.length;) {
    const size = view.getInt32(at)
    blocks.push(written.subarray(at + 4, at + 4 + size))
    at += 4 + size
  }
  return blocks
}

describe('the codecs in TypeScript beside other implementations', () => {
  beforeEach(() => forcePureCodecs(true))
  afterEach(() => forcePureCodecs(false))

  it.each(SAMPLES)('snappyjs reads the snappy blocks that samsa writes: %s', (_, data) => {
    const blocks = blocksOf(codecOf('snappy').compress(data))
    expect(Buffer.concat(blocks.map((block) => snappyjs.uncompress(block))).equals(data)).toBe(true)
  })

  it.each(SAMPLES)('samsa reads the snappy blocks that snappyjs writes: %s', (_, data) => {
    const read = codecOf('snappy').decompress(snappyjs.compress(data), LIMIT_BYTES)
    expect(Buffer.from(read).equals(data)).toBe(true)
  })

  it.each(SAMPLES)('lz4js reads the lz4 frames that samsa writes: %s', (_, data) => {
    const read = lz4js.decompress(codecOf('lz4').compress(data))
    expect(Buffer.from(read).equals(data)).toBe(true)
  })

  it.each(SAMPLES)('samsa reads the lz4 frames that lz4js writes: %s', (_, data) => {
    const read = codecOf('lz4').decompress(lz4js.compress(data), LIMIT_BYTES)
    expect(Buffer.from(read).equals(data)).toBe(true)
  })

  it.each(SAMPLES)('crc-32 computes the same CRC-32 and CRC-32C: %s', (_, data) => {
    expect(crc32(data)).toBe(crc32js.buf(data) >>> 0)
    expect(crc32c(data)).toBe(crc32cJs.buf(data) >>> 0)
  })
})

describe('input that rules snappyjs out as a dependency', () => {
  it('makes snappyjs return bytes that nothing encoded, and samsa throw a ProtocolError', () => {
    const truncated = Buffer.from('050061', 'hex')
    expect(Buffer.from(snappyjs.uncompress(truncated)).toString('hex')).toBe('6100000000')
    expect(() => codecOf('snappy').decompress(truncated, LIMIT_BYTES)).toThrow(ProtocolError)
  })

  it('makes snappyjs hang, and samsa throw a ProtocolError', () => {
    const hanging = Buffer.from('05fcfaffffff00', 'hex')
    const script = `
      const { uncompress } = require('snappyjs')
      require('fs').writeSync(1, 'started')
      uncompress(Buffer.from('${hanging.toString('hex')}', 'hex'))`
    const run = spawnSync(process.execPath, ['-e', script], { timeout: HANG_MS, encoding: 'utf8' })
    expect(run).toMatchObject({ signal: 'SIGTERM', stdout: 'started' })
    expect(() => codecOf('snappy').decompress(hanging, LIMIT_BYTES)).toThrow(ProtocolError)
  })
})

describe('input that rules lz4js out as a dependency', () => {
  const linked = Buffer.from(WRITTEN_BY_OTHERS.lz4Linked, 'base64')

  it('makes lz4js lose bytes of a frame with linked blocks, which samsa reads', () => {
    expect(lz4js.decompress(linked).length).toBeLessThan(LOG.length)
    const read = codecOf('lz4').decompress(linked, LIMIT_BYTES)
    expect(Buffer.from(read).toString('latin1')).toBe(LOG)
  })

  it('makes lz4js return half of a frame as if it were whole, and samsa throw a ProtocolError', () => {
    const frame = codecOf('lz4').compress(Buffer.from(LOG, 'latin1'))
    const half = frame.subarray(0, frame.length >> 1)
    expect(lz4js.decompress(half).length).toBeLessThan(LOG.length)
    expect(() => codecOf('lz4').decompress(half, LIMIT_BYTES)).toThrow(ProtocolError)
  })
})
