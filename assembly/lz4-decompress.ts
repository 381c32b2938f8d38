/** Reads LZ4's block format: `decompressBlock` of protocol/compression/lz4-decompress.ts in AssemblyScript. */
import { copy, copyMatch } from './copy'

const MIN_MATCH: usize = 4

/**
 * Decompresses the bytes from `input` to `end` to `output`, up to `outputEnd`, and returns the
 * address after the content; 0 if the block is damaged or its content does not fit. Up to SLACK
 * bytes after `outputEnd` change, and as many after `end` are read.
 */
export function lz4Decompress(input: usize, end: usize, output: usize, outputEnd: usize): usize {
  let ip = input
  let op = output
  while (ip < end) {
    const token = <usize>load<u8>(ip++)
    let length = token >> 4
    if (length == 15) {
      let more: usize = 255
      while (more == 255) {
        if (ip >= end) return 0
        more = load<u8>(ip++)
        length += more
      }
    }
    if (length > end - ip || length > outputEnd - op) return 0
    copy(op, ip, length)
    op += length
    ip += length
    if (ip == end) return op

    if (end - ip < 2) return 0
    const offset = <usize>load<u16>(ip)
    ip += 2
    length = token & 15
    if (length == 15) {
      let more: usize = 255
      while (more == 255) {
        if (ip >= end) return 0
        more = load<u8>(ip++)
        length += more
      }
    }
    length += MIN_MATCH
    if (offset == 0 || offset > op - output || length > outputEnd - op) return 0
    copyMatch(op, offset, length)
    op += length
  }
  return 0
}
