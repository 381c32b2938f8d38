import { describe, expect, it } from '@jest/globals'
import { readFileSync } from 'node:fs'
import { ratioOf } from '../../../benchmarks/observability/ratio.ts'
import { CUTS } from '../../../benchmarks/observability/counting.ts'

describe('the cost of observability', () => {
  it.each(CUTS.map(({ file, text }) => [file, text] as const))(
    'is compared in a build that switches counting: %s has %j, which is switched',
    (file, text) => {
      expect(readFileSync(file, 'utf8').split(text)).toHaveLength(2)
    },
  )

  it('is the median of the ratios within each round, with an interval around it', () => {
    const bases = [10, 20, 30, 40, 50]
    const values = [11, 22, 33, 44, 200]
    const { median, low, high } = ratioOf(values, bases)
    expect(median).toBeCloseTo(1.1)
    expect(low).toBeCloseTo(1.1)
    expect(high).toBeCloseTo(4)
  })
})
