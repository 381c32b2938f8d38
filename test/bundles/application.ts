/** Compiled by test/bundles/consumers.test.ts with several versions of TypeScript, and never run. */
import { KafkaClient, KafkaError, type KafkaClientOptions } from 'samsa'
import { EmbeddedCluster, type EmbeddedClusterOptions } from 'samsa/embedded'
import { describeCluster } from 'samsa/protocol'

export async function main(): Promise<void> {
  const embedded: EmbeddedClusterOptions = { brokers: 1 }
  const kafka = await EmbeddedCluster.start(embedded)
  const options: KafkaClientOptions = { hosts: kafka.hosts }
  const client = new KafkaClient(options)
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
