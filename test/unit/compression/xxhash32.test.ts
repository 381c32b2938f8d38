import { describe, expect, it } from '@jest/globals'
import { xxhash32 } from '../../../protocol/compression/xxhash32.ts'

/** Values by the reference implementation (Python xxhash). */
describe('xxhash32', () => {
  it.each([
    ['', 0x02cc5d05],
    ['a', 0x550d7456],
    ['abc', 0x32d153ff],
    ['Nobody inspects the spammish repetition', 0xe2293b2f],
  ])('returns the reference value for %j', (text, expected) => {
    const data = Buffer.from(`--${text}--`)
    expect(xxhash32(data, 2, data.length - 2)).toBe(expected)
  })
})
