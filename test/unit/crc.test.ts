import { describe, expect, it } from '@jest/globals'
import { crc32, crc32ByTables, ZLIB_MINIMUM } from '../../protocol/buffer/crc32.ts'
import {
  canFold,
  crc32c,
  crc32cByFolding,
  crc32cByTables,
  FOLD_CHUNK,
  FOLD_DISTANCES,
  FOLD_MINIMUM,
} from '../../protocol/buffer/crc32c.ts'

const CASTAGNOLI = 0x82f63b78
const IEEE = 0xedb88320

/** The definition: one bit at a time. */
function reference(polynomial: number, data: Uint8Array, seed = 0): number {
  let crc = ~seed
  for (const byte of data) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? polynomial : 0)
  }
  return ~crc >>> 0
}

const SEED = Number(process.env['SAMSA_SEED'] ?? Date.now() % 2 ** 31)
console.log(`SAMSA_SEED=${SEED}`)

/** A number from 0 to n - 1, the same ones for the same seed (mulberry32). */
function random(n: number): number {
  state = (state + 0x6d2b79f5) | 0
  let t = Math.imul(state ^ (state >>> 15), 1 | state)
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
  return ((t ^ (t >>> 14)) >>> 0) % n
}
let state = SEED

function randomBytes(length: number): Buffer {
  const bytes = Buffer.alloc(length)
  for (let i = 0; i < length; i++) bytes[i] = random(256)
  return bytes
}

const WINDOW = Math.max(...FOLD_DISTANCES)
const WAYS = { crc32c, crc32cByTables, crc32cByFolding }
const DATA = randomBytes(4 * FOLD_CHUNK)
const SMALL_STEPS = Array.from({ length: 81 }, (_, i) => i - 40)

/** All ways of computing it on `DATA[start, start + length)`, as views of several kinds. */
function check(start: number, length: number, seed = 0): void {
  const end = start + length
  const expected = reference(CASTAGNOLI, DATA.subarray(start, end), seed)
  const copy = new Uint8Array(DATA.subarray(start, end))
  for (const [name, way] of Object.entries(WAYS)) {
    const found = [way(DATA, start, end, seed), way(copy, 0, length, seed)]
    if (found.some((crc) => crc !== expected)) {
      throw new Error(`${name}(${start}, ${end}, ${seed}) is ${found.join(', ')}, not ${expected}`)
    }
  }
}

describe('crc32c', () => {
  it('matches the vectors of RFC 3720 and others', () => {
    const ascending = Uint8Array.from({ length: 32 }, (_, i) => i)
    const vectors: [Uint8Array, number][] = [
      [new Uint8Array(0), 0],
      [Buffer.from('a'), 0xc1d04330],
      [Buffer.from('123456789'), 0xe3069283],
      [new Uint8Array(32), 0x8a9136aa],
      [new Uint8Array(32).fill(255), 0x62a8ab43],
      [ascending, 0x46dd794e],
      [ascending.toReversed(), 0x113fdb5c],
    ]
    for (const [data, expected] of vectors) {
      expect(crc32c(data)).toBe(expected)
      expect(crc32cByTables(data, 0, data.length)).toBe(expected)
      expect(reference(CASTAGNOLI, data)).toBe(expected)
    }
  })

  it('uses folding on this machine', () => {
    expect(canFold()).toBe(true)
  })

  it('folds by distances that preserve the CRC', () => {
    // A bit at p has to change the CRC of zeros as much as bits at p + distance together.
    const zeros = reference(CASTAGNOLI, new Uint8Array(WINDOW + 1))
    const change = (position: number): number => {
      const data = new Uint8Array(WINDOW + 1)
      data[position] = 1
      return zeros ^ reference(CASTAGNOLI, data)
    }
    expect(FOLD_DISTANCES.reduce((sum, distance) => sum ^ change(distance), 0)).toBe(change(0))
    expect(Math.min(...FOLD_DISTANCES)).toBeGreaterThanOrEqual(16)
    expect(FOLD_CHUNK % 16).toBe(0)
    expect(FOLD_MINIMUM).toBeGreaterThanOrEqual(WINDOW)
  })

  it('is correct for every size up to 1200', () => {
    for (let length = 0; length <= 1200; length++)
      check(random(64), length, random(2) * random(2 ** 32))
  })

  it('is correct for random sizes up to 5000', () => {
    for (let n = 0; n < 300; n++) check(random(1000), random(5001), random(2) * random(2 ** 32))
  })

  it('is correct around the boundaries of the fold', () => {
    const edges = [WINDOW, 2 * WINDOW, FOLD_MINIMUM]
    for (let chunks = 1; chunks <= 3; chunks++) {
      edges.push(chunks * FOLD_CHUNK, chunks * FOLD_CHUNK + WINDOW)
    }
    for (const edge of edges) {
      const steps = edge > FOLD_CHUNK ? [-17, -16, -15, -1, 0, 1, 14, 15, 16, 17] : SMALL_STEPS
      for (const step of steps) check(random(16), edge + step, random(2 ** 32))
    }
  })

  it('is correct at every alignment', () => {
    for (let start = 0; start < 64; start++) {
      for (const length of [1, 7, 100, FOLD_MINIMUM + 3, 2048]) check(start, length)
    }
  })

  it('keeps no state between calls', () => {
    // Large then small: what the large one leaves in the memory must not show.
    const sizes = [3 * FOLD_CHUNK, WINDOW, WINDOW + 1, WINDOW + 16, FOLD_MINIMUM, FOLD_CHUNK, 1000]
    for (const length of sizes) check(0, length)
  })

  it('is correct for zeros and ones, some of which a fold could lose', () => {
    for (const fill of [0, 255]) {
      const data = new Uint8Array(5000).fill(fill)
      const expected = reference(CASTAGNOLI, data)
      for (const way of Object.values(WAYS)) expect(way(data, 0, data.length)).toBe(expected)
    }
  })

  it('continues from a seed at any position', () => {
    const data = DATA.subarray(0, 20_000)
    const whole = reference(CASTAGNOLI, data)
    for (let n = 0; n < 200; n++) {
      const a = random(data.length + 1)
      const b = a + random(data.length + 1 - a)
      for (const way of Object.values(WAYS)) {
        const crc = way(data, b, data.length, way(data, a, b, way(data, 0, a)))
        if (crc !== whole) throw new Error(`cut at ${a} and ${b}: ${crc}, not ${whole}`)
      }
    }
    expect(crc32c(data, 5, 5, 0xdeadbeef)).toBe(0xdeadbeef)
  })

  it('is correct one gigabyte into the data, beyond 32-bit sums of indices', () => {
    const gigabyte = 2 ** 30
    const data = Buffer.alloc(gigabyte + 4096) // zeros the system need not have touched
    DATA.copy(data, gigabyte - 4096, 0, 8192)
    for (const [from, to] of [
      [-2000, -1],
      [-2000, 0],
      [-100, 100],
      [-1, 1],
      [-3000, 3000],
      [0, 100],
      [1, 4000],
    ] as const) {
      const [start, end] = [gigabyte + from, gigabyte + to]
      const part = data.subarray(start, end)
      for (const way of Object.values(WAYS)) {
        expect(way(data, start, end)).toBe(reference(CASTAGNOLI, part))
      }
      expect(crc32(data, start, end)).toBe(reference(IEEE, part))
    }
  })

  it('does not modify the data', () => {
    const before = Buffer.from(DATA)
    for (const way of Object.values(WAYS)) way(DATA, 0, DATA.length, 123)
    expect(DATA.equals(before)).toBe(true)
  })

  it('covers the whole buffer by default', () => {
    const data = DATA.subarray(0, 2000)
    expect(crc32c(data)).toBe(crc32c(data, 0, 2000))
    expect(crc32c(data, 700)).toBe(crc32c(data, 700, 2000))
  })
})

describe('crc32', () => {
  it('matches the known vectors', () => {
    expect(crc32(new Uint8Array(0))).toBe(0)
    expect(crc32(Buffer.from('123456789'))).toBe(0xcbf43926)
    expect(crc32(Buffer.from('The quick brown fox jumps over the lazy dog'))).toBe(0x414fa339)
  })

  it('is correct for every size and alignment, by tables and by zlib', () => {
    for (let length = 0; length <= 2 * ZLIB_MINIMUM; length++) {
      const start = random(64)
      const expected = reference(IEEE, DATA.subarray(start, start + length))
      const found = [
        crc32(DATA, start, start + length),
        crc32(new Uint8Array(DATA.subarray(start, start + length))),
        crc32ByTables(DATA, start, start + length),
      ]
      if (found.some((crc) => crc !== expected)) {
        throw new Error(`${start}, ${length}: ${found.join(', ')}, not ${expected}`)
      }
    }
    expect(crc32(DATA, 3)).toBe(reference(IEEE, DATA.subarray(3)))
  })
})

describe.each([
  ['crc32', crc32],
  ['crc32c', crc32c],
])('%s', (_, crc) => {
  it.each([
    [-1, 5],
    [6, 5],
    [0, 1001],
    [1001, 1001],
    [NaN, 5],
    [0, NaN],
  ])('rejects the range %p to %p of 1000 bytes', (start, end) => {
    expect(() => crc(new Uint8Array(1000), start, end)).toThrow(RangeError)
  })

  it('accepts empty ranges at either end', () => {
    expect(crc(new Uint8Array(10), 0, 0)).toBe(0)
    expect(crc(new Uint8Array(10), 10, 10)).toBe(0)
  })
})
