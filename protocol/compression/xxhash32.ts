import { viewOf } from './codec.ts'

/** xxHash with 32 bits and seed 0: the checksum of LZ4's frame format. */

const PRIME_1 = 0x9e3779b1 | 0
const PRIME_2 = 0x85ebca77 | 0
const PRIME_3 = 0xc2b2ae3d | 0
const PRIME_4 = 0x27d4eb2f
const PRIME_5 = 0x165667b1
/** The sizes of the four lanes that are summed in parallel. */
const STRIPE_BYTES = 16

/** The hash of data[start..end), as an unsigned number. */
export function xxhash32(data: Uint8Array, start: number, end: number): number {
  const view = viewOf(data)
  let position = start
  let hash: number
  if (end - start >= STRIPE_BYTES) {
    let lane1 = (PRIME_1 + PRIME_2) | 0
    let lane2 = PRIME_2
    let lane3 = 0
    let lane4 = -PRIME_1 | 0
    const stripesEnd = end - STRIPE_BYTES
    while (position <= stripesEnd) {
      lane1 = (lane1 + Math.imul(view.getInt32(position, true), PRIME_2)) | 0
      lane1 = Math.imul((lane1 << 13) | (lane1 >>> 19), PRIME_1)
      lane2 = (lane2 + Math.imul(view.getInt32(position + 4, true), PRIME_2)) | 0
      lane2 = Math.imul((lane2 << 13) | (lane2 >>> 19), PRIME_1)
      lane3 = (lane3 + Math.imul(view.getInt32(position + 8, true), PRIME_2)) | 0
      lane3 = Math.imul((lane3 << 13) | (lane3 >>> 19), PRIME_1)
      lane4 = (lane4 + Math.imul(view.getInt32(position + 12, true), PRIME_2)) | 0
      lane4 = Math.imul((lane4 << 13) | (lane4 >>> 19), PRIME_1)
      position += STRIPE_BYTES
    }
    hash =
      rotateLeft(lane1, 1) + rotateLeft(lane2, 7) + rotateLeft(lane3, 12) + rotateLeft(lane4, 18)
  } else {
    hash = PRIME_5
  }

  hash = (hash + (end - start)) | 0
  while (position + 4 <= end) {
    hash = (hash + Math.imul(view.getInt32(position, true), PRIME_3)) | 0
    hash = Math.imul(rotateLeft(hash, 17), PRIME_4)
    position += 4
  }
  while (position < end) {
    hash = (hash + Math.imul(view.getUint8(position), PRIME_5)) | 0
    hash = Math.imul(rotateLeft(hash, 11), PRIME_1)
    position++
  }
  hash = Math.imul(hash ^ (hash >>> 15), PRIME_2)
  hash = Math.imul(hash ^ (hash >>> 13), PRIME_3)
  return (hash ^ (hash >>> 16)) >>> 0
}

function rotateLeft(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits))
}
