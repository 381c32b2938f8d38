import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { apiOf } from '../../protocol/apis/index.ts'
import { decodeRequestHeader } from '../../protocol/headers.ts'
import { frameCutter } from './frames.ts'
import { freePorts } from './kafka/ports.ts'
import type { Fault } from './proxy-faults.ts'
import { Link } from './proxy-link.ts'
import { rewritten, type Ports } from './proxy-rewrite.ts'

/** What becomes of a new connection: it is passed on, taken and never answered, or answered by itself. */
export type Welcome = 'pass' | 'mute' | Buffer

export type Direction = 'request' | 'response'

interface Rule {
  readonly direction: Direction
  /** All APIs where none is named. */
  readonly api: string | undefined
  readonly fault: Fault
  left: number
}

export interface FaultOptions {
  /** The API's name: `Produce`. */
  readonly api?: string
  /** How often; always by default. */
  readonly times?: number
}

/**
 * A TCP proxy before one broker that behaves as the test says, per direction and API, for connections that
 * are there as for those to come. A client that starts from it stays with it.
 */
export class Proxy implements AsyncDisposable {
  readonly host = '127.0.0.1'
  readonly port: number
  welcome: Welcome = 'pass'
  /** This many new connections end at their first request, without a byte, as Kafka 0.8 ends those of newer clients. */
  turnsAway = 0
  connectionCount = 0
  /** The sizes of the last frame of each API and direction: `Produce request`. */
  readonly lengths = new Map<string, number>()
  readonly #brokerPort: number
  readonly #ports: Ports
  readonly #sockets = new Set<Socket>()
  #rules: Rule[] = []
  #server: Server | undefined

  private constructor(port: number, brokerPort: number, ports: Ports) {
    this.port = port
    this.#brokerPort = brokerPort
    this.#ports = ports
  }

  static async start(brokerPort: number): Promise<Proxy> {
    // Not one that the system gives out: it must be free for it again after it has refused for a while.
    const [port = 0] = await freePorts(1)
    const proxy = new Proxy(port, brokerPort, new Map([[brokerPort, port]]))
    await proxy.#listen()
    return proxy
  }

  get name(): string {
    return `${this.host}:${this.port}`
  }

  /** Of clients. */
  get openConnections(): number {
    return this.#sockets.size
  }

  /** From now on does this with requests or responses. */
  misbehave(
    direction: Direction,
    fault: Fault,
    { api, times = Infinity }: FaultOptions = {},
  ): void {
    this.#rules.push({ direction, api, fault, left: times })
  }

  /** Whether faults that were to happen a number of times are all used up. */
  get hasMisbehaved(): boolean {
    return this.#rules.every(({ left }) => left === 0)
  }

  /** Passes everything on again. Connections that are stalled or mute stay so: nothing could mend them. */
  async behave(): Promise<void> {
    this.#rules = []
    this.welcome = 'pass'
    if (this.#server === undefined) await this.#listen()
  }

  /** Stops listening, and ends the open connections. */
  async refuse(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    if (server === undefined) return
    const closed = new Promise((resolve) => server.close(resolve))
    this.dropConnections()
    await closed
  }

  dropConnections(ending: 'end' | 'reset' = 'end'): void {
    for (const socket of this.#sockets) {
      if (ending === 'reset') socket.resetAndDestroy()
      else socket.destroy()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.refuse()
  }

  async #listen(): Promise<void> {
    const server = createServer({ noDelay: true }, (socket) => this.#serve(socket))
    server.listen(this.port, this.host)
    await once(server, 'listening')
    this.#server = server
  }

  #serve(client: Socket): void {
    this.connectionCount++
    this.#sockets.add(client)
    client.on('error', () => undefined)
    client.on('close', () => this.#sockets.delete(client))
    if (this.turnsAway > 0) {
      this.turnsAway--
      client.once('data', () => client.destroy())
    } else if (this.welcome === 'pass') this.#passOn(client)
    else {
      client.resume()
      if (this.welcome !== 'mute') client.write(this.welcome)
    }
  }

  #passOn(client: Socket): void {
    const broker = connect({ port: this.#brokerPort, host: this.host, noDelay: true })
    const toBroker = new Link(client, broker)
    const toClient = new Link(broker, client)
    const asked = new Map<number, { key: number; name: string; version: number }>()
    broker.on('error', () => client.destroy())
    client.on('close', () => broker.destroy())
    broker.on('close', () => toClient.inTurn(() => client.destroySoon()))
    client.on(
      'data',
      frameCutter((frame) => {
        const { header } = decodeRequestHeader(frame.subarray(4), apiOf)
        const name = apiOf(header.apiKey)?.name ?? `API ${header.apiKey}`
        asked.set(header.correlationId, { key: header.apiKey, name, version: header.apiVersion })
        this.#pass('request', name, frame, toBroker)
      }),
    )
    broker.on(
      'data',
      frameCutter((frame) => {
        const correlationId = frame.readInt32BE(4)
        const request = asked.get(correlationId)
        if (request === undefined)
          throw new Error(`The broker answered a request that was not sent`)
        asked.delete(correlationId)
        const { key, name, version } = request
        this.#pass('response', name, rewritten(frame, key, version, this.#ports), toClient)
      }),
    )
  }

  #pass(direction: Direction, api: string, frame: Buffer, link: Link): void {
    this.lengths.set(`${api} ${direction}`, frame.length)
    const rule = this.#rules.find(
      (one) =>
        one.left > 0 && one.direction === direction && (one.api === undefined || one.api === api),
    )
    if (rule !== undefined) rule.left--
    link.inTurn(() => (rule === undefined ? link.write(frame) : rule.fault(frame, link)))
  }
}
