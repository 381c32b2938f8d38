import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { codecOf, forcePureCodecs, lz4Legacy } from '../../../protocol/compression/index.ts'
import { zstdCodec } from '../../../protocol/compression/zstd.ts'
import { ProtocolError } from '../../../protocol/protocol-error.ts'
import { LOG, SHORT, WRITTEN_BY_OTHERS } from './vectors.ts'

const LIMIT_BYTES = 1024 * 1024

function bytesOf(name: keyof typeof WRITTEN_BY_OTHERS): Uint8Array {
  return Buffer.from(WRITTEN_BY_OTHERS[name], 'base64')
}

function text(data: Uint8Array): string {
  return Buffer.from(data).toString('latin1')
}

describe.each([true, false])(
  'compressed data of other implementations (pure codecs only: %s)',
  (pure) => {
    beforeEach(() => forcePureCodecs(pure))
    afterEach(() => forcePureCodecs(false))

    it.each([
      ['gzip', 'javaGzip', SHORT],
      ['snappy', 'javaSnappy', SHORT],
      ['lz4', 'javaLz4', SHORT],
      ['zstd', 'javaZstd', SHORT],
      ['lz4', 'javaLz4Log', LOG],
      ['lz4', 'lz4Linked', LOG],
      ['lz4', 'lz4Large', LOG],
      ['snappy', 'snappyRaw', LOG.slice(0, 30_000)],
      ['zstd', 'zstdStream', LOG],
    ] as const)('%s reads %s', (compression, name, content) => {
      const codec = codecOf(compression)
      expect(text(codec.decompress(bytesOf(name), LIMIT_BYTES))).toBe(content)
      expect(text(codec.decompress(bytesOf(name), content.length))).toBe(content)
      expect(() => codec.decompress(bytesOf(name), content.length - 1)).toThrow(ProtocolError)
    })
  },
)

describe('zstd by WebAssembly', () => {
  it.each([
    ['javaZstd', SHORT],
    ['zstdStream', LOG],
  ] as const)('reads %s', (name, content) => {
    const codec = zstdCodec(3, true)
    expect(text(codec.decompress(bytesOf(name), LIMIT_BYTES))).toBe(content)
    expect(() => codec.decompress(bytesOf(name), content.length - 1)).toThrow(ProtocolError)
  })
})

describe('the broken header checksum of KAFKA-3160', () => {
  it('is accepted with message format 0 only', () => {
    expect(text(lz4Legacy.decompress(bytesOf('javaLz4Legacy'), LIMIT_BYTES))).toBe(SHORT)
    expect(text(lz4Legacy.decompress(bytesOf('javaLz4'), LIMIT_BYTES))).toBe(SHORT)
    expect(() => codecOf('lz4').decompress(bytesOf('javaLz4Legacy'), LIMIT_BYTES)).toThrow(
      'header checksum does not match',
    )
  })

  it('is written in message format 0', () => {
    const data = Buffer.from(SHORT)
    const header = (bytes: Uint8Array) => Buffer.from(bytes.subarray(0, 7)).toString('hex')
    expect(header(lz4Legacy.compress(data))).toBe(header(bytesOf('javaLz4Legacy')))
    expect(header(codecOf('lz4').compress(data))).toBe(header(bytesOf('javaLz4')))
  })
})

describe('xerial framing', () => {
  it('has the header that Java writes', () => {
    const ours = codecOf('snappy').compress(Buffer.from(SHORT))
    expect(Buffer.from(ours.subarray(0, 16)).equals(bytesOf('javaSnappy').subarray(0, 16))).toBe(
      true,
    )
  })
})
