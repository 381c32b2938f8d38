import type { Socket } from 'node:net'
import { ErrorCode } from '../../../protocol/errors.ts'
import { deferred } from '../../async/deferred.ts'
import type { ActiveFault, Faults } from '../faults/faults.ts'
import { topicsOf } from './topics-of.ts'
import type { RequestLog } from './request-log.ts'
import type { ClusterState } from '../cluster/cluster-state.ts'
import type { Groups } from '../groups/groups.ts'
import type { Transactions } from '../transactions/transactions.ts'
import type { ClusterSecurity } from '../security/cluster-security.ts'
import { Login, MAX_LOGIN_BYTES } from '../security/login.ts'
import { principalOf } from '../security/principal.ts'
import type { SaslServer } from '../security/sasl-server.ts'
import { isApiName } from '../api/api-names.ts'
import {
  RequestThrottle,
  type InjectedError,
  type RequestContext,
  type ServingBroker,
} from '../api/context.ts'
import type { Dispatch, DispatchedCall } from './dispatch.ts'
import type { Frame } from '../api/handler.ts'
import type { Throttles } from '../faults/throttles.ts'
import type { RequestMemory } from './request-memory.ts'
import { isAtLeast } from '../versions/profiles.ts'
import { RequestQueue } from './request-queue.ts'

/** The dependencies of a connection. */
export interface ConnectionDependencies {
  readonly cluster: ClusterState
  readonly groups: Groups
  readonly transactions: Transactions
  readonly security: ClusterSecurity
  readonly broker: ServingBroker
  /** The name of the listener that the client is connected to. */
  readonly listener: string
  readonly dispatch: Dispatch
  readonly faults: Faults
  readonly throttles: Throttles
  readonly requests: RequestLog
  readonly memory: RequestMemory
  /** Undefined if clients do not need to log in. */
  readonly sasl: SaslServer | undefined
  readonly onError: (error: unknown) => void
}

/** Kafka's socket.request.max.bytes. */
const MAX_REQUEST_BYTES = 100 * 1024 * 1024
/** The connection executes no more requests until a slow client has read the pending responses. */
const MOST_UNSENT_BYTES = 4 * 1024 * 1024

/**
 * The connection of one client. As in Kafka, requests are executed one after the other: a long poll
 * or a fault delays the later ones. Any error ends only the connection.
 */
export class ServerConnection {
  readonly #socket: Socket
  readonly #parts: ConnectionDependencies
  readonly #queue: RequestQueue
  readonly #closed = new AbortController()
  readonly #clientHost: string
  readonly #login: Login
  #isBusy = false

  constructor(socket: Socket, parts: ConnectionDependencies, onClose: () => void) {
    this.#socket = socket
    this.#parts = parts
    this.#clientHost = `/${socket.remoteAddress ?? ''}`
    this.#login = new Login(
      parts.sasl,
      principalOf(socket),
      () => parts.cluster.nowMs(),
      parts.onError,
    )
    // Before the login the limit is lower, so that an unauthenticated client cannot fill the
    // memory.
    const maxRequestBytes = () =>
      this.#login.principal === undefined ? MAX_LOGIN_BYTES : MAX_REQUEST_BYTES
    this.#queue = new RequestQueue(socket, parts.memory, maxRequestBytes, () => {
      if (!this.#isBusy) void this.#answerAll()
    })
    socket.setNoDelay(true)
    socket.on('data', (chunk) => {
      const outOfBounds = this.#queue.push(chunk)
      if (outOfBounds === undefined) return
      this.#fail(
        new RangeError(
          `a request has a length of ${outOfBounds.readInt32BE(0)} bytes, which is not allowed`,
        ),
      )
    })
    // A client that disconnects is not an error; 'close' follows.
    socket.on('error', () => undefined)
    socket.on('end', () => this.close())
    socket.on('close', () => {
      this.#closed.abort()
      this.#queue.close()
      onClose()
    })
  }

  close(): void {
    this.#socket.destroy()
    this.#closed.abort()
  }

  async #answerAll(): Promise<void> {
    this.#isBusy = true
    try {
      for (let frame = this.#next(); frame !== undefined; frame = this.#next()) {
        const answering = this.#answer(frame)
        if (answering !== undefined) await answering
        this.#queue.answered(frame)
        if (this.#socket.writableLength > MOST_UNSENT_BYTES) await this.#drained()
      }
    } catch (error) {
      this.#fail(error)
    } finally {
      this.#isBusy = false
    }
  }

  #next(): Buffer | undefined {
    return this.#closed.signal.aborted ? undefined : this.#queue.next()
  }

  /** Returns a promise only if it has to wait. */
  #answer(frame: Buffer): Promise<void> | undefined {
    const { dispatch, faults, broker, cluster } = this.#parts
    if (!this.#login.isDone && frame.length > MAX_LOGIN_BYTES) {
      throw new RangeError(`a client that is not logged in sent ${frame.length} bytes`)
    }
    if (this.#login.expectsToken) return this.#answerToken(frame)
    const dispatched = dispatch.open(frame)
    if ('refusal' in dispatched) {
      if (dispatched.refusal !== undefined) this.#send(dispatched.refusal)
      return undefined
    }
    this.#log(dispatched, frame.length)
    const { handler, call, clientId } = dispatched
    const admission = this.#login.admits(handler.name)
    if (admission !== 'admitted') {
      this.#turnAway(dispatched, admission)
      return undefined
    }
    const fault = faults.meet({
      api: handler.name,
      broker: broker.id,
      clientId,
      topics: () => topicsOf(call, cluster, broker),
    })
    if (fault !== undefined) return this.#answerFaulty(dispatched, fault)
    return this.#run(dispatched, undefined, (response) => this.#send(response))
  }

  /** For SaslHandshake v0: neither the token nor the response has a header. */
  async #answerToken(token: Buffer): Promise<void> {
    const { errorCode, authBytes } = await this.#login.authenticate(token)
    // The protocol has no other way to reject it.
    if (errorCode !== 0) {
      this.close()
      return
    }
    const size = Buffer.alloc(4)
    size.writeInt32BE(authBytes.length)
    this.#send([size, authBytes])
  }

  /** Rejects a request that needs a login, from a client without one or with an expired one. */
  #turnAway(dispatched: DispatchedCall, admission: 'refused' | 'closed'): void {
    const { handler, call, correlationId } = dispatched
    if (admission === 'refused') {
      const context = this.#contextOf(dispatched, undefined)
      this.#send(call.refuse(ErrorCode.ILLEGAL_SASL_STATE, context, correlationId))
    }
    this.#closeWhenSent()
    this.#parts.onError(new NotLoggedInError(handler.name))
  }

  async #answerFaulty(dispatched: DispatchedCall, fault: ActiveFault): Promise<void> {
    const { action } = fault
    const send = (response: Frame) => this.#send(response)
    if ('error' in action) {
      await this.#run(dispatched, fault, send)
    } else if ('delayMs' in action) {
      await this.#unlessClosed(
        new Promise((resolve) => this.#parts.cluster.timers.after(action.delayMs, resolve)),
      )
      await this.#run(dispatched, undefined, send)
    } else if ('hold' in action) {
      await this.#unlessClosed(fault.released)
      await this.#run(dispatched, undefined, send)
    } else if ('drop' in action) {
      await this.#unlessClosed(new Promise<void>(() => undefined))
    } else if ('close' in action) {
      this.close()
    } else if ('answerTwice' in action) {
      await this.#run(dispatched, undefined, (response) => {
        this.#send(response)
        this.#send(response)
      })
    } else {
      await this.#run(dispatched, undefined, (response) => {
        this.#socket.write(Buffer.concat(response).subarray(0, action.cutAfterBytes))
      })
      this.#closeWhenSent()
    }
  }

  #contextOf(
    { handler, version, clientId, sizeBytes }: DispatchedCall,
    injected: InjectedError | undefined,
  ): RequestContext {
    const { cluster, groups, transactions, security, broker, listener, throttles } = this.#parts
    return {
      cluster,
      groups,
      transactions,
      security,
      broker,
      listener,
      version,
      clientId,
      clientHost: this.#clientHost,
      login: this.#login,
      signal: this.#closed.signal,
      injected,
      throttle: new RequestThrottle(throttles.of(handler.name)),
      sizeBytes,
    }
  }

  #run(
    dispatched: DispatchedCall,
    fault: ActiveFault | undefined,
    send: (response: Frame) => void,
  ): Promise<void> | undefined {
    const { handler, call, correlationId } = dispatched
    const error = fault !== undefined && 'error' in fault.action ? fault.action.error : undefined
    const injected = error && {
      error,
      topic: fault?.match.topic,
      partition: fault?.match.partition,
    }
    const context = this.#contextOf(dispatched, injected)
    if (error !== undefined && !handler.injectsErrors) {
      send(call.refuse(ErrorCode[error], context, correlationId))
      return undefined
    }
    const response = call.run(context, correlationId)
    const answered = (frame: Frame | undefined): Promise<void> | undefined => {
      const { quotaMs } = context.throttle
      if (quotaMs === 0) {
        if (frame !== undefined) send(frame)
        return undefined
      }
      return this.#answerThrottled(frame, quotaMs, send)
    }
    return response instanceof Promise ? response.then(answered) : answered(response)
  }

  /**
   * The broker reads nothing more from the client during that time. Up to 1.1 the response is
   * delayed, too (KIP-219).
   */
  async #answerThrottled(
    frame: Frame | undefined,
    quotaMs: number,
    send: (response: Frame) => void,
  ): Promise<void> {
    const { timers, settings } = this.#parts.cluster
    const wait = () => this.#unlessClosed(new Promise((resolve) => timers.after(quotaMs, resolve)))
    const answersAtOnce = isAtLeast(settings.profile.version, '2.8')
    if (!answersAtOnce) await wait()
    if (frame !== undefined) send(frame)
    if (answersAtOnce) await wait()
  }

  #send(response: Frame): void {
    if (this.#socket.destroyed || this.#closed.signal.aborted) return
    this.#socket.cork()
    for (const segment of response) this.#socket.write(segment)
    this.#socket.uncork()
    if (this.#login.hasFailed) this.#closeWhenSent()
  }

  #closeWhenSent(): void {
    this.#socket.destroySoon()
    this.#closed.abort()
  }

  #log({ handler, version, clientId, call }: DispatchedCall, sizeBytes: number): void {
    if (!isApiName(handler.name)) return
    this.#parts.requests.add(
      {
        api: handler.name,
        version,
        broker: this.#parts.broker.id,
        clientId,
        principal: this.#login.principal,
        body: call.body,
        receivedAtMs: Date.now(),
      },
      sizeBytes,
    )
  }

  #drained(): Promise<void> {
    return this.#unlessClosed(new Promise((resolve) => this.#socket.once('drain', resolve)))
  }

  /** Also resolves when the connection is closed, so that nothing waits forever. */
  async #unlessClosed(waiting: Promise<void>): Promise<void> {
    const { signal } = this.#closed
    if (signal.aborted) return
    const closed = deferred()
    const onAbort = () => closed.resolve()
    signal.addEventListener('abort', onAbort)
    await Promise.race([waiting, closed.promise])
    signal.removeEventListener('abort', onAbort)
  }

  #fail(error: unknown): void {
    this.close()
    this.#parts.onError(error)
  }
}

/** The reason for closing a connection: a request before the login. */
class NotLoggedInError extends Error {
  override readonly name = 'NotLoggedInError'

  constructor(api: string) {
    super(`${api} requires a login`)
  }
}
