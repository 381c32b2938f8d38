import { hostname } from 'node:os'
import { cryptoModule } from '../../builtins.ts'
import { InvalidArgumentError } from '../../errors.ts'
import { withDefaults, type OptionTable } from '../../option-table.ts'
import { aDurationMs, aKeyOf, anObject, aString, concealed, type Check } from '../../options.ts'
import {
  describeZooKeeperHosts,
  parseZooKeeperHosts,
  type ZooKeeperHosts,
} from '../../cluster/zookeeper-hosts.ts'
import type { ZooKeeperSessionOptions } from './session.ts'
import type { ZooKeeperClient } from './client.ts'
import { DECISIONS, type MembershipProtocol } from './membership-protocol.ts'
import type { ZooKeeperAuth } from '../../cluster/zookeeper-auth.ts'
import { aclFor, createNodeClient } from './node-client.ts'

/**
 * The options of a group that ZooKeeper coordinates, beside those of every balanced consumer. `ZOOKEEPER_OPTIONS` has their
 * checks and defaults, which are pykafka's.
 */
export interface ZooKeeperOptions {
  /**
   * ZooKeeper servers, followed by a chroot if there is one, which must exist: `zk1:2181,zk2:2181/chroot`. IPv6 as
   * `[::1]:2181`. Default: the client's `zookeeperHosts`, or `127.0.0.1:2181`.
   */
  readonly zookeeperHosts?: string
  /** pykafka's older name of `zookeeperHosts`. Refused beside it. */
  readonly zookeeperConnect?: string
  /**
   * How long a server may take to respond when this member joins, and the timeout of its session: how long others wait
   * for the partitions of a member that died. Default: 6,000.
   */
  readonly zookeeperConnectionTimeoutMs?: number
  /**
   * A login: `{ scheme: 'digest', auth: 'name:password' }`. Only clients with the same login can change what is created.
   * Default: none.
   */
  readonly zookeeperAuth?: ZooKeeperAuth
  /**
   * A client of node-zookeeper-client (or of its shape), connected or about to be, to use instead of one of the consumer's
   * own. It is not closed with the consumer. When its session expires, the consumer fails, unless the client makes another.
   * Default: its own.
   */
  readonly zookeeper?: ZooKeeperClient
  /**
   * How a topic's partitions are divided among the members: `range`, `roundrobin`, or a function
   * `(partitions, members, member) => partitions` that returns the partitions of one member. All members must use the
   * same. Default: `range`.
   */
  readonly membershipProtocol?: MembershipProtocol
}

const anAuth: Check<ZooKeeperAuth> = (value) => {
  // The checks of the properties follow.
  const { scheme, auth } = (value ?? {}) as Partial<Record<keyof ZooKeeperAuth, unknown>>
  return (aString(scheme) ?? aString(auth))
    ? "must be { scheme: 'digest', auth: 'name:password' }"
    : undefined
}

const aProtocol: Check<MembershipProtocol> = (value) => {
  if (typeof value === 'function' || aKeyOf(DECISIONS)(value) === undefined) return undefined
  return `must be one of ${Object.keys(DECISIONS).join(', ')}, or a function`
}

/** The checks and defaults of `ZooKeeperOptions`, in the order of the documents. */
export const ZOOKEEPER_OPTIONS = {
  zookeeperHosts: {
    check: aString,
    defaultText: "the client's `zookeeperHosts`, or `127.0.0.1:2181`",
  },
  zookeeperConnect: {
    check: aString,
    noEffect: ({ zookeeperHosts }) =>
      zookeeperHosts === undefined ? undefined : 'beside zookeeperHosts, its newer name',
  },
  zookeeperConnectionTimeoutMs: { check: aDurationMs(100), default: 6_000 },
  zookeeperAuth: { check: concealed(anAuth), defaultText: 'none' },
  zookeeper: { check: anObject, defaultText: 'its own' },
  membershipProtocol: { check: aProtocol, default: 'range' },
} as const satisfies OptionTable<ZooKeeperOptions>

/** Returns a member id in pykafka's form: the host, and a unique suffix. */
export function newMemberId(): string {
  return `${hostname()}:${cryptoModule().randomUUID()}`
}

/** `defaultHosts` are the servers when the options name none. Throws InvalidArgumentError. */
export function sessionOptions(
  options: ZooKeeperOptions,
  defaultHosts = '127.0.0.1:2181',
): Omit<ZooKeeperSessionOptions, 'events' | 'logger'> {
  const read = withDefaults(options, ZOOKEEPER_OPTIONS)
  const { zookeeper, zookeeperAuth, zookeeperConnectionTimeoutMs } = read
  const given = options.zookeeperHosts ?? options.zookeeperConnect
  if (zookeeper !== undefined && (given ?? zookeeperAuth) !== undefined) {
    throw new InvalidArgumentError(
      'zookeeper is a client that has servers and a login of its own: leave zookeeperHosts and zookeeperAuth out',
    )
  }
  const hosts: ZooKeeperHosts = parseZooKeeperHosts(given ?? defaultHosts)
  return {
    hosts:
      zookeeper === undefined ? describeZooKeeperHosts(hosts) : 'the client of the application',
    connect: () =>
      zookeeper ?? createNodeClient(hosts, zookeeperConnectionTimeoutMs, zookeeperAuth),
    isOwn: zookeeper === undefined,
    connectionTimeoutMs: zookeeperConnectionTimeoutMs,
    acl: () => aclFor(zookeeperAuth),
  }
}
