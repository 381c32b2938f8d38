import type { BackoffOptions } from '../async/backoff.ts'
import type { Address } from '../network/address.ts'
import type { BrokerOptions } from '../network/broker.ts'
import type { Logger } from '../observe/logger.ts'
import type { ClientMetrics } from '../observe/metrics/client-metrics.ts'

export interface ClusterOptions {
  /** Finds the bootstrap addresses: asked at the start, and whenever no known broker can be reached. */
  readonly bootstrap: (signal: AbortSignal) => Promise<readonly Address[]>
  /** Whether those are of controllers, which know each other and no brokers or topics (KIP-919). */
  readonly bootstrapsFromControllers: boolean
  readonly broker: BrokerOptions
  /** The ZooKeeper servers that the client was given, with the chroot: balanced consumers use the same. */
  readonly zookeeperHosts: string | undefined
  /** How long one request may take. */
  readonly requestTimeoutMs: number
  /** How long an operation may take with all its retries, where the caller does not say. */
  readonly operationTimeoutMs: number
  /** Whether calls wait for a cluster that was never reached. */
  readonly waitsForCluster: boolean
  /** What is known of topics that are in use is asked for again at this age. */
  readonly metadataMaxAgeMs: number
  readonly backoff: BackoffOptions
  readonly logger: Logger
  /** What the client counts; it has the client id, too. */
  readonly metrics: ClientMetrics
}
