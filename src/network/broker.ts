import { apiVersions } from '../../protocol/apis/api-versions.ts'
import type { Api } from '../../protocol/schema/api.ts'
import type { Decoded, Encodable, Fields } from '../../protocol/schema/fields.ts'
import { backoffMs, type BackoffOptions } from '../async/backoff.ts'
import { Deadline } from '../async/deadline.ts'
import { deferred } from '../async/deferred.ts'
import { onAbort } from '../async/on-abort.ts'
import { Timer } from '../async/timer.ts'
import { netModule } from '../builtins.ts'
import {
  AuthenticationError,
  ClosedError,
  isRetriable,
  isUnreachable,
  SocketDisconnectedError,
  type KafkaError,
} from '../errors.ts'
import { asError } from '../observe/thrown.ts'
import { formatAddress, type Address } from './address.ts'
import {
  askVersions,
  comparesIdentity,
  type BrokerIdentity,
  type BrokerVersions,
} from './api-versions.ts'
import type { FrameMemory } from './frame-memory.ts'
import { openSession, type BrokerMemory, type Session, type SessionOptions } from './session.ts'

/**
 * The purpose of a connection. Each purpose has its own connection, opened at its first use, so that a long poll does
 * not delay produce requests or heartbeats.
 */
export type Purpose = 'produce' | 'fetch' | 'group' | 'general'

export interface BrokerOptions extends SessionOptions {
  /** The id of the cluster that the broker must belong to, once it is known. */
  readonly clusterId?: () => string | undefined
  /** Whether a connection to the cluster was ever ready. Later failures may be corrected meanwhile, and are retried. */
  readonly wasReached?: () => boolean
  /** Called when a connection is ready: the broker has answered and accepted the login. */
  readonly onReached?: (versions: BrokerVersions) => void
  /** The waits before a failed connection is tried again. */
  readonly reconnectBackoff: BackoffOptions
}

export interface BrokerRequestOptions {
  readonly timeoutMs: number
  readonly purpose?: Purpose
  /**
   * A separate connection within the same purpose. Brokers answer the requests of a connection one by one, so that a
   * consumer's long poll would delay those of other consumers.
   */
  readonly lane?: number
  /** The memory for the responses on that lane. All requests of a lane use the same. */
  readonly frameMemory?: FrameMemory | undefined
  /** The highest version to use, if the caller cannot fill in later ones. */
  readonly maxVersion?: number
  /** Called before the request is written. If it is not called, or throws, no byte of the request is sent. */
  readonly onWrite?: () => void
}

/** A body, or a function that creates one for the negotiated version. */
export type BodyFor<Request extends Fields> =
  Encodable<Request> | ((version: number, versions: BrokerVersions) => Encodable<Request>)

interface Lane {
  readonly purpose: Purpose
  readonly opening: Promise<Session>
  /** Undefined until it is open. */
  session?: Session
}

function keyOf(purpose: Purpose, lane: number | undefined): string {
  return lane === undefined ? purpose : `${purpose} ${lane}`
}

/** A broker at one address: its connections, and the versions negotiated on them. */
export class Broker {
  /** −1 for a bootstrap address, whose broker is not known. */
  readonly nodeId: number
  readonly address: Address
  readonly name: string
  rack: string | null
  readonly #options: BrokerOptions
  /** By purpose and lane. */
  readonly #sessions = new Map<string, Lane>()
  readonly #memory: BrokerMemory = { isKafka: false, hasVersions: false, isOldest: false }
  readonly #closing = new AbortController()
  /** The requests that wait for a connection: later ones must not overtake them. */
  #waitingRequests = 0
  #failures = 0
  /** No connection is tried before this time. */
  #notBefore = 0

  constructor(
    nodeId: number,
    address: Address,
    options: BrokerOptions,
    rack: string | null = null,
  ) {
    this.nodeId = nodeId
    this.address = address
    this.name = formatAddress(address)
    this.rack = rack
    this.#options = options
  }

  /** Whether the last connection failed and the wait before the next is not over: other brokers are tried first. */
  get isBackingOff(): boolean {
    return performance.now() < this.#notBefore
  }

  /** Whether one of its connections is open now. */
  get isConnected(): boolean {
    return [...this.#sessions.values()].some(({ session }) => session?.connection.isOpen === true)
  }

  /** Whether the connection for this purpose is open now. */
  isConnectedFor(purpose: Purpose): boolean {
    return this.#sessions.get(purpose)?.session?.connection.isOpen === true
  }

  /** Whether one of its connections has ended, and has not been needed since. */
  get hasLostConnection(): boolean {
    return [...this.#sessions.values()].some(({ session }) => session?.connection.isOpen === false)
  }

  /** Sends a request in the highest version that both sides support, and resolves with the response. */
  request<Request extends Fields, Response extends Fields>(
    api: Api<Request, Response>,
    body: BodyFor<Request>,
    options: BrokerRequestOptions,
  ): Promise<Decoded<Response>> {
    const { purpose = 'general', lane } = options
    const session = this.#sessions.get(keyOf(purpose, lane))?.session
    if (session?.connection.isOpen !== true || this.#waitingRequests > 0) {
      return this.#whenOpen(options, (opened) => requestOn(opened, api, body, options))
    }
    try {
      return requestOn(session, api, body, options)
    } catch (error) {
      return Promise.reject(asError(error))
    }
  }

  /** Sends a request that has no response. Resolves when it is passed to the socket. */
  send<Request extends Fields, Response extends Fields>(
    api: Api<Request, Response>,
    body: BodyFor<Request>,
    options: BrokerRequestOptions,
  ): Promise<void> {
    const { timeoutMs, maxVersion, onWrite } = options
    return this.#whenOpen(options, ({ connection, versions }) => {
      const version = versions.pick(api, maxVersion)
      const given = typeof body === 'function' ? body(version, versions) : body
      return connection.send(api, version, given, timeoutMs, onWrite)
    })
  }

  /** Returns the versions that the broker supports. Connects if necessary. */
  async versions(
    purpose: Purpose = 'general',
    lane?: number,
    frameMemory?: FrameMemory,
  ): Promise<BrokerVersions> {
    return (await this.#session(purpose, lane, frameMemory)).versions
  }

  /**
   * Takes over the open connection for general requests that a bootstrap address has, which saves a connect, a TLS
   * handshake and a login. Does nothing if this broker has one of its own, and if the connection may lead to another
   * broker: a name may have the addresses of many brokers, and a proxy may choose one. From Kafka 4.4 on the broker
   * itself confirms its identity; before, only an IP address without a socket factory is certain.
   */
  adopt(bootstrap: Broker): void {
    const session = bootstrap.#sessions.get('general')?.session
    if (session?.connection.isOpen !== true || this.#sessions.has('general')) return
    const confirms = comparesIdentity(session.versions, this.#identity)
    const isOnePlace =
      netModule.isIP(this.address.host) !== 0 && this.#options.socketFactory === undefined
    if (!confirms && !isOnePlace) return
    bootstrap.#sessions.delete('general')
    session.connection.nodeId = this.nodeId
    Object.assign(this.#memory, bootstrap.#memory)
    void this.#keep(
      'general',
      'general',
      confirms ? this.#confirm(session) : Promise.resolve(session),
    )
  }

  /** Closes the connection of a lane that is not used any more. Its pending requests fail with ClosedError. */
  hangUp(purpose: Purpose, lane: number): void {
    const key = keyOf(purpose, lane)
    const { opening } = this.#sessions.get(key) ?? {}
    this.#sessions.delete(key)
    opening?.then(
      ({ connection }) => connection.close(),
      () => undefined,
    )
  }

  /**
   * Waits up to this long for requests in flight, except long polls, then closes all connections. Requests that are
   * still pending, and later ones, fail with ClosedError.
   */
  close(graceMs = 0): Promise<void> {
    return this.#end(new ClosedError(`broker ${this.name}`), graceMs)
  }

  /**
   * Closes all connections to a broker that has left the cluster or moved to another address. The error is retriable,
   * because the request can go to another broker after a refresh of the metadata.
   */
  retire(): Promise<void> {
    const reason = `connection to ${this.name} ended: the broker has left the cluster or moved to another address`
    return this.#end(new SocketDisconnectedError(reason, { broker: this.name }), 0)
  }

  async #end(reason: KafkaError, graceMs: number): Promise<void> {
    this.#closing.abort(reason)
    const sessions = [...this.#sessions.values()]
    this.#sessions.clear()
    await Promise.allSettled(
      sessions.map(async ({ purpose, opening }) => {
        const { connection } = await opening
        if (graceMs > 0 && purpose !== 'fetch') await atMost(graceMs, connection.drained())
        connection.close(reason)
      }),
    )
  }

  /** Sends a request when its connection is open. Requests that come meanwhile are sent after it. */
  async #whenOpen<Result>(
    { purpose = 'general', lane, frameMemory }: BrokerRequestOptions,
    send: (session: Session) => Promise<Result>,
  ): Promise<Result> {
    let session: Session
    this.#waitingRequests++
    try {
      session = await this.#session(purpose, lane, frameMemory)
    } finally {
      this.#waitingRequests--
    }
    return await send(session)
  }

  async #session(purpose: Purpose, lane?: number, frameMemory?: FrameMemory): Promise<Session> {
    const key = keyOf(purpose, lane)
    for (;;) {
      this.#closing.signal.throwIfAborted()
      const current = this.#sessions.get(key)
      // With `await`, as below: all that wait continue in the order in which they came.
      if (current === undefined) return await this.#open(key, purpose, frameMemory)
      const session = await current.opening
      if (session.connection.isOpen) return session
      // Another caller that waited for the same connection may have opened a new one meanwhile.
      if (this.#sessions.get(key) === current) this.#sessions.delete(key)
    }
  }

  /** If credentials cannot be obtained, a start fails; an operation retries until its deadline. */
  #inOperation(error: unknown): unknown {
    const isMissing =
      error instanceof AuthenticationError && error.code === 'SASL_CREDENTIALS_UNAVAILABLE'
    if (!isMissing || this.#options.wasReached?.() !== true) return error
    const { message, broker, mechanism, cause } = error
    return new AuthenticationError('SASL_CREDENTIALS_UNAVAILABLE', message, {
      broker,
      mechanism,
      cause,
      retriable: true,
    })
  }

  get #identity(): BrokerIdentity {
    return { clusterId: this.#options.clusterId?.(), nodeId: this.nodeId }
  }

  #open(key: string, purpose: Purpose, frameMemory?: FrameMemory): Promise<Session> {
    return this.#keep(key, purpose, this.#connect(purpose, frameMemory))
  }

  /** Resolves with the session if the broker is this one (KIP-1242), otherwise with that of a new connection. */
  async #confirm({ connection, versions }: Session): Promise<Session> {
    const { signal } = this.#closing
    const stopWatching = onAbort(signal, () => connection.close())
    try {
      const { connectTimeoutMs } = this.#options
      const version = versions.pick(apiVersions)
      const asked = await askVersions(connection, this.#identity, connectTimeoutMs, version)
      return { connection, versions: asked.versions }
    } catch {
      connection.close()
      signal.throwIfAborted()
      return await this.#connect('general')
    } finally {
      stopWatching()
    }
  }

  #keep(key: string, purpose: Purpose, opening: Promise<Session>): Promise<Session> {
    const opened: Lane = { purpose, opening }
    this.#sessions.set(key, opened)
    opened.opening.then(
      (session) => {
        opened.session = session
      },
      () => {
        if (this.#sessions.get(key) === opened) this.#sessions.delete(key)
      },
    )
    return opened.opening
  }

  async #connect(purpose: Purpose, frameMemory?: FrameMemory): Promise<Session> {
    const { signal } = this.#closing
    const options = { ...this.#options, frameMemory, nodeId: this.nodeId }
    const waitMs = this.#notBefore - performance.now()
    if (waitMs > 0) await new Deadline(waitMs, signal).sleep(waitMs)
    try {
      const session = await openSession(
        this.address,
        purpose,
        options,
        this.#memory,
        this.#identity,
        signal,
      )
      this.#failures = 0
      this.#options.onReached?.(session.versions)
      // The lane was closed meanwhile: no other code would close this connection.
      if (signal.aborted) session.connection.close()
      signal.throwIfAborted()
      return session
    } catch (error) {
      signal.throwIfAborted()
      const failure = this.#inOperation(error)
      // A rejection (credentials, certificates) does not go away by waiting, so each caller gets it.
      if (isUnreachable(failure) || isRetriable(failure)) {
        this.#notBefore =
          performance.now() + backoffMs(this.#failures++, this.#options.reconnectBackoff)
      }
      throw failure
    }
  }
}

function requestOn<Request extends Fields, Response extends Fields>(
  { connection, versions }: Session,
  api: Api<Request, Response>,
  body: BodyFor<Request>,
  { timeoutMs, maxVersion, onWrite }: BrokerRequestOptions,
): Promise<Decoded<Response>> {
  const version = versions.pick(api, maxVersion)
  const given = typeof body === 'function' ? body(version, versions) : body
  return connection.request(api, version, given, timeoutMs, onWrite)
}

async function atMost(waitMs: number, done: Promise<void>): Promise<void> {
  const over = deferred()
  const timer = new Timer(waitMs, () => over.resolve())
  await Promise.race([done, over.promise])
  timer.cancel()
}
