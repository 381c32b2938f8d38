/** Reads Snappy's block format: `decompressBlock` of protocol/compression/snappy-decompress.ts in AssemblyScript. */
import { copy, copyMatch } from './copy'

/**
 * Decompresses the bytes from `input` to `end` to exactly the bytes from `output` to `outputEnd`.
 * Returns `outputEnd`, or 0 if the block is damaged. Up to SLACK bytes after `outputEnd` change, and
 * as many after `end` are read.
 */
export function snappyDecompress(input: usize, end: usize, output: usize, outputEnd: usize): usize {
  let ip = input
  let op = output
  while (ip < end && load<u8>(ip) >= 0x80) ip++
  ip++

  while (ip < end) {
    const tag = <usize>load<u8>(ip++)
    const kind = tag & 3
    if (kind == 0) {
      // One less than the length: the length itself may have 33 bits.
      let rest = tag >> 2
      if (rest >= 60) {
        const lengthBytes = <u32>rest - 59
        if (end - ip < lengthBytes) return 0
        rest = load<u32>(ip) & (0xffffffff >> ((4 - lengthBytes) << 3))
        ip += lengthBytes
      }
      if (rest >= end - ip || rest >= outputEnd - op) return 0
      const length = rest + 1
      copy(op, ip, length)
      op += length
      ip += length
      continue
    }

    let length = (tag >> 2) + 1
    let offset: usize
    if (kind == 1) {
      if (ip >= end) return 0
      length = ((tag >> 2) & 7) + 4
      offset = ((tag >> 5) << 8) | load<u8>(ip++)
    } else if (kind == 2) {
      if (end - ip < 2) return 0
      offset = load<u16>(ip)
      ip += 2
    } else {
      if (end - ip < 4) return 0
      offset = load<u32>(ip)
      ip += 4
    }
    if (offset == 0 || offset > op - output || length > outputEnd - op) return 0
    copyMatch(op, offset, length)
    op += length
  }
  return op == outputEnd ? op : 0
}
