import { constants as bufferConstants } from 'node:buffer'
import { promisify } from 'node:util'
import { constants, gunzip, gunzipSync, gzip, gzipSync } from 'node:zlib'
import type { ZlibOptions } from 'node:zlib'
import type { Codec } from './codec.ts'
import { explainedZlibError, pastCeiling, withoutBufferMethods, withRoomBefore } from './codec.ts'

const gzipOnPool = promisify<Uint8Array, ZlibOptions, Buffer>(gzip)
const gunzipOnPool = promisify<Uint8Array, ZlibOptions, Buffer>(gunzip)

/** The size of the pieces in which zlib returns its output: the default of 16 KiB makes many. */
const MAX_CHUNK_BYTES = 128 * 1024
const MIN_CHUNK_BYTES = 1024
/** A member ends with its CRC-32 and with its size modulo 2^32, 4 bytes each. */
const TRAILER_BYTES = 8
const SIZE_BYTES = 4
/** The assumed ratio before the first piece is full: JSON compresses about this much. */
const USUAL_RATIO = 8

/** `level` as zlib's: 1 is the fastest, 9 the smallest. */
export function gzipCodec(level: number = constants.Z_DEFAULT_COMPRESSION): Codec {
  const options: ZlibOptions = { level }
  return {
    compress: (data, beforeBytes = 0) => withRoomBefore(gzipSync(data, options), beforeBytes),

    decompress(data, limitBytes) {
      try {
        return within(gunzipSync(data, reading(data, limitBytes)), limitBytes)
      } catch (error) {
        throw explainedZlibError('gzip', error, limitBytes)
      }
    },

    claimedBytes(data, limitBytes) {
      if (data.length < TRAILER_BYTES) return 0
      let at = data.length - SIZE_BYTES
      const size = data[at++]! | (data[at++]! << 8) | (data[at++]! << 16) | (data[at]! << 24)
      return Math.min(limitBytes, size >>> 0)
    },

    compressAsync: async (data, beforeBytes = 0) =>
      withRoomBefore(await gzipOnPool(data, options), beforeBytes),

    async decompressAsync(data, limitBytes) {
      try {
        return within(await gunzipOnPool(data, reading(data, limitBytes)), limitBytes)
      } catch (error) {
        throw explainedZlibError('gzip', error, limitBytes)
      }
    },
  }
}

/** node:zlib takes no ceiling of 0: `within` sees to that one. */
function reading(data: Uint8Array, limitBytes: number): ZlibOptions {
  const ceilingBytes = Math.min(Math.max(1, limitBytes), bufferConstants.MAX_LENGTH)
  const chunkBytes = Math.min(MAX_CHUNK_BYTES, data.length * USUAL_RATIO, ceilingBytes + 1)
  return { maxOutputLength: ceilingBytes, chunkSize: Math.max(MIN_CHUNK_BYTES, chunkBytes) }
}

function within(inflated: Buffer, limitBytes: number): Uint8Array {
  if (inflated.length > limitBytes) throw pastCeiling('gzip', limitBytes)
  return withoutBufferMethods(inflated)
}
