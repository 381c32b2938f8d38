/**
 * Repeats the `length` bytes that start `offset` before `op`, at `op`, as a byte-by-byte copy would:
 * where they overlap, the pattern goes on. Returns the position after them. The caller has checked
 * that both ends are within `output`.
 */
export function copyMatch(output: Uint8Array, op: number, offset: number, length: number): number {
  const from = op - offset
  const end = op + length
  if (offset === 1) {
    output.fill(output[from]!, op, end)
    return end
  }
  // Everything from `from` to `op` is one period or several: each step can copy all of it.
  while (op < end) {
    const step = Math.min(op - from, end - op)
    output.copyWithin(op, from, from + step)
    op += step
  }
  return end
}
