import type { MetricName } from '../metrics/catalog.ts'
import type { ClientMetricsSnapshot, MetricLabels } from '../metrics/snapshot.ts'
import { Interval, type Passes } from './interval.ts'
import type { TelemetryMetric } from './otlp.ts'

export interface ComputationOptions {
  /** The metrics at the last push. */
  readonly before: ClientMetricsSnapshot
  /** The metrics now. */
  readonly after: ClientMetricsSnapshot
  /** Whether sums cover the time since the last push rather than since the client was created. */
  readonly isDelta: boolean
  /** The ids of the brokers by address, for the label `node_id`. */
  readonly nodeIds: ReadonlyMap<string, number>
}

/** The kinds of metrics, computed for one push. */
export class Computation {
  readonly #interval: Interval
  readonly #isDelta: boolean
  readonly #nodeIds: ReadonlyMap<string, number>

  constructor({ before, after, isDelta, nodeIds }: ComputationOptions) {
    this.#interval = new Interval(before, after)
    this.#isDelta = isDelta
    this.#nodeIds = nodeIds
  }

  /** The groups of share consumers. */
  get shareGroups(): ReadonlySet<string> {
    return new Set(this.#interval.labelValues('samsa_share_assignments_total', 'group'))
  }

  /** Whether the client has this metric, with labels that pass. */
  has(metric: MetricName, passes: Passes = () => true): boolean {
    return this.#interval.has(metric, passes)
  }

  gauge(name: string, metric: MetricName, passes?: Passes): TelemetryMetric {
    return gauge(name, this.#interval.value(metric, passes))
  }

  /** The largest value of a gauge; none if the gauge has no value. */
  largest(name: string, metric: MetricName): TelemetryMetric[] {
    const value = this.#interval.largest(metric)
    return value === undefined ? [] : [gauge(name, value)]
  }

  /** A counter's rate per second, and its total. */
  counter(name: string, metric: MetricName, passes?: Passes): TelemetryMetric[] {
    return this.#rateAndTotal(
      name,
      this.#interval.growth(metric, passes),
      this.#interval.value(metric, passes),
    )
  }

  /** The rate per second, and the total, of several counters together. */
  counters(name: string, metrics: readonly MetricName[]): TelemetryMetric[] {
    return this.#rateAndTotal(
      name,
      sumOf(metrics.map((metric) => this.#interval.growth(metric))),
      sumOf(metrics.map((metric) => this.#interval.value(metric))),
    )
  }

  /** The rate per second, and the total, of the events whose duration a histogram has. */
  events(name: string, metric: MetricName, passes: Passes): TelemetryMetric[] {
    return this.#rateAndTotal(
      name,
      this.#interval.distribution(metric, passes)?.count ?? 0,
      this.#interval.totals(metric, passes).count,
    )
  }

  /** A counter's rate per hour, and its total. */
  perHour(name: string, metric: MetricName): TelemetryMetric[] {
    const growth = this.#interval.growth(metric)
    return [
      gauge(`${name}.rate.per.hour`, (growth * 3_600) / this.#interval.seconds),
      this.#sum(`${name}.total`, growth, this.#interval.value(metric)),
    ]
  }

  /** The sum of one histogram divided by that of another, at most 1; none without a value in the interval. */
  ratio(name: string, part: MetricName, whole: MetricName): TelemetryMetric[] {
    const sum = this.#interval.distribution(whole)?.sum
    if (sum === undefined) return []
    const ratio = (this.#interval.distribution(part)?.sum ?? 0) / sum
    return [gauge(name, Math.min(1, ratio))]
  }

  /** The sum of durations, in milliseconds. */
  totalTime(name: string, metric: MetricName): TelemetryMetric {
    const growth = this.#interval.distribution(metric)?.sum ?? 0
    return this.#sum(name, growth * 1_000, this.#interval.totals(metric).sum * 1_000)
  }

  /** The average and the maximum of durations, in milliseconds; none without a value in the interval. */
  times(
    name: string,
    metric: MetricName,
    passes?: Passes,
    attributes?: Readonly<Record<string, string>>,
  ): TelemetryMetric[] {
    const found = this.#interval.distribution(metric, passes)
    if (found === undefined) return []
    return [
      gauge(`${name}.avg`, found.mean * 1_000, attributes),
      gauge(`${name}.max`, found.max * 1_000, attributes),
    ]
  }

  /** The maximum of durations, in milliseconds; none without a value in the interval. */
  longest(name: string, metric: MetricName, passes: Passes): TelemetryMetric[] {
    const found = this.#interval.distribution(metric, passes)
    return found === undefined ? [] : [gauge(name, found.max * 1_000)]
  }

  /** The average and the maximum of sizes. */
  sizes(name: string, metric: MetricName, passes?: Passes): TelemetryMetric[] {
    const found = this.#interval.distribution(metric, passes)
    if (found === undefined) return []
    return [gauge(`${name}.avg`, found.mean), gauge(`${name}.max`, found.max)]
  }

  /** The throttle time of an API, in milliseconds. Responses without one count as 0, as in the Java client. */
  throttling(name: string, passes: Passes): TelemetryMetric[] {
    const responses = this.#interval.distribution('samsa_request_duration_seconds', passes)
    if (responses === undefined) return []
    const throttled = this.#interval.distribution('samsa_throttle_duration_seconds', passes)
    return [
      gauge(`${name}.avg`, ((throttled?.sum ?? 0) * 1_000) / responses.count),
      gauge(`${name}.max`, (throttled?.max ?? 0) * 1_000),
    ]
  }

  /** Connections, and the latency of the requests to each node. */
  connections(prefix: string, isCounted: Passes): TelemetryMetric[] {
    const requests = 'samsa_request_duration_seconds'
    return [
      ...this.counter(`${prefix}connection.creation`, 'samsa_connections_opened_total'),
      ...this.#interval.labelValues(requests, 'broker').flatMap((broker) => {
        const nodeId = this.#nodeIds.get(broker)
        // A bootstrap address whose broker is not known has no id.
        if (nodeId === undefined) return []
        const ofNode = (labels: MetricLabels) => labels.broker === broker && isCounted(labels)
        return this.times(`${prefix}node.request.latency`, requests, ofNode, {
          node_id: String(nodeId),
        })
      }),
    ]
  }

  #rateAndTotal(name: string, growth: number, total: number): TelemetryMetric[] {
    return [
      gauge(`${name}.rate`, growth / this.#interval.seconds),
      this.#sum(`${name}.total`, growth, total),
    ]
  }

  #sum(name: string, growth: number, total: number): TelemetryMetric {
    return { name, kind: 'sum', value: this.#isDelta ? growth : total }
  }
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0)
}

function gauge(
  name: string,
  value: number,
  attributes: Readonly<Record<string, string>> = {},
): TelemetryMetric {
  return { name, kind: 'gauge', value, attributes }
}
