import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { frameCutter } from '../frames.ts'
import { RawSession } from './raw-session.ts'
import { closeSession } from './wire.ts'

interface Credentials {
  readonly sessionId: bigint
  readonly password: Buffer
}

/**
 * Passes everything on to a ZooKeeper, and notes the sessions that it grants. A client that knows a session's id and password
 * can end it from another connection: the way to see on a real server what expires otherwise only with time.
 */
export class SessionRelay implements AsyncDisposable {
  /** All sessions that were granted, each once, the newest last. */
  readonly granted: Credentials[] = []
  readonly #zookeeperPort: number
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #isExpiring = false

  private constructor(zookeeperPort: number) {
    this.#zookeeperPort = zookeeperPort
    this.#server = createServer({ noDelay: true }, (client) => this.#passOn(client))
  }

  static async start(zookeeperPort: number): Promise<SessionRelay> {
    const relay = new SessionRelay(zookeeperPort)
    relay.#server.listen(0, '127.0.0.1')
    await once(relay.#server, 'listening')
    return relay
  }

  get hosts(): string {
    const address = this.#server.address()
    return `127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`
  }

  /** Ends the newest session: what is ephemeral in it is gone when this resolves. */
  async expire(): Promise<void> {
    const session = this.granted.at(-1)
    if (session === undefined) throw new Error('no session was granted')
    using other = await RawSession.open(this.#zookeeperPort)
    // Its owner comes back for it as soon as it is taken over, and would have it before it is closed.
    this.#isExpiring = true
    other.connect(session)
    other.send(closeSession())
    await other.closed()
    this.#isExpiring = false
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  #passOn(client: Socket): void {
    if (this.#isExpiring) {
      client.on('error', () => undefined).destroy()
      return
    }
    const server = connect({ port: this.#zookeeperPort, host: '127.0.0.1', noDelay: true })
    let isFirst = true
    const onFrame = (frame: Buffer) => {
      if (isFirst) this.#note(frame.subarray(4))
      isFirst = false
    }
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(from)
      from.on('error', () => undefined)
      from.on('close', () => {
        this.#sockets.delete(from)
        to.destroy()
      })
      from.pipe(to)
    }
    server.on('data', frameCutter(onFrame))
  }

  /** ConnectResponse: version, timeout (0: the session is over), id, password. */
  #note(response: Buffer): void {
    if (response.readInt32BE(4) <= 0) return
    const sessionId = response.readBigInt64BE(8)
    const password = Buffer.from(response.subarray(20, 20 + response.readInt32BE(16)))
    if (!this.granted.some((one) => one.sessionId === sessionId)) {
      this.granted.push({ sessionId, password })
    }
  }
}
