import { copyMatch } from './copy-match.ts'
import { damaged, viewOf } from './codec.ts'

/**
 * Reads LZ4's block format: sequences of [token][literal length][literals][offset][match length], the
 * last one ending after its literals.
 */

const MIN_MATCH = 4
/** Above this length a call of a built-in is faster than a loop over the bytes. */
const LONG_COPY = 48

/** The maximum content of a compressed block of `sizeBytes`: each byte adds at most 255. */
export function inflatedBound(sizeBytes: number): number {
  return sizeBytes * 255
}

/** The result of `decompressBlock` if the content does not fit. */
export const OVERFLOW = -1

/**
 * Decompresses input[start..end) to `output` at `outputStart`, up to `outputEnd`, and returns the
 * position after it, or OVERFLOW. Matches may refer back to `historyStart` in `output`, which is
 * before `outputStart` for linked blocks. Bytes after the content, up to `outputEnd`, may change.
 */
export function decompressBlock(
  input: Uint8Array,
  start: number,
  end: number,
  output: Uint8Array,
  outputStart: number,
  outputEnd: number,
  historyStart: number,
): number {
  const inputView = viewOf(input)
  const outputView = viewOf(output)
  // Up to these positions, 8 bytes at a time may be copied past the end of a copy of LONG_COPY.
  // Each round copies two words, and reads the second before it writes the first: 10 % faster than
  // one word; four are not faster than two.
  const fastInput = input.length - LONG_COPY - 8
  const fastOutput = outputEnd - LONG_COPY - 8
  let ip = start
  let op = outputStart

  while (ip < end) {
    const token = input[ip++]!
    let length = token >>> 4
    if (length === 15) {
      let more = 255
      while (more === 255) {
        if (ip >= end) throw truncated(ip)
        more = input[ip++]!
        length += more
      }
    }
    if (length > 0) {
      if (length > end - ip) throw truncated(ip)
      if (length > outputEnd - op) return OVERFLOW
      const literalsEnd = ip + length
      if (length > LONG_COPY) {
        output.set(input.subarray(ip, literalsEnd), op)
      } else if (ip <= fastInput && op <= fastOutput) {
        let to = op
        while (ip < literalsEnd) {
          outputView.setInt32(to, inputView.getInt32(ip, true), true)
          outputView.setInt32(to + 4, inputView.getInt32(ip + 4, true), true)
          to += 8
          ip += 8
        }
      } else {
        let to = op
        while (ip < literalsEnd) output[to++] = input[ip++]!
      }
      op += length
      ip = literalsEnd
    }
    if (ip === end) return op

    if (end - ip < 2) throw truncated(ip)
    const offset = inputView.getUint16(ip, true)
    ip += 2
    length = token & 15
    if (length === 15) {
      let more = 255
      while (more === 255) {
        if (ip >= end) throw truncated(ip)
        more = input[ip++]!
        length += more
      }
    }
    length += MIN_MATCH
    if (offset === 0 || offset > op - historyStart)
      throw damaged('lz4', `the match offset ${offset} is not valid`, ip)
    if (length > outputEnd - op) return OVERFLOW
    if (length <= LONG_COPY && offset >= 4 && op <= fastOutput) {
      let from = op - offset
      let to = op
      op += length
      while (to < op) {
        outputView.setInt32(to, outputView.getInt32(from, true), true)
        outputView.setInt32(to + 4, outputView.getInt32(from + 4, true), true)
        to += 8
        from += 8
      }
    } else {
      op = copyMatch(output, op, offset, length)
    }
  }
  throw truncated(ip)
}

function truncated(position: number) {
  return damaged('lz4', 'a block ends within a sequence', position)
}
