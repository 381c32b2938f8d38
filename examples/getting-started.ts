/** Produces three messages and consumes them. */
import { KafkaClient } from 'samsa'
import { openCluster } from './cluster.ts'

await using cluster = await openCluster()
await using client = new KafkaClient({ hosts: cluster.hosts })
const topic = client.topic('page-views')

await using producer = await topic.getProducer({ compression: 'lz4' })
for (const page of ['/index.html', '/docs.html', '/index.html']) {
  const { partition, offset } = await producer.produce(page, { key: 'user-1' })
  console.log(`written to partition ${partition} at offset ${offset}`)
}

await using consumer = await topic.getSimpleConsumer({
  autoOffsetReset: 'earliest',
  stopAtEnd: true,
})
for await (const { offset, key, value } of consumer) {
  console.log(`read ${value?.toString()} of ${key?.toString()} at offset ${offset}`)
}
