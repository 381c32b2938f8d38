import { constants as bufferConstants } from 'node:buffer'
import type { Gzip, ZlibOptions, ZlibReset } from 'node:zlib'
import { utilModule, zlibModule } from '../builtins.ts'
import type { Codec } from './codec.ts'
import { ReusedCompressors, UNREAD } from './reused-compressors.ts'
import {
  chunkBytesFor,
  compressedChunkBytes,
  explainedZlibError,
  ownOutput,
  pastCeiling,
  withRoomBefore,
} from './codec.ts'

/** Pieces of output; what is left of one is for the next members. */
const STREAM_CHUNK_BYTES = 512 * 1024
/** The least size of pieces if the data are larger than the size in the trailer: several members. */
const LEAST_CHUNK_BYTES = 128 * 1024
/** A member ends with its CRC-32 and with its size modulo 2^32, 4 bytes each. */
const TRAILER_BYTES = 8
const SIZE_BYTES = 4
/** The assumed ratio if the trailer has too small a size: JSON compresses about this much. */
const USUAL_RATIO = 8
/** The largest ratio of deflate. */
const LARGEST_RATIO = 1032

/** `level` as zlib's: 1 is the fastest, 9 the smallest. */
export function gzipCodec(level?: number): Codec {
  const { constants, createGzip, gunzip, gunzipSync, gzipSync } = zlibModule()
  const { promisify } = utilModule()
  const gunzipOnPool = promisify<Uint8Array, ZlibOptions, Buffer>(gunzip)
  const usedLevel = level ?? constants.Z_DEFAULT_COMPRESSION
  // Each write is a member, after which zlib has to be reset.
  const compressors = new ReusedCompressors(
    () => {
      const flushing = { flush: constants.Z_FINISH, chunkSize: STREAM_CHUNK_BYTES, ...UNREAD }
      const compressor = createGzip({ level: usedLevel, ...flushing })
      if (!isResettable(compressor)) throw new Error('this Node.js cannot reset gzip')
      return compressor
    },
    (compressor) => {
      compressor.reset()
    },
  )
  const writing = (data: Uint8Array): ZlibOptions => ({
    level: usedLevel,
    chunkSize: compressedChunkBytes(data),
  })
  return {
    compress: (data, beforeBytes = 0, memory) =>
      withRoomBefore(gzipSync(data, writing(data)), beforeBytes, memory),

    decompress(data, limitBytes) {
      try {
        return within(gunzipSync(data, reading(data, limitBytes)), limitBytes)
      } catch (error) {
        throw explainedZlibError('gzip', error, limitBytes)
      }
    },

    claimedBytes,

    compressAsync: async (data, beforeBytes = 0, memory) =>
      withRoomBefore(await compressors.compress(data), beforeBytes, memory),

    async decompressAsync(data, limitBytes) {
      try {
        return within(await gunzipOnPool(data, reading(data, limitBytes)), limitBytes)
      } catch (error) {
        throw explainedZlibError('gzip', error, limitBytes)
      }
    },
  }
}

/** The types of Node.js have `reset` only for deflate. */
function isResettable(compressor: Gzip): compressor is Gzip & ZlibReset {
  return 'reset' in compressor
}

function claimedBytes(data: Uint8Array, limitBytes: number): number {
  if (data.length < TRAILER_BYTES) return 0
  let at = data.length - SIZE_BYTES
  const size = data[at++]! | (data[at++]! << 8) | (data[at++]! << 16) | (data[at]! << 24)
  return Math.min(limitBytes, size >>> 0)
}

/**
 * node:zlib takes no ceiling of 0: `within` sees to that one. The piece has a byte more than the
 * content, because zlib finds the end only if there is room left.
 */
function reading(data: Uint8Array, limitBytes: number): ZlibOptions {
  const ceilingBytes = Math.min(Math.max(1, limitBytes), bufferConstants.MAX_LENGTH)
  const claimed = Math.min(claimedBytes(data, ceilingBytes), data.length * LARGEST_RATIO)
  const usual = Math.min(LEAST_CHUNK_BYTES, data.length * USUAL_RATIO, ceilingBytes)
  return {
    maxOutputLength: ceilingBytes,
    chunkSize: chunkBytesFor(Math.max(claimed, usual) + 1),
  }
}

function within(inflated: Buffer, limitBytes: number): Uint8Array {
  if (inflated.length > limitBytes) throw pastCeiling('gzip', limitBytes)
  return ownOutput(inflated)
}
