import { connect, type Socket } from 'node:net'
import { correlationIdOf, decodeResponse, encodeRequest } from '../../../protocol/headers.ts'
import type { Api } from '../../../protocol/schema/api.ts'
import type { Decoded, Encodable, Fields } from '../../../protocol/schema/fields.ts'
import { deferred, type Deferred } from '../../../src/async/deferred.ts'
import { FrameReader } from '../../../src/network/frame-reader.ts'

/** Requests as they are, and what comes back: no retries, no versions agreed on. */
export class RawClient implements Disposable {
  /** Resolves when the broker has closed the connection. */
  readonly closed: Promise<void>
  readonly #socket: Socket
  readonly #clientId: string
  readonly #frames: Buffer[] = []
  #waiting: Deferred<Buffer> | undefined
  #correlationId = 0
  #isClosed = false

  private constructor(socket: Socket, clientId: string) {
    this.#socket = socket
    this.#clientId = clientId
    const reader = new FrameReader(0x7fffffff, (frame) => {
      this.#frames.push(Buffer.from(frame))
      this.#serve()
    })
    socket.on('data', (chunk) => reader.push(chunk))
    socket.on('error', () => undefined)
    const closed = deferred()
    socket.on('close', () => {
      this.#isClosed = true
      closed.resolve()
      this.#serve()
    })
    this.closed = closed.promise
  }

  static open(port: number, clientId = 'raw'): Promise<RawClient> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true }, () =>
        resolve(new RawClient(socket, clientId)),
      )
      socket.once('error', reject)
    })
  }

  /** The response. Rejects when the connection is closed instead. */
  async request<Request extends Fields, Response extends Fields>(
    api: Api<Request, Response>,
    version: number,
    body: Encodable<Request>,
  ): Promise<Decoded<Response>> {
    const sent = this.send(api, version, body)
    const frame = await this.nextFrame()
    if (correlationIdOf(frame) !== sent) throw new Error('an answer to another request')
    return decodeResponse(api, version, frame).body
  }

  /** Only sends; returns the correlation id. */
  send<Request extends Fields, Response extends Fields>(
    api: Api<Request, Response>,
    version: number,
    body: Encodable<Request>,
  ): number {
    const id = ++this.#correlationId
    for (const segment of encodeRequest(api, version, id, this.#clientId, body)) {
      this.#socket.write(segment)
    }
    return id
  }

  write(bytes: Uint8Array): void {
    this.#socket.write(bytes)
  }

  nextFrame(): Promise<Buffer> {
    const waiting = deferred<Buffer>()
    this.#waiting = waiting
    this.#serve()
    return waiting.promise
  }

  [Symbol.dispose](): void {
    this.#socket.destroy()
  }

  #serve(): void {
    const waiting = this.#waiting
    if (waiting === undefined) return
    const frame = this.#frames.shift()
    if (frame === undefined && !this.#isClosed) return
    this.#waiting = undefined
    if (frame === undefined)
      waiting.reject(new ConnectionClosed('the broker closed the connection'))
    else waiting.resolve(frame)
  }
}

export class ConnectionClosed extends Error {
  override readonly name = 'ConnectionClosed'
}
