import { describe, expect, it } from '@jest/globals'
import { backoffMs } from '../../../src/async/backoff.ts'

describe('the wait before another attempt', () => {
  it('doubles up to the maximum, with a fifth of jitter either way', () => {
    const options = { initialMs: 100, maxMs: 1_000 }
    const means = [100, 200, 400, 800, 1_000, 1_000, 1_000]
    means.forEach((mean, attempt) => {
      const waits = Array.from({ length: 2_000 }, () => backoffMs(attempt, options))
      expect(Math.min(...waits)).toBeGreaterThanOrEqual(mean * 0.8)
      expect(Math.max(...waits)).toBeLessThanOrEqual(mean * 1.2)
      // Spread over all of that, not in some corner of it.
      expect(Math.min(...waits)).toBeLessThan(mean * 0.85)
      expect(Math.max(...waits)).toBeGreaterThan(mean * 1.15)
    })
  })

  it('stays at the maximum after any number of attempts', () => {
    expect(backoffMs(10_000, { initialMs: 100, maxMs: 1_000 })).toBeLessThanOrEqual(1_200)
  })
})
