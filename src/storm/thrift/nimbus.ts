/** The requests to Storm's Nimbus. */
import { StormError } from '../errors.ts'
import type { StormTopology } from '../topology/storm-topology.ts'
import { textOf, ThriftConnection, type Address } from './connection.ts'
import { methods, type Method } from './methods.ts'
import type {
  ClusterSummary,
  ComponentPageInfo,
  RebalanceOptions,
  SupervisorPageInfo,
  TopologyInfo,
  TopologyPageInfo,
  TopologySummary,
} from './structures.ts'

export interface NimbusOptions {
  /** The servers: the first one that responds returns which one leads. */
  readonly seeds: readonly Address[]
  /** The timeout of a connection and of each call. Default: 30,000. */
  readonly timeoutMs?: number
}

export interface Submission {
  readonly name: string
  /** Storm's settings. */
  readonly config: Readonly<Record<string, unknown>>
  readonly topology: StormTopology
  /**
   * The result of `upload`. Undefined for a Storm in one JVM, which has the jar on its class path.
   */
  readonly jarLocation: string | undefined
  /** Default: true. */
  readonly isActive?: boolean
}

const TIMEOUT_MS = 30_000
/** The chunk size of Storm's own client: Nimbus accepts frames of up to 1 MB. */
const CHUNK_BYTES = 307_200
const ACTIVE = 1
const INACTIVE = 2

/** A connection to the leading Nimbus. */
export class Nimbus implements Disposable {
  readonly #connection: ThriftConnection

  private constructor(connection: ThriftConnection) {
    this.#connection = connection
  }

  /** Throws StormError (NIMBUS_UNREACHABLE) with the error of each seed. */
  static async connect({ seeds, timeoutMs = TIMEOUT_MS }: NimbusOptions): Promise<Nimbus> {
    const problems: string[] = []
    for (const seed of seeds) {
      try {
        return await connectToLeader(seed, timeoutMs)
      } catch (error) {
        if (!(error instanceof StormError) || error.code !== 'NIMBUS_UNREACHABLE') throw error
        if (seeds.length === 1) throw error
        problems.push(error.message)
      }
    }
    throw new StormError('NIMBUS_UNREACHABLE', problems.join('; '))
  }

  /** Uses an existing connection. */
  static of(connection: ThriftConnection): Nimbus {
    return new Nimbus(connection)
  }

  get address(): Address {
    return this.#connection.address
  }

  [Symbol.dispose](): void {
    this.#connection[Symbol.dispose]()
  }

  cluster(): Promise<ClusterSummary> {
    return this.#call(methods.cluster, {})
  }

  /** Nimbus's own settings. */
  async conf(): Promise<Readonly<Record<string, unknown>>> {
    const text = await this.#call(methods.nimbusConf, {})
    // Nimbus returns a map.
    return JSON.parse(text) as Readonly<Record<string, unknown>>
  }

  /** The topologies, including killed ones as long as their workers run. */
  async topologies(): Promise<readonly TopologySummary[]> {
    const { topologies } = await this.cluster()
    return topologies
  }

  /**
   * The topology with this name. Throws StormError (UNKNOWN_TOPOLOGY) with the names of the running
   * ones.
   */
  async topologyNamed(name: string): Promise<TopologySummary> {
    const all = await this.topologies()
    const found = all.find((one) => one.name === name)
    if (found !== undefined) return found
    const known = all.map((one) => one.name).join(', ')
    const running = known === '' ? 'it has none' : `it has ${known}`
    const reason = `the cluster of ${textOf(this.address)} has no topology '${name}'; ${running}`
    throw new StormError('UNKNOWN_TOPOLOGY', reason)
  }

  topology(id: string): Promise<TopologyInfo> {
    return this.#call(methods.topology, { id })
  }

  /** `window` is a number of seconds, or `:all-time`. */
  topologyPage(id: string, window: string, withSystem: boolean): Promise<TopologyPageInfo> {
    return this.#call(methods.topologyPage, { id, window, is_include_sys: withSystem })
  }

  componentPage(
    topologyId: string,
    component: string,
    window: string,
    withSystem: boolean,
  ): Promise<ComponentPageInfo> {
    return this.#call(methods.componentPage, {
      topology_id: topologyId,
      component_id: component,
      window,
      is_include_sys: withSystem,
    })
  }

  /** The page of a host's supervisors: Nimbus uses only the host in their ids. */
  supervisorPage(host: string): Promise<SupervisorPageInfo> {
    return this.#call(methods.supervisorPage, { host, is_include_sys: true })
  }

  /** False for a name that is in use, or that Storm does not accept. */
  isNameAllowed(name: string): Promise<boolean> {
    return this.#call(methods.isNameAllowed, { name })
  }

  /** Uploads a jar in chunks. Resolves with the path at which Nimbus has stored it. */
  async upload(jar: Uint8Array, onProgress: (bytes: number) => void): Promise<string> {
    const location = await this.#call(methods.beginFileUpload, {})
    for (let at = 0; at < jar.length; at += CHUNK_BYTES) {
      const chunk = jar.subarray(at, at + CHUNK_BYTES)
      await this.#call(methods.uploadChunk, { location, chunk })
      onProgress(at + chunk.length)
    }
    await this.#call(methods.finishFileUpload, { location })
    return location
  }

  async submit({
    name,
    config,
    topology,
    jarLocation,
    isActive = true,
  }: Submission): Promise<void> {
    await this.#call(methods.submit, {
      name,
      ...(jarLocation === undefined ? {} : { uploadedJarLocation: jarLocation }),
      jsonConf: JSON.stringify(config),
      topology,
      options: { initial_status: isActive ? ACTIVE : INACTIVE },
    })
  }

  /** The workers end after `waitSecs`; Storm's default is `topology.message.timeout.secs`. */
  async kill(name: string, waitSecs?: number): Promise<void> {
    const options = waitSecs === undefined ? {} : { wait_secs: waitSecs }
    await this.#call(methods.kill, { name, options })
  }

  async activate(name: string): Promise<void> {
    await this.#call(methods.activate, { name })
  }

  async deactivate(name: string): Promise<void> {
    await this.#call(methods.deactivate, { name })
  }

  async rebalance(name: string, options: RebalanceOptions): Promise<void> {
    await this.#call(methods.rebalance, { name, options })
  }

  #call<Args, Result>(method: Method<Args, Result>, args: Args): Promise<Result> {
    return this.#connection.call(method, args)
  }
}

/** A Nimbus that does not lead rejects all changes. */
async function connectToLeader(seed: Address, timeoutMs: number): Promise<Nimbus> {
  const connection = await ThriftConnection.open(seed, timeoutMs)
  try {
    const { nimbuses } = await connection.call(methods.cluster, {})
    const leader = nimbuses.find(({ isLeader }) => isLeader)
    // It is the only Nimbus, whatever name is used to reach it.
    if (nimbuses.length <= 1 || leader === undefined) return Nimbus.of(connection)
    if (leader.host === seed.host && leader.port === seed.port) return Nimbus.of(connection)
    const { host, port } = leader
    const toLeader = await ThriftConnection.open({ host, port }, timeoutMs)
    connection[Symbol.dispose]()
    return Nimbus.of(toLeader)
  } catch (error) {
    connection[Symbol.dispose]()
    throw error
  }
}
