import { createServer, type Server, type Socket } from 'node:net'
import { listenOn } from '../../server/listen.ts'
import { ZooKeeperConnection, type ConnectionParts } from './connection.ts'

const HOST = '127.0.0.1'

/** The listening socket and its connections. It can be stopped, and started again at its port. */
export class Listener {
  #port: number
  #server: Server | undefined
  readonly #connections = new Set<ZooKeeperConnection>()

  /** Port 0 takes any that is free. */
  constructor(port: number) {
    this.#port = port
  }

  get port(): number {
    return this.#port
  }

  get isListening(): boolean {
    return this.#server !== undefined
  }

  get connections(): readonly ZooKeeperConnection[] {
    return [...this.#connections]
  }

  async start(parts: ConnectionParts): Promise<void> {
    if (this.#server !== undefined) return
    const server = createServer((socket) => this.#accept(socket, parts))
    this.#server = server
    try {
      this.#port = await listenOn(server, HOST, this.#port)
    } catch (error) {
      this.#server = undefined
      throw error
    }
    server.on('error', parts.onError)
  }

  /** At once, as when the process is killed. */
  async stop(): Promise<void> {
    const server = this.#server
    if (server === undefined) return
    this.#server = undefined
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    for (const connection of this.connections) connection.close()
    await closed
  }

  #accept(socket: Socket, parts: ConnectionParts): void {
    if (this.#server === undefined) {
      socket.destroy()
      return
    }
    const onClose = () => this.#connections.delete(connection)
    const connection = new ZooKeeperConnection(socket, parts, onClose)
    this.#connections.add(connection)
  }
}
