import type { Api } from '../../protocol/schema/api.ts'
import type { Decoded, Fields } from '../../protocol/schema/fields.ts'
import {
  ClosedError,
  KafkaError,
  NoBrokersAvailableError,
  WrongClusterError,
  isUnreachable,
} from '../errors.ts'
import { formatAddress, type Address } from '../network/address.ts'
import { Broker, type BodyFor, type BrokerOptions, type RequestOptions } from '../network/broker.ts'
import type { ClusterOptions } from './cluster-options.ts'

/** A broker in a Metadata response. */
interface ListedBroker extends Address {
  readonly nodeId: number
  readonly rack: string | null
}

/** The brokers of a cluster with their connections, and the bootstrap addresses. */
export class BrokerPool {
  readonly options: ClusterOptions
  readonly #brokerOptions: BrokerOptions
  /** Of the first cluster that answered: the client keeps to it. Undefined before Kafka 0.10.1. */
  #clusterId: string | undefined
  #seeds: readonly Broker[] = []
  readonly #brokers = new Map<number, Broker>()
  #isClosed = false
  /** Aborted by `close`. */
  readonly #ending = new AbortController()
  /** Whether any connection became ready: the addresses are right then, however the brokers are now. */
  #wasReached = false

  constructor(options: ClusterOptions) {
    this.options = options
    this.#brokerOptions = {
      ...options.broker,
      clusterId: () => this.#clusterId,
      wasReached: () => this.#wasReached,
      onReached: () => {
        this.#wasReached = true
      },
    }
  }

  /** The brokers that are known, by node id. Empty before the first request. */
  get brokers(): ReadonlyMap<number, Broker> {
    return this.#brokers
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /**
   * Sends a request to any broker: the known ones, then the bootstrap addresses, found again (KIP-899).
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
   * Takes over the brokers that a Metadata response lists, and closes the connections of those that it does not.
   * Throws WrongClusterError for a response of another cluster: its leaders would be written to.
   */
  update(clusterId: string | null, listed: readonly ListedBroker[]): void {
    this.#identify(clusterId, listed)
    for (const { nodeId, host, port, rack } of listed)
      this.learnBroker(nodeId, { host, port }, rack)
    // An empty list is what a broker answers that failed, or that has just started: it takes nothing away.
    if (listed.length === 0) return
    const ids = new Set(listed.map(({ nodeId }) => nodeId))
    for (const [nodeId, broker] of this.#brokers) {
      if (ids.has(nodeId)) continue
      void broker.retire()
      this.#brokers.delete(nodeId)
    }
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
    const brokers = [...this.#seeds, ...this.#brokers.values()]
    await Promise.all(brokers.map((broker) => broker.close(graceMs)))
  }

  #identify(clusterId: string | null, listed: readonly ListedBroker[]): void {
    if (clusterId === null) return
    this.#clusterId ??= clusterId
    if (clusterId === this.#clusterId) return
    throw new WrongClusterError(listed.map(formatAddress).join(', '), clusterId, this.#clusterId)
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
}
