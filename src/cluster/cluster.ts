import type { Api } from '../../protocol/schema/api.ts'
import type { Decoded, Fields } from '../../protocol/schema/fields.ts'
import type { Address } from '../network/address.ts'
import type { BodyFor, Broker, RequestOptions } from '../network/broker.ts'
import { BrokerPool } from './broker-pool.ts'
import type { ClusterOptions } from './cluster-options.ts'
import { Coordinators } from './coordinators.ts'
import { FanOut } from './fan-out.ts'
import type { TopicMetadata } from './metadata.ts'
import { MetadataCache } from './metadata-cache.ts'
import { Router } from './router.ts'
import { lookUpTopic, type LookUpOptions } from './topic-lookup.ts'

/** A cluster: its brokers, what is known of its topics, and the ways to send requests to it. */
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

  /** The brokers that are known, by node id. Empty before the first request. */
  get brokers(): ReadonlyMap<number, Broker> {
    return this.#pool.brokers
  }

  /** The controller as far as is known. Brokers before 0.10 (Metadata v0) do not tell it. */
  get controller(): Broker | undefined {
    return this.#metadata.controller
  }

  /** Makes the next request to the controller look it up again. */
  forgetController(): void {
    this.#metadata.forgetController()
  }

  /**
   * What is known of a topic, without asking. Where the last response had an error for it, its `errorCode` is
   * that, and its partitions are those that were known before.
   */
  known(topic: string): TopicMetadata | undefined {
    return this.#metadata.known(topic)
  }

  /** The broker that leads a partition as far as is known. */
  leaderOf(topic: string, partition: number): Broker | undefined {
    return this.#metadata.leaderOf(topic, partition)
  }

  /**
   * A topic's partitions, asked for until the topic is usable. With `create` the broker may create it,
   * where its configuration allows that; without, no broker of any version does. A topic that the brokers do
   * not know is given up after a few responses; with `mayAppear` only when the deadline is over.
   * Throws UnknownTopicError, BrokerError, NoBrokersAvailableError.
   */
  topic(name: string, options: LookUpOptions): Promise<TopicMetadata> {
    return lookUpTopic(this.#pool, this.#metadata, name, options)
  }

  /**
   * Asks for a topic's metadata again. Calls at the same time share one request, and one request runs at a
   * time; the result covers whatever changed before the call.
   */
  refresh(topic: string, create = false): Promise<void> {
    return this.#metadata.refresh(topic, create)
  }

  /** Asks for the brokers and the controller, and for no topic. */
  refreshBrokers(): Promise<void> {
    return this.#metadata.refreshBrokers()
  }

  /**
   * Sends a request to any broker: the known ones, then the bootstrap addresses, found again (KIP-899).
   * Throws NoBrokersAvailableError with what each of them said, WrongClusterError where all are of another cluster.
   */
  requestAny<Request extends Fields, Response extends Fields>(
    api: Api<Request, Response>,
    body: BodyFor<Request>,
    options: RequestOptions,
  ): Promise<Decoded<Response>> {
    return this.#pool.requestAny(api, body, options)
  }

  /** The broker with this id at this address; its connections are closed if it was elsewhere before. */
  learnBroker(nodeId: number, address: Address, rack: string | null = null): Broker {
    return this.#pool.learnBroker(nodeId, address, rack)
  }

  /**
   * Forgets the brokers: the next request starts from the bootstrap addresses (KIP-1102). The cluster id is
   * kept: positions, committed offsets and sequence numbers mean nothing in another cluster.
   */
  rebootstrap(): void {
    this.#pool.rebootstrap()
  }

  /** Lets requests finish for so long, then closes all connections. Later requests get a ClosedError. */
  async close(graceMs: number): Promise<void> {
    this.#metadata.close()
    await this.#pool.close(graceMs)
  }
}
