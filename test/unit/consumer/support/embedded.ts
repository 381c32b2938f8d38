import { deleteRecords } from '../../../../protocol/apis/delete-records.ts'
import { Cluster } from '../../../../src/cluster/cluster.ts'
import { clusterOptions, type KafkaClientOptions } from '../../../../src/client-options.ts'
import { KafkaClient } from '../../../../src/client.ts'
import {
  AssignedConsumer,
  type AssignedConsumerOptions,
} from '../../../../src/consumer/assigned-consumer.ts'
import {
  consumerSettings,
  offsetStoreOf,
  type ConsumerOptions,
} from '../../../../src/consumer/options.ts'
import { EmbeddedCluster, type EmbeddedClusterOptions } from '../../../../src/embedded/index.ts'
import { QUICK } from '../../../support/fake-cluster.ts'

interface ProduceBody {
  readonly topicData: readonly { readonly partitionData: readonly { readonly records: Buffer }[] }[]
}

/** An embedded cluster with a client of it, and what it takes to make consumers by hand. */
export class Bed implements AsyncDisposable {
  readonly kafka: EmbeddedCluster
  readonly client: KafkaClient
  readonly cluster: Cluster
  readonly #consumers: AssignedConsumer[] = []
  readonly #ownsCluster: boolean

  private constructor(kafka: EmbeddedCluster, more: KafkaClientOptions = {}, ownsCluster = true) {
    this.kafka = kafka
    this.#ownsCluster = ownsCluster
    this.client = new KafkaClient({ ...QUICK, ...more, hosts: kafka.hosts })
    this.cluster = new Cluster(clusterOptions({ ...QUICK, ...more, hosts: kafka.hosts }))
  }

  static async start(options: EmbeddedClusterOptions, more: KafkaClientOptions = {}): Promise<Bed> {
    return new Bed(await EmbeddedCluster.start(options), more)
  }

  /** Another process on the same cluster: with clients that have no metadata yet. */
  static next({ kafka }: Bed): Promise<Bed> {
    return Promise.resolve(new Bed(kafka, {}, false))
  }

  consumer(options: ConsumerOptions = {}, parts: AssignedConsumerOptions = {}): AssignedConsumer {
    const settings = consumerSettings(this.cluster, { fetchWaitMaxMs: 20, ...options })
    const offsets = offsetStoreOf(this.cluster, options)
    const consumer = new AssignedConsumer(this.cluster, settings, { offsets, ...parts })
    this.#consumers.push(consumer)
    return consumer
  }

  /** Writes `prefix0`, `prefix1`, … to a partition. */
  async write(topic: string, partition: number, count: number, prefix = ''): Promise<void> {
    await using producer = await this.client.topic(topic).getProducer({ lingerMs: 0 })
    for (let i = 0; i < count; i++) void producer.produce(`${prefix}${i}`, { partition })
    await producer.flush()
  }

  /** Deletes the records of a partition before an offset, as retention does. */
  async deleteRecords(topic: string, partition: number, offset: number): Promise<void> {
    await this.cluster.refresh(topic)
    const partitions = [{ partitionIndex: partition, offset: BigInt(offset) }]
    const body = { topics: [{ name: topic, partitions }], timeoutMs: 1_000 }
    const leader = this.cluster.leaderOf(topic, partition)!
    await leader.request(deleteRecords, body, { timeoutMs: 1_000 })
  }

  /** The bytes of the batch in which this many messages of about 100 bytes each are written to another topic. */
  async batchOf(topic: string, count: number): Promise<Buffer> {
    const options = { idempotent: false, lingerMs: 50 }
    await using producer = await this.client.topic(topic).getProducer(options)
    const values = Array.from({ length: count }, (_, i) => String(i).padEnd(100))
    await producer.produceMany(values)
    const [request] = this.kafka.requests.all({ api: 'Produce' }).slice(-1)
    const { topicData } = request!.body as unknown as ProduceBody
    return Buffer.from(topicData[0]!.partitionData[0]!.records)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#consumers.map((consumer) => consumer.close()))
    await this.client.close()
    await this.cluster.close(0)
    if (this.#ownsCluster) await this.kafka.stop()
  }
}
