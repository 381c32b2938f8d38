import type { MetricName } from './catalog.ts'
import type { ClientMetricsSnapshot, MetricLabels } from './snapshot.ts'

/** The rate of a counter or histogram. */
export interface MetricRate {
  /** The name of the metric. */
  readonly name: MetricName
  /** The labels of the rate. */
  readonly labels: MetricLabels
  /** The growth per second of a counter, or of the number of values in a histogram. */
  readonly perSecond: number
}

/**
 * Returns the rates of all counters and histograms between two snapshots of the same client. A metric that the earlier
 * snapshot does not have counts from 0.
 *
 * ```ts
 * const before = client.metrics()
 * await setTimeout(10_000)
 * const rates = metricRates(before, client.metrics())
 * ```
 */
export function metricRates(
  before: ClientMetricsSnapshot,
  after: ClientMetricsSnapshot,
): readonly MetricRate[] {
  const seconds = Math.max(1, after.time - before.time) / 1_000
  const earlier = new Map(totalsOf(before).map(({ key, total }) => [key, total]))
  return totalsOf(after).map(({ key, name, labels, total }) => ({
    name,
    labels,
    perSecond: Math.max(0, total - (earlier.get(key) ?? 0)) / seconds,
  }))
}

function totalsOf({ metrics }: ClientMetricsSnapshot) {
  return metrics.flatMap((metric) => {
    if (metric.kind === 'gauge') return []
    const { name } = metric
    return metric.samples.map((sample) => ({
      key: JSON.stringify([name, sample.labels]),
      name,
      labels: sample.labels,
      total: 'count' in sample ? sample.count : sample.value,
    }))
  })
}
