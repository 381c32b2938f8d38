import { FetchSessions } from '../fetch/sessions.ts'
import type { EmbeddedTlsOptions } from '../security/options.ts'
import { createBrokerServer } from './broker-server.ts'
import { ServerConnection, type ConnectionParts } from './connection.ts'
import type { ServingBroker } from './context.ts'
import { Listener } from './listener.ts'

/** What all brokers of a cluster have. */
export interface BrokerParts extends Omit<ConnectionParts, 'broker'> {
  readonly tls: EmbeddedTlsOptions | undefined
}

/** One broker: it can be stopped, and started again at its port. */
export class EmbeddedBroker implements ServingBroker {
  readonly id: number
  fetchSessions = new FetchSessions()
  readonly #listener: Listener<ServerConnection>

  /** Port 0 takes any that is free. */
  constructor(id: number, port: number) {
    this.id = id
    this.#listener = new Listener(port)
  }

  get host(): string {
    return this.#listener.host
  }

  get port(): number {
    return this.#listener.port
  }

  get isAlive(): boolean {
    return this.#listener.isListening
  }

  async start(parts: BrokerParts): Promise<void> {
    if (this.isAlive) return
    const { tls, onError } = parts
    await this.#listener.start({
      createServer: (onClient) => createBrokerServer(tls, onClient, onError),
      connect: (socket, onClose) =>
        new ServerConnection(socket, { ...parts, broker: this }, onClose),
      onError,
    })
    this.fetchSessions = new FetchSessions()
  }

  /** At once, as when the process is killed: connections end wherever they are. */
  stop(): Promise<void> {
    return this.#listener.stop()
  }
}
