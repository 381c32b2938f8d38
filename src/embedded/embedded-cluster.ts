import { InvalidArgumentError } from '../errors.ts'
import { Brokers } from './cluster/brokers.ts'
import { ClusterState } from './cluster/cluster-state.ts'
import type { Partition } from './cluster/partition.ts'
import { RETENTION_CHECK_INTERVAL_MS } from './cluster/retention.ts'
import { TopicConfig } from './cluster/topic-config.ts'
import { Faults } from './faults/faults.ts'
import { Throttles, type ThrottleOptions } from './faults/throttles.ts'
import { Groups } from './groups/groups.ts'
import { loseTail } from './cluster/lose-tail.ts'
import { endMarker, type ProducerIdAndEpoch } from './log/marker.ts'
import { clusterSettings, type ClusterSettings, type EmbeddedClusterOptions } from './options.ts'
import { Refused } from './refused.ts'
import {
  brokerConfigOf,
  brokerIdsOf,
  listenerPlans,
  receivesMetrics,
  replicationFactorOf,
  securityOf,
} from './set-up.ts'
import { RequestLog } from './server/request-log.ts'
import { securityProtocolOf } from './security/options.ts'
import { EmbeddedBroker, type BrokerDependencies } from './server/broker.ts'
import { Dispatch } from './server/dispatch.ts'
import { RequestMemory } from './server/request-memory.ts'
import { memoryStorage, type ClusterStorage } from './storage/cluster-storage.ts'
import { DataFolder } from './storage/data-folder.ts'
import type { PushedMetrics } from './telemetry/client-metrics.ts'
import { Transactions } from './transactions/transactions.ts'
import { Timers } from './timers.ts'
import type { KafkaVersion } from './versions/api-tables.ts'
import { LAST_WITH_ZOOKEEPER, profileOf } from './versions/profiles.ts'
import { KafkaRegistration } from './zookeeper/kafka/registration.ts'

/**
 * A Kafka cluster in this process: brokers on 127.0.0.1 that speak the real protocol over TCP. It
 * is meant for tests and experiments. It keeps everything in memory and loses it when it stops,
 * unless it has a `dataDir`.
 *
 * ```ts
 * await using kafka = await EmbeddedCluster.start({ topics: { 'page-views': { partitions: 3 } } })
 * await using client = new KafkaClient({ hosts: kafka.hosts })
 * ```
 */
export class EmbeddedCluster implements AsyncDisposable {
  /** Makes the brokers answer requests with an error, late, or not at all. */
  readonly faults = new Faults()
  /** The requests that the brokers have read. */
  readonly requests = new RequestLog()
  readonly #brokers: readonly EmbeddedBroker[]
  readonly #state: ClusterState
  readonly #groups: Groups
  readonly #timers: Timers
  readonly #throttles = new Throttles()
  readonly #storage: ClusterStorage
  readonly #registration: KafkaRegistration | undefined
  readonly #parts: BrokerDependencies
  #stopping: Promise<void> | undefined

  private constructor(
    given: EmbeddedClusterOptions,
    options: ClusterSettings,
    storage: ClusterStorage,
  ) {
    this.#storage = storage
    const onError = options.onError ?? (() => undefined)
    const { zookeeper, zookeeperChroot = '' } = options
    const newest = zookeeper === undefined ? '4.4' : LAST_WITH_ZOOKEEPER
    const profile = profileOf(options.version ?? newest)
    const security = securityOf(options, storage)
    const directory = {
      credentials: security.scramCredentials,
      tokens: security.delegationTokens,
      nowMs: () => this.#state.nowMs(),
    }
    this.#brokers = brokerIdsOf(options).map(
      (id, index) =>
        new EmbeddedBroker(
          id,
          listenerPlans(options, index, directory),
          options.racks?.[index] ?? null,
        ),
    )
    const brokers = new Brokers(this.#brokers)
    this.#timers = new Timers(onError)
    this.#state = new ClusterState(
      brokers,
      {
        profile,
        autoCreateTopics: options.autoCreateTopics,
        transactionVersion: options.transactionVersion,
        partitionCount: options.defaultPartitions,
        replicationFactor: replicationFactorOf(options),
        receivesMetrics: receivesMetrics(options),
        brokerConfig: brokerConfigOf(given, options),
      },
      this.#timers,
      storage,
    )
    if (zookeeper !== undefined) {
      const protocol = securityProtocolOf(options.tls, options.sasl)
      const registration = new KafkaRegistration(zookeeper, zookeeperChroot, this.#state, protocol)
      this.#state.topics.onChange = () => registration.update()
      this.#registration = registration
    }
    this.#groups = new Groups(
      brokers,
      this.#state.topics,
      {
        initialRebalanceDelayMs: options.groupInitialRebalanceDelayMs,
        minSessionTimeoutMs: options.groupMinSessionTimeoutMs,
        maxSessionTimeoutMs: profile.maxSessionTimeoutMs,
        defaults: {
          brokerConfig: this.#state.settings.brokerConfig,
          shareAutoOffsetReset: options.shareAutoOffsetReset,
          consumerMaxSize: options.groupConsumerMaxSize,
        },
      },
      this.#timers,
      storage,
    )
    this.#parts = {
      cluster: this.#state,
      groups: this.#groups,
      transactions: new Transactions(
        this.#state,
        this.#groups,
        storage,
        options.transactionMarkerDelayMs,
      ),
      security,
      dispatch: new Dispatch(profile),
      faults: this.faults,
      throttles: this.#throttles,
      requests: this.requests,
      memory: new RequestMemory(options.queuedMaxRequestBytes),
      onError,
    }
  }

  /**
   * Resolves when all brokers listen. Throws InvalidArgumentError for invalid options, and
   * EmbeddedClusterError for a port or a data folder that cannot be used.
   */
  static async start(options: EmbeddedClusterOptions = {}): Promise<EmbeddedCluster> {
    const settings = clusterSettings(options)
    const cluster = newCluster(
      settings,
      (storage) => new EmbeddedCluster(options, settings, storage),
    )
    try {
      for (const broker of cluster.#brokers) await broker.start(cluster.#parts)
      cluster.#state.topics.onChange()
      for (const [name, topic] of Object.entries(options.topics ?? {})) {
        if (!cluster.topics.includes(name)) cluster.createTopic(name, topic)
      }
      cluster.#retainNowAndThen()
      return cluster
    } catch (error) {
      await cluster.stop()
      throw error
    }
  }

  /**
   * The addresses of the brokers, `127.0.0.1:port,…`, as the option `hosts` of clients takes them.
   */
  get hosts(): string {
    return this.#brokers.map(({ host, port }) => `${host}:${port}`).join(',')
  }

  /**
   * Like `hosts`, for the listener with that name in the option `listeners`. Throws
   * InvalidArgumentError.
   */
  hostsOf(listener: string): string {
    const hosts = this.#brokers.map((broker) => {
      const port = broker.portOf(listener)
      if (port !== undefined) return `${broker.host}:${port}`
      throw new InvalidArgumentError(`the cluster has no listener '${listener}'`)
    })
    return hosts.join(',')
  }

  /**
   * The addresses of the ZooKeeper that the cluster is registered in, including the chroot, as
   * clients take them; undefined without one.
   */
  get zookeeperHosts(): string | undefined {
    return this.#registration?.hosts
  }

  /** The ports of the brokers, in the order of `brokerIds`. */
  get ports(): readonly number[] {
    return this.#brokers.map(({ port }) => port)
  }

  /** The node ids of the brokers. */
  get brokerIds(): readonly number[] {
    return this.#brokers.map(({ id }) => id)
  }

  /** The id of the cluster, which the brokers report to clients. */
  get clusterId(): string {
    return this.#state.clusterId
  }

  /** The version of Kafka that the cluster presents. */
  get version(): KafkaVersion {
    return this.#state.settings.profile.version
  }

  /** The names of the existing topics. */
  get topics(): readonly string[] {
    return this.#state.topics.all.map(({ name }) => name)
  }

  /**
   * The metrics that clients have pushed to the brokers (KIP-714), oldest first: the last 1,000
   * pushes. Needs the option `clientMetrics`.
   */
  get pushedMetrics(): readonly PushedMetrics[] {
    return this.#state.clientMetrics.pushes
  }

  /** Throws InvalidArgumentError for what a broker would reject. */
  createTopic(
    name: string,
    options: NonNullable<EmbeddedClusterOptions['topics']>[string] = {},
  ): void {
    argumentChecked(() =>
      this.#state.topics.create({
        name,
        partitionCount: options.partitions ?? -1,
        replicationFactor: options.replicationFactor ?? -1,
        config: new TopicConfig(Object.entries(options.config ?? {})),
      }),
    )
  }

  /**
   * Deletes a topic immediately, with its records. Throws InvalidArgumentError for an unknown
   * topic.
   */
  deleteTopic(name: string): void {
    const topic = this.#state.topics.byName(name)
    if (topic === undefined) throw new InvalidArgumentError(`the cluster has no topic '${name}'`)
    this.#state.topics.delete(topic)
    this.#groups.topicDeleted(topic)
  }

  /** The node id of the leader; -1 while there is none. */
  leaderOf(topic: string, partition: number): number {
    return this.#partition(topic, partition).leader
  }

  /** The offset of the first existing record of the partition, and that of the next record. */
  offsetsOf(topic: string, partition: number): { readonly start: number; readonly end: number } {
    const { log } = this.#partition(topic, partition)
    return { start: log.startOffset, end: log.endOffset }
  }

  /**
   * Appends record batches v2 unchanged and without checks, such as damaged batches, batches of
   * transactions, or control batches. Only offsets and the leader epoch are set. Returns the first
   * offset. Throws InvalidArgumentError if the sizes of the batches do not match the bytes.
   */
  append(topic: string, partition: number, batches: Uint8Array): number {
    return this.#partition(topic, partition).appendRaw(batches, this.#state.nowMs())
  }

  /**
   * Ends a producer's transaction in a partition with a marker, as the transaction coordinator does
   * (KIP-98). Returns the marker's offset.
   */
  endTransaction(
    topic: string,
    partition: number,
    producer: ProducerIdAndEpoch,
    outcome: 'commit' | 'abort',
  ): number {
    return this.append(topic, partition, endMarker(producer, outcome, this.#state.nowMs()))
  }

  /** Makes another broker the leader, with the next epoch; the broker becomes a replica if it is not one. */
  moveLeader(topic: string, partition: number, brokerId: number): void {
    const moved = this.#partition(topic, partition)
    if (!this.#broker(brokerId).isAlive) {
      throw new InvalidArgumentError(`broker ${brokerId} is stopped and cannot lead a partition`)
    }
    if (!moved.replicas.includes(brokerId)) moved.replicas = [...moved.replicas, brokerId]
    if (!moved.isr.includes(brokerId)) moved.isr = [...moved.isr, brokerId]
    moved.setLeader(brokerId)
    this.#state.topics.onChange()
  }

  /** The broker that coordinates a group. */
  coordinatorOf(group: string): number {
    return this.#groups.coordinatorOf(group) ?? -1
  }

  /** Makes another broker the coordinator. The group's members and offsets move with it. */
  moveCoordinator(group: string, brokerId: number): void {
    if (!this.#broker(brokerId).isAlive) {
      throw new InvalidArgumentError(`broker ${brokerId} is stopped and cannot coordinate a group`)
    }
    this.#groups.moveCoordinator(group, brokerId)
  }

  /**
   * Stops the broker immediately, as if it were killed. Other brokers that have replicas in sync then lead its
   * partitions.
   */
  async stopBroker(id: number): Promise<void> {
    const broker = this.#broker(id)
    const stopped = broker.stop()
    this.#state.topics.brokerStopped(id)
    await stopped
  }

  /** Starts the broker at its former port. It leads its partitions that have no leader, and follows in the others. */
  async startBroker(id: number): Promise<void> {
    const broker = this.#broker(id)
    if (this.#stopping !== undefined) throw new InvalidArgumentError('the cluster is stopped')
    await broker.start(this.#parts)
    this.#state.brokers.started(id)
    this.#state.topics.brokerStarted(id)
  }

  /**
   * Removes the last records of a partition, as if the only broker that had them had failed. It removes at least this
   * many, because only whole batches are lost. The leader gets a new epoch. Returns the number of lost records.
   */
  loseTail(topic: string, partition: number, count: number): number {
    const lost = loseTail(this.#partition(topic, partition), count)
    this.#state.topics.onChange()
    return lost
  }

  /**
   * Sets the throttle time in the responses of one API, or of all. Clients must not send requests
   * during that time.
   */
  throttle(options: ThrottleOptions): void {
    this.#throttles.set(options)
  }

  /**
   * Sets the time by which the brokers' clock is ahead of this machine's clock; with a negative value it is behind.
   * Records that are older than their topic's `retention.ms` by that clock are deleted. Brokers forget producers after
   * a day, and the coordinator transactional ids after seven days without a transaction, as with Kafka's default
   * configs.
   */
  skewClock(ms: number): void {
    this.#state.clockSkewMs = ms
    this.#state.removeExpired()
  }

  /** Removes all fetch sessions, as a broker does when it runs out of slots: clients must start new ones. */
  dropFetchSessions(): void {
    for (const { fetchSessions } of this.#brokers) fetchSessions.clear()
  }

  /**
   * Ends all connections and timers, so that nothing keeps the process alive. Safe to call again.
   */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  async #stop(): Promise<void> {
    await Promise.all(this.#brokers.map((broker) => broker.stop()))
    this.#registration?.close()
    this.faults.clear()
    this.requests.close()
    this.#timers.stop()
    this.#storage.close()
  }

  #retainNowAndThen(): void {
    this.#timers.after(RETENTION_CHECK_INTERVAL_MS, () => {
      this.#state.removeExpired()
      this.#retainNowAndThen()
    })
  }

  #broker(id: number): EmbeddedBroker {
    const broker = this.#brokers.find((one) => one.id === id)
    if (broker !== undefined) return broker
    throw new InvalidArgumentError(
      `the cluster has no broker ${id}; it has ${this.brokerIds.join(', ')}`,
    )
  }

  #partition(topic: string, index: number): Partition {
    const partition = this.#state.topics.partition(topic, index)
    if (partition !== undefined) return partition
    throw new InvalidArgumentError(`the cluster has no partition ${topic}-${index}`)
  }
}

function newCluster(
  { dataDir, onWarning = warn }: EmbeddedClusterOptions,
  make: (storage: ClusterStorage) => EmbeddedCluster,
): EmbeddedCluster {
  const storage = dataDir === undefined ? memoryStorage() : DataFolder.open(dataDir, onWarning)
  try {
    return make(storage)
  } catch (error) {
    storage.close()
    throw error
  }
}

function warn(message: string): void {
  process.emitWarning(message, 'EmbeddedClusterWarning')
}

function argumentChecked<T>(run: () => T): T {
  try {
    return run()
  } catch (error) {
    throw error instanceof Refused ? new InvalidArgumentError(error.message) : error
  }
}
