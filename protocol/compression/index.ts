import type { Codec, Compression } from './codec.ts'
import { copied, pastCeiling } from './codec.ts'
import { gzipCodec } from './gzip.ts'
import { lz4 } from './lz4.ts'
import { snappy } from './snappy.ts'
import { zstdCodec } from './zstd.ts'
import { ProtocolError } from '../protocol-error.ts'

export { forcePureCodecs } from './block-codecs.ts'
export type { Codec, Compression, InflateMemory, OutputMemory } from './codec.ts'
export { CodecUnavailableError, PastCeilingError } from './codec.ts'
export { lz4Legacy } from './lz4.ts'

/** In the order of the codes in a batch's attributes. */
export const COMPRESSIONS: readonly Compression[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd']

const GZIP_LEVELS = 9
const ZSTD_LEVELS = 22

const none: Codec = {
  compress: (data, beforeBytes = 0, memory) =>
    beforeBytes === 0 && memory === undefined
      ? data
      : copied(data, data.length, beforeBytes, memory),
  decompress(data, limitBytes) {
    if (data.length > limitBytes) throw pastCeiling('none', limitBytes)
    return data
  },
  claimedBytes: () => 0,
}
/** By level, the default is 0. They are made at their first use, and keep what they can use again. */
const gzips: (Codec | undefined)[] = []
const zstds: (Codec | undefined)[] = []

export interface CodecOptions {
  /**
   * gzip: 1 to 9, zstd: 1 to 22. Higher levels are smaller and slower; the other codecs have none.
   */
  level?: number | undefined
}

export function compressionOfCode(code: number): Compression {
  const compression = COMPRESSIONS[code]
  if (compression === undefined) throw new ProtocolError(`unknown compression code ${code}`)
  return compression
}

export function compressionCodeOf(compression: Compression): number {
  return COMPRESSIONS.indexOf(compression)
}

/**
 * Finds a codec by name, or by the code in a batch's attributes; throws ProtocolError for a code
 * that Kafka does not have.
 */
export function codecOf(compression: Compression | number, options: CodecOptions = {}): Codec {
  const name = typeof compression === 'number' ? compressionOfCode(compression) : compression
  const { level } = options
  switch (name) {
    case 'none':
      return none
    case 'gzip':
      if (level === undefined) return (gzips[0] ??= gzipCodec())
      return (gzips[checked(name, level, GZIP_LEVELS)] ??= gzipCodec(level))
    case 'snappy':
      return snappy
    case 'lz4':
      return lz4
    case 'zstd':
      if (level === undefined) return (zstds[0] ??= zstdCodec())
      return (zstds[checked(name, level, ZSTD_LEVELS)] ??= zstdCodec(level))
  }
}

function checked(name: Compression, level: number, highest: number): number {
  if (!Number.isInteger(level) || level < 1 || level > highest)
    throw new RangeError(`${name} has the levels 1 to ${highest}, not ${level}`)
  return level
}
