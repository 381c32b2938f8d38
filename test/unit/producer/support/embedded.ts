import type { ProduceRequest } from '../../../../protocol/apis/produce.ts'
import { KafkaClient } from '../../../../src/client.ts'
import { EmbeddedCluster, type EmbeddedClusterOptions } from '../../../../src/embedded/index.ts'
import { QUICK } from '../../../support/fake-cluster.ts'

export const TOPIC = 'orders'

/** An embedded cluster, and a client of it that is quick to try again. */
export class ProducerBench implements AsyncDisposable {
  readonly kafka: EmbeddedCluster
  readonly client: KafkaClient

  private constructor(kafka: EmbeddedCluster) {
    this.kafka = kafka
    this.client = new KafkaClient({ ...QUICK, hosts: kafka.hosts })
  }

  /** With `TOPIC`, of one partition unless the options say otherwise. */
  static async start(options: EmbeddedClusterOptions = {}): Promise<ProducerBench> {
    return new ProducerBench(await EmbeddedCluster.start({ topics: { [TOPIC]: {} }, ...options }))
  }

  get topic() {
    return this.client.topic(TOPIC)
  }

  /** The values in a partition, in the order of the log. */
  async values(partition = 0, topic = TOPIC): Promise<(string | null)[]> {
    const reading = {
      autoOffsetReset: 'earliest',
      stopAtEnd: true,
      partitions: [partition],
    } as const
    await using client = new KafkaClient({ ...QUICK, hosts: this.kafka.hosts })
    await using consumer = await client.topic(topic).getSimpleConsumer(reading)
    const values: (string | null)[] = []
    for await (const { value } of consumer) values.push(value?.toString() ?? null)
    return values
  }

  /** The batches that were sent, repeats included, in the order in which they came. */
  get batches(): SentBatch[] {
    return this.requests.flatMap(batchesOf)
  }

  get requests(): ProduceRequest[] {
    return this.kafka.requests.all({ api: 'Produce' }).map(({ body }) => asProduce(body))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // What failed was looked at by the tests.
    await this.client.close().catch(() => undefined)
    await this.kafka.stop()
  }
}

/** Where a batch v2 says that it stands. */
export interface SentBatch {
  readonly partition: number
  readonly count: number
  readonly producerId: bigint
  readonly epoch: number
  readonly sequence: number
}

export function batchesOf({ topicData }: ProduceRequest): SentBatch[] {
  return topicData.flatMap(({ partitionData }) =>
    partitionData.map(({ index, records }) => {
      const batch = Buffer.from(records ?? [])
      return {
        partition: index,
        producerId: batch.readBigInt64BE(43),
        epoch: batch.readInt16BE(51),
        sequence: batch.readInt32BE(53),
        count: batch.readInt32BE(57),
      }
    }),
  )
}

function asProduce(body: unknown): ProduceRequest {
  if (typeof body === 'object' && body !== null && 'topicData' in body)
    return body as ProduceRequest
  throw new Error('not the body of a produce request')
}

export const numbers = (count: number, from = 0) =>
  Array.from({ length: count }, (_, index) => String(from + index))
