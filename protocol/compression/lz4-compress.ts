import { viewOf } from './codec.ts'

/** Writes LZ4's block format, which lz4-decompress.ts reads and describes. */

const MIN_MATCH = 4
/** The format's rules: the last match starts 12 bytes before the end, the last 5 bytes are literals. */
const LAST_MATCH_DISTANCE = 12
const LAST_LITERALS = 5
const MAX_OFFSET = 65535
/** Above this length a call of a built-in is faster than a loop over the bytes. */
const LONG_COPY = 48

const HASH_BITS = 14
/** Of the factor by which 5 bytes are multiplied modulo 2^40, 889523592379, the lower and upper 20 bits. */
const LOW_FACTOR = 889523592379 % 2 ** 20
const HIGH_FACTOR = Math.floor(889523592379 / 2 ** 20)
/**
 * The last position of each hash, counted over all inputs rather than within one: entries of an
 * earlier block or call lie before `clock`, so nothing has to be cleared in between.
 */
const lastSeen = new Int32Array(1 << HASH_BITS)
let clock = MAX_OFFSET + 1
const CLOCK_END = 0x3fffffff

/** The maximum compressed size of a block of `sizeBytes`. */
export function compressedBound(sizeBytes: number): number {
  return sizeBytes + Math.floor(sizeBytes / 255) + 16
}

/**
 * Compresses input[start..end) as an independent block to `output` at `outputStart`, where
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
    clock = MAX_OFFSET + 1
  }
  const view = viewOf(input)
  /** position + shift is the count for that position. */
  const shift = clock - start
  const firstTime = clock
  clock += end - start

  const matchLimit = end - LAST_LITERALS
  const searchLimit = end - LAST_MATCH_DISTANCE
  let op = outputStart
  let anchor = start
  let ip = start

  while (ip < searchLimit) {
    // Look for the next 4 bytes that occurred before; the steps grow while nothing is found.
    let attempts = 64
    let sequence = view.getInt32(ip, true)
    let candidate = -1
    for (;;) {
      const hash = hashOf(sequence, input[ip + 4]!)
      const seen = lastSeen[hash]!
      lastSeen[hash] = ip + shift
      // The twin's empty entries stand for the start.
      const position = seen >= firstTime ? seen - shift : start
      const distance = ip - position
      const isNear = distance > 0 && distance <= MAX_OFFSET
      if (isNear && view.getInt32(position, true) === sequence) {
        candidate = position
        break
      }
      ip += attempts++ >>> 6
      if (ip >= searchLimit) break
      sequence = view.getInt32(ip, true)
    }
    if (candidate < 0) break

    while (ip > anchor && candidate > start && input[ip - 1] === input[candidate - 1]) {
      ip--
      candidate--
    }

    const offset = ip - candidate
    const literals = ip - anchor
    let matched = ip + MIN_MATCH
    candidate += MIN_MATCH
    while (matched + 4 <= matchLimit) {
      const difference = view.getInt32(matched, true) ^ view.getInt32(candidate, true)
      if (difference !== 0) {
        matched += (31 - Math.clz32(difference & -difference)) >>> 3
        candidate = -1
        break
      }
      matched += 4
      candidate += 4
    }
    if (candidate >= 0) {
      while (matched < matchLimit && input[matched] === input[candidate]) {
        matched++
        candidate++
      }
    }
    const extra = matched - ip - MIN_MATCH

    const token = op++
    output[token] = ((literals < 15 ? literals : 15) << 4) | (extra < 15 ? extra : 15)
    if (literals >= 15) op = writeLength(output, op, literals - 15)
    op = copyLiterals(input, anchor, ip, output, op)
    output[op++] = offset & 0xff
    output[op++] = offset >>> 8
    if (extra >= 15) op = writeLength(output, op, extra - 15)

    ip = matched
    anchor = matched
    if (ip < searchLimit) {
      lastSeen[hashOf(view.getInt32(ip - 2, true), input[ip + 2]!)] = ip - 2 + shift
    }
  }

  const literals = end - anchor
  output[op++] = (literals < 15 ? literals : 15) << 4
  if (literals >= 15) op = writeLength(output, op, literals - 15)
  return copyLiterals(input, anchor, end, output, op)
}

/**
 * The hash of 4 bytes and the one after them. With 5 instead of 4, fewer of the positions that it
 * finds are short matches: text becomes 5 to 7 % smaller, in a tenth less time.
 */
function hashOf(four: number, fifth: number): number {
  const low = four & 0xfffff
  const high = (four >>> 20) | (fifth << 12)
  const carried = ((low * LOW_FACTOR) / 2 ** 20) | 0
  const product = carried + Math.imul(low, HIGH_FACTOR) + Math.imul(high, LOW_FACTOR)
  return (product & 0xfffff) >>> (20 - HASH_BITS)
}

function writeLength(output: Uint8Array, op: number, rest: number): number {
  while (rest >= 255) {
    output[op++] = 255
    rest -= 255
  }
  output[op++] = rest
  return op
}

function copyLiterals(
  input: Uint8Array,
  from: number,
  to: number,
  output: Uint8Array,
  op: number,
): number {
  if (to - from > LONG_COPY) {
    output.set(input.subarray(from, to), op)
    return op + (to - from)
  }
  while (from < to) output[op++] = input[from++]!
  return op
}
