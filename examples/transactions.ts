/**
 * Reads a topic, transforms the messages and writes them to another topic. The messages and the offsets of each batch
 * are one transaction: after a crash or an abort, no message is lost and none is written twice.
 */
import { KafkaClient } from 'samsa'
import { openCluster } from './cluster.ts'

const ORDERS = 100

await using cluster = await openCluster({
  orders: { partitions: 3 },
  invoices: { partitions: 3 },
})
await using client = new KafkaClient({ hosts: cluster.hosts })
await using source = await client.topic('orders').getProducer()
await source.produceMany(
  Array.from({ length: ORDERS }, (_, id) => ({ key: `${id}`, value: `order ${id}` })),
)

await using producer = await client.getTransactionalProducer({ transactionalId: 'billing-1' })
await using consumer = await client.topic('orders').getBalancedConsumer({
  consumerGroup: 'billing',
  managed: true,
  autoOffsetReset: 'earliest',
  isolationLevel: 'read_committed',
})

let attempts = 0
function bill(): Promise<void> {
  let billed = 0
  return consumer.transact(producer, (batch, tx) => {
    for (const { key, value } of batch) {
      void tx.produce('invoices', { key, value: `invoice for ${value?.toString()}` })
    }
    // The first attempt fails after its messages were sent: the transaction is aborted.
    if (attempts++ === 0) throw new Error('a failure in the middle of a transaction')
    billed += batch.messages.length
    if (billed === ORDERS) void consumer.close()
  })
}
await bill().catch((error: unknown) => console.log(`aborted: ${String(error)}`))
await bill()

await using invoices = await client.topic('invoices').getSimpleConsumer({
  autoOffsetReset: 'earliest',
  isolationLevel: 'read_committed',
  stopAtEnd: true,
})
const seen: string[] = []
for await (const { value } of invoices) seen.push(String(value))
console.log(`${seen.length} invoices, ${new Set(seen).size} different ones`)
