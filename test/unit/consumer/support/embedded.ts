import { Cluster } from '../../../../src/cluster/cluster.ts'
import { clusterOptions } from '../../../../src/client-options.ts'
import { KafkaClient } from '../../../../src/client.ts'
import { AssignedConsumer } from '../../../../src/consumer/assigned-consumer.ts'
import {
  consumerSettings,
  offsetStoreOf,
  type ConsumerOptions,
} from '../../../../src/consumer/options.ts'
import { EmbeddedCluster, type EmbeddedClusterOptions } from '../../../../src/embedded/index.ts'
import { QUICK } from '../../../support/fake-cluster.ts'

/** An embedded cluster with a client of it, and what it takes to make consumers by hand. */
export class Bed implements AsyncDisposable {
  readonly kafka: EmbeddedCluster
  readonly client: KafkaClient
  readonly cluster: Cluster
  readonly #consumers: AssignedConsumer[] = []

  private constructor(kafka: EmbeddedCluster) {
    this.kafka = kafka
    this.client = new KafkaClient({ ...QUICK, hosts: kafka.hosts })
    this.cluster = new Cluster(clusterOptions({ ...QUICK, hosts: kafka.hosts }))
  }

  static async start(options: EmbeddedClusterOptions): Promise<Bed> {
    return new Bed(await EmbeddedCluster.start(options))
  }

  consumer(options: ConsumerOptions = {}): AssignedConsumer {
    const settings = consumerSettings(this.cluster, { fetchWaitMaxMs: 20, ...options })
    const offsets = offsetStoreOf(this.cluster, options)
    const consumer = new AssignedConsumer(this.cluster, settings, { offsets })
    this.#consumers.push(consumer)
    return consumer
  }

  /** Writes `prefix0`, `prefix1`, … to a partition. */
  async write(topic: string, partition: number, count: number, prefix = ''): Promise<void> {
    await using producer = await this.client.topic(topic).getProducer({ lingerMs: 0 })
    for (let i = 0; i < count; i++) void producer.produce(`${prefix}${i}`, { partition })
    await producer.flush()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#consumers.map((consumer) => consumer.close()))
    await this.client.close()
    await this.cluster.close(0)
    await this.kafka.stop()
  }
}
