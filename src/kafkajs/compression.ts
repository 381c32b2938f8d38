import { gunzip, gzip } from 'node:zlib'
import { promisify } from 'node:util'
import type { Compression } from '../index.ts'
import { CompressionTypes } from './enums.ts'
import { KafkaJSNotImplemented } from './errors.ts'

/* eslint-disable @typescript-eslint/no-explicit-any -- kafkajs's declaration: codec packages assign to it */
type Registry = Record<1 | 2 | 3 | 4, () => any>
/* eslint-enable @typescript-eslint/no-explicit-any */

const notThere = (name: string) => () => {
  throw new KafkaJSNotImplemented(`${name} compression not implemented`)
}

const gzipCodec = {
  compress: (encoder: { readonly buffer: Buffer }) => promisify(gzip)(encoder.buffer),
  decompress: (buffer: Buffer) => promisify(gunzip)(buffer),
}

/**
 * Where codec packages put theirs, as in kafkajs. They are not needed: samsa compresses and decompresses all codecs itself,
 * in the same formats.
 */
export const CompressionCodecs: Registry = {
  [CompressionTypes.GZIP]: () => gzipCodec,
  [CompressionTypes.Snappy]: notThere('Snappy'),
  [CompressionTypes.LZ4]: notThere('LZ4'),
  [CompressionTypes.ZSTD]: notThere('ZSTD'),
}

const NAMES: readonly Compression[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd']

/** samsa's name of a codec; undefined for a number that is none. */
export function compressionFrom(type: number | null | undefined): Compression | undefined {
  return NAMES[type ?? CompressionTypes.None]
}
