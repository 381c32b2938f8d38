/**
 * What is needed of a ZooKeeper client: node-zookeeper-client has it, and so does anything of the same shape.
 * Written out here, so that a client that was handed in need not come from the same copy of the package.
 */
export interface ZooKeeperClient {
  /** Opens the session. */
  connect(): void
  /** Closes the session: its ephemeral znodes are deleted. */
  close(): void
  /** Calls the listener at each change of the connection's state. */
  on(event: 'state', listener: (state: ZooKeeperState) => void): unknown
  /** Ends what `on` began. */
  removeListener(event: 'state', listener: (state: ZooKeeperState) => void): unknown
  /** Returns the state of the connection. */
  getState(): ZooKeeperState
  /** Eight bytes. */
  getSessionId(): Buffer
  /** What the server granted, in milliseconds. */
  getSessionTimeout(): number
  /** Logs in, such as with the scheme `digest` and `name:password`. */
  addAuthInfo(scheme: string, auth: Buffer): void
  /** Creates a znode; the callback gets its path. */
  create(path: string, data: Buffer, acls: ZooKeeperAcl[], mode: number, done: Done<string>): void
  /** Deletes a znode of this version; −1: of any version. */
  remove(path: string, version: number, done: Done): void
  /** Passes the stat of a znode to the callback, or null where there is none. */
  exists(path: string, done: Done<ZooKeeperStat | null>): void
  /** Passes the data of a znode to the callback. */
  getData(path: string, done: Done<Buffer | undefined>): void
  /** Passes the data of a znode to the callback. The watcher is called once, when the znode changes. */
  getData(path: string, watcher: () => void, done: Done<Buffer | undefined>): void
  /** Passes the names of the children to the callback. The watcher is called once, when they change. */
  getChildren(path: string, watcher: () => void, done: Done<string[]>): void
  /** Begins a transaction, of which all parts are done or none. */
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

/** What ZooKeeper knows of a znode. */
export interface ZooKeeperStat {
  /** The session whose end removes it; zeros for a lasting one. */
  readonly ephemeralOwner: Buffer
}

/** What node-zookeeper-client calls an ACL, made by its own classes only. */
export interface ZooKeeperAcl {
  /** The permissions as bits: 1 read, 2 write, 4 create, 8 delete, 16 administer. */
  readonly perms: number
  /** The identity that has them. */
  readonly id: { scheme: string; id: string }
}

/** Called with null (or undefined) for the error where it worked. */
export type Done<Result = void> = (
  error: ZooKeeperFailure | null | undefined,
  result: Result,
) => void

/** What ZooKeeper or the client says that went wrong; ZooKeeper's codes are below zero. */
export interface ZooKeeperFailure {
  /** ZooKeeper's error code, such as −101 for a missing znode. */
  readonly code?: number
  readonly name: string
}
