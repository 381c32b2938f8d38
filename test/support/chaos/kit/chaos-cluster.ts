import { spawnSync } from 'node:child_process'
import { KafkaClient } from '../../../../src/index.ts'
import { startKafka, type KafkaCluster } from '../../kafka/cluster.ts'
import { rawMetadata, type RawTopic } from '../../kafka/raw-request.ts'
import { waitFor } from '../../kafka/wait.ts'
import { PATIENCE_MS } from '../../patience.ts'
import { freePortRange, takenPort } from '../../kafka/ports.ts'
import type { Route } from './gate.ts'

export interface ChaosClusterOptions {
  readonly version: string
  readonly brokers?: number
  readonly config?: Readonly<Record<string, string>>
}

const OFFSETS_TOPIC = '__consumer_offsets'
const OFFSETS_PARTITIONS = 5

/**
 * A real cluster with a second listener for each broker, which is advertised at another port than it has: clients that
 * come through a gate there stay with it. Faults look at the cluster by requests written by hand, not by samsa.
 */
export class ChaosCluster implements AsyncDisposable {
  readonly kafka: KafkaCluster
  /** For administration, past all gates. */
  readonly client: KafkaClient
  /** What faults have mounted. */
  readonly mounts = new Set<string>()
  /** From the ports that the gated listeners are advertised at to those that they have. */
  readonly routes: readonly Route[]

  private constructor(kafka: KafkaCluster, routes: readonly Route[]) {
    this.kafka = kafka
    this.routes = routes
    this.client = new KafkaClient({ hosts: kafka.hosts, clientId: 'chaos-control' })
  }

  static async start({
    version,
    brokers = 3,
    config = {},
  }: ChaosClusterOptions): Promise<ChaosCluster> {
    const ports = await portRange(brokers * 3)
    const [plain, gated, advertised] = [0, 1, 2].map((part) =>
      ports.slice(part * brokers, (part + 1) * brokers),
    ) as [number[], number[], number[]]
    const protocols = ['PLAINTEXT', 'GATED', 'CONTROLLER'].map((name) => `${name}:PLAINTEXT`)
    const kafka = await startKafka({
      version,
      brokers,
      port: plain[0]!,
      config: { 'auto.create.topics.enable': 'false', ...config },
      brokerConfig: (id) => {
        const [own, gatedOwn, shown] = [plain[id - 1], gated[id - 1], advertised[id - 1]]
        if (own === undefined) return {}
        // A broker that is its own controller has one listener for clients, which is advertised at the gate.
        if (brokers === 1) return { 'advertised.listeners': `PLAINTEXT://127.0.0.1:${shown}` }
        return {
          listeners: `PLAINTEXT://127.0.0.1:${own},GATED://127.0.0.1:${gatedOwn}`,
          'advertised.listeners': `PLAINTEXT://127.0.0.1:${own},GATED://127.0.0.1:${shown}`,
          'listener.security.protocol.map': protocols.join(','),
          'inter.broker.listener.name': 'PLAINTEXT',
        }
      },
    })
    return new ChaosCluster(
      kafka,
      advertised.map((listen, index) => ({
        listen,
        target: (brokers === 1 ? plain : gated)[index]!,
      })),
    )
  }

  get gatedHosts(): string {
    return this.routes.map(({ listen }) => `127.0.0.1:${listen}`).join(',')
  }

  get liveBrokers(): readonly number[] {
    return this.kafka.brokerIds.filter((id) => this.kafka.isBrokerAlive(id))
  }

  /** As the first broker that answers has it; `except` are frozen. */
  async describe(topic: string, except: readonly number[] = []): Promise<RawTopic> {
    const ports = this.liveBrokers
      .filter((id) => !except.includes(id))
      .map((id) => this.kafka.ports[id - 1]!)
    let last: unknown
    for (const port of ports) {
      try {
        const found = (await rawMetadata(port)).topics.find(({ name }) => name === topic)
        if (found !== undefined) return found
      } catch (error) {
        last = error
      }
    }
    throw new Error(`no broker describes ${topic}`, { cause: last })
  }

  /** Waits until the topic is so, as a live broker has it. */
  async until(
    topic: string,
    what: string,
    isSo: (topic: RawTopic) => boolean,
    except: readonly number[] = [],
  ): Promise<RawTopic> {
    return waitFor(
      async () => {
        const found = await this.describe(topic, except).catch(() => undefined)
        return found !== undefined && isSo(found) ? found : undefined
      },
      { timeoutMs: PATIENCE_MS, onTimeout: () => new Error(`${topic}: not ${what}`) },
    )
  }

  async leaderOf(topic: string, partition: number): Promise<number> {
    const found = await this.until(
      topic,
      `led in ${partition}`,
      ({ partitions }) => (partitions[partition]?.leader ?? -1) > 0,
    )
    return found.partitions[partition]!.leader
  }

  /** The partition of the offsets topic that keeps a group: Java's hash of its name. */
  static offsetsPartition(group: string): number {
    let hash = 0
    for (const unit of group) hash = (Math.imul(hash, 31) + unit.charCodeAt(0)) | 0
    return (hash & 0x7fffffff) % OFFSETS_PARTITIONS
  }

  coordinatorOf(group: string): Promise<number> {
    return this.leaderOf(OFFSETS_TOPIC, ChaosCluster.offsetsPartition(group))
  }

  /** All brokers run, and all replicas of these topics and of the groups' offsets are in sync. */
  async whole(topics: readonly string[]): Promise<void> {
    for (const id of [...this.kafka.controllerIds, ...this.kafka.brokerIds]) {
      if (this.kafka.isBrokerAlive(id)) this.kafka.resume(id)
      else await this.kafka.startBroker(id)
    }
    const names = (await rawMetadata(this.kafka.ports[0]!)).topics.map(({ name }) => name)
    for (const topic of names.filter((name) => name === OFFSETS_TOPIC || topics.includes(name))) {
      await this.until(topic, 'in sync', ({ partitions }) =>
        partitions.every(
          ({ leader, isr, replicas }) => leader > 0 && isr.length === replicas.length,
        ),
      )
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.close({ timeoutMs: 5_000 }).catch(() => undefined)
    for (const folder of this.mounts) spawnSync('umount', ['-l', folder])
    await this.kafka.stop()
  }
}

/** Consecutive ports that are free, from SAMSA_CHAOS_PORT if that is set. Throws if one of those is taken. */
async function portRange(count: number): Promise<number[]> {
  const wanted = process.env['SAMSA_CHAOS_PORT']
  const first = wanted === undefined ? await freePortRange(count) : Number(wanted)
  const taken = wanted === undefined ? undefined : await takenPort(first, count)
  if (taken !== undefined) {
    throw new Error(
      `port ${taken} is taken: SAMSA_CHAOS_PORT must be the first of ${count} free ports`,
    )
  }
  return Array.from({ length: count }, (_, index) => first + index)
}
