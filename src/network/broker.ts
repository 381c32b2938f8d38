import type { Api } from '../../protocol/schema/api.ts'
import type { Decoded, Encodable, Fields } from '../../protocol/schema/fields.ts'
import { backoffMs, type BackoffOptions } from '../async/backoff.ts'
import { Deadline } from '../async/deadline.ts'
import { deferred } from '../async/deferred.ts'
import { Timer } from '../async/timer.ts'
import {
  AuthenticationError,
  ClosedError,
  isRetriable,
  isUnreachable,
  SocketDisconnectedError,
  type KafkaError,
} from '../errors.ts'
import { formatAddress, type Address } from './address.ts'
import type { BrokerVersions } from './api-versions.ts'
import type { FrameMemory } from './frame-memory.ts'
import { openSession, type BrokerMemory, type Session, type SessionOptions } from './session.ts'

/**
 * What a connection is for. Each purpose has its own, opened when it is first used, so that a long poll
 * never holds up a produce request, nor either of them a heartbeat.
 */
export type Purpose = 'produce' | 'fetch' | 'group' | 'general'

export interface BrokerOptions extends SessionOptions {
  /** The id of the cluster that the broker has to belong to, once it is known. */
  readonly clusterId?: () => string | undefined
  /** Whether a connection to the cluster was ever ready: what fails after that may be corrected meanwhile. */
  readonly wasReached?: () => boolean
  /** Called when a connection is ready: the broker has answered, and accepted the login. */
  readonly onReached?: () => void
  /** The waits before a connection is tried again that failed. */
  readonly reconnectBackoff: BackoffOptions
}

export interface RequestOptions {
  readonly timeoutMs: number
  readonly purpose?: Purpose
  /**
   * A connection of its own among those for the same purpose: brokers answer a connection's requests one by
   * one, so that a consumer's long poll would hold up other consumers'.
   */
  readonly lane?: number
  /** Where responses on that lane are put: the same for all requests on it. */
  readonly frameMemory?: FrameMemory | undefined
  /** The highest version to use, where the caller cannot fill later ones. */
  readonly maxVersion?: number
  /** Called before the request is written: where it is not called or throws, no byte of it leaves. */
  readonly onWrite?: () => void
}

/** A body, or how to make one for the version that is negotiated. */
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
  /** −1 for a bootstrap address, of which it isn't known which broker answers. */
  readonly nodeId: number
  readonly address: Address
  readonly name: string
  rack: string | null
  readonly #options: BrokerOptions
  /** By purpose and lane. */
  readonly #sessions = new Map<string, Lane>()
  readonly #memory: BrokerMemory = { isKafka: false, hasVersions: false, isOldest: false }
  readonly #closing = new AbortController()
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

  /** Whether the last connection failed and the wait before the next is not over: others are tried first. */
  get isBackingOff(): boolean {
    return performance.now() < this.#notBefore
  }

  /** Whether one of its connections is open now. */
  get isConnected(): boolean {
    return [...this.#sessions.values()].some(({ session }) => session?.connection.isOpen === true)
  }

  /** Sends a request in the highest version that both know and resolves with the response. */
  async request<Request extends Fields, Response extends Fields>(
    api: Api<Request, Response>,
    body: BodyFor<Request>,
    { timeoutMs, purpose = 'general', lane, frameMemory, maxVersion, onWrite }: RequestOptions,
  ): Promise<Decoded<Response>> {
    const { connection, versions } = await this.#session(purpose, lane, frameMemory)
    const version = versions.pick(api, maxVersion)
    const given = typeof body === 'function' ? body(version, versions) : body
    return connection.request(api, version, given, timeoutMs, onWrite)
  }

  /** Sends a request that gets no response: resolves when it is handed to the socket. */
  async send<Request extends Fields, Response extends Fields>(
    api: Api<Request, Response>,
    body: BodyFor<Request>,
    { timeoutMs, purpose = 'general', maxVersion, onWrite }: RequestOptions,
  ): Promise<void> {
    const { connection, versions } = await this.#session(purpose)
    const version = versions.pick(api, maxVersion)
    const given = typeof body === 'function' ? body(version, versions) : body
    await connection.send(api, version, given, timeoutMs, onWrite)
  }

  /** What the broker speaks; connects if necessary. */
  async versions(purpose: Purpose = 'general', lane?: number): Promise<BrokerVersions> {
    return (await this.#session(purpose, lane)).versions
  }

  /** Closes the connection of a lane that is not used any more; what is on it gets a ClosedError. */
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
   * Lets requests on their way finish for so long, long polls apart, then closes all connections. What is
   * still pending and later requests get a ClosedError.
   */
  close(graceMs = 0): Promise<void> {
    return this.#end(new ClosedError(`broker ${this.name}`), graceMs)
  }

  /**
   * Closes all connections to a broker that has left the cluster or moved to another address. Callers
   * can ask its successor: the error is retriable after a refresh of the metadata.
   */
  retire(): Promise<void> {
    const reason = `connection to ${this.name} ended: the broker has left the cluster or moved elsewhere`
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

  async #session(purpose: Purpose, lane?: number, frameMemory?: FrameMemory): Promise<Session> {
    const key = keyOf(purpose, lane)
    for (;;) {
      this.#closing.signal.throwIfAborted()
      const current = this.#sessions.get(key)
      if (current === undefined) return this.#open(key, purpose, frameMemory)
      const session = await current.opening
      if (session.connection.isOpen) return session
      // Someone who waited for the same one may have opened a new one meanwhile.
      if (this.#sessions.get(key) === current) this.#sessions.delete(key)
    }
  }

  /** A token that cannot be had ends a start, but not an operation: its deadline says how long to try again. */
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

  #open(key: string, purpose: Purpose, frameMemory?: FrameMemory): Promise<Session> {
    const opened: Lane = { purpose, opening: this.#connect(purpose, frameMemory) }
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
    const options = { ...this.#options, frameMemory }
    const waitMs = this.#notBefore - performance.now()
    if (waitMs > 0) await new Deadline(waitMs, signal).sleep(waitMs)
    try {
      const identity = { clusterId: this.#options.clusterId?.(), nodeId: this.nodeId }
      const session = await openSession(
        this.address,
        purpose,
        options,
        this.#memory,
        identity,
        signal,
      )
      this.#failures = 0
      this.#options.onReached?.()
      // Closed in the meantime: no other code would close this connection.
      if (signal.aborted) session.connection.close()
      signal.throwIfAborted()
      return session
    } catch (error) {
      signal.throwIfAborted()
      const failure = this.#inOperation(error)
      // A refusal (credentials, certificates) does not go away by waiting: it is reported each time.
      if (isUnreachable(failure) || isRetriable(failure)) {
        this.#notBefore =
          performance.now() + backoffMs(this.#failures++, this.#options.reconnectBackoff)
      }
      throw failure
    }
  }
}

async function atMost(waitMs: number, done: Promise<void>): Promise<void> {
  const over = deferred()
  const timer = new Timer(waitMs, () => over.resolve())
  await Promise.race([done, over.promise])
  timer.cancel()
}
