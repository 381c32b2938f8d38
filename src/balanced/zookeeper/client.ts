/**
 * What is needed of a ZooKeeper client: node-zookeeper-client has it, and so does anything of the same shape.
 * Written out here, so that a client that was handed in need not come from the same copy of the package.
 */
export interface ZooKeeperClient {
  connect(): void
  close(): void
  on(event: 'state', listener: (state: ZooKeeperState) => void): unknown
  removeListener(event: 'state', listener: (state: ZooKeeperState) => void): unknown
  getState(): ZooKeeperState
  /** Eight bytes. */
  getSessionId(): Buffer
  /** What the server granted, in milliseconds. */
  getSessionTimeout(): number
  addAuthInfo(scheme: string, auth: Buffer): void
  create(path: string, data: Buffer, acls: ZooKeeperAcl[], mode: number, done: Done<string>): void
  remove(path: string, version: number, done: Done): void
  exists(path: string, done: Done<ZooKeeperStat | null>): void
  getData(path: string, done: Done<Buffer | undefined>): void
  getData(path: string, watcher: () => void, done: Done<Buffer | undefined>): void
  getChildren(path: string, watcher: () => void, done: Done<string[]>): void
  transaction(): ZooKeeperTransaction
}

export interface ZooKeeperTransaction {
  create(path: string, data: Buffer, acls: ZooKeeperAcl[], mode: number): unknown
  remove(path: string, version: number): unknown
  commit(done: Done<unknown>): void
}

export interface ZooKeeperState {
  /** `SYNC_CONNECTED`, `DISCONNECTED`, `EXPIRED`, `AUTH_FAILED`, … */
  readonly name: string
}

export interface ZooKeeperStat {
  /** The session whose end removes it; zeros for a lasting one. */
  readonly ephemeralOwner: Buffer
}

/** What node-zookeeper-client calls an ACL, made by its own classes only. */
export interface ZooKeeperAcl {
  readonly perms: number
  readonly id: { scheme: string; id: string }
}

/** Called with null (or undefined) for the error where it worked. */
export type Done<Result = void> = (
  error: ZooKeeperFailure | null | undefined,
  result: Result,
) => void

/** What ZooKeeper or the client says that went wrong; ZooKeeper's codes are below zero. */
export interface ZooKeeperFailure {
  readonly code?: number
  readonly name: string
}
