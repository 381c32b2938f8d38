/**
 * Computes Kafka's standard client metrics (KIP-714) from the metrics of a client. Rates, averages and maxima cover the
 * time between two pushes: averages over the whole life of a client would hardly change after a day.
 */
import type { MetricName } from '../metrics/catalog.ts'
import type { ClientMetricsSnapshot, HistogramSample } from '../metrics/snapshot.ts'
import type { TelemetryMetric } from './otlp.ts'

const PRODUCER = 'org.apache.kafka.producer.'
const CONSUMER = 'org.apache.kafka.consumer.'

/** What happened between two snapshots. */
class Interval {
  readonly #before: ClientMetricsSnapshot
  readonly #after: ClientMetricsSnapshot
  readonly isDelta: boolean

  constructor(before: ClientMetricsSnapshot, after: ClientMetricsSnapshot, isDelta: boolean) {
    this.#before = before
    this.#after = after
    this.isDelta = isDelta
  }

  get seconds(): number {
    return Math.max(1, this.#after.time - this.#before.time) / 1_000
  }

  /** Returns the current value of a gauge, added up over all labels. */
  value(name: MetricName): number {
    return valueIn(this.#after, name)
  }

  /** Returns how much a counter grew in the interval, added up over all labels. */
  growth(name: MetricName): number {
    return Math.max(0, valueIn(this.#after, name) - valueIn(this.#before, name))
  }

  /** Returns the value of a counter: its growth in the interval for deltas, otherwise its value since the start. */
  total(name: MetricName): number {
    return this.isDelta ? this.growth(name) : valueIn(this.#after, name)
  }

  /** Returns the mean and the largest value of the samples that pass; undefined if the interval has no value. */
  distribution(name: MetricName, passes: (sample: HistogramSample) => boolean = () => true) {
    const before = new Map(
      histogramsIn(this.#before, name).map((sample) => [keyOf(sample), sample]),
    )
    let count = 0
    let sum = 0
    let max = 0
    for (const sample of histogramsIn(this.#after, name)) {
      if (!passes(sample)) continue
      const earlier = before.get(keyOf(sample))
      if (sample.count === (earlier?.count ?? 0)) continue
      count += sample.count - (earlier?.count ?? 0)
      sum += sample.sum - (earlier?.sum ?? 0)
      max = Math.max(max, largestSince(sample, earlier))
    }
    return count === 0 ? undefined : { count, mean: sum / count, max }
  }
}

/**
 * Returns the standard metrics that apply: those of producers if the client has a producer or has produced, those of
 * consumers if it has a consumer or has consumed.
 */
export function standardMetrics(
  before: ClientMetricsSnapshot,
  after: ClientMetricsSnapshot,
  isDelta: boolean,
): TelemetryMetric[] {
  const interval = new Interval(before, after, isDelta)
  const names = new Set(after.metrics.map(({ name }) => name))
  const found: TelemetryMetric[] = []
  if (names.has('samsa_producer_queued_messages') || names.has('samsa_producer_messages_total')) {
    found.push(...connections(PRODUCER, interval, (api) => api !== 'Fetch'))
    found.push(
      ...times(`${PRODUCER}record.queue.time`, interval, 'samsa_producer_queue_duration_seconds'),
    )
    found.push(...throttling(`${PRODUCER}produce.throttle.time`, interval))
  }
  if (
    names.has('samsa_consumer_assigned_partitions') ||
    names.has('samsa_consumer_messages_total')
  ) {
    found.push(...connections(CONSUMER, interval, (api) => api !== 'Produce'))
    const coordinator = `${CONSUMER}coordinator.`
    found.push(
      gauge(
        `${coordinator}assigned.partitions`,
        interval.value('samsa_consumer_assigned_partitions'),
      ),
      ...times(`${coordinator}commit.latency`, interval, 'samsa_consumer_commit_duration_seconds'),
      ...times(
        `${coordinator}rebalance.latency`,
        interval,
        'samsa_consumer_rebalance_duration_seconds',
      ),
      ...times(
        `${CONSUMER}fetch.manager.fetch.latency`,
        interval,
        'samsa_request_duration_seconds',
        ({ labels }) => labels.api === 'Fetch',
      ),
    )
  }
  // Values that are not finite are left out, because a plugin could reject the whole push for one of them.
  return found.filter(({ value }) => Number.isFinite(value))
}

function connections(
  prefix: string,
  interval: Interval,
  isCounted: (api: string | undefined) => boolean,
): TelemetryMetric[] {
  const created = 'samsa_connections_opened_total'
  return [
    gauge(`${prefix}connection.creation.rate`, interval.growth(created) / interval.seconds),
    { name: `${prefix}connection.creation.total`, kind: 'sum', value: interval.total(created) },
    ...times(
      `${prefix}node.request.latency`,
      interval,
      'samsa_request_duration_seconds',
      ({ labels }) => isCounted(labels.api),
    ),
  ]
}

/** Returns the average and the maximum of a duration, in milliseconds. */
function times(
  name: string,
  interval: Interval,
  metric: MetricName,
  passes?: (sample: HistogramSample) => boolean,
): TelemetryMetric[] {
  const found = interval.distribution(metric, passes)
  if (found === undefined) return []
  return [gauge(`${name}.avg`, found.mean * 1_000), gauge(`${name}.max`, found.max * 1_000)]
}

function throttling(name: string, interval: Interval): TelemetryMetric[] {
  const responses = interval.growth('samsa_throttled_responses_total')
  const seconds = interval.growth('samsa_throttle_seconds_total')
  return [gauge(`${name}.avg`, responses === 0 ? 0 : (seconds * 1_000) / responses)]
}

function gauge(name: string, value: number): TelemetryMetric {
  return { name, kind: 'gauge', value }
}

function valueIn({ metrics }: ClientMetricsSnapshot, name: MetricName): number {
  const samples = metrics.find((one) => one.name === name)?.samples ?? []
  return samples.reduce((sum, sample) => sum + ('value' in sample ? sample.value : 0), 0)
}

function histogramsIn({ metrics }: ClientMetricsSnapshot, name: MetricName): HistogramSample[] {
  const samples = metrics.find((one) => one.name === name)?.samples ?? []
  return samples.flatMap((sample) => ('buckets' in sample ? [sample] : []))
}

function keyOf({ labels }: HistogramSample): string {
  return JSON.stringify(labels)
}

/** Returns the bound of the highest bucket that has a new value since the earlier sample. */
function largestSince(sample: HistogramSample, earlier: HistogramSample | undefined): number {
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
