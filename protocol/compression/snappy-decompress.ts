import { copyMatch } from './copy-match.ts'
import { damaged, viewOf } from './codec.ts'

/**
 * Reads Snappy's block format: the length of the content as a varint, then literals and copies.
 *
 * This replaces snappyjs, which is not made for malicious input: a literal whose 32-bit length is
 * negative moves its reader backwards forever, and it accepts a block that ends too early.
 */

/** Above this length a call of a built-in is faster than a loop over the bytes. */
const LONG_COPY = 48
/** The maximum expansion of one compressed byte: a copy of 64 takes 3 bytes. */
const MAX_RATIO = 22

/** The content size that the block at data[start..end) declares. */
export function inflatedLength(data: Uint8Array, start: number, end: number): number {
  let length = 0
  for (let index = 0; index < 5; index++) {
    if (start + index >= end) throw damaged('snappy', 'the length is missing', start)
    const byte = data[start + index]!
    length += (byte & 0x7f) * 2 ** (7 * index)
    if (byte < 0x80) {
      if (length > 0xffffffff) break
      if (length > (end - start) * MAX_RATIO)
        throw damaged('snappy', `${end - start} bytes cannot contain ${length} bytes`, start)
      return length
    }
  }
  throw damaged('snappy', 'the length has more than 32 bits', start)
}

/**
 * Decompresses input[start..end) to exactly output[outputStart..outputEnd), whose length is the
 * result of `inflatedLength`.
 */
export function decompressBlock(
  input: Uint8Array,
  start: number,
  end: number,
  output: Uint8Array,
  outputStart: number,
  outputEnd: number,
): void {
  const inputView = viewOf(input)
  const outputView = viewOf(output)
  // Up to these positions, 8 bytes at a time may be copied past the end of a copy of 64. Two words
  // in each round, as in lz4-decompress.
  const fastInput = input.length - 72
  const fastOutput = outputEnd - 72
  let ip = start
  while (input[ip]! >= 0x80) ip++
  ip++
  let op = outputStart

  while (ip < end) {
    const tag = input[ip++]!
    const kind = tag & 3
    let length = (tag >>> 2) + 1
    if (kind === 0) {
      if (length > 60) {
        const lengthBytes = length - 60
        if (end - ip < lengthBytes) throw truncated(ip)
        length = 1
        for (let index = 0; index < lengthBytes; index++) length += input[ip++]! * 2 ** (8 * index)
      }
      if (length > end - ip) throw truncated(ip)
      if (length > outputEnd - op) throw overflow(ip)
      const literalEnd = ip + length
      if (length > LONG_COPY) {
        output.set(input.subarray(ip, literalEnd), op)
      } else if (ip <= fastInput && op <= fastOutput) {
        let to = op
        while (ip < literalEnd) {
          outputView.setInt32(to, inputView.getInt32(ip, true), true)
          outputView.setInt32(to + 4, inputView.getInt32(ip + 4, true), true)
          to += 8
          ip += 8
        }
      } else {
        let to = op
        while (ip < literalEnd) output[to++] = input[ip++]!
      }
      op += length
      ip = literalEnd
      continue
    }

    let offset: number
    if (kind === 1) {
      if (ip >= end) throw truncated(ip)
      length = ((tag >>> 2) & 7) + 4
      offset = ((tag >>> 5) << 8) | input[ip++]!
    } else if (kind === 2) {
      if (end - ip < 2) throw truncated(ip)
      offset = inputView.getUint16(ip, true)
      ip += 2
    } else {
      if (end - ip < 4) throw truncated(ip)
      offset = inputView.getUint32(ip, true)
      ip += 4
    }
    if (offset === 0 || offset > op - outputStart)
      throw damaged('snappy', `the offset ${offset} is not valid`, ip)
    if (length > outputEnd - op) throw overflow(ip)
    if (offset >= 4 && op <= fastOutput) {
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
  if (op !== outputEnd) throw damaged('snappy', `${outputEnd - op} bytes are missing`, ip)
}

function truncated(position: number) {
  return damaged('snappy', 'a block ends within an element', position)
}

function overflow(position: number) {
  return damaged('snappy', 'a block decompresses to more than its length', position)
}
