/**
 * Zigzag varints of up to 64 bits as numbers: exact up to 2^53, without a bigint in the common
 * case. With 32-bit arithmetic at this place, other clients corrupt records 24.8 days apart in one
 * batch.
 */

/** Up to this value the zigzag form (twice as large) is still an exact number. */
const EXACT = 2 ** 52

export function varlongBytes(value: number): number {
  let rest = zigzag(value)
  let size = 1
  while (rest >= 0x80) {
    rest = Math.floor(rest / 0x80)
    size++
  }
  return size
}

/** Like writeVarlong, for values of up to 31 bits, such as lengths and counts. */
export function writeVarint(buffer: Uint8Array, position: number, value: number): number {
  let rest = ((value << 1) ^ (value >> 31)) >>> 0
  while (rest > 0x7f) {
    buffer[position++] = (rest & 0x7f) | 0x80
    rest >>>= 7
  }
  buffer[position++] = rest
  return position
}

/** Writes the value and returns the position after it. */
export function writeVarlong(buffer: Uint8Array, position: number, value: number): number {
  let rest = zigzag(value)
  while (rest >= 0x80) {
    buffer[position++] = (rest % 0x80) | 0x80
    rest = Math.floor(rest / 0x80)
  }
  buffer[position++] = rest
  return position
}

function zigzag(value: number): number {
  if (value >= EXACT || value <= -EXACT || !Number.isInteger(value)) {
    throw new RangeError(`${value} is too large for a timestamp delta`)
  }
  return value >= 0 ? value * 2 : value * -2 - 1
}

/** The value of a zigzag varint given as its low 28 bits and the 36 bits above; NaN past 2^53. */
export function unzigzag(low28: number, high36: number): number {
  const zigzagged = high36 * 0x10000000 + low28
  if (zigzagged >= 2 ** 53) return NaN
  return low28 % 2 === 0 ? zigzagged / 2 : -(zigzagged + 1) / 2
}
