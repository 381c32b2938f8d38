import { gunzip, gzip } from 'node:zlib'
import { promisify } from 'node:util'
import type { Compression } from '../index.ts'
import { CompressionTypes } from './enums.ts'
import { KafkaJSNotImplemented } from './errors.ts'

/* eslint-disable @typescript-eslint/no-explicit-any -- as kafkajs declares it: codec packages assign to it */
type Registry = Record<1 | 2 | 3 | 4, () => any>
/* eslint-enable @typescript-eslint/no-explicit-any */

const notImplemented = (name: string) => () => {
  throw new KafkaJSNotImplemented(`${name} compression not implemented`)
}

const gzipCodec = {
  compress: (encoder: { readonly buffer: Buffer }) => promisify(gzip)(encoder.buffer),
  decompress: (buffer: Buffer) => promisify(gunzip)(buffer),
}

/**
 * The registry to which codec packages assign their codecs, as in kafkajs. samsa does not call them, because it has all
 * of these codecs built in.
 */
export const CompressionCodecs: Registry = {
  [CompressionTypes.GZIP]: () => gzipCodec,
  [CompressionTypes.Snappy]: notImplemented('Snappy'),
  [CompressionTypes.LZ4]: notImplemented('LZ4'),
  [CompressionTypes.ZSTD]: notImplemented('ZSTD'),
}

const NAMES: readonly Compression[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd']

/** samsa's name of a codec; undefined for an unknown number. */
export function compressionFrom(type: number | null | undefined): Compression | undefined {
  return NAMES[type ?? CompressionTypes.None]
}
