import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { apiVersions } from '../../protocol/apis/api-versions.ts'
import { apiOf } from '../../protocol/apis/index.ts'
import type { Reader } from '../../protocol/buffer/reader.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import { decodeBody, decodeRequestHeader, encodeResponse } from '../../protocol/headers.ts'
import type { Api } from '../../protocol/schema/api.ts'
import type { Decoded, Encodable, Fields } from '../../protocol/schema/fields.ts'
import { frameCutter } from './frames.ts'

export interface FakeBrokerOptions {
  readonly host?: string
  /** Any free one by default. */
  readonly port?: number
  /** The versions it says to have, by the API's name; of the others, all that samsa has. */
  readonly versions?: Readonly<Record<string, readonly [min: number, max: number]>>
}

/** A request as it came in. */
export interface ReceivedRequest {
  readonly api: string
  readonly version: number
  readonly correlationId: number
  readonly clientId: string | null
  readonly body: object
  readonly socket: Socket
}

/** Answers at once or later; undefined never answers. */
export type Handler<Request extends Fields, Response extends Fields> = (
  body: Decoded<Request>,
  received: ReceivedRequest,
) => Encodable<Response> | undefined | Promise<Encodable<Response> | undefined>

interface Handled {
  readonly api: Pick<Api, 'key' | 'name' | 'versions'>
  answer(reader: Reader, received: Omit<ReceivedRequest, 'body'>): Promise<void>
}

/**
 * A broker of which each API is a function of the test. It says to know just the APIs that it was given
 * functions for, and answers when these do, in whatever order that is.
 */
export class FakeBroker implements AsyncDisposable {
  readonly host: string
  readonly requests: ReceivedRequest[] = []
  /** All connections that were ever made to it. */
  connectionCount = 0
  /** It stays its own when it has stopped. */
  port = 0
  /** Called with every connection that is made. */
  onConnection: (socket: Socket) => void = () => undefined
  readonly #options: FakeBrokerOptions
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #handled = new Map<number, Handled>()
  readonly #watchers = new Set<() => void>()

  private constructor(options: FakeBrokerOptions) {
    this.#options = options
    this.host = options.host ?? '127.0.0.1'
    this.#server = createServer({ noDelay: true }, (socket) => this.#serve(socket))
    this.handle(apiVersions, (_, { version }) => this.#versions(version))
  }

  static async start(options: FakeBrokerOptions = {}): Promise<FakeBroker> {
    const broker = new FakeBroker(options)
    broker.#server.listen(options.port ?? 0, broker.host)
    await once(broker.#server, 'listening')
    const address = broker.#server.address()
    if (typeof address === 'object' && address !== null) broker.port = address.port
    return broker
  }

  get address(): { readonly host: string; readonly port: number } {
    return { host: this.host, port: this.port }
  }

  /** `host:port`, as errors name it. */
  get name(): string {
    return this.host.includes(':') ? `[${this.host}]:${this.port}` : `${this.host}:${this.port}`
  }

  get openConnections(): number {
    return this.#sockets.size
  }

  /** Replaces what it does with an API. */
  handle<Request extends Fields, Response extends Fields>(
    api: Api<Request, Response>,
    handler: Handler<Request, Response>,
  ): this {
    this.#handled.set(api.key, {
      api,
      answer: async (reader, received) => {
        const body = decodeBody(api.request, received.version, reader)
        const request = { ...received, body }
        this.requests.push(request)
        this.#changed()
        const response = await handler(body, request)
        if (response === undefined || !received.socket.writable) return
        // A refusal of the version is in the oldest one (KIP-511).
        const isRefusal =
          api.key === apiVersions.key &&
          'errorCode' in response &&
          response.errorCode === ErrorCode.UNSUPPORTED_VERSION
        const version = isRefusal ? 0 : received.version
        const frame = encodeResponse(api, version, received.correlationId, response)
        received.socket.write(Buffer.concat(frame))
      },
    })
    return this
  }

  /** What came in for an API. */
  received(api: Pick<Api, 'name'>): ReceivedRequest[] {
    return this.requests.filter((request) => request.api === api.name)
  }

  /** Resolves when something holds, looked at whenever a request or a connection comes or goes. */
  async until(holds: () => boolean): Promise<void> {
    if (holds()) return
    await new Promise<void>((resolve) => {
      const look = () => {
        if (!holds()) return
        this.#watchers.delete(look)
        resolve()
      }
      this.#watchers.add(look)
    })
  }

  /** Cuts all connections; new ones are taken. */
  dropConnections(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve))
    this.dropConnections()
    await closed
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  #serve(socket: Socket): void {
    this.connectionCount++
    this.#sockets.add(socket)
    this.#changed()
    socket.on('error', () => undefined)
    this.onConnection(socket)
    socket.on('close', () => {
      this.#sockets.delete(socket)
      this.#changed()
    })
    socket.on(
      'data',
      frameCutter((frame) => this.#onFrame(socket, frame.subarray(4))),
    )
  }

  #onFrame(socket: Socket, frame: Buffer): void {
    const { header, body } = decodeRequestHeader(frame, apiOf)
    const handled = this.#handled.get(header.apiKey)
    // What brokers do with an API that they don't know.
    if (handled === undefined) {
      socket.destroy()
      return
    }
    const { apiVersion: version, correlationId, clientId } = header
    const received = { api: handled.api.name, version, correlationId, clientId, socket }
    handled.answer(body, received).catch((error: unknown) => socket.destroy(error as Error))
  }

  #versions(version: number): Encodable<typeof apiVersions.response.fields> {
    const apiKeys = [...this.#handled.values()].map(({ api }) => {
      const [minVersion, maxVersion] = this.#options.versions?.[api.name] ?? [
        api.versions.min,
        api.versions.max,
      ]
      return { apiKey: api.key, minVersion, maxVersion }
    })
    const own = this.#options.versions?.['ApiVersions']
    const isKnown = own === undefined || version <= own[1]
    return { errorCode: isKnown ? ErrorCode.NONE : ErrorCode.UNSUPPORTED_VERSION, apiKeys }
  }

  #changed(): void {
    for (const watcher of [...this.#watchers]) watcher()
  }
}
