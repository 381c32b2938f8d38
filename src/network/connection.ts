import type { Duplex } from 'node:stream'
import { correlationIdOf, decodeResponse, encodeRequest } from '../../protocol/headers.ts'
import type { Api } from '../../protocol/schema/api.ts'
import type { Decoded, Encodable, Fields } from '../../protocol/schema/fields.ts'
import { Deadline } from '../async/deadline.ts'
import { deferred, type Deferred } from '../async/deferred.ts'
import { Timer } from '../async/timer.ts'
import {
  ClosedError,
  ConnectionError,
  InvalidArgumentError,
  RequestTimeoutError,
  SocketDisconnectedError,
  type KafkaError,
} from '../errors.ts'
import {
  closeChannel,
  requestChannel,
  throttleChannel,
  type CloseEvent,
  type RequestEvent,
  type ThrottleEvent,
} from '../observe/channels.ts'
import type { Logger } from '../observe/logger.ts'
import type { ApiMetrics, BrokerMetrics, ClientMetrics } from '../observe/metrics/client-metrics.ts'
import { explainFrameSize, ResponseTooLarge } from './frame-size.ts'
import { FrameReader } from './frame-reader.ts'
import type { FrameMemory } from './frame-memory.ts'
import { RequestTimeouts } from './request-timeouts.ts'
import type { SocketReader } from './socket-reader.ts'
import { messageOf } from './node-error.ts'
import { LONGEST_THROTTLE_MS, reportedThrottleMs, throttleMs } from './throttle.ts'
import { explainTlsError } from './tls-errors.ts'

export interface ConnectionOptions {
  /** Sent with every request. Brokers write it to their logs and use it for quotas. */
  readonly clientId: string
  /** Distinguishes the clients of a process in events. Default: 0. */
  readonly instanceId?: number
  /** The node id of the broker, for events. Default: −1, for a bootstrap address. */
  readonly nodeId?: number
  /** The largest response that is accepted. A larger size means that the other side does not speak Kafka's protocol. */
  readonly maxResponseBytes: number
  /** Closes the connection when nothing was sent for this long, before the broker closes it. */
  readonly maxIdleMs: number
  readonly logger?: Logger
  /** Where requests, bytes and connections are counted. */
  readonly metrics: ClientMetrics
  /** Allocates the memory of responses. Default: each response has its own memory. */
  readonly frameMemory?: FrameMemory | undefined
}

const NOTHING = Buffer.alloc(0)

interface Pending {
  readonly api: string
  readonly apiKey: number
  readonly correlationId: number
  readonly version: number
  readonly startedAt: number
  readonly timeoutMs: number
  readonly metrics: ApiMetrics
  /** Decodes the response and passes it to the caller. */
  readonly answer: (frame: Buffer) => void
  readonly fail: (error: Error) => void
}

/**
 * A connected stream to a broker. Requests are pipelined: each is written immediately and matched with its response by
 * correlation id.
 *
 * States: open → closed, once, with the error that all pending and later requests get. A request that times out closes
 * the connection: otherwise its late response would still have to be read, and all requests behind it would have waited
 * as long.
 *
 * While the connection is held (throttled by the broker, or authenticating again), requests wait unsent.
 */
export class Connection {
  readonly address: string
  /** Of the broker, for events; −1 while only its bootstrap address is known. */
  nodeId: number
  readonly #stream: Duplex
  #largestResponseBytes: number
  readonly #options: ConnectionOptions
  readonly #metrics: BrokerMetrics
  readonly #pending = new Map<number, Pending>()
  readonly #timeouts = new RequestTimeouts(this.#pending, ({ api, timeoutMs }) =>
    this.#onTimeout(api, timeoutMs),
  )
  /** Waits for the response to a raw SASL token, which has no correlation id. Nothing else is in flight then. */
  #rawAnswer: Deferred<Buffer> | undefined
  #nextCorrelationId = 0
  #closedBy: KafkaError | undefined
  /** Whether something was written in this tick. */
  #hasWritten = false
  #isCorked = false
  /** Whether it counts as an open connection: once the handshakes are over. */
  #isReady = false
  #hasReceived = false
  #closingHint: string | undefined
  /** Whether the other side has proved to be a broker: then data that cannot be read is damaged. */
  #isKafka: boolean
  #whenAnswered: ((api: string) => void) | undefined
  #whenClosed: (() => void) | undefined
  /** Requests wait for this before they are written. */
  #hold: Promise<void> | undefined
  #whenDrained: Deferred<void> | undefined
  #lastUsed = performance.now()
  #idleTimer: Timer | undefined
  #endThrottle: (() => void) | undefined
  /** The end of the current throttling, if there is one. */
  #throttledUntil: number | undefined

  /** `isKafka`: whether a broker has answered at this address before. `socketReader`: set if it reads the stream. */
  constructor(
    stream: Duplex,
    address: string,
    options: ConnectionOptions,
    isKafka = false,
    socketReader?: SocketReader,
  ) {
    this.#isKafka = isKafka
    this.address = address
    this.nodeId = options.nodeId ?? -1
    this.#stream = stream
    this.#options = options
    this.#metrics = options.metrics.broker(address)
    const { maxResponseBytes, frameMemory } = options
    this.#largestResponseBytes = maxResponseBytes
    const frames = new FrameReader(
      () => this.#largestResponseBytes,
      (frame) => this.#onFrame(frame),
      frameMemory,
    )
    const onBytes = (badSize: Buffer | undefined): void => {
      this.#hasReceived = true
      if (badSize !== undefined)
        this.#close(this.#foreign(explainFrameSize(address, badSize), true))
    }
    if (socketReader?.isUsed === true) {
      socketReader.to({
        space: () => frames.space,
        received: (byteCount) => onBytes(frames.received(byteCount)),
      })
    } else {
      stream.on('data', (chunk: Buffer) => onBytes(frames.push(chunk)))
    }
    // In TLS 1.3 a broker rejects a client's certificate after the handshake, and the error appears here.
    stream.on('error', (error) =>
      this.#close(
        explainTlsError(error, address, false) ?? this.#disconnected(error.message, error),
      ),
    )
    stream.on('end', () => this.#close(this.#disconnected(this.#whyClosed())))
    stream.on('close', () => this.#close(this.#disconnected(this.#whyClosed())))
    this.#watchIdleness(options.maxIdleMs)
    // A socket factory may return a stream that has already ended: no event reports that.
    if (stream.destroyed) this.#close(this.#disconnected('it was closed before it was used'))
  }

  /** Sets the largest response that is accepted from now on, `maxResponseBytes` at most. */
  limitResponses(maxBytes: number): void {
    this.#largestResponseBytes = Math.min(maxBytes, this.#options.maxResponseBytes)
  }

  /** The handshakes are over. */
  becomeReady(): void {
    this.limitResponses(Infinity)
    this.#metrics.opened++
    if (!this.isOpen) return
    this.#isReady = true
    this.#metrics.open++
  }

  /** Sets the reason to report if the other side closes the connection before it sends anything more. */
  set closingHint(hint: string) {
    this.#closingHint = hint
  }

  get isOpen(): boolean {
    return this.#closedBy === undefined
  }

  /** Whether the broker has not sent a byte. */
  get wasSilent(): boolean {
    return !this.#hasReceived
  }

  /** Sets the callback for the end of the connection, called once. It replaces an earlier callback. */
  onClose(callback: () => void): void {
    this.#whenClosed = callback
  }

  /** Sets the callback for the first response, called once with the name of its API. */
  onFirstResponse(callback: (api: string) => void): void {
    this.#whenAnswered = callback
  }

  /**
   * Sends a request and resolves with its response. Rejects with InvalidArgumentError, RequestTimeoutError,
   * SocketDisconnectedError, ConnectionError.
   */
  request<Request extends Fields, Response extends Fields>(
    api: Api<Request, Response>,
    version: number,
    body: Encodable<Request>,
    timeoutMs: number,
    onWrite?: () => void,
  ): Promise<Decoded<Response>> {
    if (this.#hold === undefined) return this.requestNow(api, version, body, timeoutMs, onWrite)
    return this.#untilReleased(api.name, timeoutMs).then((leftMs) =>
      this.requestNow(api, version, body, leftMs, onWrite),
    )
  }

  /** Waits until a hold ends, within the request's own time. Resolves with the remaining time. */
  async #untilReleased(api: string, timeoutMs: number): Promise<number> {
    const deadline = new Deadline(timeoutMs)
    const over = deferred()
    const timer = new Timer(timeoutMs, () => over.resolve())
    try {
      while (this.#hold !== undefined && this.isOpen && !deadline.isOver) {
        await Promise.race([this.#hold, over.promise])
      }
    } finally {
      timer.cancel()
    }
    if (this.isOpen && this.#hold !== undefined) {
      const reason = `${api} was not sent to ${this.address} within ${timeoutMs} ms: the broker throttles this connection, or a login is in progress`
      throw new RequestTimeoutError(reason, { broker: this.address })
    }
    return Math.max(1, deadline.remainingMs)
  }

  /** Like `request`, but does not wait for a hold: for the requests of a login. */
  requestNow<Request extends Fields, Response extends Fields>(
    api: Api<Request, Response>,
    version: number,
    body: Encodable<Request>,
    timeoutMs: number,
    onWrite?: () => void,
  ): Promise<Decoded<Response>> {
    return new Promise((resolve, reject) => {
      if (this.#closedBy !== undefined) throw this.#closedBy
      const correlationId = this.#takeCorrelationId()
      const frame = this.#encode(api, version, correlationId, body)
      onWrite?.()
      const pending: Pending = {
        api: api.name,
        apiKey: api.key,
        correlationId,
        version,
        startedAt: performance.now(),
        timeoutMs,
        metrics: this.#metrics.apis.of(api.name),
        answer: (response) => this.#answer(api, version, response, resolve, reject),
        fail: reject,
      }
      this.#pending.set(correlationId, pending)
      this.#timeouts.watch(pending)
      this.#metrics.inFlight++
      this.#write(frame)
    })
  }

  /**
   * Sends a request that has no response: Produce with acks=0. Resolves when the system has taken it, so that a caller
   * that waits cannot fill the memory faster than a slow broker reads. `timeoutMs` bounds the wait for a hold to end;
   * after it the call rejects with RequestTimeoutError and nothing is sent.
   */
  async send<Request extends Fields, Response extends Fields>(
    api: Api<Request, Response>,
    version: number,
    body: Encodable<Request>,
    timeoutMs: number,
    onWrite?: () => void,
  ): Promise<void> {
    if (this.#hold !== undefined) await this.#untilReleased(api.name, timeoutMs)
    if (this.#closedBy !== undefined) throw this.#closedBy
    const frame = this.#encode(api, version, this.#takeCorrelationId(), body)
    onWrite?.()
    await new Promise<void>((resolve, reject) => {
      this.#write(frame, (error) => {
        if (error) reject(this.#closedBy ?? this.#disconnected(error.message, error))
        else resolve()
      })
    })
  }

  /** Sends a bare SASL token, as brokers before 1.0 require, and resolves with the answer. */
  async exchangeToken(token: Uint8Array, timeoutMs: number): Promise<Buffer> {
    if (this.#closedBy !== undefined) throw this.#closedBy
    const size = Buffer.allocUnsafe(4)
    size.writeInt32BE(token.length)
    const answer = deferred<Buffer>()
    this.#rawAnswer = answer
    const timer = new Timer(timeoutMs, () => this.#onTimeout('a SASL token', timeoutMs))
    this.#write([size, token])
    try {
      return await answer.promise
    } finally {
      timer.cancel()
    }
  }

  /** Makes requests wait while `during` runs. Holds run one after another. */
  async hold(during: () => Promise<void>): Promise<void> {
    const before = this.#hold ?? Promise.resolve()
    const held = before.then(during)
    const settled = held.catch(() => undefined)
    this.#hold = settled
    await settled
    if (this.#hold === settled) this.#hold = undefined
    return held
  }

  /** Resolves when everything is written and nothing is in flight, or the connection has ended. */
  async drained(): Promise<void> {
    if (!this.isOpen) return
    // Requests without a response are done when the socket has taken them.
    if (this.#stream.writableLength > 0) {
      await new Promise<void>((resolve) => this.#stream.write(NOTHING, () => resolve()))
    }
    if (this.#pending.size === 0) return
    this.#whenDrained ??= deferred()
    await this.#whenDrained.promise
  }

  /** Closes the connection immediately. Pending requests get the reason. Safe to call again. */
  close(reason: KafkaError = new ClosedError(`connection to ${this.address}`)): void {
    this.#close(reason)
  }

  #encode<Request extends Fields, Response extends Fields>(
    api: Api<Request, Response>,
    version: number,
    correlationId: number,
    body: Encodable<Request>,
  ): readonly Uint8Array[] {
    try {
      return encodeRequest(api, version, correlationId, this.#options.clientId, body)
    } catch (error) {
      // A value that this version cannot carry, or that is out of range.
      const reason = `the request cannot be sent to ${this.address}: ${messageOf(error)}`
      throw new InvalidArgumentError(reason, { broker: this.address, cause: error })
    }
  }

  #decode<Request extends Fields, Response extends Fields>(
    api: Api<Request, Response>,
    version: number,
    frame: Buffer,
  ): Decoded<Response> {
    try {
      return decodeResponse(api, version, frame).body
    } catch (error) {
      // The two sides disagree about the layout: nothing that follows can be trusted.
      this.#close(this.#disconnected('a response could not be read', error))
      const reason = `the response of ${this.address} could not be read: ${messageOf(error)}`
      throw new ConnectionError('MALFORMED_RESPONSE', reason, {
        broker: this.address,
        cause: error,
      })
    }
  }

  #answer<Request extends Fields, Response extends Fields>(
    api: Api<Request, Response>,
    version: number,
    frame: Buffer,
    resolve: (response: Decoded<Response>) => void,
    reject: (error: unknown) => void,
  ): void {
    let response: Decoded<Response>
    try {
      response = this.#decode(api, version, frame)
    } catch (error) {
      reject(error)
      return
    }
    const throttleTimeMs = reportedThrottleMs(response)
    if (throttleTimeMs > 0) this.#onThrottled(api.name, version, throttleTimeMs)
    resolve(response)
  }

  #takeCorrelationId(): number {
    const id = this.#nextCorrelationId
    this.#nextCorrelationId = (id + 1) & 0x7fffffff
    return id
  }

  /**
   * Writes the first request of a tick immediately, so that the broker works on it while the client does the rest. All
   * others of the tick leave in one gathered write.
   */
  #write(frame: readonly Uint8Array[], onWritten?: (error?: Error | null) => void): void {
    this.#lastUsed = performance.now()
    const isFirst = !this.#hasWritten
    if (isFirst) {
      this.#hasWritten = true
      process.nextTick(() => this.#endTick())
    } else if (!this.#isCorked) {
      this.#isCorked = true
      this.#stream.cork()
    }
    const isGathered = isFirst && frame.length > 1
    if (isGathered) this.#stream.cork()
    const last = frame.length - 1
    let bytes = 0
    for (let index = 0; index <= last; index++) {
      const segment = frame[index]!
      bytes += segment.length
      if (index === last && onWritten !== undefined) this.#stream.write(segment, onWritten)
      else this.#stream.write(segment)
    }
    if (isGathered) this.#stream.uncork()
    this.#metrics.requestBytes.record(bytes)
  }

  #endTick(): void {
    this.#hasWritten = false
    if (!this.#isCorked) return
    this.#isCorked = false
    this.#stream.uncork()
  }

  #onFrame(frame: Buffer): void {
    if (this.#closedBy !== undefined) return
    // The size stands before what is read.
    this.#metrics.responseBytes.record(frame.length + 4)
    if (this.#rawAnswer !== undefined) {
      this.#rawAnswer.resolve(frame)
      this.#rawAnswer = undefined
      return
    }
    const correlationId = frame.length < 4 ? -1 : correlationIdOf(frame)
    const pending = this.#pending.get(correlationId)
    if (pending === undefined) {
      this.#close(this.#foreign(`${this.address} sent a response that matches no request`))
      return
    }
    this.#isKafka = true
    this.#closingHint = undefined
    this.#pending.delete(correlationId)
    this.#finish(pending, undefined, frame.length)
    this.#whenAnswered?.(pending.api)
    this.#whenAnswered = undefined
    pending.answer(frame)
    if (this.#pending.size === 0) this.#reportDrained()
  }

  #finish(pending: Pending, error: Error | undefined, responseBytes: number): void {
    const { api, apiKey, correlationId, version, startedAt, metrics } = pending
    this.#metrics.inFlight--
    const durationMs = performance.now() - startedAt
    if (error === undefined) metrics.duration.recordMs(durationMs)
    else if (!(error instanceof ClosedError)) metrics.failures++
    if (!requestChannel.hasSubscribers) return
    const { clientId, instanceId = 0 } = this.#options
    const event: RequestEvent = {
      clientId,
      instanceId,
      broker: this.address,
      nodeId: this.nodeId,
      api,
      apiKey,
      version,
      correlationId,
      responseBytes,
      durationMs,
      error,
    }
    requestChannel.publish(event)
  }

  #reportDrained(): void {
    this.#whenDrained?.resolve()
    this.#whenDrained = undefined
  }

  #onTimeout(what: string, timeoutMs: number): void {
    const reason = `${this.address} did not answer ${what} within ${timeoutMs} ms`
    this.#close(new RequestTimeoutError(reason, { broker: this.address }))
  }

  /** A server that never spoke Kafka's protocol is not retried; a broker that has answered before is. */
  #foreign(reason: string, isTooLarge = false): ConnectionError {
    const cause = isTooLarge ? new ResponseTooLarge(reason) : undefined
    if (this.#isKafka) return this.#disconnected(reason, cause)
    return new ConnectionError('NOT_KAFKA', reason, { broker: this.address })
  }

  #whyClosed(): string {
    const hint = 'which had sent nothing: it may require TLS or SASL, or may not be a Kafka broker'
    const expected = this.wasSilent && !this.#isKafka ? hint : this.#closingHint
    return `it was closed by the other side${expected === undefined ? '' : `, ${expected}`}`
  }

  #disconnected(reason: string, cause?: unknown): SocketDisconnectedError {
    const waiting = new Set([...this.#pending.values()].map(({ api }) => api))
    const during = waiting.size === 0 ? '' : ` while it waited for ${[...waiting].join(', ')}`
    return new SocketDisconnectedError(`connection to ${this.address} lost${during}: ${reason}`, {
      broker: this.address,
      cause,
    })
  }

  #close(reason: KafkaError): void {
    if (this.#closedBy !== undefined) return
    this.#closedBy = reason
    if (this.#isReady) this.#metrics.open--
    this.#idleTimer?.cancel()
    this.#timeouts.stop()
    this.#stream.on('error', () => undefined) // A late error concerns no caller.
    this.#stream.destroy()
    const pending = [...this.#pending.values()]
    this.#pending.clear()
    for (const one of pending) {
      this.#finish(one, reason, 0)
      one.fail(reason)
    }
    this.#rawAnswer?.reject(reason)
    this.#reportDrained()
    this.#endThrottle?.()
    this.#whenClosed?.()
    if (closeChannel.hasSubscribers) {
      const event: CloseEvent = { clientId: this.#options.clientId, broker: this.address, reason }
      closeChannel.publish(event)
    }
  }

  /** One timer for all requests, set again only when it fires, so that a request costs nothing here. */
  #watchIdleness(waitMs: number): void {
    this.#idleTimer = new Timer(waitMs, () => {
      const idleMs = performance.now() - this.#lastUsed
      const leftMs = this.#options.maxIdleMs - idleMs
      if (this.#pending.size > 0) this.#watchIdleness(this.#options.maxIdleMs)
      else if (leftMs > 0) this.#watchIdleness(leftMs)
      else this.#close(this.#disconnected('it was idle'))
    })
    this.#idleTimer.unref()
  }

  /** A broker that holds the response back itself has waited already; others expect the client to wait. */
  #onThrottled(api: string, version: number, throttleTimeMs: number): void {
    this.#metrics.apis.of(api).throttled.recordMs(throttleTimeMs)
    const waitMs = throttleMs(api, version, throttleTimeMs)
    if (throttleChannel.hasSubscribers) {
      const { clientId } = this.#options
      const event: ThrottleEvent = { clientId, broker: this.address, api, throttleTimeMs, waitMs }
      throttleChannel.publish(event)
    }
    if (waitMs > 0) this.#throttle(waitMs)
  }

  /** Throttles overlap and do not add up: there is one hold, and a later response moves its end. */
  #throttle(waitMs: number): void {
    if (waitMs > LONGEST_THROTTLE_MS) {
      const why = `${this.address} throttles this connection for ${waitMs} ms`
      this.#options.logger?.warn(`${why}: the client waits only ${LONGEST_THROTTLE_MS} ms of that`)
    }
    const isHeld = this.#throttledUntil !== undefined
    const until = performance.now() + Math.min(waitMs, LONGEST_THROTTLE_MS)
    this.#throttledUntil = Math.max(this.#throttledUntil ?? 0, until)
    if (!isHeld) void this.hold(() => this.#endOfThrottling())
  }

  /** Resolves at that time, or when the connection ends, because waiting requests must then fail immediately. */
  async #endOfThrottling(): Promise<void> {
    for (;;) {
      const waitMs = (this.#throttledUntil ?? 0) - performance.now()
      if (!this.isOpen || waitMs <= 0) break
      const over = deferred()
      const timer = new Timer(waitMs, () => over.resolve()).unref()
      this.#endThrottle = () => over.resolve()
      await over.promise
      this.#endThrottle = undefined
      timer.cancel()
    }
    this.#throttledUntil = undefined
  }
}
