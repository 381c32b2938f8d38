import fc from 'fast-check'

/**
 * A change to a frame. Places are fractions of its length, so that they fit whatever frame they
 * meet.
 */
export type Mutation =
  | { readonly kind: 'flip'; readonly at: number; readonly bit: number }
  | { readonly kind: 'cut'; readonly at: number }
  | { readonly kind: 'splice'; readonly at: number; readonly bytes: Uint8Array }
  | { readonly kind: 'insert'; readonly at: number; readonly bytes: Uint8Array }
  | { readonly kind: 'repeat'; readonly at: number; readonly count: number }
  | { readonly kind: 'tagged-fields'; readonly at: number; readonly lengths: readonly number[] }

/** Lengths and counts that a decoder may fall for. */
const TREACHEROUS = [
  'ff',
  '00',
  '01',
  '7f',
  '80',
  'ffff',
  '7fff',
  'ffffffff',
  '7fffffff',
  '80000000',
  'fffffffe',
  '00ffffff',
  'ffffffff0f',
  'ffffffff07',
  'ffffffff7f',
  '8080808000',
  'ffffffffffffffffff01',
].map((hex) => Buffer.from(hex, 'hex'))

const at = fc.double({ min: 0, max: 1, noNaN: true })
const bytes = fc.oneof(
  fc.constantFrom(...TREACHEROUS),
  fc.uint8Array({ minLength: 1, maxLength: 8 }),
)

const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.record({ kind: fc.constant('flip' as const), at, bit: fc.nat(7) }),
  fc.record({ kind: fc.constant('cut' as const), at }),
  fc.record({ kind: fc.constant('splice' as const), at, bytes }),
  fc.record({ kind: fc.constant('insert' as const), at, bytes }),
  fc.record({ kind: fc.constant('repeat' as const), at, count: fc.nat(64) }),
  fc.record({
    kind: fc.constant('tagged-fields' as const),
    at,
    lengths: fc.array(fc.nat(3), { minLength: 1, maxLength: 120 }),
  }),
)

/** None as well: an unchanged frame must decode. */
export const mutations = fc.array(mutation, { maxLength: 4 })

export function mutate(frame: Buffer, changes: readonly Mutation[]): Buffer {
  return changes.reduce(apply, frame)
}

function apply(frame: Buffer, change: Mutation): Buffer {
  const at = Math.floor(change.at * frame.length)
  const before = frame.subarray(0, at)
  switch (change.kind) {
    case 'flip': {
      if (at === frame.length) return frame
      const flipped = Buffer.from(frame)
      flipped[at]! ^= 1 << change.bit
      return flipped
    }
    case 'cut':
      return before
    case 'splice':
      return Buffer.concat([before, change.bytes, frame.subarray(at + change.bytes.length)])
    case 'insert':
      return Buffer.concat([before, change.bytes, frame.subarray(at)])
    case 'repeat':
      return Buffer.concat([before, frame.subarray(at, at + change.count), frame.subarray(at)])
    case 'tagged-fields': {
      // An empty section is a byte of 0: the next one, if there is any, becomes one of many fields.
      const empty = frame.indexOf(0, at)
      if (empty < 0) return frame
      const fields = change.lengths.flatMap((length, tag) => [
        tag,
        length,
        ...Array<number>(length).fill(tag),
      ])
      const section = Buffer.from([change.lengths.length, ...fields])
      return Buffer.concat([frame.subarray(0, empty), section, frame.subarray(empty + 1)])
    }
  }
}
