import type { Server, Socket } from 'node:net'
import { listenOn } from './listen.ts'

/** The options of a listener. */
export interface ListenerDependencies<Connection> {
  /** A server that passes its clients on. */
  readonly createServer: (onClient: (socket: Socket) => void) => Server
  readonly connect: (socket: Socket, onClose: () => void) => Connection
  readonly onError: (error: unknown) => void
}

/** A listening socket and its connections. It can be stopped, and started again on its port. */
export class Listener<Connection extends { close(): void }> {
  readonly host = '127.0.0.1'
  #port: number
  #server: Server | undefined
  readonly #connections = new Set<Connection>()
  /** Includes those that have not finished the TLS handshake. */
  readonly #sockets = new Set<Socket>()

  /** Port 0 selects any free port. */
  constructor(port: number) {
    this.#port = port
  }

  get port(): number {
    return this.#port
  }

  get isListening(): boolean {
    return this.#server?.listening === true
  }

  get connections(): readonly Connection[] {
    return [...this.#connections]
  }

  /** Throws EmbeddedClusterError. */
  async start({ createServer, connect, onError }: ListenerDependencies<Connection>): Promise<void> {
    if (this.#server !== undefined) return
    const server = createServer((socket) => {
      if (this.#server !== server) {
        socket.destroy()
        return
      }
      const connection = connect(socket, () => this.#connections.delete(connection))
      this.#connections.add(connection)
    })
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
    })
    this.#server = server
    try {
      this.#port = await listenOn(server, this.host, this.#port)
    } catch (error) {
      this.#server = undefined
      throw error
    }
    server.on('error', onError)
  }

  /** Stops immediately, as if the process were killed: connections end at any point. */
  async stop(): Promise<void> {
    const server = this.#server
    if (server === undefined) return
    this.#server = undefined
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    for (const connection of this.connections) connection.close()
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }
}
