import { createServer, type Server, type Socket } from 'node:net'
import { FetchSessions } from '../fetch/sessions.ts'
import { ServerConnection, type ConnectionParts } from './connection.ts'
import type { ServingBroker } from './context.ts'
import { listenOn } from './listen.ts'

const HOST = '127.0.0.1'

/** One broker: a listening socket and its connections. It can be stopped, and started again at its port. */
export class EmbeddedBroker implements ServingBroker {
  readonly id: number
  readonly host = HOST
  fetchSessions = new FetchSessions()
  #port: number
  #server: Server | undefined
  readonly #connections = new Set<ServerConnection>()

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

  async start(parts: Omit<ConnectionParts, 'broker'>): Promise<void> {
    if (this.#server !== undefined) return
    const server = createServer({ noDelay: true }, (socket) => this.#accept(socket, parts))
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
    await closed
  }

  #accept(socket: Socket, parts: Omit<ConnectionParts, 'broker'>): void {
    if (this.#server === undefined) {
      socket.destroy()
      return
    }
    const onClose = () => this.#connections.delete(connection)
    const connection = new ServerConnection(socket, { ...parts, broker: this }, onClose)
    this.#connections.add(connection)
  }
}
