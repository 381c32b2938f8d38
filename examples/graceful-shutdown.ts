/**
 * A member of a group that runs until SIGINT or SIGTERM. It then lets the running handlers finish, commits, and leaves
 * the group, so that the other members take over its partitions immediately.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { KafkaClient } from 'samsa'
import { openCluster } from './cluster.ts'

await using cluster = await openCluster({ orders: { partitions: 4 } })
await using client = new KafkaClient({ hosts: cluster.hosts, logger: console })
const topic = client.topic('orders')

await using producer = await topic.getProducer()
await producer.produceMany(Array.from({ length: 20 }, (_, id) => `order ${id}`))

const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort())

const consumer = await topic.getBalancedConsumer({
  consumerGroup: 'shipping',
  managed: true,
  autoOffsetReset: 'earliest',
  onPartitionsAssigned: (partitions) => console.log(`assigned ${partitions.length} partitions`),
})
await consumer.run(
  async ({ value }) => {
    await delay(20) // the work
    console.log(`shipped ${value?.toString()}`)
  },
  { concurrency: 4, stopSignal: stop.signal },
)

// The limit must be shorter than the time that the process manager allows.
await client.close({ timeoutMs: 20_000 })
const shipped = await committed()
console.log(`committed ${shipped} messages`)

async function committed(): Promise<number> {
  await using admin = new KafkaClient({ hosts: cluster.hosts })
  const [offsets] = await admin.admin.listGroupOffsets(['shipping'])
  return (offsets?.offsets ?? []).reduce((sum, { offset }) => sum + Math.max(0, offset ?? 0), 0)
}
