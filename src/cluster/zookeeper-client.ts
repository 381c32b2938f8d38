/**
 * Clients of node-zookeeper-client 1.1.3 that a server cannot harm. The package is no longer maintained; this file
 * handles its known defects:
 *
 * - A response that it cannot read, or an unknown error code (−118, the session moved), is an exception in a listener
 *   of a socket, which would end the process.
 * - It trusts lengths: it waits for, or allocates, a frame or a value of 2 GiB.
 * - It puts the rest of a frame of an ended connection before the first bytes of the next connection.
 * - It reconnects immediately after a server that answered, thousands of times a second if no answer is readable.
 * - It connects after `close` if it was waiting to. `close` throws a TypeError before the first connection is begun.
 * - It reads a connection string differently from ZooKeeper: blanks, IPv6 addresses, a slash at the end.
 * - It sends pings and does not notice that none is answered: callers that need to know call `reconnect`.
 * - It sends requests that are made without a connection before the login of the next one: callers make none.
 * - It is of no use after its session has expired: callers create another client.
 */
import type { Client } from 'node-zookeeper-client'
import { backoffMs } from '../async/backoff.ts'
import type { ZooKeeperAuth } from './zookeeper-auth.ts'
import type { ZooKeeperHosts } from './zookeeper-hosts.ts'
import { zooKeeperPackage } from './zookeeper-package.ts'

/** As in the Java client (`jute.maxbuffer`): a larger frame ends the connection. */
const MOST_FRAME_BYTES = 4 * 1024 * 1024
/** The maximum wait before servers that refuse connections are tried again, when all have been tried. */
const REFUSED_WAIT_MS = 300
/** The wait after several useless connections in a row: with unreadable answers, or ended within a second. */
const USELESS_BACKOFF = { initialMs: 100, maxMs: 2_000 }
const USEFUL_AFTER_MS = 1_000

/** The package's event numbers. */
const STATE_CONNECTING = 1
const GET_DATA = 4
/**
 * The position of the length of the data in responses to getData and to the connect request, after the length of the
 * frame.
 */
const DATA_LENGTH_AT = 4 + 16
const PASSWORD_LENGTH_AT = 4 + 16

/** The private members that this file uses. Clients of other versions do not have them. */
interface Manager {
  state: number
  servers: readonly { host: string; port: number }[]
  socket?: { destroy(): void } | null
  pendingBuffer?: Buffer | null
  connectTimeoutHandler?: NodeJS.Timeout | null
  pendingQueue: readonly { request: { header: { type: number } } }[]
  updateTimeout(sessionTimeoutMs: number): void
  onSocketData: (data: Buffer) => void
  onSocketClosed: (hasError: boolean) => void
  findNextServer: (connect: (server: { host: string; port: number }) => void) => void
}

const guards = new WeakMap<object, Guard>()

/** Creates a client that is not connected yet. */
export function createZooKeeperClient(
  hosts: ZooKeeperHosts,
  sessionTimeoutMs: number,
  auth?: ZooKeeperAuth,
): Client {
  const client = zooKeeperPackage().createClient(`guarded${hosts.chroot}`, {
    sessionTimeout: sessionTimeoutMs,
    retries: 0,
  })
  if (auth !== undefined) client.addAuthInfo(auth.scheme, Buffer.from(auth.auth))
  const manager = managerOf(client)
  guards.set(client, new Guard(manager, hosts))
  // The time limit of a connection depends on the number of servers.
  manager.updateTimeout(sessionTimeoutMs)
  return client
}

/** Ends the current connection, so that the client opens another, to the next server, with the same session. */
export function reconnect(client: object): void {
  const manager: unknown = Reflect.get(client, 'connectionManager')
  if (hasSocket(manager)) manager.socket?.destroy()
}

/** Ends the session, if there is one. Call `abandon` afterwards. */
export function endSession(client: { close(): void }): void {
  const manager: unknown = Reflect.get(client, 'connectionManager')
  if (hasSocket(manager) && manager.socket) client.close()
}

/** Ends the connection permanently, so that nothing keeps the process alive. Call `endSession` first. */
export function abandon(client: object): void {
  guards.get(client)?.stop()
  reconnect(client)
}

/** Why the last answer could not be read, for errors; undefined if all were readable. */
export function lastProblemOf(client: object): string | undefined {
  return guards.get(client)?.problem
}

function managerOf(client: object): Manager {
  const manager: unknown = Reflect.get(client, 'connectionManager')
  if (!isManager(manager)) {
    throw new Error('this version of node-zookeeper-client is not supported')
  }
  return manager
}

function hasSocket(value: unknown): value is Pick<Manager, 'socket'> {
  return typeof value === 'object' && value !== null && 'socket' in value
}

function isManager(value: unknown): value is Manager {
  if (typeof value !== 'object' || value === null) return false
  const methods = ['updateTimeout', 'onSocketData', 'onSocketClosed', 'findNextServer']
  return methods.every((name) => typeof Reflect.get(value, name) === 'function')
}

/** Filters the data between a client's socket and the package's code. */
class Guard {
  problem: string | undefined
  readonly #manager: Manager
  readonly #readFrame: (frame: Buffer) => void
  #chunks: Buffer[] = []
  #bufferedBytes = 0
  /** When the server answered the connect request of the current connection. */
  #connectedAt: number | undefined
  #isUnreadable = false
  /** The number of useless connections in a row. */
  #useless = 0
  #attempts = 0
  #timer: NodeJS.Timeout | undefined
  #isStopped = false

  constructor(manager: Manager, { servers }: ZooKeeperHosts) {
    this.#manager = manager
    // In random order, so that not all clients connect to the first server.
    manager.servers = servers
      .map((server) => ({ server: { ...server }, key: Math.random() }))
      .sort((one, other) => one.key - other.key)
      .map(({ server }) => server)
    const { onSocketClosed, onSocketData } = manager
    this.#readFrame = (frame) => onSocketData.call(manager, frame)
    manager.onSocketData = (data) => this.#take(data)
    manager.onSocketClosed = (hasError) => {
      this.#ended()
      onSocketClosed.call(manager, hasError)
    }
    manager.findNextServer = (connect) => this.#connectLater(connect)
  }

  stop(): void {
    this.#isStopped = true
    clearTimeout(this.#timer)
    clearTimeout(this.#manager.connectTimeoutHandler ?? undefined)
  }

  #connectLater(connect: (server: { host: string; port: number }) => void): void {
    const { servers } = this.#manager
    const attempt = this.#attempts++
    const isRoundOver = attempt > 0 && attempt % servers.length === 0
    const waitMs =
      this.#useless > 0
        ? backoffMs(this.#useless - 1, USELESS_BACKOFF)
        : isRoundOver
          ? Math.random() * REFUSED_WAIT_MS
          : 0
    this.#timer = setTimeout(() => {
      const isWanted = this.#manager.state === STATE_CONNECTING && !this.#isStopped
      if (isWanted) connect(servers[attempt % servers.length]!)
    }, waitMs)
  }

  #ended(): void {
    const livedMs = this.#connectedAt === undefined ? 0 : performance.now() - this.#connectedAt
    if (this.#isUnreadable) this.#useless++
    else if (livedMs >= USEFUL_AFTER_MS) this.#useless = 0
    else if (this.#connectedAt !== undefined) this.#useless++
    this.#connectedAt = undefined
    this.#isUnreadable = false
    this.#dropBuffered()
  }

  /** Passes on whole frames, one at a time. */
  #take(data: Buffer): void {
    if (this.#isUnreadable) return
    this.#chunks.push(data)
    this.#bufferedBytes += data.length
    try {
      for (let frame = this.#nextFrame(); frame !== undefined; frame = this.#nextFrame()) {
        const isFirst = this.#manager.state === STATE_CONNECTING
        checkLengths(frame, this.#manager)
        this.#readFrame(frame)
        if (isFirst) this.#connectedAt = performance.now()
      }
    } catch (error) {
      // The requests of this connection end with its loss.
      this.problem = error instanceof Error ? error.message : String(error)
      this.#isUnreadable = true
      this.#dropBuffered()
      this.#manager.socket?.destroy()
    }
  }

  #nextFrame(): Buffer | undefined {
    if (this.#bufferedBytes < 4) return undefined
    if (this.#chunks[0]!.length < 4) this.#chunks = [Buffer.concat(this.#chunks)]
    const size = this.#chunks[0]!.readInt32BE(0)
    if (size < 0 || size > MOST_FRAME_BYTES) {
      throw new RangeError(`an answer of ${size} bytes, the most is ${MOST_FRAME_BYTES}`)
    }
    const end = 4 + size
    if (this.#bufferedBytes < end) return undefined
    const all = this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks)
    this.#chunks = all.length === end ? [] : [all.subarray(end)]
    this.#bufferedBytes = all.length - end
    return all.subarray(0, end)
  }

  #dropBuffered(): void {
    this.#chunks = []
    this.#bufferedBytes = 0
    this.#manager.pendingBuffer = null
  }
}

/** The package allocates as many bytes as these lengths say before it checks that they are there. */
function checkLengths(frame: Buffer, { state, pendingQueue }: Manager): void {
  const isConnect = state === STATE_CONNECTING
  if (!isConnect && pendingQueue[0]?.request.header.type !== GET_DATA) return
  const at = isConnect ? PASSWORD_LENGTH_AT : DATA_LENGTH_AT
  // A notification comes between a request and its response.
  const isAnswer = isConnect || frame.readInt32BE(4) >= 0
  if (frame.length < at + 4 || !isAnswer) return
  const length = frame.readInt32BE(at)
  if (length > frame.length - at - 4) {
    throw new RangeError(`${length} bytes in an answer of ${frame.length}`)
  }
}
