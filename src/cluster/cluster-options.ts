import type { BackoffOptions } from '../async/backoff.ts'
import type { Address } from '../network/address.ts'
import type { BrokerOptions } from '../network/broker.ts'
import type { Logger } from '../observe/logger.ts'
import type { ClientMetrics } from '../observe/metrics/client-metrics.ts'

export interface ClusterOptions {
  /** Finds the bootstrap addresses. Called at the start, and whenever no known broker can be reached. */
  readonly bootstrap: (signal: AbortSignal) => Promise<readonly Address[]>
  /** Whether the addresses are those of controllers, which know each other but no brokers or topics (KIP-919). */
  readonly bootstrapsFromControllers: boolean
  readonly broker: BrokerOptions
  /** The ZooKeeper servers of the client, with the chroot. Balanced consumers use the same. */
  readonly zookeeperHosts: string | undefined
  /** The time limit of one request. */
  readonly requestTimeoutMs: number
  /** The time limit of an operation with all its retries, if the caller does not set one. */
  readonly operationTimeoutMs: number
  /** Whether calls wait for a cluster that was never reached. */
  readonly waitsForCluster: boolean
  /** The age at which the metadata of topics in use is refreshed. */
  readonly metadataMaxAgeMs: number
  readonly backoff: BackoffOptions
  /** Whether metrics are pushed to brokers that ask for them. */
  readonly pushesMetrics: boolean
  readonly logger: Logger
  /** What the client counts; it has the client id, too. */
  readonly metrics: ClientMetrics
}
