/**
 * Keeps a client with a producer and a consumer of one partition open and does nothing, and prints what
 * that costs. Arguments: hosts, a topic, how long to warm up and how long to measure in milliseconds.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { KafkaClient } from '../../../src/index.ts'

const [hosts = '', topic = '', warmUpMs = '', measureMs = ''] = process.argv.slice(2)

/** In percent of a processor, after the warm-up. */
async function cpuOf(): Promise<number> {
  await sleep(Number(warmUpMs))
  const startedAt = performance.now()
  const before = process.cpuUsage()
  await sleep(Number(measureMs))
  const { user, system } = process.cpuUsage(before)
  return ((user + system) / 1_000 / (performance.now() - startedAt)) * 100
}

async function idleClient(): Promise<number> {
  await using client = new KafkaClient({ hosts })
  const producer = await client.topic(topic).getProducer()
  await producer.produce('the last one for long')
  const consumer = await client.topic(topic).getSimpleConsumer({ partitions: [0] })
  const waiting = consumer.consume({ timeoutMs: Number(warmUpMs) + Number(measureMs) })
  const percent = await cpuOf()
  await waiting
  return percent
}

const cpuPercent = await idleClient()
console.log(JSON.stringify({ cpuPercent, closedAt: Date.now() }))
