import { viewOf } from './codec.ts'

/** Writes Snappy's block format, which snappy-decompress.ts reads and describes. */

/** Above this length a call of a built-in is faster than a loop over the bytes. */
const LONG_COPY = 48
const HASH_BITS = 14
const HASH_FACTOR = 0x1e35a7bd
/** The distance from the end at which the search for matches stops: shorter ones do not help. */
const INPUT_MARGIN = 15

/**
 * As in lz4-compress.ts: counts over all inputs, so that nothing has to be cleared between blocks.
 */
const lastSeen = new Int32Array(1 << HASH_BITS)
let clock = 1
const CLOCK_END = 0x3fffffff

/** The maximum compressed size of a block of `sizeBytes`. */
export function compressedBound(sizeBytes: number): number {
  return 32 + sizeBytes + Math.floor(sizeBytes / 6)
}

/**
 * Compresses input[start..end), 64 KiB at most, to `output` at `outputStart`, where
 * `compressedBound` bytes are available. Returns the position after it.
 */
export function compressBlock(
  input: Uint8Array,
  start: number,
  end: number,
  output: Uint8Array,
  outputStart: number,
): number {
  if (clock + (end - start) > CLOCK_END) {
    lastSeen.fill(0)
    clock = 1
  }
  const view = viewOf(input)
  const shift = clock - start
  const firstTime = clock
  clock += end - start

  let op = writeVarint(output, outputStart, end - start)
  let anchor = start
  let ip = start
  const searchLimit = end - INPUT_MARGIN
  while (ip < searchLimit) {
    let attempts = 32
    let sequence = view.getInt32(ip, true)
    let candidate = -1
    for (;;) {
      const hash = Math.imul(sequence, HASH_FACTOR) >>> (32 - HASH_BITS)
      const seen = lastSeen[hash]!
      lastSeen[hash] = ip + shift
      if (seen >= firstTime && view.getInt32(seen - shift, true) === sequence) {
        candidate = seen - shift
        break
      }
      ip += attempts++ >>> 5
      if (ip >= searchLimit) break
      sequence = view.getInt32(ip, true)
    }
    if (candidate < 0) break

    op = writeLiteral(input, anchor, ip, output, op)
    const offset = ip - candidate
    let matched = ip + 4
    while (matched + 4 <= end) {
      const difference = view.getInt32(matched, true) ^ view.getInt32(matched - offset, true)
      if (difference !== 0) {
        matched += (31 - Math.clz32(difference & -difference)) >>> 3
        break
      }
      matched += 4
    }
    if (matched + 4 > end)
      while (matched < end && input[matched] === input[matched - offset]) matched++

    op = writeCopies(output, op, offset, matched - ip)
    ip = matched
    anchor = matched
    if (ip < searchLimit) {
      const behind = view.getInt32(ip - 1, true)
      lastSeen[Math.imul(behind, HASH_FACTOR) >>> (32 - HASH_BITS)] = ip - 1 + shift
    }
  }
  return writeLiteral(input, anchor, end, output, op)
}

function writeVarint(output: Uint8Array, op: number, value: number): number {
  while (value >= 0x80) {
    output[op++] = (value & 0x7f) | 0x80
    value >>>= 7
  }
  output[op++] = value
  return op
}

function writeLiteral(input: Uint8Array, from: number, to: number, output: Uint8Array, op: number) {
  const length = to - from
  if (length === 0) return op
  if (length <= 60) {
    output[op++] = (length - 1) << 2
  } else if (length <= 256) {
    output[op++] = 60 << 2
    output[op++] = length - 1
  } else {
    output[op++] = 61 << 2
    output[op++] = (length - 1) & 0xff
    output[op++] = (length - 1) >>> 8
  }
  if (length > LONG_COPY) {
    output.set(input.subarray(from, to), op)
    return op + length
  }
  while (from < to) output[op++] = input[from++]!
  return op
}

function writeCopies(output: Uint8Array, op: number, offset: number, length: number): number {
  while (length > 0) {
    if (length >= 4 && length < 12 && offset < 2048) {
      output[op++] = 1 | ((length - 4) << 2) | ((offset >>> 8) << 5)
      output[op++] = offset & 0xff
      return op
    }
    // Copies 60 of 65 to 67, so that the rest is a copy of at least 4, which can use the short
    // form.
    const step = length <= 64 ? length : length < 68 ? 60 : 64
    output[op++] = 2 | ((step - 1) << 2)
    output[op++] = offset & 0xff
    output[op++] = offset >>> 8
    length -= step
  }
  return op
}
