import { hostname } from 'node:os'
import { randomUUID } from 'node:crypto'
import { InvalidArgumentError } from '../../errors.ts'
import { aDurationMs, anObject, aString, concealed, oneOf, type Check } from '../../options.ts'
import {
  describeZooKeeperHosts,
  parseZooKeeperHosts,
  type ZooKeeperHosts,
} from '../../cluster/zookeeper-hosts.ts'
import type { SessionOptions } from './session.ts'
import type { ZooKeeperClient } from './client.ts'
import { DECISIONS, type MembershipProtocol } from './membership-protocol.ts'
import type { ZooKeeperAuth } from '../../cluster/zookeeper-auth.ts'
import { aclFor, createNodeClient } from './node-client.ts'

/** Options of a balanced consumer whose group ZooKeeper coordinates. Names and defaults are pykafka's. */
export interface ZooKeeperOptions {
  /** Such as `zk1:2181,zk2:2181/chroot`. Default: the `zookeeperHosts` of the client, or `127.0.0.1:2181`. */
  readonly zookeeperHosts?: string
  /** pykafka's older name of `zookeeperHosts`. */
  readonly zookeeperConnect?: string
  /**
   * How long a server may take to answer when this member joins, and the timeout of its session: after so long
   * without a word of it, others get its partitions. Default: 6,000.
   */
  readonly zookeeperConnectionTimeoutMs?: number
  /** A login, `{ scheme: 'digest', auth: 'name:password' }`. What is created is then only for who has the same. */
  readonly zookeeperAuth?: ZooKeeperAuth
  /**
   * A client of node-zookeeper-client (or of its shape) that is connected or will be, to use instead of one of its own. It
   * is not closed with the consumer. When its session expires, the consumer fails, unless the client makes another.
   */
  readonly zookeeper?: ZooKeeperClient
  /**
   * How a topic's partitions are shared out, by name or as a function of one's own: all members must use the same.
   * Default: `range`.
   */
  readonly membershipProtocol?: MembershipProtocol
}

const anAuth: Check = (value) => {
  const { scheme, auth } = (value ?? {}) as Partial<Record<keyof ZooKeeperAuth, unknown>>
  return (aString(scheme) ?? aString(auth))
    ? "must be { scheme: 'digest', auth: 'name:password' }"
    : undefined
}

const aProtocol: Check = (value) => {
  if (typeof value === 'function') return undefined
  const problem = oneOf(...Object.keys(DECISIONS))(value)
  return problem === undefined ? undefined : `${problem}, or a function`
}

export const ZOOKEEPER_CHECKS: Readonly<Record<keyof ZooKeeperOptions, Check>> = {
  zookeeperHosts: aString,
  zookeeperConnect: aString,
  zookeeperConnectionTimeoutMs: aDurationMs(100),
  zookeeperAuth: concealed(anAuth),
  zookeeper: anObject,
  membershipProtocol: aProtocol,
}

/** What pykafka calls a member: who runs it, and something that nobody else has. */
export function newMemberId(): string {
  return `${hostname()}:${randomUUID()}`
}

/** `defaultHosts` are the servers when the options name none. Throws InvalidArgumentError. */
export function sessionOptions(
  options: ZooKeeperOptions,
  defaultHosts = '127.0.0.1:2181',
): Omit<SessionOptions, 'events' | 'logger'> {
  const { zookeeper, zookeeperAuth, zookeeperConnectionTimeoutMs = 6_000 } = options
  const given = options.zookeeperHosts ?? options.zookeeperConnect
  if (zookeeper !== undefined && (given ?? zookeeperAuth) !== undefined) {
    throw new InvalidArgumentError(
      'zookeeper is a client that has servers and a login of its own: leave zookeeperHosts and zookeeperAuth out',
    )
  }
  const hosts: ZooKeeperHosts = parseZooKeeperHosts(given ?? defaultHosts)
  return {
    hosts:
      zookeeper === undefined ? describeZooKeeperHosts(hosts) : 'the client that was handed in',
    connect: () =>
      zookeeper ?? createNodeClient(hosts, zookeeperConnectionTimeoutMs, zookeeperAuth),
    isOwn: zookeeper === undefined,
    connectionTimeoutMs: zookeeperConnectionTimeoutMs,
    acl: () => aclFor(zookeeperAuth),
  }
}
