import type { Transform } from 'node:stream'
import { utilModule, zlibModule } from '../builtins.ts'
import type { Codec } from './codec.ts'
import {
  chunkBytesFor,
  claimOf,
  compressedChunkBytes,
  explainedZlibError,
  ownOutput,
  pastCeiling,
  PastCeilingError,
  room,
  withRoomBefore,
} from './codec.ts'
import { ReusedCompressors, UNREAD } from './reused-compressors.ts'
import type { ZstdFrame } from './zstd-frame.ts'
import { readFrames } from './zstd-frame.ts'
import { compressWithWasm, decompressWithWasm, isWasmAvailable } from './zstd-wasm.ts'

/**
 * Kafka's zstd: plain zstd frames. It uses node:zlib if that has zstd (from 22.15 on), and
 * otherwise libzstd as WebAssembly.
 */

const DEFAULT_ZSTD_LEVEL = 3

/** ZSTD_c_compressionLevel, which has the same name in node:zlib's constants. */
const PARAMETER_LEVEL = 100
/** ZSTD_e_end. */
const FLUSH_END = 2
/**
 * If there is room for more than the largest output, the library writes there directly; what is left
 * of a piece is for the next frames.
 */
const STREAM_CHUNK_BYTES = 2 << 20
/** Frames are joined if a batch has this many, up to this total content size. */
const LEAST_JOINED = 4
const MOST_JOINED_BYTES = 8 * 1024 * 1024

interface CompressOptions {
  params: Record<number, number>
  chunkSize: number
  pledgedSrcSize: number
}
interface StreamOptions {
  params: Record<number, number>
  flush: number
  chunkSize: number
  readableHighWaterMark: number
  writableHighWaterMark: number
}
interface DecompressOptions {
  maxOutputLength: number
  chunkSize: number
}
type Callback = (error: Error | null, result: Buffer) => void

/** The functions of node:zlib that the types of Node.js 20 do not contain. */
interface NodeZstd {
  zstdCompressSync: (data: Uint8Array, options: CompressOptions) => Buffer
  zstdDecompressSync: (data: Uint8Array, options: DecompressOptions) => Buffer
  createZstdCompress: (options: StreamOptions) => Transform
  zstdDecompress: (data: Uint8Array, options: DecompressOptions, callback: Callback) => void
}

/** `forceWasm` is for tests and comparisons on a Node.js that has zstd. */
export function zstdCodec(level: number = DEFAULT_ZSTD_LEVEL, forceWasm = false): Codec {
  const builtIn: object = zlibModule()
  return !forceWasm && hasZstd(builtIn) ? nodeCodec(builtIn, level) : wasmCodec(level)
}

function wasmCodec(level: number): Codec {
  return {
    compress: (data, beforeBytes, memory) => compressWithWasm(data, level, beforeBytes, memory),
    claimedBytes,
    decompress(data, limitBytes) {
      const frames = readFrames(data, limitBytes)
      return decompressWithWasm(data, sumOfBounds(frames), limitBytes)
    },
  }
}

function nodeCodec(zstd: NodeZstd, level: number): Codec {
  const { promisify } = utilModule()
  const decompressOnPool = promisify<Uint8Array, DecompressOptions, Buffer>(zstd.zstdDecompress)
  const params = { [PARAMETER_LEVEL]: level }
  // Each write is a frame, which states the size of its content as all of it comes at once.
  const compressors = new ReusedCompressors(() =>
    zstd.createZstdCompress({ params, flush: FLUSH_END, chunkSize: STREAM_CHUNK_BYTES, ...UNREAD }),
  )
  const writing = (data: Uint8Array): CompressOptions => ({
    params,
    chunkSize: compressedChunkBytes(data),
    pledgedSrcSize: data.length,
  })
  return {
    compress: (data, beforeBytes = 0, memory) =>
      withRoomBefore(zstd.zstdCompressSync(data, writing(data)), beforeBytes, memory),
    claimedBytes,

    decompress(data, limitBytes) {
      const parts: Uint8Array[] = []
      let leftBytes = limitBytes
      for (const piece of piecesOf(readFrames(data, limitBytes))) {
        try {
          const bytes = data.subarray(piece.start, piece.end)
          const part = piece.isSeveral
            ? decompressWithWasm(bytes, piece.boundBytes, leftBytes)
            : within(zstd.zstdDecompressSync(bytes, reading(piece, leftBytes)), leftBytes)
          parts.push(part)
          leftBytes -= part.length
        } catch (error) {
          throw explained(error, limitBytes)
        }
      }
      return joined(parts, limitBytes - leftBytes)
    },

    compressAsync: async (data, beforeBytes = 0, memory) =>
      withRoomBefore(await compressors.compress(data), beforeBytes, memory),

    async decompressAsync(data, limitBytes) {
      const parts: Uint8Array[] = []
      let leftBytes = limitBytes
      for (const piece of piecesOf(readFrames(data, limitBytes))) {
        try {
          const bytes = data.subarray(piece.start, piece.end)
          const part = piece.isSeveral
            ? decompressWithWasm(bytes, piece.boundBytes, leftBytes)
            : within(await decompressOnPool(bytes, reading(piece, leftBytes)), leftBytes)
          parts.push(part)
          leftBytes -= part.length
        } catch (error) {
          throw explained(error, limitBytes)
        }
      }
      return joined(parts, limitBytes - leftBytes)
    },
  }
}

/** One frame, or several that follow each other. */
interface Piece extends ZstdFrame {
  readonly isSeveral: boolean
}

/**
 * Joins small frames. libzstd as WebAssembly decompresses any number in one call; node:zlib
 * decompresses one in each call, with a new decompressor. At 14 to 46 µs for each call, a batch of
 * 1 MB in frames of 10 bytes took seconds.
 */
function piecesOf(frames: readonly ZstdFrame[]): readonly Piece[] {
  if (frames.length < LEAST_JOINED || !isWasmAvailable()) {
    return frames.map((frame) => ({ ...frame, isSeveral: false }))
  }
  const pieces: Piece[] = []
  for (const { start, end, boundBytes } of frames) {
    const last = pieces.at(-1)
    if (last === undefined || last.boundBytes + boundBytes > MOST_JOINED_BYTES) {
      pieces.push({ start, end, boundBytes, isSeveral: false })
    } else {
      const together = last.boundBytes + boundBytes
      pieces[pieces.length - 1] = {
        start: last.start,
        end,
        boundBytes: together,
        isSeveral: true,
      }
    }
  }
  return pieces
}

function explained(error: unknown, limitBytes: number): unknown {
  if (error instanceof PastCeilingError) return pastCeiling('zstd', limitBytes)
  return explainedZlibError('zstd', error, limitBytes)
}

function hasZstd(library: object): library is NodeZstd {
  const has = (name: keyof NodeZstd) => typeof Reflect.get(library, name) === 'function'
  return has('zstdCompressSync') && has('zstdDecompressSync')
}

function claimedBytes(data: Uint8Array, limitBytes: number): number {
  return claimOf(limitBytes, () => sumOfBounds(readFrames(data, limitBytes)))
}

function sumOfBounds(frames: readonly ZstdFrame[]): number {
  let boundBytes = 0
  for (const frame of frames) boundBytes += frame.boundBytes
  return boundBytes
}

/**
 * node:zlib takes no ceiling of 0: `within` sees to that one. The piece has a byte more than the
 * content, because zlib finds the end only if there is room left.
 */
function reading(frame: ZstdFrame, leftBytes: number): DecompressOptions {
  const ceilingBytes = Math.max(1, Math.min(leftBytes, frame.boundBytes))
  return { maxOutputLength: ceilingBytes, chunkSize: chunkBytesFor(ceilingBytes + 1) }
}

function within(inflated: Buffer, leftBytes: number): Uint8Array {
  if (inflated.length > leftBytes) throw pastCeiling('zstd', leftBytes)
  return ownOutput(inflated)
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
