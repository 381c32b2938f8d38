/** A snapshot of the metrics of a client, as plain data. */
import type { Histogram, HistogramBucket } from './histogram.ts'
import {
  METRICS,
  type HistogramName,
  type MetricDeclaration,
  type MetricLabel,
  type MetricName,
  type MetricUnit,
  type NumberName,
} from './catalog.ts'

/** The labels of a sample. A label that does not apply is missing, such as `group` for a consumer without a group. */
export type MetricLabels = Readonly<Partial<Record<MetricLabel, string>>>

/** A value of a counter or gauge. */
export interface NumberSample {
  /** The labels of the value. */
  readonly labels: MetricLabels
  /** The value, in the metric's unit. */
  readonly value: number
}

/** A distribution. Values, bounds and sum are in the metric's unit. */
export interface HistogramSample {
  /** The labels of the values. */
  readonly labels: MetricLabels
  /** The number of values. */
  readonly count: number
  /** The sum of all values. */
  readonly sum: number
  /** The largest value; 0 without any. */
  readonly max: number
  /** The median, with an error of up to 12.5 %; 0 without any value. */
  readonly p50: number
  /** The 95th percentile, with the same error as `p50`. */
  readonly p95: number
  /** The 99th percentile, with the same error as `p50`. */
  readonly p99: number
  /**
   * The buckets that have a value, in ascending order, of eight for each power of two. Their `count` is cumulative, as
   * in Prometheus.
   */
  readonly buckets: readonly HistogramBucket[]
}

/** What every metric of a snapshot has. */
interface Described {
  /** The name, such as `samsa_producer_messages_total`. */
  readonly name: MetricName
  /** The unit of the values. */
  readonly unit: MetricUnit
  /** What the metric means, in a sentence. */
  readonly description: string
}

/** A metric whose samples are numbers. A `counter` only grows while the client exists. */
export interface NumberMetric extends Described {
  /** Whether the value only grows, or is a current value. */
  readonly kind: 'counter' | 'gauge'
  /** The values, one for each combination of labels. */
  readonly samples: readonly NumberSample[]
}

/** A metric whose samples are distributions. */
export interface HistogramMetric extends Described {
  /** Always `histogram`. */
  readonly kind: 'histogram'
  /** The distributions, one for each combination of labels. */
  readonly samples: readonly HistogramSample[]
}

/** A metric with its values, one for each combination of labels. */
export type Metric = NumberMetric | HistogramMetric

/** What `client.metrics()` returns. */
export interface ClientMetricsSnapshot {
  /** The `clientId` of the client. */
  readonly clientId: string
  /** The id of the cluster; undefined before the client has connected, and before Kafka 0.10.1. */
  readonly clusterId: string | undefined
  /** When the snapshot was taken, in milliseconds since 1970. */
  readonly time: number
  /** When the client was created and its counters were 0, in milliseconds since 1970. */
  readonly since: number
  /** All metrics that have a value. */
  readonly metrics: readonly Metric[]
}

/** A sample to which values are still added. */
type OpenSample = { -readonly [Key in keyof NumberSample]: NumberSample[Key] }

/** Collects the values of a snapshot, and combines those with the same labels. */
export class Collector {
  readonly #clientId: string
  readonly #numbers = new Map<NumberName, Map<string, OpenSample>>()
  readonly #histograms = new Map<HistogramName, HistogramSample[]>()
  /** Whether lag has a value for each partition. */
  readonly byPartition: boolean

  constructor(clientId: string, byPartition: boolean) {
    this.#clientId = clientId
    this.byPartition = byPartition
  }

  /** Adds to the value with these labels. */
  add(name: NumberName, labels: MetricLabels, value: number): void {
    this.#sample(name, labels).value += value
  }

  /** Raises the value with these labels to `value`, unless it is larger already. */
  max(name: NumberName, labels: MetricLabels, value: number): void {
    const sample = this.#sample(name, labels)
    sample.value = Math.max(sample.value, value)
  }

  histogram(name: HistogramName, labels: MetricLabels, recorded: Histogram): void {
    if (recorded.count === 0) return
    // Times are recorded in microseconds.
    const scale = METRICS[name].unit === 'seconds' ? 1e-6 : 1
    const buckets = recorded.buckets.map(({ le, count }) => ({ le: le * scale, count }))
    const quantile = (part: number) => {
      const found = buckets.find(({ count }) => count >= part * recorded.count)
      return Math.min(found?.le ?? 0, recorded.max * scale)
    }
    const samples = this.#histograms.get(name) ?? []
    samples.push({
      labels: { client_id: this.#clientId, ...labels },
      count: recorded.count,
      sum: recorded.sum * scale,
      max: recorded.max * scale,
      p50: quantile(0.5),
      p95: quantile(0.95),
      p99: quantile(0.99),
      buckets,
    })
    this.#histograms.set(name, samples)
  }

  /** The metrics that have a value, in the order of the catalog. */
  get metrics(): Metric[] {
    const numbers = new Map<string, Map<string, NumberSample>>(this.#numbers)
    const histograms = new Map<string, HistogramSample[]>(this.#histograms)
    // TypeScript types keys as strings, because an object may have more properties than its type; METRICS has no more.
    const all = Object.entries(METRICS) as [MetricName, MetricDeclaration][]
    return all.flatMap(([name, { kind, unit, description }]): Metric[] => {
      if (kind === 'histogram') {
        const samples = histograms.get(name)
        return samples === undefined ? [] : [{ name, kind, unit, description, samples }]
      }
      const samples = numbers.get(name)
      return samples === undefined
        ? []
        : [{ name, kind, unit, description, samples: [...samples.values()] }]
    })
  }

  /** Returns the sample with these labels, which begins with 0. */
  #sample(name: NumberName, labels: MetricLabels): OpenSample {
    const samples = this.#numbers.get(name) ?? new Map<string, OpenSample>()
    this.#numbers.set(name, samples)
    const key = JSON.stringify(labels)
    const sample = samples.get(key) ?? {
      labels: { client_id: this.#clientId, ...labels },
      value: 0,
    }
    samples.set(key, sample)
    return sample
  }
}
