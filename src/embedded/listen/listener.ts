import type { Server, Socket } from 'node:net'
import { Deadline } from '../../async/deadline.ts'
import { EmbeddedClusterError } from '../embedded-cluster-error.ts'
import { listenOn } from './listen.ts'

/**
 * While a listener is stopped, the system may give its port to another process, for example to another test, if the
 * system has chosen the port. That process may end soon, so a listener that starts again waits for its port.
 */
const PORT_WAIT_MS = 30_000
const PORT_RETRY_MS = 50

/** The options of a listener. */
export interface ListenerDependencies<Connection> {
  /** Creates a server that calls `onClient` for each client. */
  readonly createServer: (onClient: (socket: Socket) => void) => Server
  readonly connect: (socket: Socket, onClose: () => void) => Connection
  readonly onError: (error: unknown) => void
}

/** A listening socket and its connections. It can be stopped, and started again on its port. */
export class Listener<Connection extends { close(): void }> {
  readonly host = '127.0.0.1'
  #port: number
  /** True if the system has chosen the port. */
  #isChosen = false
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
      const port = await this.#listen(server)
      if (this.#port === 0) this.#isChosen = true
      this.#port = port
    } catch (error) {
      if (this.#server === server) this.#server = undefined
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

  async #listen(server: Server): Promise<number> {
    const deadline = new Deadline(this.#isChosen ? PORT_WAIT_MS : 0)
    for (;;) {
      try {
        return await listenOn(server, this.host, this.#port)
      } catch (error) {
        const isTaken = error instanceof EmbeddedClusterError && error.code === 'PORT_IN_USE'
        if (!isTaken || !deadline.leaves(PORT_RETRY_MS)) throw error
        await deadline.sleep(PORT_RETRY_MS)
        // It was stopped meanwhile.
        if (this.#server !== server) throw error
      }
    }
  }
}
