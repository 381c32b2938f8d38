/**
 * Writes Snappy's block format: `compressBlock` of protocol/compression/snappy-compress.ts in AssemblyScript, with the
 * same output byte for byte.
 */
import { copy } from './copy'
import { clearTable, entryOf } from './hash-table'
import { matchEnd } from './match'

const HASH_FACTOR: u32 = 0x1e35a7bd
const INPUT_MARGIN: usize = 15

/**
 * Compresses the bytes from `start` to `end`, 64 KiB at most, to `output`, where `compressedBound`
 * and SLACK bytes are available. Returns the address after the block.
 */
export function snappyCompress(start: usize, end: usize, output: usize): usize {
  clearTable()
  let op = writeVarint(output, end - start)
  let anchor = start
  let ip = start
  // Not subtracted from `end`: addresses have no sign.
  while (ip + INPUT_MARGIN < end) {
    let attempts: usize = 32
    let candidate: usize
    for (;;) {
      const sequence = load<u32>(ip)
      const entry = entryOf(sequence * HASH_FACTOR)
      candidate = start + load<u16>(entry)
      store<u16>(entry, <u16>(ip - start))
      if (load<u32>(candidate) == sequence && candidate < ip) break
      ip += attempts++ >> 5
      if (ip + INPUT_MARGIN >= end) break
    }
    if (ip + INPUT_MARGIN >= end) break

    op = writeLiteral(op, anchor, ip - anchor)
    const offset = ip - candidate
    const matched = matchEnd(ip + 4, offset, end)
    op = writeCopies(op, offset, matched - ip)
    ip = matched
    anchor = matched
    if (ip + INPUT_MARGIN < end) {
      store<u16>(entryOf(load<u32>(ip - 1) * HASH_FACTOR), <u16>(ip - 1 - start))
    }
  }
  return writeLiteral(op, anchor, end - anchor)
}

function writeVarint(output: usize, value: usize): usize {
  let op = output
  let rest = value
  while (rest >= 0x80) {
    store<u8>(op++, <u8>(rest | 0x80))
    rest >>= 7
  }
  store<u8>(op++, <u8>rest)
  return op
}

function writeLiteral(output: usize, from: usize, length: usize): usize {
  if (length == 0) return output
  let op = output
  if (length <= 60) {
    store<u8>(op, <u8>((length - 1) << 2))
    op += 1
  } else if (length <= 256) {
    store<u8>(op, 60 << 2)
    store<u8>(op + 1, <u8>(length - 1))
    op += 2
  } else {
    store<u8>(op, 61 << 2)
    store<u16>(op + 1, <u16>(length - 1))
    op += 3
  }
  copy(op, from, length)
  return op + length
}

function writeCopies(output: usize, offset: usize, length: usize): usize {
  let op = output
  let rest = length
  while (rest > 0) {
    if (rest >= 4 && rest < 12 && offset < 2048) {
      store<u8>(op, <u8>(1 | ((rest - 4) << 2) | ((offset >> 8) << 5)))
      store<u8>(op + 1, <u8>offset)
      return op + 2
    }
    const step: usize = rest <= 64 ? rest : rest < 68 ? 60 : 64
    store<u8>(op, <u8>(2 | ((step - 1) << 2)))
    store<u16>(op + 1, <u16>offset)
    op += 3
    rest -= step
  }
  return op
}
