import type { Timers } from '../timers.ts'
import { KeeperError } from './error-codes.ts'
import { Sessions, type Session } from './sessions.ts'
import type { Identity } from './tree/acl.ts'
import { DataTree } from './tree/data-tree.ts'
import { TreeTransaction } from './tree/transaction.ts'
import { Watches, type Watcher } from './watches.ts'

/** The client of a request. */
export interface Client extends Watcher {
  readonly session: Session
}

/** The server without its sockets: tree, sessions, watches, and the order of all changes. */
export class Keeper {
  readonly tree = new DataTree()
  readonly watches = new Watches(this.tree)
  readonly sessions: Sessions
  #zxid = 0n

  constructor(timers: Timers) {
    this.sessions = new Sessions(timers, (session) => this.endSession(session))
  }

  /** The number of the last transaction. */
  get zxid(): bigint {
    return this.#zxid
  }

  openSession(timeoutMs: number): Session {
    this.#zxid++
    return this.sessions.open(timeoutMs)
  }

  /** Deletes the session's nodes, and ends its connection. Safe to call again. */
  endSession(session: Session): void {
    if (this.sessions.find(session.id) !== session) return
    this.sessions.remove(session)
    this.deleteEphemerals(session.id)
    session.link?.close()
  }

  deleteEphemerals(sessionId: bigint): void {
    this.write(sessionId, [], (transaction) => transaction.deleteEphemerals(sessionId))
  }

  /**
   * Executes a change completely or not at all, and then notifies the watchers. As in ZooKeeper, a
   * rejected change also uses up a transaction number.
   */
  write<T>(
    sessionId: bigint,
    identities: readonly Identity[],
    change: (transaction: TreeTransaction) => T,
  ): T {
    const transaction = new TreeTransaction({
      tree: this.tree,
      zxid: ++this.#zxid,
      timeMs: Date.now(),
      sessionId,
      identities,
    })
    let result: T
    try {
      result = change(transaction)
    } catch (error) {
      transaction.rollBack()
      throw error
    }
    this.watches.trigger(transaction.events)
    return result
  }
}

/**
 * Returns the outcome of a function that may throw KeeperError; other errors are failures, and are
 * thrown.
 */
export function refusalOf(run: () => void): KeeperError | undefined {
  try {
    run()
    return undefined
  } catch (error) {
    if (error instanceof KeeperError) return error
    throw error
  }
}
