/**
 * Loses its connections again and again, and prints what that leaves behind.
 * Arguments: the broker's port, a topic, the number of times.
 */
import { KafkaClient } from '../../../src/index.ts'
import { PATIENCE_MS } from '../patience.ts'
import { Proxy } from '../proxy.ts'

const [port = '', topic = '', times = ''] = process.argv.slice(2)

const handles = () => process.getActiveResourcesInfo().length
const atStart = handles()
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

/** Waits until no more than this many handles are left, as what is about to end needs time on a busy machine. */
async function heapAndHandles(most: number): Promise<{ heap: number; handles: number }> {
  const end = performance.now() + PATIENCE_MS / 10
  do await new Promise((resolve) => setTimeout(resolve, 300))
  while (handles() > most && performance.now() < end)
  global.gc?.()
  global.gc?.()
  return { heap: process.memoryUsage().heapUsed, handles: handles() }
}

// As often before as while it is measured: code is compiled, and pools filled, meanwhile.
await reconnect(Number(times))
const before = await heapAndHandles(Infinity)
const connectionsBefore = proxy.connectionCount
await reconnect(Number(times))
const after = await heapAndHandles(before.handles)
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
    leftOpen: (await heapAndHandles(atStart)).handles - atStart,
  }),
)
