import { apiVersions } from '../../protocol/apis/api-versions.ts'
import { describeCluster as describeClusterApi } from '../../protocol/apis/describe-cluster.ts'
import { metadata } from '../../protocol/apis/metadata.ts'
import { apiOf } from '../../protocol/apis/index.ts'
import type { Deadline } from '../async/deadline.ts'
import { CALL_OPTIONS, type CallOptions } from '../call-options.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { CONTROLLERS } from '../cluster/metadata-cache.ts'
import { UnsupportedVersionError, requiresKafka } from '../errors.ts'
import type { OptionTable } from '../option-table.ts'
import { aBoolean, anInteger, checkValue } from '../options.ts'
import { begin, type AdminContext } from './context.ts'
import { operationsOf, type AclOperation } from './operations.ts'

/** A broker as `describeCluster` returns it. */
export interface BrokerDescription {
  /** The node id of the broker. */
  readonly broker: number
  /** The host that the broker advertises to clients. */
  readonly host: string
  /** The port that the broker advertises to clients. */
  readonly port: number
  /** The broker's `broker.rack`; undefined if it has none. */
  readonly rack?: string
  /** Whether the controller has fenced the broker; set only with `includeFencedBrokers`. */
  readonly isFenced?: boolean
}

/** The result of `describeCluster`. */
export interface ClusterDescription {
  /** Undefined before Kafka 0.10.1. */
  readonly clusterId?: string
  /** Node id; undefined if there is no controller, and before Kafka 0.10. */
  readonly controller?: number
  /** Sorted by node id. */
  readonly brokers: readonly BrokerDescription[]
  /**
   * The operations that this client may perform on the cluster; only with
   * `includeAuthorizedOperations`.
   */
  readonly authorizedOperations?: readonly AclOperation[]
}

/** The options of `describeCluster`. */
export interface DescribeClusterOptions extends CallOptions {
  /**
   * Whether to list brokers that the controller has fenced (Kafka 4.0 or newer). Default: false.
   */
  readonly includeFencedBrokers?: boolean
  /** Whether the result contains the operations that this client may perform. Default: false. */
  readonly includeAuthorizedOperations?: boolean
}

/** The checks and defaults of `DescribeClusterOptions`. */
export const DESCRIBE_CLUSTER_OPTIONS = {
  ...CALL_OPTIONS,
  includeFencedBrokers: { check: aBoolean, default: false },
  includeAuthorizedOperations: { check: aBoolean, default: false },
} as const satisfies OptionTable<DescribeClusterOptions>

/** The options of `describeFeatures`. */
export interface DescribeFeaturesOptions extends CallOptions {
  /** The node id of the broker to ask, for example during an upgrade. Default: any broker. */
  readonly broker?: number
}

/** The checks and defaults of `DescribeFeaturesOptions`. */
export const DESCRIBE_FEATURES_OPTIONS = {
  ...CALL_OPTIONS,
  broker: { check: anInteger(0), defaultText: 'any broker' },
} as const satisfies OptionTable<DescribeFeaturesOptions>

/** The versions of one API that a broker supports (ApiVersions). */
export interface ApiVersionRange {
  /** The number of the API, such as 3 for Metadata. */
  readonly key: number
  /** Undefined for an API that samsa does not know. */
  readonly name?: string
  /** The oldest version that the broker supports. */
  readonly minVersion: number
  /** The newest version that the broker supports. */
  readonly maxVersion: number
}

/** A feature of the cluster, as `describeFeatures` returns it (KIP-584). */
export interface FeatureDescription {
  /** The name of the feature, such as `metadata.version`. */
  readonly feature: string
  /** Undefined if the feature is not enabled. */
  readonly finalizedVersion?: number
  /** The lowest level that the broker supports. */
  readonly minVersion: number
  /** The highest level that the broker supports. */
  readonly maxVersion: number
}

/** Before this version, DescribeCluster does not return fenced brokers. */
const WITH_FENCED = 2
/**
 * Metadata returns the operations of the cluster from this version on; later DescribeCluster does.
 */
const METADATA_WITH_OPERATIONS = 8

export function clusterOperations(context: AdminContext) {
  const { cluster } = context
  return {
    /**
     * Returns the cluster's id, controller and brokers; with `bootstrapControllers` it returns the
     * controllers instead of the brokers.
     */
    async describeCluster(options: DescribeClusterOptions = {}): Promise<ClusterDescription> {
      const operation = 'describeCluster'
      const { deadline, ...settings } = begin(context, operation, options, DESCRIBE_CLUSTER_OPTIONS)
      try {
        return await describe(cluster, settings, deadline)
      } catch (error) {
        if (!(error instanceof UnsupportedVersionError) || settings.includeFencedBrokers) {
          throw error
        }
        return describeByMetadata(cluster, settings, deadline)
      }
    },

    /** Returns the versions of each API that a broker supports (Kafka 0.10 or newer), by key. */
    async describeApiVersions(
      broker: number,
      options: CallOptions = {},
    ): Promise<readonly ApiVersionRange[]> {
      const operation = 'describeApiVersions'
      const { deadline } = begin(context, operation, options, CALL_OPTIONS)
      checkValue(`${operation}: a broker`, broker, anInteger(0))
      return apiVersionsOf(cluster, deadline, broker)
    },

    /**
     * Returns the cluster's features with the enabled versions (KIP-584, Kafka 2.7 or newer), by
     * name.
     */
    async describeFeatures(
      options: DescribeFeaturesOptions = {},
    ): Promise<readonly FeatureDescription[]> {
      const operation = 'describeFeatures'
      const { deadline, broker } = begin(context, operation, options, DESCRIBE_FEATURES_OPTIONS)
      const { supportedFeatures, finalizedFeatures } = await askVersions(cluster, deadline, broker)
      const finalized = new Map(
        finalizedFeatures.map(({ name, maxVersionLevel }) => [name, maxVersionLevel]),
      )
      return supportedFeatures
        .map(({ name, minVersion, maxVersion }) => {
          const finalizedVersion = finalized.get(name)
          return {
            feature: name,
            ...(finalizedVersion === undefined ? {} : { finalizedVersion }),
            minVersion,
            maxVersion,
          }
        })
        .sort((a, b) => (a.feature < b.feature ? -1 : 1))
    },
  }
}

type DescribeClusterSettings = Required<Omit<DescribeClusterOptions, keyof CallOptions>>

async function describe(
  cluster: Cluster,
  { includeFencedBrokers, includeAuthorizedOperations }: DescribeClusterSettings,
  deadline: Deadline,
): Promise<ClusterDescription> {
  const response = await cluster.router.call(
    describeClusterApi,
    (version) => {
      if (includeFencedBrokers && version < WITH_FENCED) {
        throw requiresKafka('describeCluster: includeFencedBrokers', '4.0')
      }
      return {
        includeClusterAuthorizedOperations: includeAuthorizedOperations,
        ...(cluster.options.bootstrapsFromControllers ? { endpointType: CONTROLLERS } : {}),
        ...(version < WITH_FENCED ? {} : { includeFencedBrokers }),
      }
    },
    { to: 'any', what: 'describing the cluster', deadline },
  )
  const operations = operationsOf(response.clusterAuthorizedOperations)
  return {
    clusterId: response.clusterId,
    ...(response.controllerId < 0 ? {} : { controller: response.controllerId }),
    brokers: response.brokers
      .map(({ brokerId, host, port, rack, isFenced }) => ({
        broker: brokerId,
        host,
        port,
        ...(rack === null ? {} : { rack }),
        ...(includeFencedBrokers ? { isFenced } : {}),
      }))
      .sort((a, b) => a.broker - b.broker),
    ...(operations === undefined ? {} : { authorizedOperations: operations }),
  }
}

/** For brokers before Kafka 2.8, which have no DescribeCluster. */
async function describeByMetadata(
  cluster: Cluster,
  { includeAuthorizedOperations }: DescribeClusterSettings,
  deadline: Deadline,
): Promise<ClusterDescription> {
  const settings = { to: 'any', what: 'describing the cluster', deadline } as const
  const response = await cluster.router.call(
    metadata,
    (version) => ({
      topics: [],
      ...(version < METADATA_WITH_OPERATIONS
        ? {}
        : { includeClusterAuthorizedOperations: includeAuthorizedOperations }),
    }),
    settings,
  )
  const operations = operationsOf(response.clusterAuthorizedOperations)
  return {
    ...(response.clusterId === null ? {} : { clusterId: response.clusterId }),
    ...(response.controllerId < 0 ? {} : { controller: response.controllerId }),
    brokers: response.brokers
      .map(({ nodeId, host, port, rack }) => ({
        broker: nodeId,
        host,
        port,
        ...(rack === null ? {} : { rack }),
      }))
      .sort((a, b) => a.broker - b.broker),
    ...(operations === undefined ? {} : { authorizedOperations: operations }),
  }
}

/** Returns the versions of each API that the given broker supports, or any broker, by key. */
export async function apiVersionsOf(
  cluster: Cluster,
  deadline: Deadline,
  broker?: number,
): Promise<readonly ApiVersionRange[]> {
  const { apiKeys } = await askVersions(cluster, deadline, broker)
  return apiKeys
    .map(({ apiKey: key, minVersion, maxVersion }) => {
      const name = apiOf(key)?.name
      return { key, ...(name === undefined ? {} : { name }), minVersion, maxVersion }
    })
    .sort((a, b) => a.key - b.key)
}

function askVersions(cluster: Cluster, deadline: Deadline, broker?: number) {
  return cluster.router.call(
    apiVersions,
    { clientSoftwareName: 'samsa', clientSoftwareVersion: 'unknown' },
    {
      to: broker === undefined ? 'any' : { broker },
      what: 'requesting the API versions',
      deadline,
    },
  )
}
