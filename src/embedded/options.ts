import { pushTelemetry } from '../../protocol/apis/push-telemetry.ts'
import { saslHandshake } from '../../protocol/apis/sasl-handshake.ts'
import { InvalidArgumentError } from '../errors.ts'
import {
  aBoolean,
  aFunction,
  anArrayOf,
  anInteger,
  anObject,
  aString,
  concealed,
  either,
  oneOf,
} from '../options.ts'
import { checkTable, readOptions, type OptionTable, type WithDefaults } from '../option-table.ts'
import {
  EMBEDDED_AUTHORIZER_OPTIONS,
  type EmbeddedAuthorizerOptions,
} from './authorization/authorizer.ts'
import { isAtLeast, KAFKA_VERSIONS, LAST_WITH_ZOOKEEPER } from './versions/profiles.ts'
import { EmbeddedZooKeeper } from './zookeeper/embedded-zookeeper.ts'
import {
  checkSaslOptions,
  checkTlsOptions,
  type EmbeddedSaslOptions,
  type EmbeddedTlsOptions,
} from './security/options.ts'
import { apiTable, type KafkaVersion } from './versions/api-tables.ts'

/** A topic that an embedded cluster creates at its start. */
export interface EmbeddedTopicOptions {
  /** The number of partitions. Default: the cluster's `defaultPartitions`. */
  readonly partitions?: number
  /** The number of replicas of each partition. Default: the cluster's `defaultReplicationFactor`. */
  readonly replicationFactor?: number
  /** Configs by Kafka's names, such as `{ 'cleanup.policy': 'compact' }`. */
  readonly config?: Readonly<Record<string, string>>
}

/** A listener of all brokers. */
export interface EmbeddedListenerOptions {
  /** A port for each broker. Default: any free ones. */
  readonly ports?: readonly number[]
  /** TLS of the listener. Default: none. */
  readonly tls?: EmbeddedTlsOptions
  /** SASL of the listener. Default: none. */
  readonly sasl?: EmbeddedSaslOptions
}

/** The options of `EmbeddedCluster.start()`. */
export interface EmbeddedClusterOptions {
  /** The number of brokers. Default: the number of `brokerIds`, or 1. */
  readonly brokers?: number
  /** The ids of the brokers. Default: 1, 2 and so on. */
  readonly brokerIds?: readonly number[]
  /** The rack of each broker (Kafka's `broker.rack`); null for none. Default: none has a rack. */
  readonly racks?: readonly (string | null)[]
  /**
   * The version of Kafka to present, with its APIs and their versions. Default: `4.4`; with
   * `zookeeper` `3.9`.
   */
  readonly version?: KafkaVersion
  /**
   * The level of the feature `transaction.version`, which selects the protocol of transactions
   * (KIP-890). Needs version 4.4. Default: 2 (as in clusters that were created with Kafka 4).
   */
  readonly transactionVersion?: 0 | 1 | 2
  /** A port for each broker. Default: any free ones. */
  readonly ports?: readonly number[]
  /**
   * Topics to create when the cluster starts. Topics that the data folder already has stay
   * unchanged.
   */
  readonly topics?: Readonly<Record<string, EmbeddedTopicOptions>>
  /** Whether a metadata request for a missing topic creates it. Default: true (as in Kafka). */
  readonly autoCreateTopics?: boolean
  /** The number of partitions of topics that are created without one. Default: 1. */
  readonly defaultPartitions?: number
  /**
   * The number of replicas of topics that are created without one. Kafka's
   * `default.replication.factor` is 1. Default: 3 (or as many as there are brokers).
   */
  readonly defaultReplicationFactor?: number
  /** How long the first rebalance of an empty group waits for more members. Default: 0 (3,000 in Kafka). */
  readonly groupInitialRebalanceDelayMs?: number
  /** The shortest session timeout that a member may request. Default: 6,000 (as in Kafka). */
  readonly groupMinSessionTimeoutMs?: number
  /**
   * The duration for which a record is acquired by a member of a share group. Default: 30,000 (as
   * in Kafka).
   */
  readonly shareRecordLockMs?: number
  /** How often share groups deliver a record before they archive it. Default: 5 (as in Kafka). */
  readonly shareDeliveryCountLimit?: number
  /** The position at which share groups start in a partition. Default: `latest` (as in Kafka). */
  readonly shareAutoOffsetReset?: 'earliest' | 'latest'
  /** The session timeout of groups of the consumer protocol (KIP-848). Default: 45,000 (as in Kafka). */
  readonly groupConsumerSessionTimeoutMs?: number
  /** How often members of such groups send heartbeats. Default: 5,000 (as in Kafka). */
  readonly groupConsumerHeartbeatIntervalMs?: number
  /** How many members such a group may have. Default: 2,147,483,647 (as in Kafka). */
  readonly groupConsumerMaxSize?: number
  /**
   * How long after the end of a transaction its markers are written. Until then the transaction is
   * in the state PrepareCommit or PrepareAbort, and the next one of the same producer is refused
   * with CONCURRENT_TRANSACTIONS, as by a busy Kafka. Not together with `dataDir`. Default: 0.
   */
  readonly transactionMarkerDelayMs?: number
  /**
   * The maximum total size of the requests that wait for responses. Above it the brokers read no
   * more until there is room. A single request that is larger is still accepted. Kafka's
   * `queued.max.request.bytes`. Default: 256 MiB.
   */
  readonly queuedMaxRequestBytes?: number
  /**
   * Whether the brokers have a plugin that receives the metrics of clients (KIP-714), or the ids of
   * those that have one. `pushedMetrics` has what clients push. As in Kafka, the configs of client
   * metrics resources select the metrics that the brokers request; these configs are in memory
   * only. Needs version 3.9 or 4.4. Default: false.
   */
  readonly clientMetrics?: boolean | readonly number[]
  /**
   * A folder in which topics, records and committed offsets are stored, so that they survive a
   * restart. They also survive `kill -9`, but not a failure of the machine, because writes are not
   * flushed to the disk. The folder is created if it is missing; one process can use it at a time.
   * Default: none, everything is in memory only.
   */
  readonly dataDir?: string
  /**
   * Called with each warning, for example if the end of a log was only partly written and is
   * truncated. Default: a warning of the process (`process.emitWarning`).
   */
  readonly onWarning?: (message: string) => void
  /**
   * The ZooKeeper in which the brokers, the controller and the topics are registered, as in Kafka
   * up to 3.9. Clients find them with the cluster's `zookeeperHosts`.
   */
  readonly zookeeper?: EmbeddedZooKeeper
  /**
   * The node below which they are registered, such as `/kafka`; it is created. Default: the root.
   */
  readonly zookeeperChroot?: string
  /** TLS for all brokers: their certificate, and whether clients need one. Default: none. */
  readonly tls?: EmbeddedTlsOptions
  /** SASL for all brokers: users and mechanisms. Default: none. */
  readonly sasl?: EmbeddedSaslOptions
  /**
   * More listeners of all brokers, by name; each has its own TLS and SASL options. Clients get the
   * addresses of a listener from the cluster's `hostsOf`, and keep using that listener. Default:
   * only the listener of `ports`, `tls` and `sasl`.
   */
  readonly listeners?: Readonly<Record<string, EmbeddedListenerOptions>>
  /**
   * Access control by ACLs (Kafka's `authorizer.class.name`). `admin.createAcls` creates them.
   * Default: none, all clients may perform all operations.
   */
  readonly authorizer?: EmbeddedAuthorizerOptions
  /**
   * Allows authenticated clients to create delegation tokens; Kafka's
   * `delegation.token.secret.key`. Default: delegation tokens are disabled.
   */
  readonly delegationTokenSecretKey?: string
  /**
   * Called with the reason when the broker ends a connection: bytes that are not a request, or a
   * bug of the broker.
   */
  readonly onError?: (error: unknown) => void
}

const FIRST_WITH_FEATURES: KafkaVersion = '4.4'

/** The form of listener names in Kafka. */
const LISTENER_NAME = /^[A-Z][A-Z0-9_]*$/

const aPort = anInteger(0, 65_535)

/** The checks and defaults of `EmbeddedTopicOptions`. */
export const EMBEDDED_TOPIC_OPTIONS = {
  partitions: { check: anInteger(1), defaultText: "the cluster's `defaultPartitions`" },
  replicationFactor: {
    check: anInteger(1),
    defaultText: "the cluster's `defaultReplicationFactor`",
  },
  config: { check: anObject },
} as const satisfies OptionTable<EmbeddedTopicOptions>

/** The checks and defaults of `EmbeddedListenerOptions`. */
export const EMBEDDED_LISTENER_OPTIONS = {
  ports: { check: anArrayOf(aPort), defaultText: 'any free ones' },
  tls: { check: anObject, defaultText: 'none' },
  sasl: { check: anObject, defaultText: 'none' },
} as const satisfies OptionTable<EmbeddedListenerOptions>

/** The checks and defaults of `EmbeddedClusterOptions`. */
export const EMBEDDED_CLUSTER_OPTIONS = {
  brokers: { check: anInteger(1, 100), defaultText: 'the number of `brokerIds`, or 1' },
  brokerIds: { check: anArrayOf(anInteger(0)), defaultText: '1, 2 and so on' },
  racks: { check: anArrayOf(either(aString, oneOf(null))), defaultText: 'none has a rack' },
  version: { check: oneOf(...KAFKA_VERSIONS), defaultText: '`4.4`; with `zookeeper` `3.9`' },
  transactionVersion: { check: oneOf(0, 1, 2), default: 2 },
  ports: { check: anArrayOf(aPort), defaultText: 'any free ones' },
  topics: { check: anObject },
  autoCreateTopics: { check: aBoolean, default: true },
  defaultPartitions: { check: anInteger(1), default: 1 },
  defaultReplicationFactor: { check: anInteger(1), default: 3 },
  groupInitialRebalanceDelayMs: { check: anInteger(0), default: 0 },
  groupMinSessionTimeoutMs: { check: anInteger(1), default: 6_000 },
  shareRecordLockMs: { check: anInteger(1), default: 30_000 },
  shareDeliveryCountLimit: { check: anInteger(1), default: 5 },
  shareAutoOffsetReset: { check: oneOf('earliest', 'latest'), default: 'latest' },
  groupConsumerSessionTimeoutMs: { check: anInteger(1), default: 45_000 },
  groupConsumerHeartbeatIntervalMs: { check: anInteger(1), default: 5_000 },
  groupConsumerMaxSize: { check: anInteger(1), default: 2_147_483_647 },
  transactionMarkerDelayMs: { check: anInteger(0), default: 0 },
  queuedMaxRequestBytes: { check: anInteger(1), default: 256 * 1024 * 1024 },
  clientMetrics: { check: either(aBoolean, anArrayOf(anInteger(0))), default: false },
  dataDir: { check: aString, defaultText: 'none, everything is in memory only' },
  onWarning: {
    check: aFunction,
    defaultText: 'a warning of the process (`process.emitWarning`)',
  },
  zookeeper: {
    check: (value: unknown) =>
      value instanceof EmbeddedZooKeeper ? undefined : 'must be an EmbeddedZooKeeper',
  },
  zookeeperChroot: {
    check: (value: unknown) =>
      typeof value === 'string' && /^(\/[^/]+)+$/.test(value)
        ? undefined
        : "must be a path, such as '/kafka'",
    defaultText: 'the root',
    noEffect: ({ zookeeper }: EmbeddedClusterOptions) =>
      zookeeper === undefined ? 'without zookeeper' : undefined,
  },
  tls: { check: anObject, defaultText: 'none' },
  sasl: { check: anObject, defaultText: 'none' },
  listeners: { check: anObject, defaultText: 'only the listener of `ports`, `tls` and `sasl`' },
  authorizer: {
    check: anObject,
    defaultText: 'none, all clients may perform all operations',
  },
  delegationTokenSecretKey: {
    check: concealed(aString),
    defaultText: 'delegation tokens are disabled',
  },
  onError: { check: aFunction },
} as const satisfies OptionTable<EmbeddedClusterOptions>

/** The options of a cluster with their defaults. */
export type ClusterSettings = WithDefaults<EmbeddedClusterOptions, typeof EMBEDDED_CLUSTER_OPTIONS>

/**
 * Checks the options of a cluster and fills in the defaults. Throws InvalidArgumentError for an unknown option or an
 * invalid value.
 */
export function clusterSettings(options: EmbeddedClusterOptions): ClusterSettings {
  const settings = readOptions<EmbeddedClusterOptions, typeof EMBEDDED_CLUSTER_OPTIONS>(
    'EmbeddedCluster',
    options,
    EMBEDDED_CLUSTER_OPTIONS,
  )
  if (settings.authorizer !== undefined) {
    checkTable('authorizer', settings.authorizer, EMBEDDED_AUTHORIZER_OPTIONS)
  }
  const { topics = {}, version, listeners = {}, transactionMarkerDelayMs } = settings
  if (transactionMarkerDelayMs > 0 && settings.dataDir !== undefined) {
    throw new InvalidArgumentError(
      "EmbeddedCluster: 'transactionMarkerDelayMs' cannot be used with 'dataDir': decisions without markers are not stored",
    )
  }
  const count = brokerCount(options)
  if (settings.racks !== undefined && settings.racks.length !== count) {
    throw new InvalidArgumentError(
      `EmbeddedCluster: ${count} brokers require ${count} racks, not ${settings.racks.length}`,
    )
  }
  checkListener('EmbeddedCluster', options, version, count)
  for (const [name, listener] of Object.entries(listeners)) {
    if (!LISTENER_NAME.test(name)) {
      throw new InvalidArgumentError(`EmbeddedCluster: '${name}' is not a valid listener name`)
    }
    checkTable(`listener '${name}'`, listener, EMBEDDED_LISTENER_OPTIONS)
    checkListener(`listener '${name}'`, listener, version, count)
  }
  for (const [name, topic] of Object.entries(topics)) {
    checkTable(`topic '${name}'`, topic, EMBEDDED_TOPIC_OPTIONS)
  }
  const { zookeeper, clientMetrics } = settings
  const isOlder = version !== undefined && !isAtLeast(version, FIRST_WITH_FEATURES)
  if (options.transactionVersion !== undefined && (isOlder || zookeeper !== undefined)) {
    throw new InvalidArgumentError(
      `EmbeddedCluster: option 'transactionVersion' requires version ${FIRST_WITH_FEATURES}`,
    )
  }
  if (
    clientMetrics !== false &&
    version !== undefined &&
    !apiTable(version).has(pushTelemetry.key)
  ) {
    throw new InvalidArgumentError(
      "EmbeddedCluster: option 'clientMetrics' needs version 3.9 or 4.4",
    )
  }
  const isTooNew = version !== undefined && !isAtLeast(LAST_WITH_ZOOKEEPER, version)
  if (zookeeper !== undefined && isTooNew) {
    throw new InvalidArgumentError(
      `Kafka ${version} does not support ZooKeeper; the last version that does is ${LAST_WITH_ZOOKEEPER}`,
    )
  }
  return settings
}

/** Throws InvalidArgumentError. */
function brokerCount({ brokers, brokerIds }: EmbeddedClusterOptions): number {
  if (brokerIds === undefined) return brokers ?? 1
  const isWrong = brokerIds.length === 0 || new Set(brokerIds).size < brokerIds.length
  if (isWrong || (brokers !== undefined && brokers !== brokerIds.length)) {
    throw new InvalidArgumentError(
      "EmbeddedCluster: option 'brokerIds' must have a different id for each broker",
    )
  }
  return brokerIds.length
}

/** Throws InvalidArgumentError. */
function checkListener(
  what: string,
  { ports, tls, sasl }: EmbeddedListenerOptions,
  version: KafkaVersion | undefined,
  count: number,
): void {
  if (tls !== undefined) checkTlsOptions(tls)
  if (sasl !== undefined) {
    checkSaslOptions(sasl)
    if (version !== undefined && !apiTable(version).has(saslHandshake.key)) {
      throw new InvalidArgumentError(`sasl: Kafka ${version} is too old for SASL`)
    }
  }
  if (ports !== undefined && ports.length !== count) {
    throw new InvalidArgumentError(
      `${what}: ${count} brokers require ${count} ports, not ${ports.length}`,
    )
  }
}
