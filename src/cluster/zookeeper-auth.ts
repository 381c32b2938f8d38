/**
 * A login for ZooKeeper. In a file of its own, as public declarations must not lead to node-zookeeper-client, whose
 * types an application need not have.
 */
export interface ZooKeeperAuth {
  /** `digest` for a name and a password. */
  readonly scheme: string
  /** `name:password` for `digest`. */
  readonly auth: string
}
