import type { Api } from '../../protocol/schema/api.ts'
import type { Decoded, Fields } from '../../protocol/schema/fields.ts'
import type { Address } from '../network/address.ts'
import type { BrokerVersions } from '../network/api-versions.ts'
import type { BodyFor, Broker, BrokerRequestOptions } from '../network/broker.ts'
import { BrokerPool, type ListedBroker } from './broker-pool.ts'
import type { ClusterOptions } from './cluster-options.ts'
import { Coordinators } from './coordinators.ts'
import { FanOut } from './fan-out.ts'
import type { TopicMetadata } from './metadata.ts'
import { MetadataCache, type NamedLeader } from './metadata-cache.ts'
import { Router } from './router.ts'
import { lookUpTopic, type LookUpOptions } from './topic-lookup.ts'

/** A cluster: its brokers, the metadata of its topics, and the ways to send requests to it. */
export class Cluster {
  readonly options: ClusterOptions
  readonly coordinators: Coordinators
  readonly router: Router
  readonly fanOut: FanOut
  readonly #pool: BrokerPool
  readonly #metadata: MetadataCache

  constructor(options: ClusterOptions) {
    this.options = options
    this.#pool = new BrokerPool(options)
    this.#metadata = new MetadataCache(this.#pool)
    this.coordinators = new Coordinators(this.#pool)
    this.router = new Router(this.#pool, this.#metadata, this.coordinators)
    this.fanOut = new FanOut(this.#pool, this.router)
  }

  /** The known brokers by node id. Empty before the first request. */
  get brokers(): ReadonlyMap<number, Broker> {
    return this.#pool.brokers
  }

  /** The controller, if known. Brokers before 0.10 (Metadata v0) do not report it. */
  get controller(): Broker | undefined {
    return this.#metadata.controller
  }

  /** Forgets the controller: the next request to it looks it up again. */
  forgetController(): void {
    this.#metadata.forgetController()
  }

  /**
   * The cached metadata of a topic. If the last response had an error for it, `errorCode` is that error, and the
   * partitions are those that were known before.
   */
  known(topic: string): TopicMetadata | undefined {
    return this.#metadata.known(topic)
  }

  /** The broker that leads a partition, if known. */
  leaderOf(topic: string, partition: number): Broker | undefined {
    return this.#metadata.leaderOf(topic, partition)
  }

  /** The epoch of a partition's leader; −1 where it is not known, as before Kafka 2.1. */
  leaderEpochOf(topic: string, partition: number): number {
    return this.#metadata.leaderEpochOf(topic, partition)
  }

  /**
   * The broker that leads a partition, if another leader than that of this epoch is known (KIP-951). Epochs only rise,
   * so that waits which end for a newer leader cannot be ended without limit.
   */
  newerLeader(topic: string, partition: number, epoch: number): Broker | undefined {
    if (this.leaderEpochOf(topic, partition) <= epoch) return undefined
    return this.leaderOf(topic, partition)
  }

  /**
   * Returns a topic's partitions; requests metadata until the topic is usable. With `create` the broker may create it,
   * if its configuration allows that; without it, no broker of any version does. A topic that the brokers do not know
   * fails after a few responses, or with `mayAppear` at the deadline. Throws UnknownTopicError, BrokerError,
   * NoBrokersAvailableError.
   */
  topic(name: string, options: LookUpOptions): Promise<TopicMetadata> {
    return lookUpTopic(this.#pool, this.#metadata, name, options)
  }

  /** How old the cached metadata of a topic is; Infinity if there is none. */
  metadataAgeMs(topic: string): number {
    return this.#metadata.ageMs(topic)
  }

  /**
   * Takes over the leaders that a response names beside errors (KIP-951), by topic, with the addresses that it has for
   * them, until the next refresh. Ignores leaders that are not newer, and those whose address is not known.
   */
  learnLeaders(
    named: ReadonlyMap<string, readonly NamedLeader[]>,
    endpoints: readonly ListedBroker[],
  ): void {
    if (named.size === 0) return
    for (const { nodeId, host, port, rack } of endpoints) {
      this.#pool.learnBroker(nodeId, { host, port }, rack)
    }
    for (const [topic, leaders] of named) this.#metadata.learnLeaders(topic, leaders)
  }

  /**
   * Refreshes a topic's metadata. Calls at the same time share one request, and only one request runs at a time. The
   * result covers every change that was made before the call.
   */
  refresh(topic: string, create = false): Promise<void> {
    return this.#metadata.refresh(topic, create)
  }

  /** Refreshes the brokers and the controller, and no topic. */
  refreshBrokers(): Promise<void> {
    return this.#metadata.refreshBrokers()
  }

  /**
   * Sends a request to any broker: to the known brokers first, then to the bootstrap addresses, which are resolved
   * again (KIP-899). Throws NoBrokersAvailableError with the error of each broker, or WrongClusterError if all brokers
   * belong to another cluster.
   */
  requestAny<Request extends Fields, Response extends Fields>(
    api: Api<Request, Response>,
    body: BodyFor<Request>,
    options: BrokerRequestOptions,
  ): Promise<Decoded<Response>> {
    return this.#pool.requestAny(api, body, options)
  }

  /**
   * Returns the broker with this id at this address. If the broker was at another address before, its connections are
   * closed.
   */
  learnBroker(nodeId: number, address: Address, rack: string | null = null): Broker {
    return this.#pool.learnBroker(nodeId, address, rack)
  }

  /**
   * Forgets the brokers: the next request starts from the bootstrap addresses (KIP-1102). The cluster id is kept,
   * because positions, committed offsets and sequence numbers mean nothing in another cluster.
   */
  rebootstrap(): void {
    this.#pool.rebootstrap()
  }

  /** Calls back with the versions of a broker whenever a connection is ready. */
  onReached(callback: (versions: BrokerVersions) => void): void {
    this.#pool.onReached = callback
  }

  /**
   * Waits up to this long for requests in flight, then closes all connections. Later requests fail with ClosedError.
   */
  async close(graceMs: number): Promise<void> {
    this.#metadata.close()
    await this.#pool.close(graceMs)
  }
}
