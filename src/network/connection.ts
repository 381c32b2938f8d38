import { connect, type Socket } from 'node:net'
import { correlationIdOf, decodeResponse, encodeRequest } from '../../protocol/headers.ts'
import type { Api } from '../../protocol/schema/api.ts'
import type { Decoded, Encodable, Fields } from '../../protocol/schema/fields.ts'
import { deferred, type Deferred } from '../async/deferred.ts'
import {
  ClosedError,
  ConnectionError,
  RequestTimeoutError,
  SocketDisconnectedError,
  type KafkaError,
} from '../errors.ts'
import { formatAddress, type Address } from './address.ts'
import { FrameReader } from './frame-reader.ts'
import { explainForeignBytes } from './foreign-bytes.ts'

export interface ConnectionOptions {
  /** Sent with every request; brokers write it into their logs and quotas go by it. */
  readonly clientId: string
  readonly connectTimeoutMs: number
  /** The largest response taken. Larger ones mean that the other side speaks something else. */
  readonly maxResponseBytes: number
}

interface Pending {
  readonly name: string
  readonly settle: Deferred<Buffer>
  readonly timer: NodeJS.Timeout
}

/**
 * One TCP connection to a broker. Requests are pipelined: each is written at once and matched with its
 * response by correlation id.
 *
 * States: open → closed, once, with the error that all pending and later requests get. A request that
 * times out closes the connection: were it left open, its late answer would still have to be read past,
 * and all behind it on this connection has waited as long.
 */
export class Connection {
  readonly address: string
  readonly #socket: Socket
  readonly #clientId: string
  readonly #pending = new Map<number, Pending>()
  #nextCorrelationId = 0
  #closedBy: KafkaError | undefined
  #corked = false
  #whenAnswered: (() => void) | undefined

  private constructor(socket: Socket, address: string, options: ConnectionOptions) {
    this.address = address
    this.#socket = socket
    this.#clientId = options.clientId
    const frames = new FrameReader(options.maxResponseBytes, (frame) => this.#onFrame(frame))
    socket.on('data', (chunk: Buffer) => {
      const badSize = frames.push(chunk)
      if (badSize !== undefined) {
        this.#close(
          new ConnectionError('NOT_KAFKA', explainForeignBytes(address, badSize), {
            broker: address,
          }),
        )
      }
    })
    socket.on('error', (error) => this.#close(this.#disconnected(error.message, error)))
    socket.on('close', () => this.#close(this.#disconnected(this.#whyClosed())))
  }

  /** Connects, or rejects with a ConnectionError that says why not. */
  static async open(
    to: Address,
    options: ConnectionOptions,
    signal?: AbortSignal,
  ): Promise<Connection> {
    const address = formatAddress(to)
    signal?.throwIfAborted()
    const connected = deferred()
    const socket = connect({ host: to.host, port: to.port, noDelay: true, keepAlive: true })
    const timer = setTimeout(() => {
      const reason = `connecting to ${address} took longer than ${options.connectTimeoutMs} ms`
      connected.reject(new ConnectionError('CONNECTION_TIMED_OUT', reason, { broker: address }))
    }, options.connectTimeoutMs)
    const onError = (error: Error) =>
      connected.reject(
        new ConnectionError(
          'CONNECTION_FAILED',
          `cannot connect to ${address}: ${reasonOf(error)}`,
          {
            broker: address,
            cause: new Error(reasonOf(error), { cause: error }),
          },
        ),
      )
    const onAbort = () => connected.reject(signal?.reason)
    socket.once('connect', () => connected.resolve()).once('error', onError)
    signal?.addEventListener('abort', onAbort)
    try {
      await connected.promise
    } catch (error) {
      socket.on('error', () => undefined)
      socket.destroy()
      throw error
    } finally {
      clearTimeout(timer)
      socket.off('error', onError)
      signal?.removeEventListener('abort', onAbort)
    }
    return new Connection(socket, address, options)
  }

  get isOpen(): boolean {
    return this.#closedBy === undefined
  }

  /** Whether the broker has not sent a byte. */
  get wasSilent(): boolean {
    return this.#socket.bytesRead === 0
  }

  /** Calls back once, when the first response has come. */
  onFirstResponse(callback: () => void): void {
    this.#whenAnswered = callback
  }

  /**
   * Sends a request and resolves with its response.
   * Rejects with EncodeError or ProtocolError, RequestTimeoutError, SocketDisconnectedError.
   */
  async request<Request extends Fields, Response extends Fields>(
    api: Api<Request, Response>,
    version: number,
    body: Encodable<Request>,
    timeoutMs: number,
  ): Promise<Decoded<Response>> {
    if (this.#closedBy !== undefined) throw this.#closedBy
    const correlationId = this.#takeCorrelationId()
    const frame = encodeRequest(api, version, correlationId, this.#clientId, body)
    const pending: Pending = {
      name: api.name,
      settle: deferred<Buffer>(),
      timer: setTimeout(() => this.#onTimeout(api.name, timeoutMs), timeoutMs),
    }
    this.#pending.set(correlationId, pending)
    this.#write(frame)
    const response = await pending.settle.promise
    try {
      return decodeResponse(api, version, response).body
    } catch (error) {
      // The two sides don't agree on the layout: nothing that follows can be trusted.
      this.#close(this.#disconnected(`a response could not be read`, error))
      throw error
    }
  }

  /** Sends a request that has no response: Produce with acks=0. */
  send<Request extends Fields, Response extends Fields>(
    api: Api<Request, Response>,
    version: number,
    body: Encodable<Request>,
  ): void {
    if (this.#closedBy !== undefined) throw this.#closedBy
    this.#write(encodeRequest(api, version, this.#takeCorrelationId(), this.#clientId, body))
  }

  /** Closes at once; requests still pending get a ClosedError. Safe to call again. */
  close(): void {
    this.#close(new ClosedError(`connection to ${this.address}`))
  }

  #takeCorrelationId(): number {
    const id = this.#nextCorrelationId
    this.#nextCorrelationId = (id + 1) & 0x7fffffff
    return id
  }

  /** What is written in one tick leaves in one gathered write. */
  #write(frame: readonly Uint8Array[]): void {
    if (!this.#corked) {
      this.#corked = true
      this.#socket.cork()
      process.nextTick(() => {
        this.#corked = false
        this.#socket.uncork()
      })
    }
    for (const segment of frame) this.#socket.write(segment)
  }

  #onFrame(frame: Buffer): void {
    if (this.#closedBy !== undefined) return
    const correlationId = frame.length < 4 ? undefined : correlationIdOf(frame)
    const pending = correlationId === undefined ? undefined : this.#pending.get(correlationId)
    if (correlationId === undefined || pending === undefined) {
      const what = `${this.address} sent a response that was not asked for`
      this.#close(new ConnectionError('NOT_KAFKA', what, { broker: this.address }))
      return
    }
    this.#pending.delete(correlationId)
    clearTimeout(pending.timer)
    this.#whenAnswered?.()
    this.#whenAnswered = undefined
    pending.settle.resolve(frame)
  }

  #onTimeout(name: string, timeoutMs: number): void {
    const reason = `${this.address} did not answer ${name} within ${timeoutMs} ms`
    this.#close(new RequestTimeoutError(reason, { broker: this.address }))
  }

  #whyClosed(): string {
    const hint = 'which had sent nothing: does it want TLS or SASL, or is it no Kafka broker?'
    return `it was closed by the other side${this.wasSilent ? `, ${hint}` : ''}`
  }

  #disconnected(reason: string, cause?: unknown): SocketDisconnectedError {
    const waiting = [...this.#pending.values()].map(({ name }) => name)
    const during =
      waiting.length === 0 ? '' : ` while it waited for ${[...new Set(waiting)].join(', ')}`
    return new SocketDisconnectedError(`connection to ${this.address} lost${during}: ${reason}`, {
      broker: this.address,
      cause,
    })
  }

  #close(reason: KafkaError): void {
    if (this.#closedBy !== undefined) return
    this.#closedBy = reason
    const pending = [...this.#pending.values()]
    this.#pending.clear()
    this.#socket.on('error', () => undefined)
    this.#socket.destroy()
    for (const { timer, settle } of pending) {
      clearTimeout(timer)
      settle.reject(reason)
    }
  }
}

/** What the operating system says, also when it tried several addresses of a name. */
function reasonOf(error: Error): string {
  if (error instanceof AggregateError) {
    return error.errors.map((one) => (one as Error).message).join(', ')
  }
  return error.message
}
