import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { Histogram } from '../../../src/observe/metrics/histogram.ts'
import { LabelMap, OTHER } from '../../../src/observe/metrics/label-map.ts'

describe('a histogram', () => {
  it('has count, sum and maximum of its values', () => {
    const histogram = new Histogram()
    for (const value of [3, 1_000, 70_000]) histogram.record(value)
    histogram.record(10, 4)
    const { count, sum, max } = histogram
    expect({ count, sum, max }).toEqual({ count: 7, sum: 71_043, max: 70_000 })
  })

  it('counts each value in a bucket that is at most 12.5 % wide', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0x7fffffff }), (value) => {
        const histogram = new Histogram()
        histogram.record(value)
        const [bucket, ...others] = histogram.buckets
        expect(others).toEqual([])
        expect(bucket?.count).toBe(1)
        expect(bucket!.le).toBeGreaterThanOrEqual(value)
        expect(bucket!.le).toBeLessThanOrEqual(value * 1.125)
      }),
    )
  })

  it('has cumulative buckets in order', () => {
    const histogram = new Histogram()
    for (const value of [5_000, 2, 5_000, 100, 2]) histogram.record(value)
    expect(histogram.buckets.map(({ count }) => count)).toEqual([2, 3, 5])
    const bounds = histogram.buckets.map(({ le }) => le)
    expect(bounds).toEqual([...bounds].sort((a, b) => a - b))
  })

  it('counts negative values as 0, and values above 2^31 as the maximum', () => {
    const histogram = new Histogram()
    histogram.record(-5)
    histogram.record(1e15)
    expect(histogram.buckets).toEqual([
      { le: 0, count: 1 },
      { le: 0x7fffffff, count: 2 },
    ])
  })
})

describe('a metric with a label', () => {
  it('has a maximum number of label values, above which values are counted together', () => {
    const counted = new LabelMap(3, () => ({ count: 0 }))
    for (let i = 0; i < 100_000; i++) counted.of(`topic-${i}`).count++
    counted.of('topic-1').count++
    const all = new Map([...counted].map(([label, { count }]) => [label, count]))
    expect(all).toEqual(
      new Map([
        ['topic-0', 1],
        ['topic-1', 2],
        ['topic-2', 1],
        [OTHER, 99_997],
      ]),
    )
  })
})
