/** Compiled by test/bundles/consumers.test.ts with several versions of TypeScript, and never run. */
import { KafkaClient, KafkaError, type KafkaClientOptions } from 'samsa'
import { EmbeddedCluster, type EmbeddedClusterOptions } from 'samsa/embedded'
import { Kafka, type EachMessagePayload } from 'samsa/kafkajs'
import { instrument } from 'samsa/opentelemetry'
import { metricsText } from 'samsa/prometheus'
import { describeCluster } from 'samsa/protocol'
import { Bolt, defineTopology, fields, runLocally, Spout, stream, type Tuple } from 'samsa/storm'

const words = { default: stream<{ word: string }>('word') }

class Words extends Spout<typeof words> {
  static readonly outputs = words
  nextTuple(): void {
    this.emit({ word: 'cow' }, { id: 1 })
  }
}

class Count extends Bolt<{ word: string }> {
  static readonly outputs = ['word', 'count'] as const
  async process({ fields: { word } }: Tuple<{ word: string }>): Promise<void> {
    const length: number = word.length
    const tasks: readonly number[] = await this.emit([word, length], { needTaskIds: true })
    console.log(tasks)
  }
}

export async function count(): Promise<void> {
  const topology = defineTopology({
    name: 'words',
    spouts: { words: { component: Words } },
    bolts: { count: { component: Count, inputs: { words: fields('word') }, parallelism: 2 } },
  })
  const run = runLocally(topology, { time: 'fake' })
  await run.advance(1)
  await run.stop()
}

export async function migrated(brokers: string[]): Promise<void> {
  const consumer = new Kafka({ clientId: 'shop', brokers }).consumer({ groupId: 'billing' })
  await consumer.subscribe({ topics: ['orders'] })
  await consumer.run({
    eachMessage: async ({ message }: EachMessagePayload) => {
      const offset: string = message.offset
      console.log(offset, message.value?.toString())
    },
  })
}

export async function main(): Promise<void> {
  const embedded: EmbeddedClusterOptions = { brokers: 1 }
  const kafka = await EmbeddedCluster.start(embedded)
  const options: KafkaClientOptions = { hosts: kafka.hosts }
  const client = new KafkaClient(options)
  instrument(client)
  const metrics: string = metricsText(client)
  console.log(metrics)
  const body = { includeClusterAuthorizedOperations: false }
  const { brokers } = await client.request(describeCluster, body)
  const topic = client.topic('page-views')
  const producer = await topic.getProducer({ compression: 'zstd' })
  const { offset } = await producer.produce('value')
  const next: number = offset + 1
  const consumer = await topic.getSimpleConsumer({ stopAtEnd: true })
  for await (const message of consumer) {
    const value: Buffer | null = message.value
    console.log(message.offset, value, next, brokers.length)
  }
  await client.close().catch((error: unknown) => {
    if (error instanceof KafkaError) console.log(error.code)
  })
  await kafka.stop()
}
