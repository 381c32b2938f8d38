import type { Admin } from './admin/admin.ts'
import type { ApiVersionRange, BrokerDescription } from './admin/cluster.ts'
import type { CallOptions } from './call-options.ts'
import type { Cluster } from './cluster/cluster.ts'
import { InvalidArgumentError } from './errors.ts'
import { anInteger, checkValue } from './options.ts'

/**
 * A broker as the cluster described it at the time of the call.
 * `client.request(api, body, { to: { broker: broker.id } })` sends any request of Kafka's protocol to it.
 */
export class ClusterBroker {
  /** Node id. */
  readonly id: number
  /** The host name or address that the broker advertises to clients. */
  readonly host: string
  /** The port that the broker advertises to clients. */
  readonly port: number
  /** The rack of the broker (`broker.rack`); undefined if none is configured, and before Kafka 0.10. */
  readonly rack: string | undefined
  readonly #cluster: Cluster
  readonly #admin: Admin

  /** @internal `client.brokers` and `client.cluster` create it. */
  constructor(cluster: Cluster, admin: Admin, found: BrokerDescription) {
    this.#cluster = cluster
    this.#admin = admin
    this.id = found.broker
    this.host = found.host
    this.port = found.port
    this.rack = found.rack
  }

  /**
   * True if the client has a connection to the broker now. The client connects when it has a request to send, and
   * closes idle connections. Connections to the bootstrap addresses in `hosts` do not count.
   */
  get connected(): boolean {
    return this.#cluster.brokers.get(this.id)?.isConnected ?? false
  }

  /**
   * Returns the versions of each API that the broker supports, by key (Kafka 0.10 or newer). Throws BrokerError,
   * ConnectionError, UnsupportedVersionError, RequestTimeoutError.
   */
  apiVersions(call: CallOptions = {}): Promise<readonly ApiVersionRange[]> {
    return this.#admin.describeApiVersions(this.id, call)
  }
}

/**
 * The brokers of a cluster, as `client.brokers`. Each call asks the cluster, so that the result is always current.
 */
export class Brokers implements AsyncIterable<ClusterBroker> {
  readonly #cluster: Cluster
  readonly #admin: Admin

  /** @internal The client creates it. */
  constructor(cluster: Cluster, admin: Admin) {
    this.#cluster = cluster
    this.#admin = admin
  }

  /**
   * Returns the brokers by node id. Throws ClosedError, BrokerError, NoBrokersAvailableError, RequestTimeoutError.
   */
  async list(call: CallOptions = {}): Promise<readonly ClusterBroker[]> {
    const { brokers } = await this.#admin.describeCluster(call)
    return brokers.map((found) => new ClusterBroker(this.#cluster, this.#admin, found))
  }

  /**
   * Resolves with true if the cluster has a broker with this node id. Throws as `list` does, and
   * InvalidArgumentError.
   */
  async has(id: number, call: CallOptions = {}): Promise<boolean> {
    return (await this.#find(id, call)) !== undefined
  }

  /** Returns the broker with this node id. Throws as `list` does, and an InvalidArgumentError if there is none. */
  async get(id: number, call: CallOptions = {}): Promise<ClusterBroker> {
    const found = await this.#find(id, call)
    if (found !== undefined) return found
    throw new InvalidArgumentError(`the cluster has no broker ${id}`)
  }

  /** Iterates over the brokers by node id. */
  async *[Symbol.asyncIterator](): AsyncGenerator<ClusterBroker, undefined> {
    yield* await this.list()
  }

  async #find(id: number, call: CallOptions): Promise<ClusterBroker | undefined> {
    checkValue('a broker id', id, anInteger(0))
    return (await this.list(call)).find((broker) => broker.id === id)
  }
}
