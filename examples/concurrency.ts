/** Handles messages concurrently, and the messages of each key in order. */
import { setTimeout as delay } from 'node:timers/promises'
import { KafkaClient } from 'samsa'
import { openCluster } from './cluster.ts'

const KEYS = ['alice', 'bob', 'carol', 'dave']

await using cluster = await openCluster({ payments: { partitions: 2 } })
await using client = new KafkaClient({ hosts: cluster.hosts })
const topic = client.topic('payments')

await using producer = await topic.getProducer()
const payments = Array.from({ length: 40 }, (_, index) => ({
  key: KEYS[index % KEYS.length]!,
  value: String(index),
}))
await producer.produceMany(payments)

let running = 0
let most = 0
const seen = new Map<string, number[]>()

await using consumer = await topic.getSimpleConsumer({
  consumerGroup: 'accounting',
  autoOffsetReset: 'earliest',
  stopAtEnd: true,
})
await consumer.run(
  async ({ key, value }) => {
    most = Math.max(most, ++running)
    await delay(5) // a request to another service
    const name = String(key)
    seen.set(name, [...(seen.get(name) ?? []), Number(value)])
    running--
  },
  { concurrency: 8, orderBy: 'key' },
)

console.log(`up to ${most} handlers ran at the same time`)
for (const [name, values] of [...seen].sort()) {
  const isInOrder = values.every((value, index) => index === 0 || value > values[index - 1]!)
  console.log(`${name}: ${values.length} messages, ${isInOrder ? 'in order' : 'OUT OF ORDER'}`)
}
