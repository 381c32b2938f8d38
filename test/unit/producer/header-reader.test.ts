import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { HeaderReader } from '../../../src/producer/intake/header-reader.ts'
import type { Data } from '../../../src/producer/intake/serialize.ts'

/** More messages with different headers than are compared in turn. */
const MANY = 120

const headers = fc.dictionary(
  fc.constantFrom('a', 'b', 'c', 'd'),
  fc.constantFrom<Data>('x', 'y', '', null, Buffer.from('x')),
)

function fieldsOf(object: Readonly<Record<string, Data>>): Data[] {
  return Object.entries(object).flat()
}

describe('the reader of headers', () => {
  it('reads the headers of each message, whatever those before it were', () => {
    const property = fc.property(
      fc.array(fc.tuple(headers, fc.integer({ min: 1, max: 150 })), { maxLength: 6 }),
      (runs) => {
        const reader = new HeaderReader()
        for (const [object, times] of runs) {
          for (let time = 0; time < times; time++) {
            expect(reader.read({ ...object })).toEqual(fieldsOf(object))
          }
        }
      },
    )
    fc.assert(property)
  })

  it('returns the same list for equal headers in turn', () => {
    const reader = new HeaderReader()
    const first = reader.read({ a: 'x', b: null })
    expect(reader.read({ a: 'x', b: null })).toBe(first)
    expect(reader.read({ a: 'x' })).not.toBe(first)
  })

  it('notices equal headers again after many messages whose headers differ', () => {
    const reader = new HeaderReader()
    for (let index = 0; index < MANY; index++) reader.read({ id: `${index}` })
    const lists = Array.from({ length: MANY }, () => reader.read({ a: 'x' }))
    expect(lists.at(-1)).toBe(lists.at(-2))
    expect(lists.at(-1)).toEqual(['a', 'x'])
  })

  it('never returns a list with bytes again, because the application may have changed them', () => {
    const reader = new HeaderReader()
    const bytes = Buffer.from('x')
    const first = reader.read({ a: 'x', b: bytes })
    expect(reader.read({ a: 'x', b: bytes })).not.toBe(first)
  })

  it('does not change a list that it has returned', () => {
    const reader = new HeaderReader()
    const first = reader.read({ a: 'x', b: 'y' })
    reader.read({ a: 'x' })
    reader.read({ a: 'x', b: 'z', c: 'y' })
    expect(first).toEqual(['a', 'x', 'b', 'y'])
  })

  it('reads each property once', () => {
    const reader = new HeaderReader()
    let reads = 0
    const counting = (value: string) => ({
      a: 'x',
      get b() {
        reads++
        return value
      },
    })
    for (const value of ['y', 'y', 'z', 'u', 'v', 'w']) reader.read(counting(value))
    expect(reads).toBe(6)
  })
})
