import type { BackoffOptions } from './async/backoff.ts'
import { canonicalAddresses, type DnsLookup } from './cluster/bootstrap.ts'
import type { ClusterOptions } from './cluster/cluster-options.ts'
import { brokersFromZooKeeper, type ListenerSecurity } from './cluster/zookeeper-brokers.ts'
import { parseZooKeeperHosts } from './cluster/zookeeper-hosts.ts'
import { parseHosts } from './network/address.ts'
import type { SaslOptions } from './network/sasl/options.ts'
import { saslMechanismOf } from './network/sasl/options.ts'
import { prepareTls, type TlsOptions } from './network/tls.ts'
import type { SocketFactory } from './network/transport.ts'
import { printing, silentLogger, type Logger } from './observe/logger.ts'
import { ClientMetrics } from './observe/metrics/client-metrics.ts'
import { readOptions, type OptionTable, type WithDefaults } from './option-table.ts'
import {
  aBoolean,
  aDurationMs,
  aFunction,
  anArrayOf,
  anInteger,
  anObject,
  aString,
  concealed,
  either,
  oneOf,
} from './options.ts'

/** The options of a client. `CLIENT_OPTIONS` has their checks and defaults. */
export interface KafkaClientOptions {
  /**
   * Brokers to start from (Kafka's `bootstrap.servers`), as `kafka1:9092,kafka2:9092` or an array; the client learns the
   * others from them. Refused with `zookeeperHosts`. Default: `127.0.0.1:9092`.
   */
  readonly hosts?: string | readonly string[]
  /**
   * ZooKeeper servers to read the brokers from instead, such as `zk1:2181,zk2:2181/chroot`: for clusters that have one, up
   * to Kafka 3.9. Balanced consumers that ZooKeeper coordinates use the same servers, unless they name others.
   * Default: none.
   */
  readonly zookeeperHosts?: string
  /**
   * Controllers to start from instead of brokers, for `client.admin` while no broker can be reached: it describes and changes the
   * quorum and its voters, features and registrations (KIP-919, Kafka 3.7 or newer). Such a client has no topics and no
   * groups. Default: none.
   */
  readonly bootstrapControllers?: string | readonly string[]
  /** The name of the client in the brokers' logs, metrics and quotas (Kafka's `client.id`). Default: `samsa`. */
  readonly clientId?: string
  /** TLS to all brokers: `true` for the system's authorities, or what to trust and present. Default: none. */
  readonly tls?: true | TlsOptions
  /** How to log in, with one of Kafka's SASL mechanisms or one of your own. Default: none. */
  readonly sasl?: SaslOptions
  /** How long a broker may take to respond to a request (Kafka's `request.timeout.ms`). Default: 30,000. */
  readonly socketTimeoutMs?: number
  /** How long connecting may take, and then each step of the handshakes. Default: 10,000. */
  readonly connectTimeoutMs?: number
  /**
   * How long a call may take with all its retries (Kafka's `default.api.timeout.ms`). Most calls accept their own
   * `{ timeoutMs, signal }`. Default: 60,000.
   */
  readonly operationTimeoutMs?: number
  /**
   * Waits for a cluster of which no address was ever reached, for as long as the call may take, instead of failing at
   * once: for services that start together with the cluster. Default: false.
   */
  readonly waitForCluster?: boolean
  /** The wait before the first retry (Kafka's `retry.backoff.ms`). It doubles with each retry. Default: 100. */
  readonly retryBackoffMs?: number
  /** The longest wait before a retry (Kafka's `retry.backoff.max.ms`), at least `retryBackoffMs`. Default: 1,000. */
  readonly retryBackoffMaxMs?: number
  /** The first wait before the client reconnects to a broker that it could not reach. Default: 50. */
  readonly reconnectBackoffMs?: number
  /** The longest of these waits, at least `reconnectBackoffMs`. Default: 1,000. */
  readonly reconnectBackoffMaxMs?: number
  /** A connection is closed after this time without use. The default is less than the brokers' own. Default: 540,000. */
  readonly connectionsMaxIdleMs?: number
  /** The age at which topics in use are looked up again (Kafka's `metadata.max.age.ms`). Default: 300,000. */
  readonly metadataMaxAgeMs?: number
  /**
   * The largest response that the client accepts. Fetches request far less, but brokers send a larger batch whole:
   * raise it for topics whose `max.message.bytes` is close to it. Default: 128 MiB.
   */
  readonly maxResponseBytes?: number
  /**
   * Kafka's `client.dns.lookup`: `use_all_dns_ips` or `resolve_canonical_bootstrap_servers_only`. Refused with
   * `zookeeperHosts`. Default: `use_all_dns_ips`.
   */
  readonly dnsLookup?: DnsLookup
  /** Opens connected sockets, for proxies and tunnels. It alone then resolves host names. Default: Node's. */
  readonly socketFactory?: SocketFactory
  /**
   * Whether the client pushes its metrics to brokers that request them (KIP-714, Kafka's `enable.metrics.push`):
   * brokers of Kafka 3.7 and newer with a plugin for it. Default: true.
   */
  readonly enableMetricsPush?: boolean
  /** The logger for the client's messages, such as `console`. Default: nowhere. */
  readonly logger?: Logger
}

const brokersFromZooKeeperAlone = ({ zookeeperHosts }: KafkaClientOptions) =>
  zookeeperHosts === undefined
    ? undefined
    : 'with zookeeperHosts: ZooKeeper has the addresses of the brokers'

const fromControllersAlone = ({ bootstrapControllers }: KafkaClientOptions) =>
  bootstrapControllers === undefined ? undefined : 'with bootstrapControllers: use one of the two'

/** The checks and defaults of `KafkaClientOptions`, in the order of the documents. */
export const CLIENT_OPTIONS = {
  hosts: {
    check: concealed(either(aString, anArrayOf(aString))),
    default: '127.0.0.1:9092',
    noEffect: (options) => brokersFromZooKeeperAlone(options) ?? fromControllersAlone(options),
  },
  zookeeperHosts: { check: aString, defaultText: 'none', noEffect: fromControllersAlone },
  bootstrapControllers: {
    check: concealed(either(aString, anArrayOf(aString))),
    defaultText: 'none',
  },
  waitForCluster: { check: aBoolean, default: false },
  clientId: { check: aString, default: 'samsa' },
  tls: { check: concealed(either(oneOf(true), anObject)), defaultText: 'none' },
  // Checked by saslMechanismOf, which shows no secret.
  sasl: { check: () => undefined, defaultText: 'none' },
  operationTimeoutMs: { check: aDurationMs(1), default: 60_000 },
  socketTimeoutMs: { check: aDurationMs(1), default: 30_000 },
  connectTimeoutMs: { check: aDurationMs(1), default: 10_000 },
  retryBackoffMs: { check: aDurationMs(1), default: 100 },
  retryBackoffMaxMs: {
    check: aDurationMs(1),
    default: 1_000,
    noEffect: ({ retryBackoffMs = 100, retryBackoffMaxMs = Infinity }) =>
      retryBackoffMaxMs < retryBackoffMs ? `below retryBackoffMs (${retryBackoffMs})` : undefined,
  },
  reconnectBackoffMs: { check: aDurationMs(1), default: 50 },
  reconnectBackoffMaxMs: {
    check: aDurationMs(1),
    default: 1_000,
    noEffect: ({ reconnectBackoffMs = 50, reconnectBackoffMaxMs = Infinity }) =>
      reconnectBackoffMaxMs < reconnectBackoffMs
        ? `below reconnectBackoffMs (${reconnectBackoffMs})`
        : undefined,
  },
  connectionsMaxIdleMs: { check: aDurationMs(1), default: 540_000 },
  metadataMaxAgeMs: { check: aDurationMs(1), default: 300_000 },
  maxResponseBytes: { check: anInteger(1, 0x7fffffff), default: 128 * 1024 * 1024 },
  dnsLookup: {
    check: oneOf('use_all_dns_ips', 'resolve_canonical_bootstrap_servers_only'),
    default: 'use_all_dns_ips',
    noEffect: brokersFromZooKeeperAlone,
  },
  socketFactory: { check: aFunction, defaultText: "Node's" },
  enableMetricsPush: { check: aBoolean, default: true },
  logger: { check: anObject, defaultText: 'nowhere' },
} as const satisfies OptionTable<KafkaClientOptions>

/** Options of pykafka that have another name here. */
const REPLACED: Readonly<Record<string, string>> = {
  brokerVersion: 'omit it: the client requests the versions of each broker',
  excludeInternalTopics:
    'use client.topics.list({ excludeInternalTopics }), or the same option of client.getConsumer()',
  offsetsChannelSocketTimeoutMs: 'use socketTimeoutMs, which is for all connections',
  sourceAddress: "use socketFactory, which opens sockets with Node's localAddress",
  sslConfig: 'use tls',
  useGreenlets: 'omit it: nothing blocks in Node.js',
}

let nextInstanceId = 1

/** Throws InvalidArgumentError for an unknown option, or a value that is not valid. */
export function clusterOptions(options: KafkaClientOptions): ClusterOptions {
  const read = readOptions('KafkaClient', options, CLIENT_OPTIONS, REPLACED)
  const logger = read.logger === undefined ? silentLogger : printing(read.logger)
  const sasl = read.sasl === undefined ? undefined : saslMechanismOf(read.sasl)
  if (sasl?.sendsSecret !== undefined && read.tls === undefined) {
    logger.warn(
      `${sasl.name} without TLS sends ${sasl.sendsSecret} unencrypted: anyone on the network path can read it`,
    )
  }
  const { connectTimeoutMs } = read
  const metrics = new ClientMetrics(read.clientId)
  return {
    bootstrap: bootstrapOf(read),
    bootstrapsFromControllers: read.bootstrapControllers !== undefined,
    broker: {
      clientId: read.clientId,
      instanceId: nextInstanceId++,
      connectTimeoutMs,
      maxResponseBytes: read.maxResponseBytes,
      maxIdleMs: read.connectionsMaxIdleMs,
      reconnectBackoff: backoffOf(read.reconnectBackoffMs, read.reconnectBackoffMaxMs),
      logger,
      metrics,
      tls: read.tls === undefined ? undefined : prepareTls(read.tls === true ? {} : read.tls),
      sasl,
      socketFactory: read.socketFactory,
    },
    zookeeperHosts: read.zookeeperHosts,
    requestTimeoutMs: read.socketTimeoutMs,
    operationTimeoutMs: read.operationTimeoutMs,
    waitsForCluster: read.waitForCluster,
    metadataMaxAgeMs: read.metadataMaxAgeMs,
    backoff: backoffOf(read.retryBackoffMs, read.retryBackoffMaxMs),
    pushesMetrics: read.enableMetricsPush,
    logger,
    metrics,
  }
}

type Settings = WithDefaults<KafkaClientOptions, typeof CLIENT_OPTIONS>

function backoffOf(initialMs: number, maxMs: number): BackoffOptions {
  return { initialMs, maxMs: Math.max(initialMs, maxMs) }
}

function bootstrapOf(settings: Settings): ClusterOptions['bootstrap'] {
  const { zookeeperHosts, dnsLookup, connectTimeoutMs } = settings
  if (zookeeperHosts !== undefined) {
    const security = listenerOf(settings)
    const zookeeper = parseZooKeeperHosts(zookeeperHosts)
    return (signal) => brokersFromZooKeeper(zookeeper, security, connectTimeoutMs, signal)
  }
  const hosts = parseHosts(settings.bootstrapControllers ?? settings.hosts)
  return dnsLookup === 'resolve_canonical_bootstrap_servers_only'
    ? () => canonicalAddresses(hosts)
    : () => Promise.resolve(hosts)
}

function listenerOf({ tls, sasl }: Settings): ListenerSecurity {
  if (sasl === undefined) return tls === undefined ? 'PLAINTEXT' : 'SSL'
  return tls === undefined ? 'SASL_PLAINTEXT' : 'SASL_SSL'
}
