import type { Codec } from '../../../protocol/compression/index.ts'
import { codecOf, lz4Legacy } from '../../../protocol/compression/index.ts'
import { zstdCodec } from '../../../protocol/compression/zstd.ts'

/** Every codec, by the name that a test shows. */
export const CODECS: readonly (readonly [string, Codec])[] = [
  ['none', codecOf('none')],
  ['gzip', codecOf('gzip')],
  ['gzip, level 1', codecOf('gzip', { level: 1 })],
  ['snappy', codecOf('snappy')],
  ['lz4', codecOf('lz4')],
  ['lz4 for message format 0', lz4Legacy],
  ['zstd', codecOf('zstd')],
  ['zstd, level 9', codecOf('zstd', { level: 9 })],
  ['zstd by WebAssembly', zstdCodec(3, true)],
]

/** Numbers that look random, the same in each run. */
export function numbers(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

const LARGEST_BYTES = 1024 * 1024 + 1

/** Made once: the tests take what they need from its start. */
const noise = new Uint8Array(LARGEST_BYTES)
const nextNoise = numbers(7)
for (let index = 0; index < noise.length; index++) noise[index] = nextNoise(256)

let lines = ''
const nextLine = numbers(42)
for (let id = 0; lines.length < LARGEST_BYTES; id++) {
  const event = { id, user: `user ${nextLine(50)}`, amount: nextLine(1e5) / 100, at: 1.7e12 + id }
  lines += `${JSON.stringify(event)}\n`
}
const text = new TextEncoder().encode(lines)

export function incompressible(sizeBytes: number): Uint8Array {
  return noise.slice(0, sizeBytes)
}

export function jsonLines(sizeBytes: number): Uint8Array {
  return text.slice(0, sizeBytes)
}
