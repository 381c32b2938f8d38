import { metadata as metadataApi, type MetadataResponse } from '../../protocol/apis/metadata.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import type { Api } from '../../protocol/schema/api.ts'
import type { Decoded, Fields } from '../../protocol/schema/fields.ts'
import type { BackoffOptions } from '../async/backoff.ts'
import {
  BrokerError,
  ClosedError,
  KafkaError,
  NoBrokersAvailableError,
  WrongClusterError,
  isUnreachable,
} from '../errors.ts'
import { formatAddress, type Address } from '../network/address.ts'
import { Broker, type BodyFor, type BrokerOptions, type RequestOptions } from '../network/broker.ts'
import type { Logger } from '../observe/logger.ts'
import { Coordinators } from './coordinators.ts'
import { FanOut } from './fan-out.ts'
import { partitionNumbered, topicsOf, updatedMetadata, type TopicMetadata } from './metadata.ts'
import { metadataRequest } from './metadata-request.ts'
import { Router } from './router.ts'
import { lookUpTopic, type LookUpOptions } from './topic-lookup.ts'

export interface ClusterOptions {
  /** Finds the bootstrap addresses: asked at the start, and whenever no known broker can be reached. */
  readonly bootstrap: (signal: AbortSignal) => Promise<readonly Address[]>
  readonly broker: BrokerOptions
  /** The ZooKeeper servers that the client was given, with the chroot: balanced consumers use the same. */
  readonly zookeeperHosts: string | undefined
  /** How long one request may take. */
  readonly requestTimeoutMs: number
  /** How long an operation may take with all its retries, where the caller does not say. */
  readonly operationTimeoutMs: number
  /** Whether calls wait for a cluster that was never reached. */
  readonly waitsForCluster: boolean
  /** What is known of topics that are in use is asked for again at this age. */
  readonly metadataMaxAgeMs: number
  readonly backoff: BackoffOptions
  readonly logger: Logger
}

interface Wanted {
  readonly create: boolean
}

/** The brokers of a cluster, and what is known of its topics and leaders. */
export class Cluster {
  readonly options: ClusterOptions
  readonly coordinators: Coordinators
  readonly router: Router
  readonly fanOut: FanOut
  readonly #brokerOptions: BrokerOptions
  /** Of the first cluster that answered: the client keeps to it. Undefined before Kafka 0.10.1. */
  #clusterId: string | undefined
  #seeds: readonly Broker[] = []
  readonly #brokers = new Map<number, Broker>()
  readonly #topics = new Map<string, TopicMetadata>()
  /** Topics that were used since they were last refreshed for their age. */
  readonly #used = new Set<string>()
  #wanted = new Map<string, Wanted>()
  /** The refresh that will start when the one under way is done: one at a time, however many ask. */
  #nextRefresh: Promise<void> | undefined
  #refresh: Promise<void> = Promise.resolve()
  #ageTimer: NodeJS.Timeout | undefined
  /** Node id, −1 where it is not known. */
  #controllerId = -1
  #isClosed = false
  /** Aborted by `close`. */
  readonly #ending = new AbortController()
  #wasReached = false

  constructor(options: ClusterOptions) {
    this.options = options
    this.#brokerOptions = {
      ...options.broker,
      clusterId: () => this.#clusterId,
      wasReached: () => this.#wasReached,
    }
    this.coordinators = new Coordinators(this)
    this.router = new Router(this)
    this.fanOut = new FanOut(this)
  }

  /** The brokers that are known, by node id. Empty before the first request. */
  get brokers(): ReadonlyMap<number, Broker> {
    return this.#brokers
  }

  /** The controller as far as is known. Brokers before 0.10 (Metadata v0) do not tell it. */
  get controller(): Broker | undefined {
    return this.#brokers.get(this.#controllerId)
  }

  /** Makes the next request to the controller look it up again. */
  forgetController(): void {
    this.#controllerId = -1
  }

  /**
   * What is known of a topic, without asking. Where the last response had an error for it, its `errorCode` is
   * that, and its partitions are those that were known before.
   */
  known(topic: string): TopicMetadata | undefined {
    this.#used.add(topic)
    return this.#topics.get(topic)
  }

  /** The broker that leads a partition as far as is known. */
  leaderOf(topic: string, partition: number): Broker | undefined {
    const partitions = this.known(topic)?.partitions
    const found = partitions && partitionNumbered(partitions, partition)
    return found === undefined ? undefined : this.#brokers.get(found.leader)
  }

  /**
   * A topic's partitions, asked for until the topic is usable. With `create` the broker may create it,
   * where its configuration allows that; without, no broker of any version does. A topic that the brokers do
   * not know is given up after a few responses; with `mayAppear` only when the deadline is over.
   * Throws UnknownTopicError, BrokerError, NoBrokersAvailableError.
   */
  topic(name: string, options: LookUpOptions): Promise<TopicMetadata> {
    return lookUpTopic(this, name, options)
  }

  /**
   * Asks for a topic's metadata anew. Calls at the same time share one request, and one request runs at a
   * time; the result covers whatever changed before the call.
   */
  refresh(topic: string, create = false): Promise<void> {
    this.#wanted.set(topic, { create: create || (this.#wanted.get(topic)?.create ?? false) })
    this.#nextRefresh ??= this.#refresh
      .catch(() => undefined)
      .then(() => {
        const wanted = this.#wanted
        this.#wanted = new Map()
        this.#nextRefresh = undefined
        this.#refresh = this.#fetchWanted(wanted)
        return this.#refresh
      })
    return this.#nextRefresh
  }

  /** Asks for the brokers and the controller, and for no topic. */
  refreshBrokers(): Promise<void> {
    return this.#fetchMetadata([], false)
  }

  /**
   * Sends a request to any broker: the known ones, then the bootstrap addresses, found anew (KIP-899).
   * Throws NoBrokersAvailableError with what each of them said, WrongClusterError where all are of another cluster.
   */
  async requestAny<Request extends Fields, Response extends Fields>(
    api: Api<Request, Response>,
    body: BodyFor<Request>,
    options: RequestOptions,
  ): Promise<Decoded<Response>> {
    const attempts: { address: string; error: Error }[] = []
    const attempt = async (broker: Broker) => {
      this.#throwIfClosed()
      try {
        return await broker.request(api, body, options)
      } catch (error) {
        this.#throwIfClosed()
        if (!isUnreachable(error)) throw error
        attempts.push({ address: broker.name, error })
        return undefined
      }
    }
    for (const broker of this.#inOrder()) {
      const response = await attempt(broker)
      if (response !== undefined) return response
    }
    const tried = new Set(attempts.map(({ address }) => address))
    for (const seed of await this.#bootstrap()) {
      const response = tried.has(seed.name) ? undefined : await attempt(seed)
      if (response !== undefined) return response
    }
    const [first] = attempts
    if (first !== undefined && attempts.every(({ error }) => error instanceof WrongClusterError)) {
      throw first.error
    }
    throw new NoBrokersAvailableError(attempts)
  }

  /**
   * Whether the error says that not one address could be reached, ever: then an address is more likely wrong
   * than a broker down, and the call fails at once rather than after many retries, unless the client is to wait.
   */
  wasNeverReached(error: Error): boolean {
    const isUnavailable = error instanceof KafkaError && error.code === 'NO_BROKERS_AVAILABLE'
    return isUnavailable && !this.#wasReached && !this.options.waitsForCluster
  }

  /** The broker with this id at this address; its connections are closed if it was elsewhere before. */
  learnBroker(nodeId: number, address: Address, rack: string | null = null): Broker {
    const known = this.#brokers.get(nodeId)
    if (known?.name === formatAddress(address)) {
      // Only Metadata tells the rack.
      known.rack = rack ?? known.rack
      return known
    }
    void known?.retire()
    const broker = new Broker(nodeId, address, this.#brokerOptions, rack)
    this.#brokers.set(nodeId, broker)
    return broker
  }

  /**
   * Forgets the brokers: the next request starts from the bootstrap addresses (KIP-1102). The cluster id is
   * kept: positions, committed offsets and sequence numbers mean nothing in another cluster.
   */
  rebootstrap(): void {
    this.options.logger.info('the cluster asked to start again from the bootstrap addresses')
    for (const broker of this.#brokers.values()) void broker.retire()
    this.#brokers.clear()
  }

  /** Lets requests finish for so long, then closes all connections. Later requests get a ClosedError. */
  async close(graceMs: number): Promise<void> {
    this.#isClosed = true
    this.#ending.abort(new ClosedError('client'))
    clearInterval(this.#ageTimer)
    const brokers = [...this.#seeds, ...this.#brokers.values()]
    await Promise.all(brokers.map((broker) => broker.close(graceMs)))
  }

  #throwIfClosed(): void {
    if (this.#isClosed) throw new ClosedError('client')
  }

  /** Known brokers in random order, so that load is spread; those that just failed come last. */
  #inOrder(): Broker[] {
    return [...this.#brokers.values()]
      .map((broker) => ({ broker, rank: Math.random() + (broker.isBackingOff ? 1 : 0) }))
      .sort((a, b) => a.rank - b.rank)
      .map(({ broker }) => broker)
  }

  /** The bootstrap addresses as brokers; connections to those that are still among them are kept. */
  async #bootstrap(): Promise<readonly Broker[]> {
    const addresses = await this.options.bootstrap(this.#ending.signal)
    this.#throwIfClosed()
    const before = new Map(this.#seeds.map((seed) => [seed.name, seed]))
    this.#seeds = addresses.map((address) => {
      const name = formatAddress(address)
      const seed = before.get(name) ?? new Broker(-1, address, this.#brokerOptions)
      before.delete(name)
      return seed
    })
    for (const gone of before.values()) void gone.retire()
    return this.#seeds
  }

  /** Those that may be created apart from those that may not: the permission is for a whole request. */
  async #fetchWanted(wanted: ReadonlyMap<string, Wanted>): Promise<void> {
    for (const create of [false, true]) {
      const names = [...wanted].filter(([, one]) => one.create === create).map(([name]) => name)
      if (names.length > 0) await this.#fetchMetadata(names, create)
    }
  }

  async #fetchMetadata(
    wanted: readonly string[],
    create: boolean,
    isRebootstrapped = false,
  ): Promise<void> {
    const response = await this.requestAny(
      metadataApi,
      (version) => metadataRequest(version, wanted, create),
      { timeoutMs: this.options.requestTimeoutMs },
    )
    if (response.errorCode === ErrorCode.REBOOTSTRAP_REQUIRED && !isRebootstrapped) {
      this.rebootstrap()
      return this.#fetchMetadata(wanted, create, true)
    }
    if (response.errorCode !== ErrorCode.NONE) throw new BrokerError(response.errorCode, 'Metadata')
    this.#learn(response, wanted)
    this.#watchAge()
  }

  #learn(response: MetadataResponse, wanted: readonly string[]): void {
    this.#identify(response)
    this.#wasReached = true
    this.#controllerId = response.controllerId
    const gone = new Set(this.#brokers.keys())
    for (const { nodeId, host, port, rack } of response.brokers) {
      gone.delete(nodeId)
      this.learnBroker(nodeId, { host, port }, rack)
    }
    // An empty list is what a broker answers that failed, or that has just started: it takes nothing away.
    if (response.brokers.length === 0) gone.clear()
    for (const nodeId of gone) {
      void this.#brokers.get(nodeId)?.retire()
      this.#brokers.delete(nodeId)
    }
    const found = new Map(topicsOf(response).map((topic) => [topic.name, topic]))
    for (const name of wanted) {
      const topic = updatedMetadata(this.#topics.get(name), found.get(name))
      if (topic !== undefined) this.#topics.set(name, topic)
    }
  }

  /** A response of another cluster is not learned from: its leaders would be written to. */
  #identify({ clusterId, brokers }: MetadataResponse): void {
    if (clusterId === null) return
    this.#clusterId ??= clusterId
    if (clusterId === this.#clusterId) return
    const addresses = brokers.map(formatAddress).join(', ')
    throw new WrongClusterError(addresses, clusterId, this.#clusterId)
  }

  /** Leaders move while nobody sends anything: topics in use are asked for again now and then. */
  #watchAge(): void {
    if (this.#ageTimer !== undefined || this.#isClosed) return
    this.#ageTimer = setInterval(() => {
      const used = [...this.#used].filter((name) => this.#topics.has(name))
      this.#used.clear()
      for (const name of used) {
        this.refresh(name).catch((error: unknown) =>
          this.options.logger.warn(`refreshing metadata failed: ${String(error)}`),
        )
      }
    }, this.options.metadataMaxAgeMs)
    this.#ageTimer.unref()
  }
}
