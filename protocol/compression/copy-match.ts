/**
 * Copies the `length` bytes that start `offset` before `op` to `op`, like a byte-by-byte copy: if
 * the ranges overlap, the pattern repeats. Returns the position after them. The caller has checked
 * that both ends are within `output`.
 */
export function copyMatch(output: Uint8Array, op: number, offset: number, length: number): number {
  const from = op - offset
  const end = op + length
  if (offset === 1) {
    output.fill(output[from]!, op, end)
    return end
  }
  // The bytes from `from` to `op` are one period or several: each step can copy all of them.
  while (op < end) {
    const step = Math.min(op - from, end - op)
    output.copyWithin(op, from, from + step)
    op += step
  }
  return end
}
