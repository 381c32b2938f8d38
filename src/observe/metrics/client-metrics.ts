/**
 * The counters of a client: plain fields, which the code that handles an event increments. Each request, response and
 * batch increments a few of them, a message none. Sums, quantiles and ratios are computed only for a snapshot.
 */
import { KafkaError } from '../../errors.ts'
import type { HealthReason } from './health.ts'
import { Histogram } from './histogram.ts'
import { LabelMap } from './label-map.ts'
import { ShareGroupMetrics } from './share-metrics.ts'
import { Collector, type ClientMetricsSnapshot, type MetricLabels } from './snapshot.ts'

/** How many values of a label have counters of their own. docs/metrics.md states the limits that users may reach. */
const MOST_BROKERS = 500
const MOST_APIS = 100
const MOST_TOPICS = 1_000
const MOST_GROUPS = 100
const MOST_ERRORS = 200

/** Requests of one API to one broker. */
export class ApiMetrics {
  readonly duration = new Histogram()
  readonly throttled = new Histogram()
  failures = 0
}

/** Connections to one address. Written by Connection and openSession. */
export class BrokerMetrics {
  readonly apis = new LabelMap(MOST_APIS, () => new ApiMetrics())
  readonly requestBytes = new Histogram()
  readonly responseBytes = new Histogram()
  inFlight = 0
  open = 0
  opened = 0
  failed = 0
}

/** Messages that are produced to one topic. Written by Sink and Settlement. */
export class ProducedMetrics {
  messages = 0
  failedMessages = 0
  bytes = 0
  batches = 0
  sentBatches = 0
  sentBytes = 0
  uncompressedBytes = 0
}

/** Messages of one topic that the consumers of one group read. */
export class ConsumedMetrics {
  fetchedMessages = 0
  fetchedBytes = 0
  /** Messages delivered from partitions that are no longer assigned. */
  deliveredBefore = 0
  /** Messages delivered from assigned partitions: the sources add them up while a snapshot is taken. */
  deliveredNow = 0
  /** The total in the last snapshot. */
  #delivered = 0

  /**
   * Returns the total for a snapshot, and resets `deliveredNow` for the next one. The total is a counter, so it does
   * not shrink when a handler gives a message back.
   */
  takeDelivered(): number {
    this.#delivered = Math.max(this.#delivered, this.deliveredBefore + this.deliveredNow)
    this.deliveredNow = 0
    return this.#delivered
  }
}

/** The counters of all consumers with one value of the label `group`, or without a group. */
export class GroupMetrics {
  /** The value of the label: `(other)` for the groups beyond the limit, undefined without a group. */
  readonly label: string | undefined
  readonly topics = new LabelMap(MOST_TOPICS, () => new ConsumedMetrics())
  readonly fetchBytes = new Histogram()
  readonly handlerDuration = new Histogram()
  handlerFailures = 0
  readonly commitDuration = new Histogram()
  commitFailures = 0
  readonly heartbeatDuration = new Histogram()
  heartbeatFailures = 0
  readonly rebalanceDuration = new Histogram()
  lostPartitions = 0
  #share: ShareGroupMetrics | undefined

  constructor(label: string | undefined) {
    this.label = label
  }

  /** What is counted only if the group is a share group. */
  get share(): ShareGroupMetrics {
    return (this.#share ??= new ShareGroupMetrics(MOST_TOPICS))
  }

  /** The labels of a gauge of this group and a topic. */
  labelsOf(topic: string): MetricLabels {
    return this.label === undefined ? { topic } : { group: this.label, topic }
  }

  collectShare(into: Collector, group: string): void {
    this.#share?.collect(into, group)
  }
}

/** A consumer's identity in events, and the counters that it shares with the other consumers of its group. */
export interface ConsumerMetrics {
  readonly client: ClientMetrics
  /** The name of the group, even where the counters are those of `(other)`; undefined without a group. */
  readonly group: string | undefined
  readonly counted: GroupMetrics
}

/** An open producer or consumer. A snapshot collects its current values from it. */
export interface MetricsSource {
  collect(into: Collector): void
  /** Returns why it cannot work; empty if it can. */
  healthReasons(): readonly HealthReason[]
}

/** The result of the last attempt to connect: for the health of a client without an open connection. */
export type LastConnection = 'none' | 'opened' | 'failed'

export class ClientMetrics {
  readonly clientId: string
  readonly #since = Date.now()
  readonly #brokers = new LabelMap(MOST_BROKERS, () => new BrokerMetrics())
  readonly #produced = new LabelMap(MOST_TOPICS, () => new ProducedMetrics())
  readonly #ungrouped = new GroupMetrics(undefined)
  readonly #groups = new LabelMap(MOST_GROUPS, (label) => new GroupMetrics(label))
  readonly #retries = new LabelMap(MOST_ERRORS, () => ({ count: 0 }))
  readonly #deadLetters = new LabelMap(MOST_TOPICS, () => ({ count: 0 }))
  readonly #sources = new Set<MetricsSource>()
  readonly batchBytes = new Histogram()
  readonly batchMessages = new Histogram()
  readonly queueDuration = new Histogram()
  readonly deliveryDuration = new Histogram()
  lastConnection: LastConnection = 'none'
  /** The id of the cluster, once it is known. Written by BrokerPool. */
  clusterId: string | undefined

  constructor(clientId: string) {
    this.clientId = clientId
  }

  broker(address: string): BrokerMetrics {
    return this.#brokers.of(address)
  }

  produced(topic: string): ProducedMetrics {
    return this.#produced.of(topic)
  }

  /** Returns the counters of a group, or of the consumers without one. */
  group(name: string | undefined): GroupMetrics {
    return name === undefined ? this.#ungrouped : this.#groups.of(name)
  }

  consumer(group: string | undefined): ConsumerMetrics {
    return { client: this, group, counted: this.group(group) }
  }

  retried(error: Error): void {
    this.#retries.of(error instanceof KafkaError ? error.code : error.name).count++
  }

  deadLetter(topic: string): void {
    this.#deadLetters.of(topic).count++
  }

  add(source: MetricsSource): void {
    this.#sources.add(source)
  }

  remove(source: MetricsSource): void {
    this.#sources.delete(source)
  }

  /** Whether a connection is ready for requests. */
  get isConnected(): boolean {
    for (const [, { open }] of this.#brokers) if (open > 0) return true
    return false
  }

  /** Returns the reasons of all open producers and consumers. */
  healthReasons(): HealthReason[] {
    return [...this.#sources].flatMap((source) => source.healthReasons())
  }

  snapshot(byPartition: boolean): ClientMetricsSnapshot {
    const into = new Collector(this.clientId, byPartition)
    this.#collectBrokers(into)
    this.#collectProduced(into)
    for (const source of this.#sources) source.collect(into)
    this.#collectConsumer(into, this.#ungrouped)
    for (const [, counted] of this.#groups) this.#collectConsumer(into, counted)
    for (const [error, { count }] of this.#retries)
      into.add('samsa_retries_total', { error }, count)
    for (const [topic, { count }] of this.#deadLetters) {
      into.add('samsa_dead_letters_total', { topic }, count)
    }
    const { clientId, clusterId } = this
    return { clientId, clusterId, time: Date.now(), since: this.#since, metrics: into.metrics }
  }

  #collectBrokers(into: Collector): void {
    for (const [broker, counted] of this.#brokers) {
      const labels = { broker }
      for (const [api, { duration, throttled, failures }] of counted.apis) {
        into.histogram('samsa_request_duration_seconds', { api, broker }, duration)
        into.histogram('samsa_throttle_duration_seconds', { api, broker }, throttled)
        into.add('samsa_request_failures_total', { api, broker }, failures)
      }
      into.add('samsa_requests_in_flight', labels, counted.inFlight)
      into.histogram('samsa_request_size_bytes', labels, counted.requestBytes)
      into.histogram('samsa_response_size_bytes', labels, counted.responseBytes)
      into.add('samsa_connections_open', labels, counted.open)
      into.add('samsa_connections_opened_total', labels, counted.opened)
      into.add('samsa_connection_failures_total', labels, counted.failed)
    }
  }

  #collectProduced(into: Collector): void {
    for (const [topic, counted] of this.#produced) {
      const labels = { topic }
      into.add('samsa_producer_messages_total', labels, counted.messages)
      into.add('samsa_producer_failed_messages_total', labels, counted.failedMessages)
      into.add('samsa_producer_bytes_total', labels, counted.bytes)
      into.add('samsa_producer_batches_total', labels, counted.batches)
      into.add('samsa_producer_sent_batches_total', labels, counted.sentBatches)
      into.add('samsa_producer_sent_bytes_total', labels, counted.sentBytes)
      into.add('samsa_producer_uncompressed_bytes_total', labels, counted.uncompressedBytes)
      if (counted.uncompressedBytes === 0) continue
      const ratio = counted.sentBytes / counted.uncompressedBytes
      into.add('samsa_producer_compression_ratio', labels, ratio)
    }
    into.histogram('samsa_producer_batch_size_bytes', {}, this.batchBytes)
    into.histogram('samsa_producer_batch_messages', {}, this.batchMessages)
    into.histogram('samsa_producer_queue_duration_seconds', {}, this.queueDuration)
    into.histogram('samsa_producer_delivery_duration_seconds', {}, this.deliveryDuration)
  }

  #collectConsumer(into: Collector, consumer: GroupMetrics): void {
    const { label: group } = consumer
    const labels = group === undefined ? {} : { group }
    for (const [topic, counted] of consumer.topics) {
      const ofTopic = { ...labels, topic }
      into.add('samsa_consumer_messages_total', ofTopic, counted.takeDelivered())
      into.add('samsa_consumer_fetched_messages_total', ofTopic, counted.fetchedMessages)
      into.add('samsa_consumer_fetched_bytes_total', ofTopic, counted.fetchedBytes)
    }
    into.histogram('samsa_consumer_fetch_size_bytes', labels, consumer.fetchBytes)
    into.histogram('samsa_consumer_handler_duration_seconds', labels, consumer.handlerDuration)
    if (consumer.handlerDuration.count + consumer.handlerFailures > 0) {
      into.add('samsa_consumer_handler_failures_total', labels, consumer.handlerFailures)
    }
    if (group === undefined) return
    into.histogram('samsa_consumer_commit_duration_seconds', labels, consumer.commitDuration)
    into.add('samsa_consumer_commit_failures_total', labels, consumer.commitFailures)
    into.histogram('samsa_consumer_heartbeat_duration_seconds', labels, consumer.heartbeatDuration)
    into.add('samsa_consumer_heartbeat_failures_total', labels, consumer.heartbeatFailures)
    into.histogram('samsa_consumer_rebalance_duration_seconds', labels, consumer.rebalanceDuration)
    into.add('samsa_consumer_lost_partitions_total', labels, consumer.lostPartitions)
    consumer.collectShare(into, group)
  }
}
