import { zlibModule } from '../builtins.ts'
import { slicingTables } from './crc32c.ts'

/**
 * CRC-32 (IEEE 802.3): the checksum of the messages of formats 0 and 1.
 *
 * Measured, `benchmarks/crc32c.ts`: a call of zlib.crc32 takes 60 to 170 ns for 64 bytes or less,
 * and the tables take 15 to 55. They are equally fast at 256 (Node 20, 22) to 350 bytes (Node 24,
 * 26); from 1 KiB on zlib.crc32 handles 3 to 6.5 GB/s, and the tables 1.4 to 1.9.
 */

/** The polynomial, bits reversed: the lowest bit is the highest power. */
const POLYNOMIAL = 0xedb88320

/** Inputs shorter than this are faster with the tables. */
export const ZLIB_MINIMUM = 320

/** The maximum position in the data for `crc32ByTables`. */
const REACH = 2 ** 30

let zlibCrc32: ReturnType<typeof zlibModule>['crc32'] | undefined

/** Made at the first use: few brokers are as old as these formats. */
let tables: Int32Array | undefined

/** The CRC-32 of `data[start, end)`. */
export function crc32(data: Uint8Array, start = 0, end = data.length): number {
  if (!(start >= 0 && start <= end && end <= data.length)) {
    throw new RangeError(
      `crc32: the range ${start} to ${end} is not within the ${data.length} bytes`,
    )
  }
  return end - start < ZLIB_MINIMUM && end < REACH
    ? crc32ByTables(data, start, end)
    : (zlibCrc32 ??= zlibModule().crc32)(data.subarray(start, end))
}

/**
 * Like crc32, but always with tables, eight bytes in each round, and without checking the range.
 * `end` is below REACH; `slice` in `crc32c.ts` explains the mask and the count from zero.
 */
export function crc32ByTables(data: Uint8Array, start: number, end: number): number {
  const t = (tables ??= slicingTables(POLYNOMIAL, 8))
  const base = start & (REACH - 1)
  const length = (end - start) & (REACH - 1)
  let crc = -1
  let done = 0
  for (const last = length - 8; done <= last; done += 8) {
    const i = base + done
    crc =
      t[768 + data[i + 4]!]! ^
      t[512 + data[i + 5]!]! ^
      t[256 + data[i + 6]!]! ^
      t[data[i + 7]!]! ^
      (t[1792 + ((crc ^ data[i]!) & 255)]! ^
        t[1536 + (((crc >>> 8) ^ data[i + 1]!) & 255)]! ^
        t[1280 + (((crc >>> 16) ^ data[i + 2]!) & 255)]! ^
        t[1024 + ((crc >>> 24) ^ data[i + 3]!)]!)
  }
  for (; done < length; done++) crc = (crc >>> 8) ^ t[(crc ^ data[base + done]!) & 255]!
  return ~crc >>> 0
}
