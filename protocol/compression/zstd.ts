import { promisify } from 'node:util'
import * as zlib from 'node:zlib'
import type { Codec } from './codec.ts'
import { explainedZlibError, pastCeiling, room, withoutBufferMethods } from './codec.ts'
import type { ZstdFrame } from './zstd-frame.ts'
import { readFrames } from './zstd-frame.ts'
import { compressWithWasm, decompressWithWasm } from './zstd-wasm.ts'

/**
 * Kafka's zstd: plain zstd frames. By node:zlib where it has zstd (from 22.15 on), by libzstd as
 * WebAssembly where not.
 */

const DEFAULT_ZSTD_LEVEL = 3

/** ZSTD_c_compressionLevel, which node:zlib's constants have under the same name. */
const PARAMETER_LEVEL = 100
const MAX_CHUNK_BYTES = 128 * 1024
const MIN_CHUNK_BYTES = 1024

interface CompressOptions {
  params: Record<number, number>
}
interface DecompressOptions {
  maxOutputLength: number
  chunkSize: number
}
type Callback = (error: Error | null, result: Buffer) => void

/** node:zlib's part, which the types of Node.js 20 do not have. */
interface NodeZstd {
  zstdCompressSync: (data: Uint8Array, options: CompressOptions) => Buffer
  zstdDecompressSync: (data: Uint8Array, options: DecompressOptions) => Buffer
  zstdCompress: (data: Uint8Array, options: CompressOptions, callback: Callback) => void
  zstdDecompress: (data: Uint8Array, options: DecompressOptions, callback: Callback) => void
}

/** `forceWasm` is for tests and comparisons on a Node.js that has zstd. */
export function zstdCodec(level: number = DEFAULT_ZSTD_LEVEL, forceWasm = false): Codec {
  const builtIn: object = zlib
  return !forceWasm && hasZstd(builtIn) ? nodeCodec(builtIn, level) : wasmCodec(level)
}

function wasmCodec(level: number): Codec {
  return {
    compress: (data) => compressWithWasm(data, level),
    decompress(data, limitBytes) {
      const frames = readFrames(data, limitBytes)
      return decompressWithWasm(data, sumOfBounds(frames), limitBytes)
    },
  }
}

function nodeCodec(zstd: NodeZstd, level: number): Codec {
  const compressOnPool = promisify<Uint8Array, CompressOptions, Buffer>(zstd.zstdCompress)
  const decompressOnPool = promisify<Uint8Array, DecompressOptions, Buffer>(zstd.zstdDecompress)
  const writing: CompressOptions = { params: { [PARAMETER_LEVEL]: level } }
  return {
    compress: (data) => withoutBufferMethods(zstd.zstdCompressSync(data, writing)),

    decompress(data, limitBytes) {
      const frames = readFrames(data, limitBytes)
      const parts: Uint8Array[] = []
      let leftBytes = limitBytes
      for (const frame of frames) {
        try {
          const bytes = data.subarray(frame.start, frame.end)
          parts.push(within(zstd.zstdDecompressSync(bytes, reading(frame, leftBytes)), leftBytes))
        } catch (error) {
          throw explainedZlibError('zstd', error, limitBytes)
        }
        leftBytes -= parts.at(-1)!.length
      }
      return joined(parts, limitBytes - leftBytes)
    },

    compressAsync: async (data) => withoutBufferMethods(await compressOnPool(data, writing)),

    async decompressAsync(data, limitBytes) {
      const frames = readFrames(data, limitBytes)
      const parts: Uint8Array[] = []
      let leftBytes = limitBytes
      for (const frame of frames) {
        try {
          const bytes = data.subarray(frame.start, frame.end)
          parts.push(within(await decompressOnPool(bytes, reading(frame, leftBytes)), leftBytes))
        } catch (error) {
          throw explainedZlibError('zstd', error, limitBytes)
        }
        leftBytes -= parts.at(-1)!.length
      }
      return joined(parts, limitBytes - leftBytes)
    },
  }
}

function hasZstd(library: object): library is NodeZstd {
  return 'zstdCompressSync' in library && 'zstdDecompressSync' in library
}

function sumOfBounds(frames: ZstdFrame[]): number {
  let boundBytes = 0
  for (const frame of frames) boundBytes += frame.boundBytes
  return boundBytes
}

/** node:zlib takes no ceiling of 0: `within` sees to that one. */
function reading(frame: ZstdFrame, leftBytes: number): DecompressOptions {
  const ceilingBytes = Math.max(1, Math.min(leftBytes, frame.boundBytes))
  const chunkBytes = Math.min(MAX_CHUNK_BYTES, ceilingBytes + 1)
  return { maxOutputLength: ceilingBytes, chunkSize: Math.max(MIN_CHUNK_BYTES, chunkBytes) }
}

function within(inflated: Buffer, leftBytes: number): Uint8Array {
  if (inflated.length > leftBytes) throw pastCeiling('zstd', leftBytes)
  return withoutBufferMethods(inflated)
}

function joined(parts: Uint8Array[], totalBytes: number): Uint8Array {
  if (parts.length === 1) return parts[0]!
  const output = room(totalBytes)
  let position = 0
  for (const part of parts) {
    output.set(part, position)
    position += part.length
  }
  return output
}
