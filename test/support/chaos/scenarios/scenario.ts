import { setTimeout as delay } from 'node:timers/promises'
import type { ProducerOptions } from '../../../../src/index.ts'
import { Random } from '../../../wire/support/random.ts'
import { check } from '../checker/check.ts'
import type { Figures } from '../checker/figures.ts'
import type { Anomaly, AnomalyKind, History, Log } from '../checker/history.ts'
import type { ChaosCluster } from '../kit/chaos-cluster.ts'
import type { Fault, FaultContext } from '../kit/fault.ts'
import type { Gate } from '../kit/gate.ts'
import type { ClientNamespace } from '../kit/namespace.ts'
import { Network } from '../kit/network.ts'
import { now } from '../workload/lines.ts'
import type { ProducerWay, ReaderWay } from '../workload/plan.ts'
import { Workload, type Footprint } from '../workload/workload.ts'
import { recoveryOf, type Recovery, type Window } from './recovery.ts'

export interface Scenario {
  /** A complete sentence: what holds. */
  readonly title: string
  /** For the report. */
  readonly faults: string
  readonly partitions?: number
  readonly topicConfig?: Readonly<Record<string, string>>
  readonly producers?: readonly ProducerWay[]
  readonly producerOptions?: Omit<ProducerOptions, 'deliveryReports'>
  readonly groups?: readonly (readonly ReaderWay[])[]
  readonly alone?: readonly ReaderWay[]
  readonly messagesPerSecond?: number
  /** Anomalies that the configuration does not exclude. */
  readonly allowed?: readonly AnomalyKind[]
  /** What samsa's clients come through: nothing, a gate, or the gate of a network namespace that they are in. */
  readonly network?: 'gate' | 'namespace'
  readonly sessionTimeoutMs?: number
  /** How many messages must get through before the first fault, and after each. */
  readonly progress?: number
  /** The Java client does the same beside samsa, and recoveries are compared. */
  readonly isCompared?: boolean
  readonly run: (run: Run) => Promise<void>
}

export interface FaultRecord {
  readonly name: string
  readonly proof: string
  /** Since the start of the run. */
  readonly atMs: number
  readonly tookMs: number
  readonly samsa?: Recovery
  readonly java?: Recovery
}

export interface ScenarioResult {
  readonly title: string
  readonly faults: string
  readonly version: string
  readonly seed: number
  readonly durationMs: number
  readonly figures: Figures
  readonly anomalies: readonly Anomaly[]
  readonly allowed: readonly AnomalyKind[]
  readonly injected: readonly FaultRecord[]
  readonly footprints: readonly Footprint[]
  readonly javaFigures?: Figures
}

const PARTITIONS = 6
const MESSAGES_PER_SECOND = 450
/** Longer than the brokers' own: a broker that fails is not a reason for a rebalance. */
const SESSION_TIMEOUT_MS = 10_000
/**
 * Of samsa's and the Java client's members: samsa's default. A member delivers nothing when its session may be over,
 * which would be compared otherwise on a machine so slow that a failover takes as long as the session.
 */
const COMPARED_SESSION_TIMEOUT_MS = 30_000
/** What must get through between faults. */
const PROGRESS = 500

/** What a scenario does things with. */
export class Run implements FaultContext {
  readonly cluster: ChaosCluster
  readonly workload: Workload
  readonly topic: string
  readonly topics: readonly string[]
  readonly partitions: number
  readonly random: Random
  readonly gate: Gate | undefined
  readonly namespace: ClientNamespace | undefined
  readonly earlier: Log[] = []
  readonly injected: (FaultRecord & { readonly window: Window })[] = []
  /** Of the topic at the end, as the first offsets that DeleteRecords has left. */
  starts: ReadonlyMap<number, number> = new Map()
  createdAt: number | undefined
  readonly #progress: number

  constructor(
    cluster: ChaosCluster,
    workload: Workload,
    topics: readonly [topic: string, ...javaTopic: readonly string[]],
    partitions: number,
    random: Random,
    network: Network,
    progress: number,
  ) {
    this.cluster = cluster
    this.workload = workload
    this.topic = topics[0]
    this.topics = topics
    this.partitions = partitions
    this.random = random
    this.gate = network.gate
    this.namespace = network.namespace
    this.#progress = progress
  }

  get group(): string {
    return this.workload.groupNames[0]!
  }

  /** Injects a fault, holds it, heals it, and waits until all is whole and messages get through again. */
  async fault(name: string, fault: Fault, holdMs = 0): Promise<void> {
    const from = now()
    const { proof, heal } = await fault(this)
    await delay(holdMs)
    await heal()
    await this.cluster.whole(this.topics)
    await this.workload.progress(this.#progress)
    await this.workload.flowing()
    const to = now()
    const atMs = Math.round(from - this.workload.startedAt)
    const tookMs = Math.round(to - from)
    this.injected.push({ name, proof, atMs, tookMs, window: { from, to } })
    process.stdout.write(`    ${name}: ${proof} (${tookMs} ms)\n`)
  }
}

let count = 0

/** Runs a scenario on a cluster that is whole, and leaves it so. */
export async function runScenario(
  scenario: Scenario,
  cluster: ChaosCluster,
  seed: number,
): Promise<ScenarioResult> {
  const { partitions = PARTITIONS, topicConfig = {}, progress = PROGRESS } = scenario
  const random = new Random(seed)
  const number = ++count
  const topic = `chaos-${number}`
  const javaTopic = scenario.isCompared === true ? `${topic}-java` : undefined
  const topics = [topic, ...(javaTopic === undefined ? [] : [javaTopic])] as const
  const brokers = cluster.kafka.brokerIds
  const assignments = Array.from({ length: partitions }, (_, partition) =>
    brokers.map((_one, index) => brokers[(partition + index) % brokers.length]!),
  )
  const configs = {
    ...(brokers.length >= 3 ? { 'min.insync.replicas': '2' } : {}),
    ...topicConfig,
  }
  // First, as the only broker of a cluster is reached through it.
  await using network = await Network.start(scenario.network, cluster, random)
  for (const name of topics) {
    await cluster.client.admin.createTopics([{ topic: name, assignments, configs }])
  }
  await using workload = await Workload.start({
    cluster,
    topic,
    partitions,
    ...network.options,
    producers: scenario.producers ?? ['produce', 'produceMany', 'delivery reports'],
    ...(scenario.producerOptions === undefined
      ? {}
      : { producerOptions: scenario.producerOptions }),
    groups: scenario.groups ?? [
      ['for await', 'run', 'run by key'],
      ['batches', 'stream'],
    ],
    ...(scenario.alone === undefined ? {} : { alone: scenario.alone }),
    messagesPerSecond: scenario.messagesPerSecond ?? MESSAGES_PER_SECOND,
    sessionTimeoutMs:
      scenario.sessionTimeoutMs ??
      (scenario.isCompared === true ? COMPARED_SESSION_TIMEOUT_MS : SESSION_TIMEOUT_MS),
    byZooKeeper: cluster.kafka.zookeeperHosts !== undefined,
    ...(javaTopic === undefined ? {} : { javaTopic }),
  })
  await workload.progress(progress)
  await workload.flowing()
  const run = new Run(cluster, workload, topics, partitions, random, network, progress)
  await scenario.run(run)
  const durationMs = Math.round(now() - workload.startedAt)
  const { starts, createdAt, earlier } = run
  const more = { starts, ...(createdAt === undefined ? {} : { createdAt }) }
  const history = await workload.finish(earlier, more)
  const java = await workload.finishJava()
  const { anomalies, figures } = check(history)
  const allowed = scenario.allowed ?? []
  return {
    ...{ title: scenario.title, faults: scenario.faults, version: cluster.kafka.version, seed },
    ...{ durationMs, figures, anomalies, allowed },
    footprints: workload.footprints,
    injected: run.injected.map((one) => withRecoveries(one, history, run.group, java, workload)),
    ...(java === undefined ? {} : { javaFigures: check(java).figures }),
  }
}

function withRecoveries(
  { window, ...record }: FaultRecord & { readonly window: Window },
  history: History,
  group: string,
  java: History | undefined,
  workload: Workload,
): FaultRecord {
  return {
    ...record,
    samsa: recoveryOf(history, group, window),
    ...(java === undefined ? {} : { java: recoveryOf(java, workload.javaGroup, window) }),
  }
}

/** What must not have happened and has. */
export function problemsOf({ anomalies, allowed }: ScenarioResult): readonly string[] {
  return anomalies
    .filter(({ kind }) => !allowed.includes(kind))
    .map(({ kind, text }) => `${kind}: ${text}`)
}
