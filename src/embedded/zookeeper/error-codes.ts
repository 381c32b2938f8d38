/** The codes of ZooKeeper's KeeperException that this server uses. */
export const KeeperCode = {
  OK: 0,
  /** An operation of a multi that was not executed because an earlier one failed. */
  RUNTIME_INCONSISTENCY: -2,
  MARSHALLING_ERROR: -5,
  UNIMPLEMENTED: -6,
  BAD_ARGUMENTS: -8,
  NO_NODE: -101,
  NO_AUTH: -102,
  BAD_VERSION: -103,
  NO_CHILDREN_FOR_EPHEMERALS: -108,
  NODE_EXISTS: -110,
  NOT_EMPTY: -111,
  SESSION_EXPIRED: -112,
  INVALID_ACL: -114,
  AUTH_FAILED: -115,
  NO_WATCHER: -121,
  RECONFIG_DISABLED: -123,
} as const

/** The names of the errors that an embedded ZooKeeper can answer with. */
export type KeeperErrorName = Exclude<keyof typeof KeeperCode, 'OK'>

/** A request that is answered with an error code. It is not a failure of the server. */
export class KeeperError extends Error {
  override readonly name = 'KeeperError'
  readonly error: KeeperErrorName
  readonly errorCode: number

  constructor(error: KeeperErrorName, path?: string) {
    super(path === undefined ? error : `${error}: ${path}`)
    this.error = error
    this.errorCode = KeeperCode[error]
  }
}
