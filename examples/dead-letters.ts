/** Retries a message that fails, then sends it to another topic, so that its partition continues. */
import { DEAD_LETTER_HEADERS, KafkaClient, withDeadLetters, type ConsumedMessage } from 'samsa'
import { openCluster } from './cluster.ts'

await using cluster = await openCluster()
await using client = new KafkaClient({ hosts: cluster.hosts })
const orders = client.topic('orders')
const dead = client.topic('orders.dead')

await using producer = await orders.getProducer()
await producer.produceMany(['{"id":1}', 'not JSON', '{"id":2}'])

function handle({ value }: ConsumedMessage): void {
  const order = JSON.parse(String(value)) as { id: number }
  console.log(`handled order ${order.id}`)
}

await using deadProducer = await dead.getProducer()
await using consumer = await orders.getSimpleConsumer({
  consumerGroup: 'orders',
  autoOffsetReset: 'earliest',
  stopAtEnd: true,
})
await consumer.run(
  withDeadLetters(handle, { producer: deadProducer, maxRetries: 2, retryBackoffMs: 10 }),
)

await using deadConsumer = await dead.getSimpleConsumer({
  autoOffsetReset: 'earliest',
  stopAtEnd: true,
})
for await (const { value, headers } of deadConsumer) {
  const reason = headers.find(({ key }) => key === DEAD_LETTER_HEADERS.message)?.value
  console.log(`dead letter ${value?.toString()}: ${reason?.toString()}`)
}
