import { ProtocolError } from '../protocol-error.ts'
import { unzigzag } from './varlong.ts'

/**
 * A position in the buffer. Reads past the end return NaN or undefined bits, which the bounds
 * checks detect.
 */
export class Cursor {
  at: number
  readonly #data: Buffer

  constructor(data: Buffer, at: number) {
    this.#data = data
    this.at = at
  }

  /** Reads the varint at the position; `at` is then after it. */
  varintAt(start: number): number {
    this.at = start
    const data = this.#data
    let byte = data[this.at++]!
    if (byte < 0x80) return (byte >>> 1) ^ -(byte & 1)
    let value = byte & 0x7f
    for (let shift = 7; shift < 35; shift += 7) {
      byte = data[this.at++]!
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return (value >>> 1) ^ -(value & 1)
    }
    throw this.error('a varint is truncated or longer than 32 bits')
  }

  /** The same for up to 64 bits; NaN past 2^53. */
  varlongAt(start: number): number {
    this.at = start
    const data = this.#data
    let byte = data[this.at++]!
    if (byte < 0x80) return (byte >>> 1) ^ -(byte & 1)
    let low = byte & 0x7f
    for (let shift = 7; shift < 28; shift += 7) {
      byte = data[this.at++]!
      low |= (byte & 0x7f) << shift
      if (byte < 0x80) return (low >>> 1) ^ -(low & 1)
    }
    let high = 0
    for (let weight = 1; weight <= 2 ** 35; weight *= 0x80) {
      byte = data[this.at++]!
      high += (byte & 0x7f) * weight
      if (byte < 0x80) return unzigzag(low, high)
    }
    throw this.error('a varint is truncated or longer than 64 bits')
  }

  error(reason: string): ProtocolError {
    return new ProtocolError(reason, this.at)
  }
}
