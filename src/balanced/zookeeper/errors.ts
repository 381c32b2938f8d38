import { KafkaError } from '../../errors.ts'

/** An error about the group's state in ZooKeeper. `code` gives the kind. */
export class ZooKeeperError extends KafkaError {
  override readonly name = 'ZooKeeperError'

  constructor(
    code: ZooKeeperErrorCode,
    message: string,
    cause?: unknown,
    retriable = RETRIABLE.includes(code),
  ) {
    super(code, message, retriable, { cause })
  }
}

/** The kinds of ZooKeeper errors; docs/balanced-consumer.md says what to do about each. */
export type ZooKeeperErrorCode =
  /** No server responded in time. */
  | 'ZOOKEEPER_UNREACHABLE'
  /** The connection ended or was too slow: it is unknown if the server executed the request. */
  | 'ZOOKEEPER_CONNECTION_LOST'
  /** The session is over, and with it the ownership of all partitions. */
  | 'ZOOKEEPER_SESSION_EXPIRED'
  /** The chroot that `zookeeperHosts` names does not exist. */
  | 'ZOOKEEPER_NO_CHROOT'
  /** The login was refused, or does not have the necessary permissions. */
  | 'ZOOKEEPER_NOT_ALLOWED'
  /** Any other response. */
  | 'ZOOKEEPER_ERROR'

const RETRIABLE: readonly ZooKeeperErrorCode[] = [
  'ZOOKEEPER_UNREACHABLE',
  'ZOOKEEPER_CONNECTION_LOST',
  'ZOOKEEPER_SESSION_EXPIRED',
  'ZOOKEEPER_ERROR',
]
