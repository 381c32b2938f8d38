import { KafkaError } from '../../errors.ts'

/** Something about the group's state in ZooKeeper: `code` says what. */
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

/** What went wrong with ZooKeeper; docs/balanced-consumer.md says what to do about each. */
export type ZooKeeperErrorCode =
  /** No server answered in time. */
  | 'ZOOKEEPER_UNREACHABLE'
  /** The connection ended or was too slow: whether the server did what it was asked is not known. */
  | 'ZOOKEEPER_CONNECTION_LOST'
  /** The session is over, and with it all that was owned. */
  | 'ZOOKEEPER_SESSION_EXPIRED'
  /** The chroot that `zookeeperHosts` names does not exist. */
  | 'ZOOKEEPER_NO_CHROOT'
  /** The login was refused, or may not do what is needed. */
  | 'ZOOKEEPER_NOT_ALLOWED'
  /** Any other answer. */
  | 'ZOOKEEPER_ERROR'

const RETRIABLE: readonly ZooKeeperErrorCode[] = [
  'ZOOKEEPER_UNREACHABLE',
  'ZOOKEEPER_CONNECTION_LOST',
  'ZOOKEEPER_SESSION_EXPIRED',
  'ZOOKEEPER_ERROR',
]
