/**
 * The parts of a ZooKeeper client that samsa uses. node-zookeeper-client has them, and so does any client of the same
 * shape. The interface is declared here, so that a client of the application need not come from the same copy of the
 * package.
 */
export interface ZooKeeperClient {
  /** Opens the session. */
  connect(): void
  /** Closes the session: its ephemeral znodes are deleted. */
  close(): void
  /** Calls the listener at each change of the connection's state. */
  on(event: 'state', listener: (state: ZooKeeperState) => void): unknown
  /** Removes a listener that `on` has added. */
  removeListener(event: 'state', listener: (state: ZooKeeperState) => void): unknown
  /** Returns the state of the connection. */
  getState(): ZooKeeperState
  /** Eight bytes. */
  getSessionId(): Buffer
  /** The timeout that the server granted, in milliseconds. */
  getSessionTimeout(): number
  /** Logs in, such as with the scheme `digest` and `name:password`. */
  addAuthInfo(scheme: string, auth: Buffer): void
  /** Creates a znode; the callback gets its path. */
  create(path: string, data: Buffer, acls: ZooKeeperAcl[], mode: number, done: Done<string>): void
  /** Deletes a znode of this version; −1: of any version. */
  remove(path: string, version: number, done: Done): void
  /** Passes the stat of a znode to the callback, or null if the znode does not exist. */
  exists(path: string, done: Done<ZooKeeperStat | null>): void
  /** Passes the data of a znode to the callback. */
  getData(path: string, done: Done<Buffer | undefined>): void
  /** Passes the data of a znode to the callback. The watcher is called once, when the znode changes. */
  getData(path: string, watcher: () => void, done: Done<Buffer | undefined>): void
  /** Passes the names of the children to the callback. The watcher is called once, when they change. */
  getChildren(path: string, watcher: () => void, done: Done<string[]>): void
  /** Begins a transaction, whose changes are made all or not at all. */
  transaction(): ZooKeeperTransaction
}

/** Changes that are made together or not at all (ZooKeeper's multi). */
export interface ZooKeeperTransaction {
  /** Adds the creation of a znode. */
  create(path: string, data: Buffer, acls: ZooKeeperAcl[], mode: number): unknown
  /** Adds the deletion of a znode of this version; −1: of any version. */
  remove(path: string, version: number): unknown
  /** Sends the transaction. */
  commit(done: Done<unknown>): void
}

/** The state of a connection to ZooKeeper. */
export interface ZooKeeperState {
  /** `SYNC_CONNECTED`, `DISCONNECTED`, `EXPIRED`, `AUTH_FAILED`, … */
  readonly name: string
}

/** The stat of a znode. */
export interface ZooKeeperStat {
  /** The session whose end removes the znode; zeros for a persistent one. */
  readonly ephemeralOwner: Buffer
}

/** The ACL of node-zookeeper-client, created by its own classes only. */
export interface ZooKeeperAcl {
  /** The permissions as bits: 1 read, 2 write, 4 create, 8 delete, 16 administer. */
  readonly perms: number
  /** The identity that has them. */
  readonly id: { scheme: string; id: string }
}

/** Called with null (or undefined) for the error if the request succeeded. */
export type Done<Result = void> = (
  error: ZooKeeperFailure | null | undefined,
  result: Result,
) => void

/** An error of ZooKeeper or of the client. ZooKeeper's codes are below zero. */
export interface ZooKeeperFailure {
  /** ZooKeeper's error code, such as −101 for a missing znode. */
  readonly code?: number
  readonly name: string
}
