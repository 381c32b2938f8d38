import type { HistogramSample, MetricUnit } from '../index.ts'

/** The boundaries that OpenTelemetry's semantic conventions recommend for durations, in seconds. */
const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]
const BYTES = Array.from({ length: 11 }, (_, power) => 64 * 4 ** power)
const COUNTS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000]

/**
 * Converts a distribution to fixed boundaries: Prometheus needs the same buckets in every scrape. The values of a
 * client's bucket that crosses a boundary count as larger than the boundary.
 */
export function fixedBuckets(
  sample: HistogramSample,
  unit: MetricUnit,
): readonly { readonly le: string; readonly count: number }[] {
  const bounds = unit === 'seconds' ? SECONDS : unit === 'bytes' ? BYTES : COUNTS
  let index = 0
  let count = 0
  const fixed = bounds.map((bound) => {
    for (let next = sample.buckets[index]; next !== undefined && next.le <= bound;) {
      count = next.count
      next = sample.buckets[++index]
    }
    return { le: String(bound), count }
  })
  return [...fixed, { le: '+Inf', count: sample.count }]
}
