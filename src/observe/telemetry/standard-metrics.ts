/**
 * Computes Kafka's standard client metrics (KIP-714) from the metrics of a client. Rates, averages and maxima cover the
 * time between two pushes: averages over the whole life of a client would hardly change after a day.
 */
import type { MetricLabels } from '../metrics/snapshot.ts'
import { Computation, type ComputationOptions } from './computation.ts'
import type { Passes } from './interval.ts'
import type { TelemetryMetric } from './otlp.ts'

const PRODUCER = 'org.apache.kafka.producer.'
const CONSUMER = 'org.apache.kafka.consumer.'
const SHARE = `${CONSUMER}share.`

/**
 * Returns the standard metrics that apply: those of producers if the client has a producer or has produced, those of
 * consumers and of share consumers if it has one or has consumed by one.
 */
export function standardMetrics(options: ComputationOptions): TelemetryMetric[] {
  const computed = new Computation(options)
  const found = [
    ...(computed.has('samsa_producer_queued_messages') ||
    computed.has('samsa_producer_messages_total')
      ? ofProducers(computed)
      : []),
    ...ofAllConsumers(computed),
  ]
  // Values that are not finite are left out, because a plugin could reject the whole push for one of them.
  return found.filter(({ value }) => Number.isFinite(value))
}

function ofProducers(computed: Computation): TelemetryMetric[] {
  const produceOnly = ({ api }: MetricLabels) => api === 'Produce'
  const isOfConsumers = ({ api }: MetricLabels) => api === 'Fetch' || api === 'ShareFetch'
  return [
    ...computed.connections(PRODUCER, (labels) => !isOfConsumers(labels)),
    ...computed.times(`${PRODUCER}record.queue.time`, 'samsa_producer_queue_duration_seconds'),
    ...computed.throttling(`${PRODUCER}produce.throttle.time`, produceOnly),
    ...computed.counter(`${PRODUCER}record.send`, 'samsa_producer_messages_total'),
    ...computed.counter(`${PRODUCER}record.error`, 'samsa_producer_failed_messages_total'),
    ...computed.sizes(`${PRODUCER}batch.size`, 'samsa_producer_batch_size_bytes'),
  ]
}

function ofAllConsumers(computed: Computation): TelemetryMetric[] {
  const { shareGroups } = computed
  const isShared = ({ group }: MetricLabels) => group !== undefined && shareGroups.has(group)
  const isOwned = (labels: MetricLabels) => !isShared(labels)
  const hasOwned =
    computed.has('samsa_consumer_assigned_partitions', isOwned) ||
    computed.has('samsa_consumer_messages_total', isOwned)
  if (!hasOwned && shareGroups.size === 0) return []
  return [
    ...computed.connections(CONSUMER, ({ api }) => api !== 'Produce'),
    ...(hasOwned ? ofConsumers(computed, isOwned) : []),
    ...(shareGroups.size > 0 ? ofShareConsumers(computed, isShared) : []),
  ]
}

function ofConsumers(computed: Computation, isOwned: Passes): TelemetryMetric[] {
  const coordinator = `${CONSUMER}coordinator.`
  const fetches = `${CONSUMER}fetch.manager.`
  const fetchOnly = ({ api }: MetricLabels) => api === 'Fetch'
  return [
    computed.gauge(
      `${coordinator}assigned.partitions`,
      'samsa_consumer_assigned_partitions',
      isOwned,
    ),
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
    ...computed.counter(`${fetches}records.consumed`, 'samsa_consumer_messages_total', isOwned),
    ...computed.counter(`${fetches}bytes.consumed`, 'samsa_consumer_fetched_bytes_total', isOwned),
    ...computed.largest(`${fetches}records.lag.max`, 'samsa_consumer_lag_messages'),
  ]
}

/** The metrics of Java's share consumer (KIP-932). */
function ofShareConsumers(computed: Computation, isShared: Passes): TelemetryMetric[] {
  const coordinator = `${SHARE}coordinator.`
  const fetches = `${SHARE}fetch.manager.`
  const heartbeats = 'samsa_consumer_heartbeat_duration_seconds'
  const requests = 'samsa_request_duration_seconds'
  const accepted = 'samsa_share_acknowledgements_total'
  const failed = 'samsa_share_failed_acknowledgements_total'
  const fetchOnly = ({ api }: MetricLabels) => api === 'ShareFetch'
  return [
    ...computed.largest(`${SHARE}last.poll.seconds.ago`, 'samsa_share_last_poll_age_seconds'),
    ...computed.largest(
      `${coordinator}last.heartbeat.seconds.ago`,
      'samsa_share_last_heartbeat_age_seconds',
    ),
    ...computed.times(`${SHARE}time.between.poll`, 'samsa_share_poll_interval_seconds'),
    ...computed.ratio(
      `${SHARE}poll.idle.ratio.avg`,
      'samsa_share_wait_duration_seconds',
      'samsa_share_poll_interval_seconds',
    ),
    ...computed.events(`${coordinator}heartbeat`, heartbeats, isShared),
    ...computed.longest(`${coordinator}heartbeat.response.time.max`, heartbeats, isShared),
    ...computed.perHour(`${coordinator}rebalance`, 'samsa_share_assignments_total'),
    ...computed.sizes(`${fetches}fetch.size`, 'samsa_consumer_fetch_size_bytes', isShared),
    ...computed.counter(`${fetches}bytes.consumed`, 'samsa_consumer_fetched_bytes_total', isShared),
    ...computed.sizes(`${fetches}records.per.request`, 'samsa_share_fetch_messages'),
    ...computed.counter(
      `${fetches}records.consumed`,
      'samsa_consumer_fetched_messages_total',
      isShared,
    ),
    ...computed.counters(`${fetches}acknowledgements.send`, [accepted, failed]),
    ...computed.counter(`${fetches}acknowledgements.error`, failed),
    ...computed.times(`${fetches}fetch.latency`, requests, fetchOnly),
    ...computed.events(`${fetches}fetch`, requests, fetchOnly),
    ...computed.throttling(`${fetches}fetch.throttle.time`, fetchOnly),
  ]
}
