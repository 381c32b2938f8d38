import type { Server, Socket } from 'node:net'
import { FetchSessions } from '../fetch/sessions.ts'
import type { EmbeddedTlsOptions } from '../security/options.ts'
import { ServerConnection, type ConnectionParts } from './connection.ts'
import type { ServingBroker } from './context.ts'
import { listenOn } from './listen.ts'
import { createListener } from './listener.ts'

const HOST = '127.0.0.1'

/** What all brokers of a cluster have. */
export interface BrokerParts extends Omit<ConnectionParts, 'broker'> {
  readonly tls: EmbeddedTlsOptions | undefined
}

/** One broker: a listening socket and its connections. It can be stopped, and started again at its port. */
export class EmbeddedBroker implements ServingBroker {
  readonly id: number
  readonly host = HOST
  fetchSessions = new FetchSessions()
  #port: number
  #server: Server | undefined
  readonly #connections = new Set<ServerConnection>()
  /** Those in the middle of a TLS handshake, too. */
  readonly #sockets = new Set<Socket>()

  /** Port 0 takes any that is free. */
  constructor(id: number, port: number) {
    this.id = id
    this.#port = port
  }

  get port(): number {
    return this.#port
  }

  get isAlive(): boolean {
    return this.#server !== undefined
  }

  async start(parts: BrokerParts): Promise<void> {
    if (this.#server !== undefined) return
    const onClient = (socket: Socket) => this.#accept(socket, parts)
    const server = createListener(parts.tls, onClient, parts.onError)
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
    })
    this.#port = await listenOn(server, HOST, this.#port)
    server.on('error', parts.onError)
    this.#server = server
    this.fetchSessions = new FetchSessions()
  }

  /** At once, as when the process is killed: connections end wherever they are. */
  async stop(): Promise<void> {
    const server = this.#server
    if (server === undefined) return
    this.#server = undefined
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    for (const connection of this.#connections) connection.close()
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  #accept(socket: Socket, parts: BrokerParts): void {
    if (this.#server === undefined) {
      socket.destroy()
      return
    }
    const onClose = () => this.#connections.delete(connection)
    const connection = new ServerConnection(socket, { ...parts, broker: this }, onClose)
    this.#connections.add(connection)
  }
}
