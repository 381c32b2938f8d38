/** Creates a topic, adds partitions, changes its config, and reads the lag of a group. */
import { KafkaClient } from 'samsa'
import { openCluster } from './cluster.ts'

await using cluster = await openCluster()
await using client = new KafkaClient({ hosts: cluster.hosts })
const { admin } = client

await admin.createTopics([
  { topic: 'orders', partitions: 2, replicationFactor: 1, configs: { 'retention.ms': '86400000' } },
])
await admin.createPartitions([{ topic: 'orders', count: 4 }])
await admin.incrementalAlterConfigs([
  { type: 'topic', name: 'orders', set: { 'retention.ms': '3600000' } },
])

const [topic] = await admin.describeTopics(['orders'])
console.log(`orders has ${topic?.partitions.length} partitions`)
const [configs] = await admin.describeConfigs([{ type: 'topic', name: 'orders' }])
const retention = configs?.configs.find(({ name }) => name === 'retention.ms')
console.log(`retention.ms is ${retention?.value}`)

// Three messages, of which a group has processed one.
await using producer = await client.topic('orders').getProducer()
await producer.produceMany(['one', 'two', 'three'].map((value) => ({ value, partition: 0 })))
await using consumer = await client.topic('orders').getSimpleConsumer({
  consumerGroup: 'billing',
  autoOffsetReset: 'earliest',
})
await consumer.consume()
await consumer.commitOffsets()

const [group] = await admin.lag(['billing'])
const lag = group?.partitions.find(({ partition }) => partition === 0)?.lag
console.log(`the lag of billing in partition 0 is ${lag}`)
