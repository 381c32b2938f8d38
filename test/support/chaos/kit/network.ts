import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Random } from '../../../wire/support/random.ts'
import type { ChaosCluster } from './chaos-cluster.ts'
import { Gate, type Route } from './gate.ts'
import { ClientNamespace } from './namespace.ts'

/** From a namespace clients reach ZooKeeper by a gate, too, at the same port. */
function zookeeperRoutes({ kafka: { zookeeperHosts = '' } }: ChaosCluster): readonly Route[] {
  return [...zookeeperHosts.matchAll(/:(\d+)/g)].map(([, port]) => {
    const place = Number(port)
    return { listen: place, target: place }
  })
}

/** What is between samsa's clients and the brokers. */
export class Network implements AsyncDisposable {
  readonly gate: Gate | undefined
  /** Undefined where namespaces are not permitted: then the gate swallows what comes. */
  readonly namespace: ClientNamespace | undefined
  readonly #cluster: ChaosCluster
  readonly #folder: string | undefined

  private constructor(
    cluster: ChaosCluster,
    gate?: Gate,
    namespace?: ClientNamespace,
    folder?: string,
  ) {
    this.#cluster = cluster
    this.gate = gate
    this.namespace = namespace
    this.#folder = folder
  }

  static async start(
    kind: 'gate' | 'namespace' | undefined,
    cluster: ChaosCluster,
    random: Random,
  ): Promise<Network> {
    if (kind === undefined) return new Network(cluster)
    const share = () => random.below(2 ** 30) / 2 ** 30
    if (kind === 'namespace') {
      const folder = mkdtempSync(join(tmpdir(), 'samsa-gate-'))
      const routes = [...cluster.routes, ...zookeeperRoutes(cluster)]
      const sockets = routes.map(({ listen }) => join(folder, `${listen}.sock`))
      const namespace = await ClientNamespace.create(
        routes.map(({ listen }, index) => ({ listen, target: sockets[index]! })),
      )
      if (namespace !== undefined) {
        const outer = routes.map(({ target }, index) => ({ listen: sockets[index]!, target }))
        return new Network(cluster, await Gate.start(outer, share), namespace, folder)
      }
      rmSync(folder, { recursive: true })
    }
    return new Network(cluster, await Gate.start(cluster.routes, share))
  }

  /** For the clients. */
  get options(): { readonly hosts?: string; readonly prefix?: readonly string[] } {
    if (this.gate === undefined) return {}
    const hosts = this.#cluster.gatedHosts
    return this.namespace === undefined ? { hosts } : { hosts, prefix: this.namespace.prefix }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.namespace?.[Symbol.asyncDispose]()
    await this.gate?.[Symbol.asyncDispose]()
    if (this.#folder !== undefined) rmSync(this.#folder, { recursive: true })
  }
}
