import type { TestAuthority } from '../../../support/certificates.ts'
import type { CommandLine } from '../../../support/cli-cluster.ts'
import type { KafkaCluster } from '../../../support/kafka/cluster.ts'
import type { KafkaTools } from '../../../support/kafka/tools.ts'
import type { TemporaryFolder } from '../../../support/temporary-folder.ts'

/** A cluster of two brokers, with the command and the tools for it. All comparisons share one. */
export interface Place {
  readonly kafka: KafkaCluster
  readonly tools: KafkaTools
  readonly samsa: CommandLine
  /** The certificates of the brokers. */
  readonly authority: TestAuthority
  readonly folder: TemporaryFolder
  /** Whether the brokers are of Kafka 4. */
  readonly isNew: boolean
}

/** A test that does the same with the command and with Kafka's own tools. */
export interface ToolComparison {
  readonly name: string
  /** The first release that it runs with. Default: all. */
  readonly since?: string
  readonly run: (place: Place) => Promise<void>
}
