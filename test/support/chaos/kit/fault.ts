import type { Random } from '../../../wire/support/random.ts'
import type { Workload } from '../workload/workload.ts'
import type { ChaosCluster } from './chaos-cluster.ts'
import type { Gate } from './gate.ts'
import type { ClientNamespace } from './namespace.ts'

export interface FaultContext {
  readonly cluster: ChaosCluster
  readonly workload: Workload
  readonly topic: string
  /** With the Java client's, which has the same layout: faults of brokers and partitions hit both alike. */
  readonly topics: readonly string[]
  /** The partitions that the topic had at first. */
  readonly partitions: number
  /** The group whose coordinator is meant. */
  readonly group: string
  readonly random: Random
  /** What samsa's clients come through, where the scenario has it. */
  readonly gate: Gate | undefined
  readonly namespace: ClientNamespace | undefined
}

export interface Injected {
  /** What was observed that shows that the fault happened. */
  readonly proof: string
  readonly heal: () => Promise<void>
}

/** Injects a fault; throws where it cannot show that it happened. */
export type Fault = (context: FaultContext) => Promise<Injected>

/** For faults that are over when they have been injected. */
export const nothingToHeal = (): Promise<void> => Promise.resolve()
