/** What happened between two snapshots of a client's metrics. */
import type { MetricName } from '../metrics/catalog.ts'
import type {
  ClientMetricsSnapshot,
  HistogramSample,
  Metric,
  MetricLabels,
} from '../metrics/snapshot.ts'

/** Whether the samples with these labels count. */
export type Passes = (labels: MetricLabels) => boolean

const ALL: Passes = () => true

/** The values of a histogram in an interval. */
export interface Distribution {
  readonly count: number
  readonly sum: number
  readonly mean: number
  /** The largest value, as exact as the histogram's buckets. */
  readonly max: number
}

export class Interval {
  readonly #before: ClientMetricsSnapshot
  readonly #after: ClientMetricsSnapshot

  constructor(before: ClientMetricsSnapshot, after: ClientMetricsSnapshot) {
    this.#before = before
    this.#after = after
  }

  get seconds(): number {
    return Math.max(1, this.#after.time - this.#before.time) / 1_000
  }

  /** Whether the last snapshot has the metric, with labels that pass. */
  has(name: MetricName, passes: Passes): boolean {
    return samplesIn(this.#after, name).some(({ labels }) => passes(labels))
  }

  /** Returns the last value of a counter or gauge, added up over all labels that pass. */
  value(name: MetricName, passes: Passes = ALL): number {
    return valueIn(this.#after, name, passes)
  }

  /** Returns how much a counter grew in the interval, added up over all labels that pass. */
  growth(name: MetricName, passes: Passes = ALL): number {
    return Math.max(0, valueIn(this.#after, name, passes) - valueIn(this.#before, name, passes))
  }

  /** Returns the largest of the last values of a gauge, over all labels that pass; undefined without one. */
  largest(name: MetricName, passes: Passes = ALL): number | undefined {
    const values = samplesIn(this.#after, name)
      .filter(({ labels }) => passes(labels))
      .flatMap((one) => ('value' in one ? one.value : []))
    return values.length === 0 ? undefined : values.reduce((a, b) => Math.max(a, b))
  }

  /** Returns the number and the sum of the values of a histogram, with labels that pass, since the client was created. */
  totals(name: MetricName, passes: Passes = ALL): { readonly count: number; readonly sum: number } {
    return totalsOf(histogramsIn(this.#after, name).filter(({ labels }) => passes(labels)))
  }

  /** Returns the values of a histogram with labels that pass; undefined if there were none in the interval. */
  distribution(name: MetricName, passes: Passes = ALL): Distribution | undefined {
    const before = new Map(
      histogramsIn(this.#before, name).map((sample) => [keyOf(sample), sample]),
    )
    const changes = histogramsIn(this.#after, name)
      .filter(({ labels }) => passes(labels))
      .map((sample) => ({ sample, earlier: before.get(keyOf(sample)) }))
      .filter(({ sample, earlier }) => sample.count > (earlier?.count ?? 0))
    if (changes.length === 0) return undefined
    const now = totalsOf(changes.map(({ sample }) => sample))
    const then = totalsOf(changes.flatMap(({ earlier }) => earlier ?? []))
    const count = now.count - then.count
    const sum = now.sum - then.sum
    const max = changes.reduce((most, one) => Math.max(most, largestSince(one)), 0)
    return { count, sum, mean: sum / count, max }
  }

  /** Returns the values that a label of a metric has now. */
  labelValues(name: MetricName, label: 'broker' | 'group'): readonly string[] {
    const values = samplesIn(this.#after, name).flatMap(({ labels }) => labels[label] ?? [])
    return [...new Set(values)]
  }
}

function samplesIn({ metrics }: ClientMetricsSnapshot, name: MetricName): Metric['samples'] {
  return metrics.find((one) => one.name === name)?.samples ?? []
}

function valueIn(snapshot: ClientMetricsSnapshot, name: MetricName, passes: Passes): number {
  let sum = 0
  for (const sample of samplesIn(snapshot, name)) {
    if ('value' in sample && passes(sample.labels)) sum += sample.value
  }
  return sum
}

function histogramsIn(snapshot: ClientMetricsSnapshot, name: MetricName): HistogramSample[] {
  return samplesIn(snapshot, name).flatMap((sample) => ('buckets' in sample ? [sample] : []))
}

function totalsOf(samples: readonly HistogramSample[]) {
  let count = 0
  let sum = 0
  for (const sample of samples) {
    count += sample.count
    sum += sample.sum
  }
  return { count, sum }
}

function keyOf({ labels }: HistogramSample): string {
  return JSON.stringify(labels)
}

/** Returns the bound of the highest bucket that has a new value since the earlier sample. */
function largestSince({
  sample,
  earlier,
}: {
  readonly sample: HistogramSample
  readonly earlier: HistogramSample | undefined
}): number {
  const before = new Map(earlier?.buckets.map(({ le, count }) => [le, count]))
  let largest = 0
  let total = 0
  let totalBefore = 0
  for (const { le, count } of sample.buckets) {
    const countBefore = before.get(le) ?? totalBefore
    if (count - total > countBefore - totalBefore) largest = le
    total = count
    totalBefore = countBefore
  }
  return Math.min(largest, sample.max)
}
