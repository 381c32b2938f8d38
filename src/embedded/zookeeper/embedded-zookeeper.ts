import { Buffer } from 'node:buffer'
import { createServer } from 'node:net'
import { InvalidArgumentError } from '../../errors.ts'
import { Listener } from '../listen/listener.ts'
import { Timers } from '../timers.ts'
import { KeeperError } from './error-codes.ts'
import { ZooKeeperFaults } from './faults.ts'
import { Keeper } from './keeper.ts'
import { checkedOptions, type CheckedOptions, type EmbeddedZooKeeperOptions } from './options.ts'
import { ZooKeeperConnection, type ConnectionDependencies } from './server/connection.ts'
import { ReplyGate } from './server/reply-gate.ts'
import type { Session } from './sessions.ts'
import { OPEN_ACL, OWNER, type AclEntry } from './tree/acl.ts'
import { statOf, type NodeStat } from './tree/node.ts'
import { parentOf } from './tree/paths.ts'
import { CREATE_FLAGS, type Transaction } from './tree/transaction.ts'

/** A node as it is now. */
export interface ZooKeeperNode {
  /** Empty for a node that has none. */
  readonly data: Buffer
  /** Names, without the path before them; sorted. */
  readonly children: readonly string[]
  /** The access rights of the znode. */
  readonly acl: readonly AclEntry[]
  /** What ZooKeeper knows of the znode. */
  readonly stat: NodeStat
}

/** A session that a client has with the server. */
export interface ZooKeeperSession {
  /** The id of the session. */
  readonly id: bigint
  /** After this time without a word of the client the session expires. */
  readonly timeoutMs: number
  /** Whether the client has a connection now. */
  readonly isConnected: boolean
  /** The paths of its nodes. */
  readonly ephemerals: readonly string[]
}

/** A number, or the eight bytes that node-zookeeper-client gives (`client.getSessionId()`). */
export type SessionId = bigint | Uint8Array

const NO_OWNER = 0n

/**
 * A ZooKeeper server in this process, on 127.0.0.1: for tests, and for trying things out. It keeps everything
 * in memory, and forgets it when it stops.
 *
 * ```ts
 * await using zookeeper = await EmbeddedZooKeeper.start()
 * const consumer = await topic.getBalancedConsumer({ consumerGroup: 'g', zookeeperHosts: zookeeper.hosts })
 * ```
 */
export class EmbeddedZooKeeper implements AsyncDisposable {
  /** Requests to be answered with errors, late, or not at all. */
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
   * Resolves when it listens. Throws InvalidArgumentError for options that can't be right, and
   * EmbeddedClusterError for a port that can't be used.
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

  /** `127.0.0.1:port,…`, as clients want it. A chroot may be put behind it, once its node has been created. */
  get hosts(): string {
    return this.ports.map((port) => `127.0.0.1:${port}`).join(',')
  }

  /** Of the first server. */
  get port(): number {
    return this.ports[0]!
  }

  /** The ports of the servers. */
  get ports(): readonly number[] {
    return this.#listeners.map(({ port }) => port)
  }

  /** What clients have, those that are away and not yet expired among them. */
  get sessions(): readonly ZooKeeperSession[] {
    return this.#keeper.sessions.all.map(({ id, timeoutMs, link }) => ({
      id,
      timeoutMs,
      isConnected: link !== undefined,
      ephemerals: [...this.#keeper.tree.ephemeralsOf(id)].sort(),
    }))
  }

  /** How many watches are set, of all clients. */
  get watchCount(): number {
    return this.#keeper.watches.size
  }

  /** The node, without regard to its ACL; undefined if it does not exist. */
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
   * Creates a lasting node, and those above it where they are missing. Throws InvalidArgumentError if it is
   * there, or the path is none. `session` (from `openSession`) makes it ephemeral. `data: null` is no data,
   * which clients can tell from empty data.
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

  /** Throws InvalidArgumentError if there is no such node. */
  setData(path: string, data: string | Uint8Array): void {
    this.#write((transaction) => transaction.setData(path, Buffer.from(data), -1))
  }

  /** Deletes the node and all below it. Throws InvalidArgumentError if there is none. */
  delete(path: string): void {
    this.#write((transaction) => {
      const remove = (one: string): void => {
        for (const name of this.#keeper.tree.get(one).children) remove(`${one}/${name}`)
        transaction.delete(one, -1)
      }
      remove(path)
    })
  }

  /** A session of this process, for ephemeral nodes: it needs no heartbeat, and ends when it is closed. */
  openSession(): LocalSession {
    const id = this.#keeper.sessions.newId()
    return { id, close: () => this.#keeper.deleteEphemerals(id) }
  }

  /**
   * Expires a session, as if its client had sent nothing for longer than the session timeout: deletes its ephemeral
   * nodes, and closes its connection. A client that reconnects is told that the session has expired. Returns whether
   * there was such a session.
   */
  expireSession(id: SessionId): boolean {
    const session = this.#find(id)
    if (session === undefined) return false
    this.#keeper.endSession(session)
    return true
  }

  /** Closes the connection of a session, or all. Sessions stay: clients connect again. */
  dropConnections(id?: SessionId): void {
    const wanted = id === undefined ? undefined : numberOf(id)
    for (const connection of this.#connections) {
      if (wanted === undefined || wanted === connection.sessionId) connection.close()
    }
  }

  /**
   * From now on requests are acted upon, but no answer and no event leaves the server. Dropping the
   * connections then loses them permanently: the client never learns of what it has done.
   */
  holdReplies(): void {
    this.#replies.close()
  }

  /** What was held leaves, where its connection is still there. */
  releaseReplies(): void {
    this.#replies.open()
  }

  /**
   * A server is gone, as when it is killed: the one with this number, from 1 on, or all. Nodes and sessions
   * stay. While there is none, no session expires; one that is left serves, be it a minority.
   */
  async stopServer(number?: number): Promise<void> {
    const stopped = this.#chosen(number).map((listener) => listener.stop())
    if (!this.#listeners.some(({ isListening }) => isListening)) this.#keeper.sessions.pause()
    await Promise.all(stopped)
  }

  /**
   * It is back, at the port that it had. Where there was none, sessions have their whole timeout again.
   */
  async startServer(number?: number): Promise<void> {
    if (this.#isStopped) throw new InvalidArgumentError('the ZooKeeper is stopped')
    const wereAllDown = !this.#listeners.some(({ isListening }) => isListening)
    for (const listener of this.#chosen(number)) await this.#listen(listener)
    if (wereAllDown) this.#keeper.sessions.resume()
  }

  /** Ends all connections and timers: nothing is left that keeps the process alive. Safe to call again. */
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
    const parts: ConnectionDependencies = {
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
      `there is no server ${number}; there are 1 to ${this.#listeners.length}`,
    )
  }

  #has(path: string): boolean {
    return this.#keeper.tree.find(path) !== undefined
  }

  #find(id: SessionId): Session | undefined {
    return this.#keeper.sessions.find(numberOf(id))
  }

  #write(change: (transaction: Transaction) => void, sessionId = NO_OWNER): void {
    try {
      this.#keeper.write(sessionId, [OWNER], change)
    } catch (error) {
      throw error instanceof KeeperError ? new InvalidArgumentError(error.message) : error
    }
  }
}

/** Owns ephemeral nodes. */
export interface LocalSession {
  /** The id of the session. */
  readonly id: bigint
  /** Its nodes go. */
  close(): void
}

function numberOf(id: SessionId): bigint {
  return typeof id === 'bigint' ? id : Buffer.from(id).readBigInt64BE()
}
