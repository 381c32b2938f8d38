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
import {
  aBoolean,
  aDurationMs,
  aFunction,
  anArrayOf,
  anInteger,
  anObject,
  aString,
  checkOptions,
  concealed,
  either,
  oneOf,
} from './options.ts'

export interface KafkaClientOptions {
  /**
   * Brokers to start from, such as `kafka1:9092,kafka2:9092`; the others are learned from them.
   * Default: `127.0.0.1:9092`.
   */
  readonly hosts?: string | readonly string[]
  /**
   * ZooKeeper servers to read the brokers from instead, such as `zk1:2181,zk2:2181/chroot`: for clusters that have
   * one, up to Kafka 3.9. Balanced consumers that ZooKeeper coordinates use the same servers, unless they name others.
   */
  readonly zookeeperHosts?: string
  /** What brokers call this client in logs, metrics and quotas. Default: `samsa`. */
  readonly clientId?: string
  /** TLS to all brokers: `true` for the system's authorities, or what to trust and present. Default: none. */
  readonly tls?: true | TlsOptions
  /** How to log in. Default: not at all. */
  readonly sasl?: SaslOptions
  /** How long a broker may take to answer a request. Default: 30,000. */
  readonly socketTimeoutMs?: number
  /** How long connecting may take, and then each step of the handshakes. Default: 10,000. */
  readonly connectTimeoutMs?: number
  /** How long a call may take with all its retries, where it does not say. Default: 60,000. */
  readonly operationTimeoutMs?: number
  /**
   * Waits for the cluster when not one address has been reached yet, as long as the call may take, instead of
   * failing at once: for services that are started together with it. Default: false.
   */
  readonly waitForCluster?: boolean
  /** The first wait before something is tried again; doubled each time. Default: 100. */
  readonly retryBackoffMs?: number
  /** The longest wait before something is tried again. Default: 1,000. */
  readonly retryBackoffMaxMs?: number
  /** The first wait before a broker that could not be reached is tried again. Default: 50. */
  readonly reconnectBackoffMs?: number
  /** The longest wait before a broker that could not be reached is tried again. Default: 1,000. */
  readonly reconnectBackoffMaxMs?: number
  /** Closes a connection that has not been used for so long. Default: 540,000, less than brokers' own. */
  readonly connectionsMaxIdleMs?: number
  /** Topics in use are asked for again at this age. Default: 300,000. */
  readonly metadataMaxAgeMs?: number
  /**
   * The largest response taken from a broker. Default: 128 MiB. Fetches ask for far less, but brokers send a
   * batch whole that is larger: raise it for topics whose `max.message.bytes` comes near.
   */
  readonly maxResponseBytes?: number
  /** Java's `client.dns.lookup`. Default: `use_all_dns_ips`. */
  readonly dnsLookup?: DnsLookup
  /** Opens connected sockets, for proxies and tunnels. Names are then resolved by it alone. */
  readonly socketFactory?: SocketFactory
  /** Where to say what is going on, `console` for instance. Default: nowhere. */
  readonly logger?: Logger
}

/** pykafka's options without a counterpart of the same name. */
const REPLACED: Readonly<Record<string, string>> = {
  brokerVersion: 'leave it out, the client asks each broker for its versions',
  excludeInternalTopics:
    'use client.topics.list({ excludeInternalTopics }), or the same option of client.getConsumer()',
  offsetsChannelSocketTimeoutMs: 'use socketTimeoutMs, which is for all connections',
  sourceAddress: "use socketFactory, which opens sockets with Node's localAddress",
  sslConfig: 'use tls',
  useGreenlets: 'leave it out, nothing blocks in Node.js',
}

/** Throws InvalidArgumentError for an option that isn't one, or can't be right. */
export function clusterOptions(options: KafkaClientOptions): ClusterOptions {
  checkOptions<KafkaClientOptions>(
    'KafkaClient',
    options,
    {
      hosts: concealed(either(aString, anArrayOf(aString))),
      zookeeperHosts: aString,
      clientId: aString,
      tls: concealed(either(oneOf(true), anObject)),
      sasl: () => undefined, // Checked below, where no secret is shown.
      socketTimeoutMs: aDurationMs(1),
      connectTimeoutMs: aDurationMs(1),
      operationTimeoutMs: aDurationMs(1),
      waitForCluster: aBoolean,
      retryBackoffMs: aDurationMs(1),
      retryBackoffMaxMs: aDurationMs(1),
      reconnectBackoffMs: aDurationMs(1),
      reconnectBackoffMaxMs: aDurationMs(1),
      connectionsMaxIdleMs: aDurationMs(1),
      metadataMaxAgeMs: aDurationMs(1),
      maxResponseBytes: anInteger(1, 0x7fffffff),
      dnsLookup: oneOf('use_all_dns_ips', 'resolve_canonical_bootstrap_servers_only'),
      socketFactory: aFunction,
      logger: anObject,
    },
    REPLACED,
  )
  const connectTimeoutMs = options.connectTimeoutMs ?? 10_000
  const logger = options.logger === undefined ? silentLogger : printing(options.logger)
  const sasl = options.sasl === undefined ? undefined : saslMechanismOf(options.sasl)
  if (sasl?.name === 'PLAIN' && options.tls === undefined) {
    logger.warn('the password is sent as it is: PLAIN without TLS shows it to everybody on the way')
  }
  return {
    bootstrap: bootstrapOf(options, connectTimeoutMs),
    broker: {
      clientId: options.clientId ?? 'samsa',
      connectTimeoutMs,
      maxResponseBytes: options.maxResponseBytes ?? 128 * 1024 * 1024,
      maxIdleMs: options.connectionsMaxIdleMs ?? 540_000,
      reconnectBackoff: backoffOf(options.reconnectBackoffMs ?? 50, options.reconnectBackoffMaxMs),
      logger,
      tls:
        options.tls === undefined ? undefined : prepareTls(options.tls === true ? {} : options.tls),
      sasl,
      socketFactory: options.socketFactory,
    },
    zookeeperHosts: options.zookeeperHosts,
    requestTimeoutMs: options.socketTimeoutMs ?? 30_000,
    operationTimeoutMs: options.operationTimeoutMs ?? 60_000,
    waitsForCluster: options.waitForCluster ?? false,
    metadataMaxAgeMs: options.metadataMaxAgeMs ?? 300_000,
    backoff: backoffOf(options.retryBackoffMs ?? 100, options.retryBackoffMaxMs),
    logger,
  }
}

function backoffOf(initialMs: number, maxMs: number | undefined): BackoffOptions {
  return { initialMs, maxMs: Math.max(initialMs, maxMs ?? 1_000) }
}

function bootstrapOf(options: KafkaClientOptions, timeoutMs: number): ClusterOptions['bootstrap'] {
  const { zookeeperHosts, dnsLookup } = options
  if (zookeeperHosts !== undefined) {
    const security = listenerOf(options)
    const zookeeper = parseZooKeeperHosts(zookeeperHosts)
    return (signal) => brokersFromZooKeeper(zookeeper, security, timeoutMs, signal)
  }
  const hosts = parseHosts(options.hosts ?? '127.0.0.1:9092')
  return dnsLookup === 'resolve_canonical_bootstrap_servers_only'
    ? () => canonicalAddresses(hosts)
    : () => Promise.resolve(hosts)
}

function listenerOf({ tls, sasl }: KafkaClientOptions): ListenerSecurity {
  if (sasl === undefined) return tls === undefined ? 'PLAINTEXT' : 'SSL'
  return tls === undefined ? 'SASL_PLAINTEXT' : 'SASL_SSL'
}
