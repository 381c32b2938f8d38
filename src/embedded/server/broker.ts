import { FetchSessions } from '../fetch/sessions.ts'
import { ShareSessions } from '../fetch/share-sessions.ts'
import { securityProtocolOf, type EmbeddedTlsOptions } from '../security/options.ts'
import type { SaslServer } from '../security/sasl-server.ts'
import { createBrokerServer } from './broker-server.ts'
import { ServerConnection, type ConnectionDependencies } from './connection.ts'
import type { ServingBroker } from '../api/context.ts'
import { Listener } from '../listen/listener.ts'

/** The dependencies that all brokers of a cluster share. */
export type BrokerDependencies = Omit<ConnectionDependencies, 'broker' | 'listener' | 'sasl'>

/** The options of one listener of a broker. */
export interface ListenerPlan {
  readonly name: string
  /** 0 selects any free port. */
  readonly port: number
  readonly tls: EmbeddedTlsOptions | undefined
  readonly sasl: SaslServer | undefined
}

interface BrokerListener {
  readonly plan: ListenerPlan
  readonly listener: Listener<ServerConnection>
}

/** One broker: it can be stopped, and started again on its ports. */
export class EmbeddedBroker implements ServingBroker {
  readonly id: number
  readonly rack: string | null
  fetchSessions = new FetchSessions()
  shareSessions = new ShareSessions()
  readonly #listeners: readonly BrokerListener[]

  /** `port` is the port of the first listener. */
  constructor(id: number, plans: readonly ListenerPlan[], rack: string | null) {
    this.id = id
    this.rack = rack
    this.#listeners = plans.map((plan) => ({ plan, listener: new Listener(plan.port) }))
  }

  get host(): string {
    return this.#first.host
  }

  get port(): number {
    return this.#first.port
  }

  get isAlive(): boolean {
    return this.#first.isListening
  }

  get listenerUris(): readonly string[] {
    return this.#listeners.map(({ plan, listener }) => {
      const name = plan.name === '' ? securityProtocolOf(plan.tls, plan.sasl) : plan.name
      return `${name}://${listener.host}:${listener.port}`
    })
  }

  portOf(name: string): number | undefined {
    return this.#listeners.find(({ plan }) => plan.name === name)?.listener.port
  }

  async start(parts: BrokerDependencies): Promise<void> {
    if (this.isAlive) return
    const { onError } = parts
    try {
      // The first listener starts last: then the broker is alive and all its listeners listen.
      for (const { plan, listener } of [...this.#listeners].reverse()) {
        const { name, tls, sasl } = plan
        await listener.start({
          createServer: (onClient) => createBrokerServer(tls, onClient, onError),
          connect: (socket, onClose) => {
            const own = { ...parts, broker: this, listener: name, sasl }
            return new ServerConnection(socket, own, onClose)
          },
          onError,
        })
      }
    } catch (error) {
      await this.stop()
      throw error
    }
    this.fetchSessions = new FetchSessions()
    this.shareSessions = new ShareSessions()
  }

  /** Stops immediately, as if the process were killed: connections end at any point. */
  async stop(): Promise<void> {
    await Promise.all(this.#listeners.map(({ listener }) => listener.stop()))
  }

  get #first(): Listener<ServerConnection> {
    return this.#listeners[0]!.listener
  }
}
