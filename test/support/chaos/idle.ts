/**
 * Keeps a client with a producer and a consumer of one partition open and does nothing; then asks as often by a bare
 * socket. Prints what each costs in milliseconds of a processor, and how many requests the client made.
 * Arguments: hosts, a topic, how long to warm up and how long to measure in milliseconds.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { setTimeout as sleep } from 'node:timers/promises'
import { KafkaClient } from '../../../src/index.ts'
import { requestChannel } from '../../../src/observe/channels.ts'
import { FrameSocket } from '../kafka/frame-socket.ts'
import { PATIENCE_MS } from '../patience.ts'

const [hosts = '', topic = '', warmUpMs = '', measureMs = ''] = process.argv.slice(2)
/** How long a broker waits for messages before it answers a Fetch request. */
const FETCH_WAIT_MS = 100
/** ApiVersions v0 with correlation id 0 and without a client id. */
const QUESTION = Buffer.from('00120000' + '00000000' + 'ffff', 'hex')

interface Cost {
  readonly cpuMs: number
  readonly tookMs: number
}

async function costOf(work: () => Promise<unknown>): Promise<Cost> {
  const startedAt = performance.now()
  const before = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(before)
  return { cpuMs: (user + system) / 1_000, tookMs: performance.now() - startedAt }
}

async function idleClient(): Promise<Cost & { readonly requests: number }> {
  await using client = new KafkaClient({ hosts })
  const producer = await client.topic(topic).getProducer()
  await producer.produce('the last one for long')
  const options = { partitions: [0], fetchWaitMaxMs: FETCH_WAIT_MS }
  const consumer = await client.topic(topic).getSimpleConsumer(options)
  const waiting = consumer.consume({ timeoutMs: Number(warmUpMs) + Number(measureMs) })
  await sleep(Number(warmUpMs))
  let requests = 0
  const count = () => {
    requests++
  }
  subscribe(requestChannel.name, count)
  const cost = await costOf(() => sleep(Number(measureMs)))
  unsubscribe(requestChannel.name, count)
  await waiting
  return { ...cost, requests }
}

async function bareSocket(questions: number): Promise<Cost> {
  using socket = await FrameSocket.open(Number(hosts.split(':')[1]), PATIENCE_MS)
  return await costOf(async () => {
    for (let asked = 0; asked < questions; asked++) {
      await sleep(FETCH_WAIT_MS)
      await socket.ask(QUESTION)
    }
  })
}

const { cpuMs, tookMs, requests } = await idleClient()
const { cpuMs: bareCpuMs } = await bareSocket(requests)
const longPolls = tookMs / FETCH_WAIT_MS
console.log(JSON.stringify({ cpuMs, bareCpuMs, requests, longPolls }))
