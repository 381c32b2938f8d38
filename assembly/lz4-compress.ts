/**
 * Writes LZ4's block format: `compressBlock` of protocol/compression/lz4-compress.ts in AssemblyScript, with the same
 * output byte for byte.
 */
import { copy } from './copy'
import { clearTable, entryOfFive } from './hash-table'
import { matchEnd } from './match'

const MIN_MATCH: usize = 4
const LAST_MATCH_DISTANCE: usize = 12
const LAST_LITERALS: usize = 5

/**
 * Compresses the bytes from `start` to `end`, 64 KiB at most, to `output`, where `compressedBound`
 * and SLACK bytes are available. Returns the address after the block.
 */
export function lz4Compress(start: usize, end: usize, output: usize): usize {
  clearTable()
  const matchLimit = end - LAST_LITERALS
  let op = output
  let anchor = start
  let ip = start

  // Not subtracted from `end`: addresses have no sign.
  while (ip + LAST_MATCH_DISTANCE < end) {
    // Look for the next 4 bytes that occurred before; the steps grow while nothing is found.
    let attempts: usize = 64
    let candidate: usize
    for (;;) {
      const sequence = load<u32>(ip)
      const entry = entryOfFive(ip)
      candidate = start + load<u16>(entry)
      store<u16>(entry, <u16>(ip - start))
      if (load<u32>(candidate) == sequence && candidate < ip) break
      ip += attempts++ >> 6
      if (ip + LAST_MATCH_DISTANCE >= end) break
    }
    if (ip + LAST_MATCH_DISTANCE >= end) break

    while (ip > anchor && candidate > start && load<u8>(ip - 1) == load<u8>(candidate - 1)) {
      ip--
      candidate--
    }

    const offset = ip - candidate
    const literals = ip - anchor
    const matched = matchEnd(ip + MIN_MATCH, offset, matchLimit)
    const extra = matched - ip - MIN_MATCH

    const token = op++
    store<u8>(token, <u8>((min<usize>(literals, 15) << 4) | min<usize>(extra, 15)))
    if (literals >= 15) op = writeLength(op, literals - 15)
    copy(op, anchor, literals)
    op += literals
    store<u16>(op, <u16>offset)
    op += 2
    if (extra >= 15) op = writeLength(op, extra - 15)

    ip = matched
    anchor = matched
    if (ip + LAST_MATCH_DISTANCE < end) {
      store<u16>(entryOfFive(ip - 2), <u16>(ip - 2 - start))
    }
  }

  const literals = end - anchor
  store<u8>(op++, <u8>(min<usize>(literals, 15) << 4))
  if (literals >= 15) op = writeLength(op, literals - 15)
  copy(op, anchor, literals)
  return op + literals
}

function writeLength(output: usize, length: usize): usize {
  let op = output
  let rest = length
  while (rest >= 255) {
    store<u8>(op++, 255)
    rest -= 255
  }
  store<u8>(op++, <u8>rest)
  return op
}
