import type {
  BalancedTopicsConsumer,
  BalancedTopicsConsumerOptions,
} from './balanced/balanced-topics-consumer.ts'
import type { Admin } from './admin/admin.ts'
import type { AdminContext } from './admin/context.ts'
import { lazyAdmin } from './admin/lazy-admin.ts'
import type { Brokers } from './brokers.ts'
import { clusterOptions, type KafkaClientOptions } from './client-options.ts'
import { deadlineOf, type CallOptions } from './call-options.ts'
import type { Deadline } from './async/deadline.ts'
import { Cluster } from './cluster/cluster.ts'
import { Consumer, type TopicsConsumerOptions } from './consumer/consumer.ts'
import { ClosedError, InvalidArgumentError } from './errors.ts'
import { KafkaCluster } from './kafka-cluster.ts'
import type { BodyFor } from './network/broker.ts'
import { requestSettings, type RequestOptions } from './request.ts'
import type { Api } from '../protocol/schema/api.ts'
import type { Decoded, Fields } from '../protocol/schema/fields.ts'
import { clientChannel, type ClientCreatedEvent } from './observe/channels.ts'
import { healthOf, type ClientHealth, type HealthReason } from './observe/metrics/health.ts'
import type { ClientMetricsSnapshot } from './observe/metrics/snapshot.ts'
import {
  ApplicationMetrics,
  type ApplicationMetric,
} from './observe/telemetry/application-metrics.ts'
import { OpenResources } from './open-resources.ts'
import { readOptions, type OptionTable } from './option-table.ts'
import { aBoolean, shown } from './options.ts'
import { MultiTopicProducer } from './producer/multi-topic-producer.ts'
import type { ProducerOptions } from './producer/options.ts'
import type { TransactionalProducerOptions } from './producer/transactions/options.ts'
import { TransactionalProducer } from './producer/transactions/transactional-producer.ts'
import type { Data } from './producer/intake/serialize.ts'
import type { ShareConsumerOptions } from './share/options.ts'
import type { ShareConsumer } from './share/share-consumer.ts'
import { Telemetry } from './telemetry.ts'
import { Topic } from './topic.ts'
import { Topics } from './topics.ts'

/** The options of `client.metrics()`. */
export interface MetricsOptions {
  /**
   * Whether lag has a value for each partition, with the label `partition`, instead of one for each topic.
   * Default: false.
   */
  readonly partitions?: boolean
}

/** The checks and defaults of `MetricsOptions`. */
export const METRICS_OPTIONS = {
  partitions: { check: aBoolean, default: false },
} as const satisfies OptionTable<MetricsOptions>

/** How long `close` waits for the last push of metrics, if a broker has requested them. */
const LAST_PUSH_MS = 1_000
/** How long `close` waits for requests in flight to finish. */
const CLOSE_GRACE_MS = 5_000

/**
 * A Kafka cluster. Creating a client does no I/O: connections are opened for the first request.
 *
 * ```ts
 * await using client = new KafkaClient({ hosts: 'localhost:9092' })
 * const topic = client.topic('page-views')
 * ```
 */
export class KafkaClient implements AsyncDisposable {
  readonly #cluster: Cluster
  readonly #topics = new Map<string, Topic>()
  readonly #resources = new OpenResources()
  #closing: Promise<void> | undefined
  #admin: Admin | undefined
  #kafkaCluster: KafkaCluster | undefined
  readonly #adminContext: AdminContext
  readonly #applicationMetrics = new ApplicationMetrics()
  readonly #telemetry: Telemetry | undefined

  /** Throws InvalidArgumentError for an unknown option, or a value that is not valid. */
  constructor(options: KafkaClientOptions = {}) {
    this.#cluster = new Cluster(clusterOptions(options))
    this.#adminContext = {
      cluster: this.#cluster,
      checkOpen: () => {
        if (this.#closing !== undefined) throw new ClosedError('client')
      },
    }
    if (this.#cluster.options.pushesMetrics) {
      this.#telemetry = new Telemetry(this.#cluster, () => this.metrics(), this.#applicationMetrics)
    }
    if (clientChannel.hasSubscribers) {
      const event: ClientCreatedEvent = {
        clientId: this.#cluster.options.metrics.clientId,
        metrics: () => this.metrics(),
        isClosed: () => this.#closing !== undefined,
      }
      clientChannel.publish(event)
    }
  }

  /** The number of this client within the process. The events in docs/observability.md contain it. */
  get instanceId(): number {
    return this.#cluster.options.broker.instanceId ?? 0
  }

  /** The administration of the cluster (docs/admin.md): topics, records, groups, offsets, lag. */
  get admin(): Admin {
    this.#admin ??= lazyAdmin(this.#adminContext)
    return this.#admin
  }

  /** The cluster: its id, controller, brokers, coordinators, API versions and groups. */
  get cluster(): KafkaCluster {
    this.#kafkaCluster ??= new KafkaCluster(
      this.#adminContext,
      this.admin,
      new Topics(this.admin, (name) => this.topic(name)),
    )
    return this.#kafkaCluster
  }

  /** The topics of the cluster: `await client.topics.list()`, `has(name)`, `get(name)`, or `for await`. */
  get topics(): Topics {
    return this.cluster.topics
  }

  /** The brokers of the cluster: `await client.brokers.list()`, `has(id)`, `get(id)`, or `for await`. */
  get brokers(): Brokers {
    return this.cluster.brokers
  }

  /**
   * Looks up the brokers, the controller, and the leaders of the topics that the client knows. The client also does
   * this by itself: after errors, and every `metadataMaxAgeMs`. Throws ClosedError, BrokerError,
   * NoBrokersAvailableError, RequestTimeoutError.
   */
  updateCluster(call: CallOptions = {}): Promise<void> {
    return this.cluster.update(call)
  }

  /**
   * Returns the counters and the current state of the client, its producers and its consumers, as plain data:
   * docs/metrics.md lists the metrics. The client always counts, even if nothing reads the metrics; this call does no
   * I/O, and also works after `close()`. Throws InvalidArgumentError.
   */
  metrics(options: MetricsOptions = {}): ClientMetricsSnapshot {
    const { partitions } = readOptions<MetricsOptions, typeof METRICS_OPTIONS>(
      'metrics',
      options,
      METRICS_OPTIONS,
    )
    return this.#cluster.options.metrics.snapshot(partitions)
  }

  /**
   * Adds a metric of the application to those that the client pushes to brokers that request them (KIP-1076, Java's
   * `registerMetricForSubscription`). It replaces one with the same name and attributes. Returns a function that removes
   * the metric. A metric whose `read` fails is left out of the push, and affects nothing else. Has no effect with
   * `enableMetricsPush: false`. Throws InvalidArgumentError.
   *
   * ```ts
   * const remove = client.registerMetric({
   *   name: 'com.example.orders.pending',
   *   kind: 'gauge',
   *   read: () => pending.size,
   * })
   * ```
   */
  registerMetric(metric: ApplicationMetric): () => void {
    return this.#applicationMetrics.register(metric)
  }

  /**
   * Returns the health of the client, for probes: `live` is false if only a restart helps; `ready` is false if the
   * client cannot work at the moment, with the reasons. Does no I/O: it reports what the client already knows.
   */
  health(): ClientHealth {
    const { metrics } = this.#cluster.options
    return healthOf(metrics.clientId, [...this.#ownReasons(), ...metrics.healthReasons()])
  }

  #ownReasons(): HealthReason[] {
    const { metrics } = this.#cluster.options
    if (this.#closing !== undefined) {
      return [{ code: 'CLOSED', affects: 'live', message: 'the client is closed' }]
    }
    if (metrics.isConnected || metrics.lastConnection === 'opened') return []
    if (metrics.lastConnection === 'none') {
      const message = 'the client has not connected to a broker yet'
      return [{ code: 'NEVER_CONNECTED', affects: 'ready', message }]
    }
    const message = 'the client has no connection, and the last attempt to open one failed'
    return [{ code: 'DISCONNECTED', affects: 'ready', message }]
  }

  /**
   * Returns a topic by name. Does no I/O until the topic is used, and creates no topic. Throws InvalidArgumentError,
   * ClosedError.
   */
  topic(name: string): Topic {
    if (this.#closing !== undefined) throw new ClosedError('client')
    let topic = this.#topics.get(name)
    if (topic === undefined) {
      topic = new Topic(this.#cluster, name, this.#resources, this.admin)
      this.#topics.set(name, topic)
    }
    return topic
  }

  /**
   * Opens a producer to any number of topics. Brokers that are configured to do so create missing topics. Each
   * message names its topic: `producer.produce('page-views', value)`.
   */
  async getProducer<Value = Data, Key = Data>(
    options: ProducerOptions<Value, Key> = {},
    call: CallOptions = {},
  ): Promise<MultiTopicProducer<Value, Key>> {
    if (this.#closing !== undefined) throw new ClosedError('client')
    const deadline = deadlineOf(call, this.#cluster.options.operationTimeoutMs)
    return this.#resources.producer((register) =>
      MultiTopicProducer.open(this.#cluster, options, deadline, register),
    )
  }

  /**
   * Opens a producer that writes in transactions (docs/transactions.md). Another producer with the same
   * `transactionalId` is fenced, and its open transaction is aborted. Needs Kafka 0.11 or newer. Throws
   * InvalidArgumentError, UnsupportedVersionError, BrokerError, NoBrokersAvailableError, RequestTimeoutError.
   */
  async getTransactionalProducer<Value = Data, Key = Data>(
    options: TransactionalProducerOptions<Value, Key>,
    call: CallOptions = {},
  ): Promise<TransactionalProducer<Value, Key>> {
    if (this.#closing !== undefined) throw new ClosedError('client')
    const deadline = deadlineOf(call, this.#cluster.options.operationTimeoutMs)
    return this.#resources.producer((register) =>
      TransactionalProducer.open<Value, Key>(this.#cluster, options, deadline, register),
    )
  }

  /**
   * Opens a consumer of several topics: by name, or all that a pattern matches. Never creates a topic. Throws
   * InvalidArgumentError, UnknownTopicError, NoOffsetError, BrokerError, NoBrokersAvailableError.
   */
  async getConsumer<Value = Buffer | null, Key = Buffer | null>(
    options: TopicsConsumerOptions<Value, Key>,
    call: CallOptions = {},
  ): Promise<Consumer<Value, Key>> {
    if (this.#closing !== undefined) throw new ClosedError('client')
    return this.#resources.consumer(
      options,
      call,
      (register) => new Consumer<Value, Key>(this.#cluster, options, register),
    )
  }

  /**
   * Opens a member of a group that divides the partitions of several topics among its members. Topics are given by
   * name or pattern. `groupProtocol` decides whether ZooKeeper or Kafka coordinates the group. Resolves when the
   * member has its first assignment. Throws InvalidArgumentError, UnknownTopicError, ZooKeeperError,
   * PartitionOwnedError, BrokerError, NoBrokersAvailableError, RequestTimeoutError.
   */
  async getBalancedConsumer<Value = Buffer | null, Key = Buffer | null>(
    options: BalancedTopicsConsumerOptions<Value, Key>,
    call: CallOptions = {},
  ): Promise<BalancedTopicsConsumer<Value, Key>> {
    if (this.#closing !== undefined) throw new ClosedError('client')
    const { balancedTopicsConsumer } = await import('./balanced/open-balanced.ts')
    return this.#resources.consumer(options, call, (register) =>
      balancedTopicsConsumer(this.#cluster, options, register),
    )
  }

  /**
   * Opens a member of a share group (docs/share-consumer.md): a queue, whose messages are each acquired by one member and
   * acknowledged one by one. Resolves when the group's coordinator has added the member. Needs Kafka 4.2 or newer.
   * Throws InvalidArgumentError, UnsupportedVersionError, BrokerError, NoBrokersAvailableError, RequestTimeoutError.
   */
  async getShareConsumer<Value = Buffer | null, Key = Buffer | null>(
    options: ShareConsumerOptions<Value, Key>,
    call: CallOptions = {},
  ): Promise<ShareConsumer<Value, Key>> {
    if (this.#closing !== undefined) throw new ClosedError('client')
    const { shareConsumer } = await import('./share/open-share.ts')
    return this.#resources.consumer({}, call, (register) =>
      shareConsumer(this.#cluster, options, register),
    )
  }

  /**
   * Sends a request of Kafka's protocol and resolves with the response. `samsa/protocol` has the APIs, with types for
   * bodies and responses in all versions; the client uses the highest version that both sides know. It finds the
   * broker that `to` names, and retries within the call's time if the connection is lost, if Kafka calls the broker's
   * error retriable, or if the leader, coordinator or controller has moved. Error codes of single items stay in the
   * response; the error code of the whole response is thrown.
   *
   * ```ts
   * import { describeCluster } from 'samsa/protocol'
   * const body = { includeClusterAuthorizedOperations: false }
   * const { clusterId } = await client.request(describeCluster, body)
   * ```
   *
   * Throws InvalidArgumentError, BrokerError, UnsupportedVersionError, NoBrokersAvailableError, RequestTimeoutError.
   */
  async request<Request extends Fields, Response extends Fields>(
    api: Api<Request, Response>,
    body: BodyFor<Request>,
    options: RequestOptions = {},
  ): Promise<Decoded<Response>> {
    if (this.#closing !== undefined) throw new ClosedError('client')
    if (!isApi(api))
      throw new InvalidArgumentError(`request: ${shown(api)} is not one of samsa/protocol's APIs`)
    const { operationTimeoutMs } = this.#cluster.options
    return this.#cluster.router.call(api, body, requestSettings(api, options, operationTimeoutMs))
  }

  /**
   * Closes the client's consumers and producers, which sends queued messages and commits; waits for requests in
   * flight, for 5 s at most; and closes all connections, so that nothing keeps the process alive.
   *
   * All of this takes at most `timeoutMs`, and ends when `signal` is aborted: messages that are not acknowledged by
   * then fail, and remaining offsets stay uncommitted. Default: the time of each `close`, up to `deliveryTimeoutMs`
   * and `operationTimeoutMs`. Throws the first error of these; the client is closed nevertheless. Safe to call again:
   * the limits of the first call apply.
   */
  close(call: CallOptions = {}): Promise<void> {
    const deadline = deadlineOf(call, this.#cluster.options.operationTimeoutMs)
    const isBounded = call.timeoutMs !== undefined || call.signal !== undefined
    this.#closing ??= isBounded ? this.#closeWithin(deadline, call) : this.#close()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(): Promise<void> {
    try {
      await this.#resources.close()
    } finally {
      await this.#telemetry?.stop(LAST_PUSH_MS)
      await this.#cluster.close(CLOSE_GRACE_MS)
    }
  }

  async #closeWithin(deadline: Deadline, call: CallOptions): Promise<void> {
    try {
      await this.#resources.close(call)
    } finally {
      const isAborted = deadline.signal?.aborted === true
      const lastPushMs = isAborted ? 0 : Math.min(LAST_PUSH_MS, deadline.remainingMs)
      await this.#telemetry?.stop(lastPushMs)
      await this.#cluster.close(isAborted ? 0 : Math.min(CLOSE_GRACE_MS, deadline.remainingMs))
    }
  }
}

function isApi(api: unknown): boolean {
  return typeof api === 'object' && api !== null && 'key' in api && 'request' in api
}
