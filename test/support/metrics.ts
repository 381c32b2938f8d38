import type {
  ClientMetricsSnapshot,
  HistogramSample,
  MetricLabels,
  MetricName,
} from '../../src/index.ts'

/** The value of a counter or gauge: the sum of those whose labels have these values. */
export function valueOf(
  { metrics }: ClientMetricsSnapshot,
  name: MetricName,
  labels: MetricLabels = {},
): number {
  const samples = metrics.find((one) => one.name === name)?.samples ?? []
  const matching = samples.filter((sample) => hasLabels(sample.labels, labels))
  return matching.reduce((sum, sample) => sum + ('value' in sample ? sample.value : 0), 0)
}

/** The distributions whose labels have these values. */
export function histogramsOf(
  { metrics }: ClientMetricsSnapshot,
  name: MetricName,
  labels: MetricLabels = {},
): HistogramSample[] {
  const samples = metrics.find((one) => one.name === name)?.samples ?? []
  return samples.flatMap((sample) =>
    'buckets' in sample && hasLabels(sample.labels, labels) ? [sample] : [],
  )
}

/** How many values such distributions have. */
export function countOf(
  snapshot: ClientMetricsSnapshot,
  name: MetricName,
  labels: MetricLabels = {},
): number {
  return histogramsOf(snapshot, name, labels).reduce((sum, { count }) => sum + count, 0)
}

function hasLabels(labels: MetricLabels, wanted: MetricLabels): boolean {
  const given = new Map<string, string>(Object.entries(labels))
  return Object.entries(wanted).every(([name, value]) => given.get(name) === value)
}
