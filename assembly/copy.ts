/**
 * How many bytes past their ends these functions and `matchEnd` read and write. What they wrote there
 * is overwritten, or no part of the result.
 */
export const SLACK = 32

/** Copies `length` bytes, 16 at a time, and 16 if there are none. */
export function copy(to: usize, from: usize, length: usize): void {
  const end = to + length
  let target = to
  let source = from
  do {
    v128.store(target, v128.load(source))
    target += 16
    source += 16
  } while (target < end)
}

/**
 * Copies the `length` bytes that start `offset` before `to` to `to`, like a byte-by-byte copy: if
 * the ranges overlap, the pattern repeats.
 */
export function copyMatch(to: usize, offset: usize, length: usize): void {
  if (offset >= 16) copy(to, to - offset, length)
  else repeat(to, offset, length)
}

/** For an offset below 16: 16 bytes of the pattern at a time, and on by its whole multiple. */
function repeat(to: usize, offset: usize, length: usize): void {
  const end = to + length
  const pattern = v128.swizzle(v128.load(to - offset), v128.load(PATTERNS + (offset << 4)))
  const step = load<u8>(STEPS + offset)
  let target = to
  do {
    v128.store(target, pattern)
    target += step
  } while (target < end)
}

/** For each offset the indices 0 to 15 modulo the offset. */
// prettier-ignore
const PATTERNS = memory.data<u8>([
  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
  0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1,
  0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0,
  0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3,
  0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 0,
  0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5, 0, 1, 2, 3,
  0, 1, 2, 3, 4, 5, 6, 0, 1, 2, 3, 4, 5, 6, 0, 1,
  0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7,
  0, 1, 2, 3, 4, 5, 6, 7, 8, 0, 1, 2, 3, 4, 5, 6,
  0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2, 3, 4, 5,
  0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0, 1, 2, 3, 4,
  0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 0, 1, 2, 3,
  0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0, 1, 2,
  0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 0, 1,
  0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 0,
])
const STEPS = memory.data<u8>([0, 16, 16, 15, 16, 15, 12, 14, 16, 9, 10, 11, 12, 13, 14, 15])
