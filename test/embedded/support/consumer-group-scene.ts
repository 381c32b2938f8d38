/** A group of the consumer protocol (KIP-848) on an embedded cluster, with a log of what its members are assigned. */
import { EmbeddedCluster, type EmbeddedClusterOptions } from '../../../src/embedded/index.ts'
import {
  KafkaClient,
  type BalancedConsumer,
  type BalancedConsumerOptions,
  type BalancedTopicsConsumer,
  type BalancedTopicsConsumerOptions,
  type KafkaClientOptions,
  type TopicPartition,
} from '../../../src/index.ts'
import { until } from '../../support/until.ts'

type Options = Partial<Extract<BalancedConsumerOptions, { readonly groupProtocol: 'consumer' }>>
type TopicsOptions = Partial<
  Extract<BalancedTopicsConsumerOptions, { readonly groupProtocol: 'consumer' }>
>

/** Selects the heartbeats of members for faults and requests. */
export const HEARTBEAT = { api: 'ConsumerGroupHeartbeat' } as const

/** An embedded cluster with a topic of four partitions, and the members of the group `g` in it. */
export class Scene implements AsyncDisposable {
  readonly kafka: EmbeddedCluster
  readonly #clients: KafkaClient[] = []
  /** Of all consumers: `name +t-0`, `name -t-0`, `name !t-0`. */
  readonly log: string[] = []

  private constructor(kafka: EmbeddedCluster) {
    this.kafka = kafka
  }

  static async open(options: EmbeddedClusterOptions = {}): Promise<Scene> {
    const kafka = await EmbeddedCluster.start({
      topics: { t: { partitions: 4 } },
      groupConsumerHeartbeatIntervalMs: 50,
      ...options,
    })
    return new Scene(kafka)
  }

  client(options: KafkaClientOptions = {}): KafkaClient {
    const client = new KafkaClient({ hosts: this.kafka.hosts, retryBackoffMs: 20, ...options })
    this.#clients.push(client)
    return client
  }

  member(name = 'one', options: Options = {}, topic = 't'): Promise<BalancedConsumer> {
    return this.client({ clientId: name })
      .topic(topic)
      .getBalancedConsumer({
        groupProtocol: 'consumer',
        consumerGroup: 'g',
        autoOffsetReset: 'earliest',
        rebalanceBackoffMs: 50,
        ...this.#hooks(name),
        ...options,
      })
  }

  ofTopics(
    topics: BalancedTopicsConsumerOptions['topics'],
    options: TopicsOptions = {},
    client: KafkaClientOptions = {},
  ): Promise<BalancedTopicsConsumer> {
    return this.client(client).getBalancedConsumer({
      groupProtocol: 'consumer',
      consumerGroup: 'g',
      autoOffsetReset: 'earliest',
      ...this.#hooks('topics'),
      ...options,
      topics,
    })
  }

  /** Bodies of the heartbeats so far. */
  get heartbeats(): Record<string, unknown>[] {
    return this.kafka.requests.all(HEARTBEAT).map(({ body }) => ({ ...body }))
  }

  /** Resolves when the members have this many partitions in all. */
  async owned(
    count: number,
    ...members: readonly (BalancedConsumer | BalancedTopicsConsumer)[]
  ): Promise<void> {
    const all = () => members.flatMap(({ assignment }) => assignment)
    await until(() => all().length === count && members.every((one) => one.assignment.length > 0))
  }

  async write(count: number, topic = 't'): Promise<void> {
    await using producer = await this.client().topic(topic).getProducer()
    for (let number = 0; number < count; number++) {
      void producer.produce(`${number}`, { partition: number % 4 })
    }
    await producer.flush()
  }

  #hooks(name: string) {
    const note = (sign: string) => (partitions: readonly TopicPartition[]) => {
      const names = partitions.map(({ topic, partition }) => `${topic}-${partition}`).sort()
      this.log.push(`${name} ${sign}${names.join(' ')}`)
    }
    return {
      onPartitionsAssigned: note('+'),
      onPartitionsRevoked: note('-'),
      onPartitionsLost: note('!'),
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kafka.faults.clear()
    await Promise.allSettled(this.#clients.map((client) => client.close()))
    await this.kafka.stop()
  }
}

/** All partitions of the topic `t`, as the log names them. */
export const ALL = 't-0 t-1 t-2 t-3'

/** Disables the consumer protocol, as in a cluster that was upgraded from Kafka 3.9. */
export async function disableFeature(scene: Scene): Promise<void> {
  await scene
    .client()
    .admin.updateFeatures([{ feature: 'group.version', version: 0, upgradeType: 'safeDowngrade' }])
}
