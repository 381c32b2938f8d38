/**
 * Opens and closes clients in a process of its own, each with another client id, topic and group, while everything
 * observes them and the exporters fail. Prints how much the heap grows for each client, and the largest number of
 * series of the last client:
 *
 *   node --expose-gc --import tsx growth.ts HOSTS
 */
import { BasicTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { subscribe } from 'node:diagnostics_channel'
import { Registry } from 'prom-client'
import { KafkaClient } from '../../../src/index.ts'
import { SamsaInstrumentation } from '../../../src/opentelemetry/index.ts'
import { collect, metricsText } from '../../../src/prometheus/index.ts'

const ROUNDS = 25
const [hosts = ''] = process.argv.slice(2)

const broken = () => {
  throw new Error('broken')
}
const done = () => Promise.resolve()
const exporter = { export: broken, forceFlush: done, shutdown: done }
const instrumentation = new SamsaInstrumentation({ enabled: false })
instrumentation.setTracerProvider(
  new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }),
)
instrumentation.enable()
let events = 0
for (const name of ['request', 'delivery', 'process', 'fetch', 'commit', 'close']) {
  subscribe(`samsa:${name}`, () => {
    events++
  })
}
const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }

async function useClient(name: string): Promise<void> {
  const client = new KafkaClient({ hosts, clientId: name, logger: silent })
  const stop = collect(new Registry(), client)
  const producer = await client.topic(name).getProducer()
  await producer.produceMany(['a', 'b', 'c'])
  const consumer = await client.topic(name).getSimpleConsumer({
    autoOffsetReset: 'earliest',
    stopAtEnd: true,
    consumerGroup: name,
  })
  await consumer.run(() => undefined)
  await consumer.commitOffsets()
  client.health()
  metricsText(client)
  stop()
  await client.close()
}

async function useClients(from: number): Promise<number> {
  for (let i = from; i < from + ROUNDS; i++) await useClient(`name-${i}`)
  // Timers and sockets of closed clients end in the next turns.
  for (let turn = 0; turn < 10; turn++) {
    await new Promise((resolve) => setImmediate(resolve))
    globalThis.gc!()
  }
  return process.memoryUsage().heapUsed
}

await useClients(0)
const before = await useClients(ROUNDS)
const after = await useClients(2 * ROUNDS)
process.stdout.write(JSON.stringify({ grownBytes: (after - before) / ROUNDS, events }))
