/**
 * Loses its connections again and again, and prints what that leaves behind.
 * Arguments: the broker's port, a topic, the number of times.
 */
import { KafkaClient } from '../../../src/index.ts'
import { Proxy } from '../proxy.ts'

const [port = '', topic = '', times = ''] = process.argv.slice(2)

const proxy = await Proxy.start(Number(port))
const client = new KafkaClient({
  hosts: proxy.name,
  retryBackoffMs: 1,
  retryBackoffMaxMs: 1,
  reconnectBackoffMs: 1,
  reconnectBackoffMaxMs: 1,
})
const producer = await client.topic(topic).getProducer()
const consumer = await client.topic(topic).getSimpleConsumer({ fetchWaitMaxMs: 50 })

async function reconnect(count: number): Promise<void> {
  for (let done = 0; done < count; done++) {
    proxy.dropConnections(done % 2 === 0 ? 'end' : 'reset')
    await producer.produce('again')
    await consumer.consume()
  }
}

async function heapAndHandles(): Promise<{ heap: number; handles: number }> {
  // What is about to end does so meanwhile.
  await new Promise((resolve) => setTimeout(resolve, 300))
  global.gc?.()
  global.gc?.()
  return { heap: process.memoryUsage().heapUsed, handles: process.getActiveResourcesInfo().length }
}

// As often before as while it is measured: code is compiled, and pools filled, meanwhile.
await reconnect(Number(times))
const before = await heapAndHandles()
const connectionsBefore = proxy.connectionCount
await reconnect(Number(times))
const after = await heapAndHandles()
const connections = proxy.connectionCount - connectionsBefore
await client.close()
await proxy[Symbol.asyncDispose]()
console.log(
  JSON.stringify({
    connections,
    heapBefore: before.heap,
    heapAfter: after.heap,
    handlesBefore: before.handles,
    handlesAfter: after.handles,
    closedAt: Date.now(),
  }),
)
