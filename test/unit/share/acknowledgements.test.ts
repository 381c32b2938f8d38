import { describe, expect, it } from '@jest/globals'
import {
  countOf,
  halvesOf,
  RangeGatherer,
  type AcknowledgedRange,
} from '../../../src/share/acknowledgements.ts'

function gathered(...ranges: readonly AcknowledgedRange[]): readonly AcknowledgedRange[] {
  const gatherer = new RangeGatherer()
  for (const { first, last, type } of ranges) gatherer.add(first, last, type)
  return gatherer.take()
}

const accept = (first: number, last = first) => ({ first, last, type: 'accept' }) as const
const renew = (first: number, last = first) => ({ first, last, type: 'renew' }) as const
const release = (first: number, last = first) => ({ first, last, type: 'release' }) as const

describe('acknowledgements of a partition', () => {
  it('form one range if offsets are consecutive and have the same type', () => {
    expect(gathered(accept(5), accept(6), accept(7), release(8), accept(9))).toEqual([
      accept(5, 7),
      release(8),
      accept(9),
    ])
  })

  it('are sorted by offset, in whatever order they are made', () => {
    expect(gathered(accept(9), accept(3), release(7), accept(4), accept(8))).toEqual([
      accept(3, 4),
      release(7),
      accept(8, 9),
    ])
  })

  it('replace the renewal of the same record', () => {
    expect(gathered(renew(1, 9), accept(4), release(9), accept(1))).toEqual([
      accept(1),
      renew(2, 3),
      accept(4),
      renew(5, 8),
      release(9),
    ])
  })

  it('name a record that is renewed twice only once', () => {
    expect(gathered(renew(1, 3), renew(2, 4))).toEqual([renew(1, 4)])
  })

  it('are divided into two halves, also within a range', () => {
    const all = [accept(0, 5), release(7), accept(9, 10)]
    const [before, after] = halvesOf(all)
    expect(before).toEqual([accept(0, 4)])
    expect(after).toEqual([accept(5), release(7), accept(9, 10)])
    expect(countOf(before) + countOf(after)).toBe(countOf(all))
    expect(halvesOf([accept(3, 4)])).toEqual([[accept(3)], [accept(4)]])
  })
})
