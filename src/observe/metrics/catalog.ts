/** Declares the metrics of a client. The list in docs/metrics.md and all exporters are generated from it. */

/** The labels of metrics. All metrics have `client_id`. */
export type MetricLabel = 'client_id' | 'broker' | 'api' | 'topic' | 'group' | 'partition' | 'error'

/** The unit of a metric's values. */
export type MetricUnit =
  | 'seconds'
  | 'bytes'
  | 'messages'
  | 'batches'
  | 'requests'
  | 'connections'
  | 'partitions'
  | 'ratio'
  | 'events'

/** A metric of the catalog. */
export interface MetricDeclaration {
  /** A `counter` only grows while the client exists, a `gauge` is a current value, a `histogram` is a distribution. */
  readonly kind: 'counter' | 'gauge' | 'histogram'
  /** The unit of the values. */
  readonly unit: MetricUnit
  /** The labels of the metric in addition to `client_id`. */
  readonly labels: readonly Exclude<MetricLabel, 'client_id'>[]
  /** What the metric means, in a sentence. */
  readonly description: string
}

const broker = ['broker'] as const
const topic = ['topic'] as const
const group = ['group'] as const
const groupTopic = ['group', 'topic'] as const

/** The metrics by name. The names follow the naming rules of Prometheus. */
export const METRICS = {
  samsa_request_duration_seconds: {
    kind: 'histogram',
    unit: 'seconds',
    labels: ['api', 'broker'],
    description: 'The time from writing a request to its response.',
  },
  samsa_request_failures_total: {
    kind: 'counter',
    unit: 'requests',
    labels: ['api', 'broker'],
    description: 'Requests that ended without a response: a timeout, or a lost connection.',
  },
  samsa_requests_in_flight: {
    kind: 'gauge',
    unit: 'requests',
    labels: broker,
    description:
      'Requests that were written and have no response yet, long polls of consumers included.',
  },
  samsa_request_size_bytes: {
    kind: 'histogram',
    unit: 'bytes',
    labels: broker,
    description: 'The sizes of requests. Their sum is the number of bytes sent.',
  },
  samsa_response_size_bytes: {
    kind: 'histogram',
    unit: 'bytes',
    labels: broker,
    description: 'The sizes of responses. Their sum is the number of bytes received.',
  },
  samsa_throttle_duration_seconds: {
    kind: 'histogram',
    unit: 'seconds',
    labels: ['api', 'broker'],
    description:
      'The throttle times in responses of brokers that throttle the client because of a quota.',
  },
  samsa_connections_open: {
    kind: 'gauge',
    unit: 'connections',
    labels: broker,
    description: 'Connections that are ready for requests.',
  },
  samsa_connections_opened_total: {
    kind: 'counter',
    unit: 'connections',
    labels: broker,
    description: 'Connections that were opened and completed TLS and login.',
  },
  samsa_connection_failures_total: {
    kind: 'counter',
    unit: 'connections',
    labels: broker,
    description: 'Connections that could not be opened.',
  },
  samsa_retries_total: {
    kind: 'counter',
    unit: 'events',
    labels: ['error'],
    description: 'Retries of operations, by the code of the error that caused them.',
  },
  samsa_producer_messages_total: {
    kind: 'counter',
    unit: 'messages',
    labels: topic,
    description: 'Messages that were acknowledged.',
  },
  samsa_producer_failed_messages_total: {
    kind: 'counter',
    unit: 'messages',
    labels: topic,
    description:
      'Messages that could not be delivered, including those that `produce` refused immediately.',
  },
  samsa_producer_bytes_total: {
    kind: 'counter',
    unit: 'bytes',
    labels: topic,
    description: 'The bytes of acknowledged batches, before compression.',
  },
  samsa_producer_batches_total: {
    kind: 'counter',
    unit: 'batches',
    labels: topic,
    description: 'Batches that were acknowledged.',
  },
  samsa_producer_sent_batches_total: {
    kind: 'counter',
    unit: 'batches',
    labels: topic,
    description: 'Batches that were written to a broker, each attempt counted.',
  },
  samsa_producer_sent_bytes_total: {
    kind: 'counter',
    unit: 'bytes',
    labels: topic,
    description:
      'The bytes of batches that were written to a broker, compressed, each attempt counted.',
  },
  samsa_producer_uncompressed_bytes_total: {
    kind: 'counter',
    unit: 'bytes',
    labels: topic,
    description:
      'The bytes of batches that were written to a broker, before compression, each attempt counted.',
  },
  samsa_producer_compression_ratio: {
    kind: 'gauge',
    unit: 'ratio',
    labels: topic,
    description:
      'Sent bytes divided by uncompressed bytes since the client was created; 1 without compression.',
  },
  samsa_producer_batch_size_bytes: {
    kind: 'histogram',
    unit: 'bytes',
    labels: [],
    description: 'The size of each batch that is sent, compressed.',
  },
  samsa_producer_batch_messages: {
    kind: 'histogram',
    unit: 'messages',
    labels: [],
    description: 'The number of messages in each batch that is sent.',
  },
  samsa_producer_queue_duration_seconds: {
    kind: 'histogram',
    unit: 'seconds',
    labels: [],
    description: "The time from a batch's first message to its first attempt.",
  },
  samsa_producer_delivery_duration_seconds: {
    kind: 'histogram',
    unit: 'seconds',
    labels: [],
    description: "The time from a batch's first message to its acknowledgement.",
  },
  samsa_producer_queued_messages: {
    kind: 'gauge',
    unit: 'messages',
    labels: [],
    description: 'Messages that are neither acknowledged nor failed.',
  },
  samsa_producer_queued_bytes: {
    kind: 'gauge',
    unit: 'bytes',
    labels: [],
    description: 'The bytes of messages that are neither acknowledged nor failed.',
  },
  samsa_producer_queue_limit_bytes: {
    kind: 'gauge',
    unit: 'bytes',
    labels: [],
    description: 'The sum of `maxQueuedBytes` of all open producers.',
  },
  samsa_producer_oldest_message_age_seconds: {
    kind: 'gauge',
    unit: 'seconds',
    labels: [],
    description: 'The age of the oldest message that is not acknowledged; 0 without one.',
  },
  samsa_consumer_messages_total: {
    kind: 'counter',
    unit: 'messages',
    labels: groupTopic,
    description: 'Messages that were delivered to the application.',
  },
  samsa_consumer_fetched_messages_total: {
    kind: 'counter',
    unit: 'messages',
    labels: groupTopic,
    description:
      'Messages that were fetched, as the headers of batches count them. Of share consumers: those that were acquired.',
  },
  samsa_consumer_fetched_bytes_total: {
    kind: 'counter',
    unit: 'bytes',
    labels: groupTopic,
    description: 'The bytes of records that were fetched, compressed.',
  },
  samsa_consumer_fetch_size_bytes: {
    kind: 'histogram',
    unit: 'bytes',
    labels: group,
    description: 'The bytes of records in each fetch response that has records, compressed.',
  },
  samsa_consumer_buffered_messages: {
    kind: 'gauge',
    unit: 'messages',
    labels: groupTopic,
    description: 'Messages that were fetched and are not decoded yet.',
  },
  samsa_consumer_buffered_bytes: {
    kind: 'gauge',
    unit: 'bytes',
    labels: groupTopic,
    description: 'The bytes of messages that were fetched and are not decoded yet, compressed.',
  },
  samsa_consumer_assigned_partitions: {
    kind: 'gauge',
    unit: 'partitions',
    labels: groupTopic,
    description: 'Partitions that the consumers read.',
  },
  samsa_consumer_lag_messages: {
    kind: 'gauge',
    unit: 'messages',
    labels: ['group', 'topic', 'partition'],
    description:
      'Offsets from the position to the end of the log at the last fetch. Without the label `partition`: the sum of the partitions.',
  },
  samsa_consumer_lag_seconds: {
    kind: 'gauge',
    unit: 'seconds',
    labels: ['group', 'topic', 'partition'],
    description:
      'The age of the next message, by its timestamp; 0 at the end of the log. Without the label `partition`: the largest of the partitions.',
  },
  samsa_consumer_handler_duration_seconds: {
    kind: 'histogram',
    unit: 'seconds',
    labels: group,
    description:
      'The time that a handler of `run`, `runBatches` or `transact` takes for a message. For batches, and for handlers that return no promise, it is the mean of several messages.',
  },
  samsa_consumer_handler_failures_total: {
    kind: 'counter',
    unit: 'messages',
    labels: group,
    description:
      'Messages for which a handler of `run` threw, and batches for which one of `runBatches` or `transact` threw.',
  },
  samsa_consumer_commit_duration_seconds: {
    kind: 'histogram',
    unit: 'seconds',
    labels: group,
    description: 'The time that commits of offsets take, with their retries.',
  },
  samsa_consumer_commit_failures_total: {
    kind: 'counter',
    unit: 'events',
    labels: group,
    description: 'Commits that failed for at least one partition.',
  },
  samsa_consumer_heartbeat_duration_seconds: {
    kind: 'histogram',
    unit: 'seconds',
    labels: group,
    description: 'The time from a heartbeat to its response.',
  },
  samsa_consumer_heartbeat_failures_total: {
    kind: 'counter',
    unit: 'events',
    labels: group,
    description: 'Heartbeats that failed, including those whose response announces a rebalance.',
  },
  samsa_consumer_rebalance_duration_seconds: {
    kind: 'histogram',
    unit: 'seconds',
    labels: group,
    description: 'The duration of rebalances that change the assignment.',
  },
  samsa_consumer_lost_partitions_total: {
    kind: 'counter',
    unit: 'partitions',
    labels: group,
    description: 'Partitions that were lost without a chance to commit.',
  },
  samsa_share_acknowledgements_total: {
    kind: 'counter',
    unit: 'messages',
    labels: groupTopic,
    description:
      'Acknowledgements of share consumers that brokers have applied, one for each message.',
  },
  samsa_share_failed_acknowledgements_total: {
    kind: 'counter',
    unit: 'messages',
    labels: groupTopic,
    description:
      'Acknowledgements of share consumers without effect: late ones, and those that were lost with a connection.',
  },
  samsa_share_assignments_total: {
    kind: 'counter',
    unit: 'events',
    labels: group,
    description: 'Assignments that share consumers have received.',
  },
  samsa_share_fetch_messages: {
    kind: 'histogram',
    unit: 'messages',
    labels: group,
    description: 'The number of messages in each response in which a share consumer acquires some.',
  },
  samsa_share_poll_interval_seconds: {
    kind: 'histogram',
    unit: 'seconds',
    labels: group,
    description:
      'The time between two polls of a share consumer: requests for a message that find none in its buffer.',
  },
  samsa_share_last_poll_age_seconds: {
    kind: 'gauge',
    unit: 'seconds',
    labels: group,
    description:
      'The time since the last poll of a share consumer began; none before its first. The longest of the open consumers.',
  },
  samsa_share_last_heartbeat_age_seconds: {
    kind: 'gauge',
    unit: 'seconds',
    labels: group,
    description:
      'The time since a share consumer sent its last heartbeat. The longest of the open consumers.',
  },
  samsa_share_wait_duration_seconds: {
    kind: 'histogram',
    unit: 'seconds',
    labels: group,
    description: 'The time for which each poll of a share consumer waits for messages.',
  },
  samsa_dead_letters_total: {
    kind: 'counter',
    unit: 'messages',
    labels: topic,
    description:
      'Messages that `withDeadLetters` sent to a dead-letter topic, by the topic that they were read from.',
  },
} as const satisfies Readonly<Record<string, MetricDeclaration>>

/** The name of a metric. */
export type MetricName = keyof typeof METRICS

type NamesOf<Kind> = {
  [Name in MetricName]: (typeof METRICS)[Name]['kind'] extends Kind ? Name : never
}[MetricName]

export type NumberName = NamesOf<'counter' | 'gauge'>
export type HistogramName = NamesOf<'histogram'>
