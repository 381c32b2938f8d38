import { bounded } from '../../async/bounded.ts'
import { deferred, type Deferred } from '../../async/deferred.ts'
import { TookTooLongError } from '../../async/limited.ts'
import { Timer } from '../../async/timer.ts'
import { loadZooKeeperPackage } from '../../cluster/zookeeper-package.ts'
import type { Logger } from '../../observe/logger.ts'
import type {
  Done,
  ZooKeeperAcl,
  ZooKeeperClient,
  ZooKeeperFailure,
  ZooKeeperState,
  ZooKeeperTransaction,
} from './client.ts'
import { ZooKeeperError } from './errors.ts'
import { abandon, endSession, reconnect } from '../../cluster/zookeeper-client.ts'

/** ZooKeeper's own error codes. */
const BAD_ARGUMENTS = -8
const NO_NODE = -101
const NO_AUTH = -102
const NODE_EXISTS = -110
const CONNECTION_LOSS = -4
const SESSION_EXPIRED = -112
const AUTH_FAILED = -115
const EPHEMERAL = 1
const PERSISTENT = 0
const ANY_VERSION = -1

/**
 * A response proves that the session was alive when its request was sent, and that it will be for two thirds of its
 * timeout.
 */
const CERTAIN_SHARE = 2 / 3
/** The number of requests in a session timeout: a response may take a third of it before the session is in doubt. */
const BEATS_PER_TIMEOUT = 6
/** A transaction of this size stays far below what a server reads at once, 1 MiB by default. */
const CHANGES_AT_ONCE = 100
/** The lowest timeout to count with: a server that grants a shorter one would get requests all the time. */
const LEAST_TIMEOUT_MS = 100
/** How long `close` waits for the server to end the session, which deletes its ephemeral znodes. */
const CLOSE_TIMEOUT_MS = 2_000

export interface ZooKeeperSessionOptions {
  /** For errors and logs. */
  readonly hosts: string
  /** Creates a client, for the first session and after each that expired. */
  readonly connect: () => ZooKeeperClient
  /** False for a client that the application passed: it is neither connected, nor closed, nor replaced. */
  readonly isOwn: boolean
  readonly connectionTimeoutMs: number
  /** Returns the ACL of created znodes. It is called when there is a client. */
  readonly acl: () => ZooKeeperAcl[]
  readonly logger: Logger
  readonly events: SessionEvents
}

export interface SessionEvents {
  /** The connection is back after it was lost, with the same session. */
  reconnected(): void
  /** `aliveUntil` had passed, and is in the future again. */
  renewed(): void
  /** The session and all its ephemeral znodes are gone. */
  expired(error: ZooKeeperError): void
}

/**
 * A session with ZooKeeper: requests as promises, which all end, and the time until which the session is certain to
 * last. Requests fail immediately while there is no connection: retrying is the caller's decision.
 */
export class ZooKeeperSession {
  readonly #options: ZooKeeperSessionOptions
  #client: ZooKeeperClient | undefined
  #isConnected = false
  /** The session of a client that the application passed is over; the client may create another. */
  #isExpired = false
  /** The id of the session that was last connected, in hexadecimal. */
  #sessionId: string | undefined
  #aliveUntil = 0
  #opening: Deferred<void> | undefined
  #beats: NodeJS.Timeout | undefined
  #timeoutMs: number
  #lastReconnect = 0
  #wasReached = false
  #isClosed = false
  readonly #onState = (state: ZooKeeperState) => this.#changed(state)

  constructor(options: ZooKeeperSessionOptions) {
    this.#options = options
    this.#timeoutMs = options.connectionTimeoutMs
  }

  /**
   * The time, by performance.now(), until which the session certainly lasts without further responses; 0 if it is in
   * doubt.
   */
  get aliveUntil(): number {
    return this.#aliveUntil
  }

  /** The id of the session, which owns the ephemeral znodes. Undefined before there is one. */
  get id(): string | undefined {
    return this.#sessionId
  }

  /** True if any server has ever responded. */
  get wasReached(): boolean {
    return this.#wasReached
  }

  /**
   * Waits for a connection, and creates a client if necessary. Throws ZooKeeperError after the connection timeout.
   */
  async open(signal: AbortSignal): Promise<void> {
    await loadZooKeeperPackage()
    signal.throwIfAborted()
    if (this.#isConnected) return
    if (this.#opening === undefined) {
      this.#opening = deferred()
      this.#opening.promise.catch(() => undefined)
    }
    const { promise } = this.#opening
    if (this.#client === undefined) this.#connect()
    try {
      await bounded(this.#options.connectionTimeoutMs, signal, () => promise)
    } catch (error) {
      if (!(error instanceof TookTooLongError)) throw error
      if (this.#isExpired) throw this.#expiredPermanently()
      const { hosts, connectionTimeoutMs, isOwn } = this.#options
      const hint = isOwn
        ? 'check that it is running and the address is right. If the cluster has no ZooKeeper, such as from Kafka 4.0 on, use another groupProtocol'
        : 'is the client connected?'
      throw new ZooKeeperError(
        'ZOOKEEPER_UNREACHABLE',
        `no ZooKeeper server of ${hosts} answered within ${connectionTimeoutMs} ms: ${hint}`,
      )
    }
  }

  /** Ends the session. Its ephemeral znodes are gone when this resolves, unless no server can be reached. */
  async close(): Promise<void> {
    const wasConnected = this.#isConnected
    this.#isClosed = true
    this.#isConnected = false
    this.#aliveUntil = 0
    clearInterval(this.#beats)
    const client = this.#client
    this.#client = undefined
    if (client === undefined) return
    client.removeListener('state', this.#onState)
    if (!this.#options.isOwn) return
    const closed = deferred()
    client.on('state', () => closed.resolve())
    endSession(client)
    const timer = setTimeout(() => closed.resolve(), wasConnected ? CLOSE_TIMEOUT_MS : 0)
    await closed.promise
    clearTimeout(timer)
    // If the server did not end it, the client must not keep the process alive.
    abandon(client)
  }

  /** Returns the id of the session whose end deletes the znode; undefined if the znode does not exist. */
  async ephemeralOwner(path: string): Promise<string | undefined> {
    const stat = await this.#ask(`looking for ${path}`, (client, done: Done<Stat>) =>
      client.exists(path, done),
    )
    return stat.found ? stat.value?.ephemeralOwner.toString('hex') : undefined
  }

  async exists(path: string): Promise<boolean> {
    return (await this.ephemeralOwner(path)) !== undefined
  }

  /**
   * Returns the data of a znode; undefined if it does not exist. `onChange` is called once, when it changes or is
   * deleted.
   */
  async data(path: string, onChange?: () => void): Promise<string | undefined> {
    const answer = await this.#ask(`reading ${path}`, (client, done: Done<Buffer | undefined>) => {
      if (onChange === undefined) client.getData(path, done)
      else client.getData(path, onChange, done)
    })
    return answer.found ? (answer.value?.toString() ?? '') : undefined
  }

  /**
   * Returns the children of a znode; undefined if it does not exist. `onChange` is called once, when a child is
   * created or deleted.
   */
  async children(path: string, onChange: () => void): Promise<readonly string[] | undefined> {
    const answer = await this.#ask(`listing ${path}`, (client, done: Done<string[]>) =>
      client.getChildren(path, onChange, done),
    )
    return answer.found ? answer.value : undefined
  }

  /** Creates a persistent znode and all its parents, unless they exist. */
  async ensure(path: string): Promise<void> {
    if (await this.exists(path)) return
    const names = path.split('/').slice(1)
    for (let depth = 1; depth <= names.length; depth++) {
      const above = `/${names.slice(0, depth).join('/')}`
      const answer = await this.#ask(`creating ${above}`, (client, done: Done<string>) =>
        client.create(above, Buffer.alloc(0), this.#options.acl(), PERSISTENT, done),
      )
      if (answer.found || answer.code === NODE_EXISTS) continue
      const { hosts } = this.#options
      throw new ZooKeeperError(
        'ZOOKEEPER_NO_CHROOT',
        `${above} cannot be created on ${hosts}, because its parent is missing: check that the chroot exists`,
      )
    }
  }

  /** Creates ephemeral znodes with the same data: all of them, or none if one exists or a folder is missing. */
  async createAll(
    paths: readonly string[],
    data: string,
  ): Promise<'created' | 'exists' | 'missing'> {
    const bytes = Buffer.from(data)
    return this.#create(`creating ${paths[0] ?? ''}`, (transaction) => {
      for (const path of paths) transaction.create(path, bytes, this.#options.acl(), EPHEMERAL)
    })
  }

  /** Replaces an ephemeral znode by another of the same name. At no moment does the name not exist. */
  async replace(path: string, data: string): Promise<'created' | 'exists' | 'missing'> {
    return this.#create(`renewing ${path}`, (transaction) => {
      transaction.remove(path, ANY_VERSION)
      transaction.create(path, Buffer.from(data), this.#options.acl(), EPHEMERAL)
    })
  }

  /** Removes all of them that exist. */
  async removeAll(paths: readonly string[]): Promise<void> {
    const removing: Promise<void>[] = []
    for (let at = 0; at < paths.length; at += CHANGES_AT_ONCE) {
      removing.push(this.#removeTogether(paths.slice(at, at + CHANGES_AT_ONCE)))
    }
    await Promise.all(removing)
  }

  /** Removes them in one transaction, which watches see as one change; one by one if some do not exist. */
  async #removeTogether(paths: readonly string[]): Promise<void> {
    const together = await this.#change(`removing ${paths[0] ?? ''}`, (transaction) => {
      for (const path of paths) transaction.remove(path, ANY_VERSION)
    })
    if (together.found) return
    await Promise.all(
      paths.map((path) =>
        this.#ask(`removing ${path}`, (client, done: Done) =>
          client.remove(path, ANY_VERSION, done),
        ),
      ),
    )
  }

  async #create(
    what: string,
    fill: (transaction: ZooKeeperTransaction) => void,
  ): Promise<'created' | 'exists' | 'missing'> {
    const answer = await this.#change(what, fill)
    if (answer.found) return 'created'
    return answer.code === NODE_EXISTS ? 'exists' : 'missing'
  }

  #change(
    what: string,
    fill: (transaction: ZooKeeperTransaction) => void,
  ): Promise<Answer<unknown>> {
    return this.#ask(what, (client, done: Done<unknown>) => {
      const transaction = client.transaction()
      fill(transaction)
      transaction.commit(done)
    })
  }

  /** Sends a request and waits for the response, for as long as a session would last. */
  async #ask<Result>(
    what: string,
    send: (client: ZooKeeperClient, done: Done<Result>) => void,
  ): Promise<Answer<Result>> {
    const client = this.#client
    if (client === undefined || !this.#isConnected) throw this.#lost(what)
    const sentAt = performance.now()
    const answered = deferred<Answer<Result>>()
    const timer = new Timer(this.#timeoutMs, () => {
      answered.reject(this.#lost(`${what} took longer than ${this.#timeoutMs} ms`))
      // A connection that lost this request would lose the next.
      if (client === this.#client) this.#reconnect(client)
    })
    try {
      send(client, (error, value) => {
        const code = error === null || error === undefined ? 0 : (error.code ?? 0)
        if (error === null || error === undefined) answered.resolve({ found: true, value })
        else if (code === NO_NODE || code === NODE_EXISTS) answered.resolve({ found: false, code })
        else answered.reject(this.#errorOf(what, code, error))
      })
      const answer = await answered.promise
      if (client === this.#client) this.#wasAliveAt(sentAt)
      return answer
    } finally {
      timer.cancel()
    }
  }

  #errorOf(what: string, code: number, cause: ZooKeeperFailure): ZooKeeperError {
    const { hosts } = this.#options
    if (code === CONNECTION_LOSS) return this.#lost(what)
    if (code === SESSION_EXPIRED) return this.#expired()
    if (code === NO_AUTH || code === AUTH_FAILED) {
      const hint = 'it needs another zookeeperAuth'
      return new ZooKeeperError('ZOOKEEPER_NOT_ALLOWED', `${what} on ${hosts}: ${hint}`, cause)
    }
    // A server that refuses a name always refuses it.
    const mayWorkLater = code !== BAD_ARGUMENTS
    const message = `${what} on ${hosts}: ${cause.name}`
    return new ZooKeeperError('ZOOKEEPER_ERROR', message, cause, mayWorkLater)
  }

  #lost(what: string): ZooKeeperError {
    const { hosts } = this.#options
    return new ZooKeeperError('ZOOKEEPER_CONNECTION_LOST', `${what}: no connection to ${hosts}`)
  }

  #expired(): ZooKeeperError {
    const { hosts } = this.#options
    const what = `the session with ZooKeeper at ${hosts} is over`
    return new ZooKeeperError('ZOOKEEPER_SESSION_EXPIRED', what)
  }

  #expiredPermanently(): ZooKeeperError {
    const what = 'the session of the ZooKeeper client of the application has ended'
    const todo = 'use zookeeperHosts instead, or create another client and a consumer with it'
    const reason = `${what}, and the client opened no other within ${this.#options.connectionTimeoutMs} ms`
    return new ZooKeeperError('ZOOKEEPER_SESSION_EXPIRED', `${reason}: ${todo}`, undefined, false)
  }

  #connect(): void {
    const client = this.#options.connect()
    this.#client = client
    client.on('state', this.#onState)
    if (this.#options.isOwn) client.connect()
    else this.#changed(client.getState())
    this.#beat()
  }

  #changed(state: ZooKeeperState): void {
    const { logger, hosts } = this.#options
    logger.debug(`ZooKeeper at ${hosts}: ${state.name}`)
    switch (state.name) {
      case 'SYNC_CONNECTED':
        this.#connected()
        return
      case 'EXPIRED':
        this.#onExpired()
        return
      case 'AUTH_FAILED': {
        this.#aliveUntil = 0
        const what = `ZooKeeper at ${hosts} refused the login`
        this.#opening?.reject(new ZooKeeperError('ZOOKEEPER_NOT_ALLOWED', what))
        this.#opening = undefined
        return
      }
      default:
        if (this.#isConnected) logger.warn(`the connection to ZooKeeper at ${hosts} is lost`)
        this.#isConnected = false
        this.#aliveUntil = 0
    }
  }

  #connected(): void {
    const client = this.#client
    if (client === undefined) return
    const id = client.getSessionId().toString('hex')
    const before = this.#sessionId
    this.#isConnected = true
    this.#isExpired = false
    this.#wasReached = true
    this.#timeoutMs = Math.max(LEAST_TIMEOUT_MS, client.getSessionTimeout())
    this.#sessionId = id
    // A client that the application passed may create another session by itself.
    if (before !== undefined && before !== id) this.#options.events.expired(this.#expired())
    this.#beat()
    this.#opening?.resolve()
    this.#opening = undefined
    if (before === id) this.#options.events.reconnected()
  }

  #onExpired(): void {
    this.#isConnected = false
    this.#isExpired = !this.#options.isOwn
    this.#aliveUntil = 0
    if (this.#options.isOwn) {
      // The client is of no further use. It closes by itself.
      this.#client?.removeListener('state', this.#onState)
      this.#client = undefined
      this.#sessionId = undefined
    }
    this.#options.events.expired(this.#expired())
  }

  #wasAliveAt(time: number): void {
    if (!this.#isConnected) return
    const now = performance.now()
    const wasOver = now >= this.#aliveUntil
    this.#aliveUntil = Math.max(this.#aliveUntil, time + this.#timeoutMs * CERTAIN_SHARE)
    if (wasOver && now < this.#aliveUntil) this.#options.events.renewed()
  }

  /** Sends a request now, and again several times in each timeout. */
  #beat(): void {
    clearInterval(this.#beats)
    const beat = () => {
      if (this.#isConnected) this.exists('/').catch(() => undefined)
      else if (this.#client !== undefined) this.#reconnect(this.#client)
    }
    if (this.#isConnected) beat()
    this.#beats = setInterval(beat, this.#timeoutMs / BEATS_PER_TIMEOUT)
    this.#beats.unref()
  }

  /** Drops a connection that does not respond, or that has been connecting for half a timeout. */
  #reconnect(client: ZooKeeperClient): void {
    const now = performance.now()
    if (now - this.#lastReconnect < this.#timeoutMs / 2 || this.#isClosed) return
    this.#lastReconnect = now
    reconnect(client)
  }
}

type Stat = { readonly ephemeralOwner: Buffer } | null

/** The response of ZooKeeper: a value, or that the znode is missing or already exists. */
type Answer<Value> =
  { readonly found: true; readonly value: Value } | { readonly found: false; readonly code: number }
