import type { Api } from '../../protocol/schema/api.ts'
import type { Decoded, Fields } from '../../protocol/schema/fields.ts'
import { firstAnswer } from '../async/first-answer.ts'
import {
  ClosedError,
  KafkaError,
  NoBrokersAvailableError,
  WrongClusterError,
  isUnreachable,
} from '../errors.ts'
import { formatAddress, type Address } from '../network/address.ts'
import type { BrokerVersions } from '../network/api-versions.ts'
import {
  Broker,
  type BodyFor,
  type BrokerOptions,
  type BrokerRequestOptions,
} from '../network/broker.ts'
import type { ClusterOptions } from './cluster-options.ts'

/** How long a lookup waits for a broker before it also asks another. */
export const LOOKUP_PATIENCE_MS = 1_000
/**
 * A broker whose response is this late is frozen, cut off or busy. It keeps its connections when it is frozen, so that
 * requests would fail only after their timeout; meanwhile other brokers may have become the leaders, which a lookup
 * shows.
 */
export const OVERDUE_MS = 2_000

export interface AnyOptions extends BrokerRequestOptions {
  /** Default: the next broker is asked only when a request has failed. */
  readonly patienceMs?: number
}

export interface Answer<Response> {
  readonly broker: Broker
  readonly response: Response
}

/** A broker in a response. */
export interface ListedBroker extends Address {
  readonly nodeId: number
  readonly rack: string | null
}

/** The brokers of a cluster with their connections, and the bootstrap addresses. */
export class BrokerPool {
  readonly options: ClusterOptions
  /** Called with the versions of a broker whenever a connection is ready. */
  onReached: ((versions: BrokerVersions) => void) | undefined
  readonly #brokerOptions: BrokerOptions
  /** The id of the cluster that answered first; the client stays with it. Undefined before Kafka 0.10.1. */
  #clusterId: string | undefined
  #seeds: readonly Broker[] = []
  readonly #brokers = new Map<number, Broker>()
  /** Brokers that have not answered a lookup in time, until that request ends. */
  readonly #silent = new Set<Broker>()
  #isClosed = false
  /** Aborted by `close`. */
  readonly #ending = new AbortController()
  /** Whether any connection was ever ready: then the addresses are right, even if no broker can be reached now. */
  #wasReached = false

  constructor(options: ClusterOptions) {
    this.options = options
    this.#brokerOptions = {
      ...options.broker,
      clusterId: () => this.#clusterId,
      wasReached: () => this.#wasReached,
      onReached: (versions) => {
        this.#wasReached = true
        this.onReached?.(versions)
      },
    }
  }

  /** The known brokers by node id. Empty before the first request. */
  get brokers(): ReadonlyMap<number, Broker> {
    return this.#brokers
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /**
   * Sends a request to any broker: to the known brokers first, then to the bootstrap addresses, which are resolved
   * again (KIP-899). Throws NoBrokersAvailableError with the error of each broker, or WrongClusterError if all brokers
   * belong to another cluster.
   *
   * `patienceMs` is for lookups: when a broker has not answered for this long, the next one is asked beside it, because
   * a broker that is frozen or cut off fails only after the whole timeout of the request.
   */
  async requestAny<Request extends Fields, Response extends Fields>(
    api: Api<Request, Response>,
    body: BodyFor<Request>,
    options: AnyOptions,
  ): Promise<Decoded<Response>> {
    return (await this.askAny(api, body, options)).response
  }

  /** As `requestAny`; resolves also with the broker that has answered. */
  async askAny<Request extends Fields, Response extends Fields>(
    api: Api<Request, Response>,
    body: BodyFor<Request>,
    { patienceMs = Infinity, ...options }: AnyOptions,
  ): Promise<Answer<Decoded<Response>>> {
    const attempts: { address: string; error: Error }[] = []
    const attempt = async (broker: Broker) => {
      this.#throwIfClosed()
      try {
        return { broker, response: await broker.request(api, body, options) }
      } catch (error) {
        this.#throwIfClosed()
        if (!isUnreachable(error)) throw error
        attempts.push({ address: broker.name, error })
        return undefined
      } finally {
        this.#silent.delete(broker)
      }
    }
    const onSilent = (broker: Broker) => this.#silent.add(broker)
    const answer = await firstAnswer(this.#candidates(), attempt, patienceMs, onSilent)
    if (answer !== undefined) return answer
    const [first] = attempts
    if (first !== undefined && attempts.every(({ error }) => error instanceof WrongClusterError)) {
      throw first.error
    }
    throw new NoBrokersAvailableError(attempts)
  }

  /**
   * Whether the error means that no address was ever reached. Then an address is more likely wrong than all brokers are
   * down, and the call fails immediately instead of after many retries, unless `waitForCluster` is set.
   */
  wasNeverReached(error: Error): boolean {
    const isUnavailable = error instanceof KafkaError && error.code === 'NO_BROKERS_AVAILABLE'
    return isUnavailable && !this.#wasReached && !this.options.waitsForCluster
  }

  /**
   * Returns the broker with this id at this address. If the broker was at another address before, its connections are
   * closed.
   */
  learnBroker(nodeId: number, address: Address, rack: string | null = null): Broker {
    const known = this.#brokers.get(nodeId)
    if (known?.name === formatAddress(address)) {
      // Only Metadata reports the rack.
      known.rack = rack ?? known.rack
      return known
    }
    void known?.retire()
    const broker = new Broker(nodeId, address, this.#brokerOptions, rack)
    this.#brokers.set(nodeId, broker)
    return broker
  }

  /**
   * Stores the brokers of a Metadata response, and closes the connections of brokers that it does not list. `from` has
   * sent the response. Throws WrongClusterError for a response of another cluster, because the client would write to
   * that cluster's leaders.
   */
  update(clusterId: string | null, listed: readonly ListedBroker[], from?: Broker): void {
    this.#identify(clusterId, listed)
    for (const { nodeId, host, port, rack } of listed)
      this.learnBroker(nodeId, { host, port }, rack)
    if (from !== undefined && this.#seeds.includes(from)) this.#adopt(from, listed)
    // A broker that failed or has just started returns an empty list: the known brokers are kept.
    if (listed.length === 0) return
    const ids = new Set(listed.map(({ nodeId }) => nodeId))
    for (const [nodeId, broker] of this.#brokers) {
      if (ids.has(nodeId)) continue
      void broker.retire()
      this.#brokers.delete(nodeId)
    }
  }

  /**
   * Forgets the brokers: the next request starts from the bootstrap addresses (KIP-1102). The cluster id is kept,
   * because positions, committed offsets and sequence numbers mean nothing in another cluster.
   */
  rebootstrap(): void {
    this.options.logger.info('the cluster requested a new bootstrap')
    for (const broker of this.#brokers.values()) void broker.retire()
    this.#brokers.clear()
  }

  /**
   * Waits up to this long for requests in flight, then closes all connections. Later requests fail with ClosedError.
   */
  async close(graceMs: number): Promise<void> {
    this.#isClosed = true
    this.#ending.abort(new ClosedError('client'))
    const brokers = [...this.#seeds, ...this.#brokers.values()]
    await Promise.all(brokers.map((broker) => broker.close(graceMs)))
  }

  /**
   * The connection of a bootstrap address goes to the broker that is listed at the same address. Only the one that has
   * sent the list: it belongs to the same cluster. Not if several brokers are at the address, as behind some proxies.
   */
  #adopt(bootstrap: Broker, listed: readonly ListedBroker[]): void {
    const [found, ...others] = listed.filter((one) => formatAddress(one) === bootstrap.name)
    if (found === undefined || others.length > 0) return
    this.#brokers.get(found.nodeId)?.adopt(bootstrap)
  }

  #identify(clusterId: string | null, listed: readonly ListedBroker[]): void {
    if (clusterId === null) return
    this.#clusterId ??= clusterId
    this.options.metrics.clusterId = this.#clusterId
    if (clusterId === this.#clusterId) return
    throw new WrongClusterError(listed.map(formatAddress).join(', '), clusterId, this.#clusterId)
  }

  #throwIfClosed(): void {
    if (this.#isClosed) throw new ClosedError('client')
  }

  /** The known brokers, then the bootstrap addresses that are not among them. */
  async *#candidates(): AsyncGenerator<Broker> {
    const known = this.#inOrder()
    yield* known
    const tried = new Set(known.map(({ name }) => name))
    for (const seed of await this.#bootstrap()) if (!tried.has(seed.name)) yield seed
  }

  /** Returns the known brokers, the most promising first, and in random order where they are alike. */
  #inOrder(): Broker[] {
    return [...this.#brokers.values()]
      .map((broker) => ({ broker, rank: this.#rankOf(broker) + Math.random() }))
      .sort((a, b) => a.rank - b.rank)
      .map(({ broker }) => broker)
  }

  /**
   * The broker that answered before needs no new connection. One that has closed a connection is perhaps shutting down:
   * when leaders have moved for this reason, the lookup of the new ones does not begin at the broker that ends.
   */
  #rankOf(broker: Broker): number {
    if (broker.isBackingOff || this.#silent.has(broker)) return 3
    if (broker.hasLostConnection) return 2
    return broker.isConnectedFor('general') ? 0 : 1
  }

  /** Returns the bootstrap addresses as brokers. Connections to addresses that are still in the list are kept. */
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
