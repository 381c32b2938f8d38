import type { MetricName } from './catalog.ts'
import type { ClientMetricsSnapshot, MetricLabels } from './snapshot.ts'

/** How fast a counter has grown. */
export interface MetricRate {
  /** The name of the metric. */
  readonly name: MetricName
  /** What the rate is about. */
  readonly labels: MetricLabels
  /** How much more for each second; of a histogram the number of its values. */
  readonly perSecond: number
}

/**
 * The rates of all counters and histograms between two snapshots of the same client, per second. What the earlier
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
