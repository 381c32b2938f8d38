/**
 * A login for ZooKeeper. In a file of its own, because public declarations must not lead to node-zookeeper-client,
 * whose types an application may not have.
 */
export interface ZooKeeperAuth {
  /** `digest` for a name and a password. */
  readonly scheme: string
  /** `name:password` for `digest`. */
  readonly auth: string
}
