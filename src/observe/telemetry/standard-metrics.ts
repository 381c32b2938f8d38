/**
 * Computes Kafka's standard client metrics (KIP-714) from the metrics of a client. Rates, averages and maxima cover the
 * time between two pushes: averages over the whole life of a client would hardly change after a day.
 */
import type { MetricName } from '../metrics/catalog.ts'
import type { ClientMetricsSnapshot, MetricLabels } from '../metrics/snapshot.ts'
import { Interval } from './interval.ts'
import type { TelemetryMetric } from './otlp.ts'

const PRODUCER = 'org.apache.kafka.producer.'
const CONSUMER = 'org.apache.kafka.consumer.'

export interface StandardMetricsOptions {
  /** The metrics at the last push. */
  readonly before: ClientMetricsSnapshot
  /** The metrics now. */
  readonly after: ClientMetricsSnapshot
  /** Whether sums cover the time since the last push rather than since the client was created. */
  readonly isDelta: boolean
  /** The ids of the brokers by address, for the label `node_id`. */
  readonly nodeIds: ReadonlyMap<string, number>
}

/**
 * Returns the standard metrics that apply: those of producers if the client has a producer or has produced, those of
 * consumers if it has a consumer or has consumed.
 */
export function standardMetrics(options: StandardMetricsOptions): TelemetryMetric[] {
  const names = new Set(options.after.metrics.map(({ name }) => name))
  const computed = new Computation(options)
  const found = [
    ...(names.has('samsa_producer_queued_messages') || names.has('samsa_producer_messages_total')
      ? ofProducers(computed)
      : []),
    ...(names.has('samsa_consumer_assigned_partitions') ||
    names.has('samsa_consumer_messages_total')
      ? ofConsumers(computed)
      : []),
  ]
  // Values that are not finite are left out, because a plugin could reject the whole push for one of them.
  return found.filter(({ value }) => Number.isFinite(value))
}

function ofProducers(computed: Computation): TelemetryMetric[] {
  const produceOnly = ({ api }: MetricLabels) => api === 'Produce'
  return [
    ...computed.connections(PRODUCER, ({ api }) => api !== 'Fetch'),
    ...computed.times(`${PRODUCER}record.queue.time`, 'samsa_producer_queue_duration_seconds'),
    ...computed.throttling(`${PRODUCER}produce.throttle.time`, produceOnly),
    ...computed.counter(`${PRODUCER}record.send`, 'samsa_producer_messages_total'),
    ...computed.counter(`${PRODUCER}record.error`, 'samsa_producer_failed_messages_total'),
    ...computed.sizes(`${PRODUCER}batch.size`, 'samsa_producer_batch_size_bytes'),
  ]
}

function ofConsumers(computed: Computation): TelemetryMetric[] {
  const coordinator = `${CONSUMER}coordinator.`
  const fetches = `${CONSUMER}fetch.manager.`
  const fetchOnly = ({ api }: MetricLabels) => api === 'Fetch'
  return [
    ...computed.connections(CONSUMER, ({ api }) => api !== 'Produce'),
    computed.gauge(`${coordinator}assigned.partitions`, 'samsa_consumer_assigned_partitions'),
    ...computed.times(`${coordinator}commit.latency`, 'samsa_consumer_commit_duration_seconds'),
    ...computed.times(
      `${coordinator}rebalance.latency`,
      'samsa_consumer_rebalance_duration_seconds',
    ),
    computed.totalTime(
      `${coordinator}rebalance.latency.total`,
      'samsa_consumer_rebalance_duration_seconds',
    ),
    ...computed.times(`${fetches}fetch.latency`, 'samsa_request_duration_seconds', fetchOnly),
    ...computed.throttling(`${fetches}fetch.throttle.time`, fetchOnly),
    ...computed.counter(`${fetches}records.consumed`, 'samsa_consumer_messages_total'),
    ...computed.counter(`${fetches}bytes.consumed`, 'samsa_consumer_fetched_bytes_total'),
    ...computed.largest(`${fetches}records.lag.max`, 'samsa_consumer_lag_messages'),
  ]
}

/** The kinds of metrics, computed for one push. */
class Computation {
  readonly #interval: Interval
  readonly #isDelta: boolean
  readonly #nodeIds: ReadonlyMap<string, number>

  constructor({ before, after, isDelta, nodeIds }: StandardMetricsOptions) {
    this.#interval = new Interval(before, after)
    this.#isDelta = isDelta
    this.#nodeIds = nodeIds
  }

  gauge(name: string, metric: MetricName): TelemetryMetric {
    return gauge(name, this.#interval.value(metric))
  }

  /** The largest value of a gauge; none if the gauge has no value. */
  largest(name: string, metric: MetricName): TelemetryMetric[] {
    const value = this.#interval.largest(metric)
    return value === undefined ? [] : [gauge(name, value)]
  }

  /** A counter's rate per second, and its total. */
  counter(name: string, metric: MetricName): TelemetryMetric[] {
    const growth = this.#interval.growth(metric)
    const total = this.#isDelta ? growth : this.#interval.value(metric)
    return [
      gauge(`${name}.rate`, growth / this.#interval.seconds),
      { name: `${name}.total`, kind: 'sum', value: total },
    ]
  }

  /** The sum of durations, in milliseconds. */
  totalTime(name: string, metric: MetricName): TelemetryMetric {
    const seconds = this.#isDelta
      ? (this.#interval.distribution(metric)?.sum ?? 0)
      : this.#interval.totals(metric).sum
    return { name, kind: 'sum', value: seconds * 1_000 }
  }

  /** The average and the maximum of durations, in milliseconds; none without a value in the interval. */
  times(
    name: string,
    metric: MetricName,
    passes?: (labels: MetricLabels) => boolean,
    attributes?: Readonly<Record<string, string>>,
  ): TelemetryMetric[] {
    const found = this.#interval.distribution(metric, passes)
    if (found === undefined) return []
    return [
      gauge(`${name}.avg`, found.mean * 1_000, attributes),
      gauge(`${name}.max`, found.max * 1_000, attributes),
    ]
  }

  /** The average and the maximum of sizes in bytes. */
  sizes(name: string, metric: MetricName): TelemetryMetric[] {
    const found = this.#interval.distribution(metric)
    if (found === undefined) return []
    return [gauge(`${name}.avg`, found.mean), gauge(`${name}.max`, found.max)]
  }

  /** The throttle time of an API, in milliseconds. Responses without one count as 0, as in the Java client. */
  throttling(name: string, passes: (labels: MetricLabels) => boolean): TelemetryMetric[] {
    const responses = this.#interval.distribution('samsa_request_duration_seconds', passes)
    if (responses === undefined) return []
    const throttled = this.#interval.distribution('samsa_throttle_duration_seconds', passes)
    return [
      gauge(`${name}.avg`, ((throttled?.sum ?? 0) * 1_000) / responses.count),
      gauge(`${name}.max`, (throttled?.max ?? 0) * 1_000),
    ]
  }

  /** Connections, and the latency of the requests to each node. */
  connections(prefix: string, isCounted: (labels: MetricLabels) => boolean): TelemetryMetric[] {
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
}

function gauge(
  name: string,
  value: number,
  attributes: Readonly<Record<string, string>> = {},
): TelemetryMetric {
  return { name, kind: 'gauge', value, attributes }
}
