import { Buffer } from 'node:buffer'
import { createServer } from 'node:net'
import { InvalidArgumentError } from '../../errors.ts'
import { Listener } from '../listen/listener.ts'
import { Timers } from '../timers.ts'
import { KeeperError } from './error-codes.ts'
import { ZooKeeperFaults } from './faults.ts'
import { Keeper } from './keeper.ts'
import { checkedOptions, type CheckedOptions, type EmbeddedZooKeeperOptions } from './options.ts'
import { ZooKeeperConnection, type ZooKeeperConnectionDependencies } from './server/connection.ts'
import { ReplyGate } from './server/reply-gate.ts'
import type { Session } from './sessions.ts'
import { OPEN_ACL, OWNER, type AclEntry } from './tree/acl.ts'
import { statOf, type NodeStat } from './tree/node.ts'
import { parentOf } from './tree/paths.ts'
import { CREATE_FLAGS, type TreeTransaction } from './tree/transaction.ts'

/** The current state of a node. */
export interface ZooKeeperNode {
  /** Empty for a node without data. */
  readonly data: Buffer
  /** Names without the parent's path, sorted. */
  readonly children: readonly string[]
  /** The access rights of the node. */
  readonly acl: readonly AclEntry[]
  /** ZooKeeper's metadata of the node. */
  readonly stat: NodeStat
}

/** A session that a client has with the server. */
export interface ZooKeeperSession {
  /** The id of the session. */
  readonly id: bigint
  /** The session expires if the client sends nothing for this time. */
  readonly timeoutMs: number
  /** Whether the client is connected now. */
  readonly isConnected: boolean
  /** The paths of its ephemeral nodes. */
  readonly ephemerals: readonly string[]
}

/** A number, or the eight bytes that node-zookeeper-client gives (`client.getSessionId()`). */
export type SessionId = bigint | Uint8Array

const NO_OWNER = 0n

/**
 * A ZooKeeper server in this process, on 127.0.0.1, for tests and experiments. It keeps everything
 * in memory, and loses it when it stops.
 *
 * ```ts
 * await using zookeeper = await EmbeddedZooKeeper.start()
 * const consumer = await topic.getBalancedConsumer({ consumerGroup: 'g', zookeeperHosts: zookeeper.hosts })
 * ```
 */
export class EmbeddedZooKeeper implements AsyncDisposable {
  /** Makes the server answer requests with an error, late, or not at all. */
  readonly faults = new ZooKeeperFaults()
  readonly #options: CheckedOptions
  readonly #timers: Timers
  readonly #keeper: Keeper
  readonly #listeners: readonly Listener<ZooKeeperConnection>[]
  readonly #replies = new ReplyGate()
  #isStopped = false

  private constructor(options: EmbeddedZooKeeperOptions) {
    this.#options = checkedOptions(options)
    this.#timers = new Timers(this.#options.onError)
    this.#keeper = new Keeper(this.#timers)
    const { port, servers } = this.#options
    this.#listeners = Array.from(
      { length: servers },
      (_, index) => new Listener(port === 0 ? 0 : port + index),
    )
  }

  /**
   * Resolves when it listens. Throws InvalidArgumentError for invalid options, and
   * EmbeddedClusterError for a port that cannot be used.
   */
  static async start(options: EmbeddedZooKeeperOptions = {}): Promise<EmbeddedZooKeeper> {
    const zookeeper = new EmbeddedZooKeeper(options)
    try {
      for (const listener of zookeeper.#listeners) await zookeeper.#listen(listener)
      return zookeeper
    } catch (error) {
      await zookeeper.stop()
      throw error
    }
  }

  /**
   * The addresses of the servers, `127.0.0.1:port,…`, as clients take them. A chroot can be
   * appended after its node has been created.
   */
  get hosts(): string {
    return this.ports.map((port) => `127.0.0.1:${port}`).join(',')
  }

  /** The port of the first server. */
  get port(): number {
    return this.ports[0]!
  }

  /** The ports of the servers. */
  get ports(): readonly number[] {
    return this.#listeners.map(({ port }) => port)
  }

  /** The sessions of clients, including those that are disconnected and have not expired. */
  get sessions(): readonly ZooKeeperSession[] {
    return this.#keeper.sessions.all.map(({ id, timeoutMs, link }) => ({
      id,
      timeoutMs,
      isConnected: link !== undefined,
      ephemerals: [...this.#keeper.tree.ephemeralsOf(id)].sort(),
    }))
  }

  /** The number of watches of all clients. */
  get watchCount(): number {
    return this.#keeper.watches.size
  }

  /** Returns the node, and ignores its ACL; undefined if it does not exist. */
  node(path: string): ZooKeeperNode | undefined {
    const node = this.#keeper.tree.find(path)
    if (node === undefined) return undefined
    return {
      data: node.data ?? Buffer.alloc(0),
      children: [...node.children].sort(),
      acl: node.acl,
      stat: statOf(node),
    }
  }

  /**
   * Creates a persistent node, and its parents if they are missing. Throws InvalidArgumentError if
   * it exists, or if the path is invalid. With `session` (from `openSession`) the node is
   * ephemeral. `data: null` means no data, which clients can distinguish from empty data.
   */
  create(path: string, data: string | Uint8Array | null = '', session?: LocalSession): void {
    this.#write((transaction) => {
      const missing: string[] = []
      for (let above = parentOf(path); !this.#has(above); above = parentOf(above)) {
        missing.unshift(above)
      }
      for (const above of missing) {
        transaction.create({ path: above, data: null, acl: OPEN_ACL, flags: 0 })
      }
      transaction.create({
        path,
        data: data === null ? null : Buffer.from(data),
        acl: OPEN_ACL,
        flags: session === undefined ? CREATE_FLAGS.persistent : CREATE_FLAGS.ephemeral,
      })
    }, session?.id)
  }

  /** Throws InvalidArgumentError if the node does not exist. */
  setData(path: string, data: string | Uint8Array): void {
    this.#write((transaction) => transaction.setData(path, Buffer.from(data), -1))
  }

  /** Deletes the node and all nodes below it. Throws InvalidArgumentError if it does not exist. */
  delete(path: string): void {
    this.#write((transaction) => {
      const remove = (one: string): void => {
        for (const name of this.#keeper.tree.get(one).children) remove(`${one}/${name}`)
        transaction.delete(one, -1)
      }
      remove(path)
    })
  }

  /**
   * Opens a session of this process, for ephemeral nodes: it needs no heartbeat, and ends when it
   * is closed.
   */
  openSession(): LocalSession {
    const id = this.#keeper.sessions.newId()
    return { id, close: () => this.#keeper.deleteEphemerals(id) }
  }

  /**
   * Expires a session, as if its client had sent nothing for longer than the session timeout: deletes its ephemeral
   * nodes, and closes its connection. A client that reconnects learns that its session has expired. Returns whether the
   * session existed.
   */
  expireSession(id: SessionId): boolean {
    const session = this.#find(id)
    if (session === undefined) return false
    this.#keeper.endSession(session)
    return true
  }

  /**
   * Closes the connection of a session, or all connections. Sessions remain, and clients connect
   * again.
   */
  dropConnections(id?: SessionId): void {
    const wanted = id === undefined ? undefined : numberOf(id)
    for (const connection of this.#connections) {
      if (wanted === undefined || wanted === connection.sessionId) connection.close()
    }
  }

  /**
   * From now on the server executes requests, but sends no response and no event. If the connections are dropped then,
   * the responses are lost: the client never learns the outcome.
   */
  holdReplies(): void {
    this.#replies.close()
  }

  /** Sends the held responses on connections that still exist. */
  releaseReplies(): void {
    this.#replies.open()
  }

  /**
   * Stops a server as if it were killed: the one with this number, from 1 on, or all. Nodes and
   * sessions remain. While no server runs, no session expires; one running server is enough, even
   * if it is a minority.
   */
  async stopServer(number?: number): Promise<void> {
    const stopped = this.#chosen(number).map((listener) => listener.stop())
    if (!this.#listeners.some(({ isListening }) => isListening)) this.#keeper.sessions.pause()
    await Promise.all(stopped)
  }

  /**
   * Starts the server again on its port. If none was running, sessions get their whole timeout
   * again.
   */
  async startServer(number?: number): Promise<void> {
    if (this.#isStopped) throw new InvalidArgumentError('the ZooKeeper is stopped')
    const wereAllDown = !this.#listeners.some(({ isListening }) => isListening)
    for (const listener of this.#chosen(number)) await this.#listen(listener)
    if (wereAllDown) this.#keeper.sessions.resume()
  }

  /**
   * Ends all connections and timers, so that nothing keeps the process alive. Safe to call again.
   */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.#timers.stop()
    await this.stopServer()
    this.faults.clear()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  #listen(listener: Listener<ZooKeeperConnection>): Promise<void> {
    const { onError } = this.#options
    const parts: ZooKeeperConnectionDependencies = {
      keeper: this.#keeper,
      limits: this.#options,
      replies: this.#replies,
      faults: this.faults,
      timers: this.#timers,
      onError,
      connections: () => this.#connections.length,
    }
    return listener.start({
      createServer,
      connect: (socket, onClose) => new ZooKeeperConnection(socket, parts, onClose),
      onError,
    })
  }

  get #connections() {
    return this.#listeners.flatMap(({ connections }) => connections)
  }

  #chosen(number: number | undefined): readonly Listener<ZooKeeperConnection>[] {
    if (number === undefined) return this.#listeners
    const listener = this.#listeners[number - 1]
    if (listener !== undefined) return [listener]
    throw new InvalidArgumentError(
      `the ZooKeeper has no server ${number}; it has 1 to ${this.#listeners.length}`,
    )
  }

  #has(path: string): boolean {
    return this.#keeper.tree.find(path) !== undefined
  }

  #find(id: SessionId): Session | undefined {
    return this.#keeper.sessions.find(numberOf(id))
  }

  #write(change: (transaction: TreeTransaction) => void, sessionId = NO_OWNER): void {
    try {
      this.#keeper.write(sessionId, [OWNER], change)
    } catch (error) {
      throw error instanceof KeeperError ? new InvalidArgumentError(error.message) : error
    }
  }
}

/** A session that owns ephemeral nodes. */
export interface LocalSession {
  /** The id of the session. */
  readonly id: bigint
  /** Deletes its nodes. */
  close(): void
}

function numberOf(id: SessionId): bigint {
  return typeof id === 'bigint' ? id : Buffer.from(id).readBigInt64BE()
}
