/**
 * Keeps a client with a producer and a consumer of one partition open and does nothing, and prints what
 * that costs. Beside it the floor: what a byte to a bare socket and back costs on this machine, as often as
 * the consumer polls. Arguments: hosts, a topic, the port of a server that echoes, how long to warm up and
 * how long to measure in milliseconds.
 */
import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { KafkaClient } from '../../../src/index.ts'

const [hosts = '', topic = '', echoPort = '', warmUpMs = '', measureMs = ''] = process.argv.slice(2)
const POLL_MS = 500

/** In percent of a processor, after the warm-up. */
async function cpuOf(): Promise<number> {
  await sleep(Number(warmUpMs))
  const startedAt = performance.now()
  const before = process.cpuUsage()
  await sleep(Number(measureMs))
  const { user, system } = process.cpuUsage(before)
  return ((user + system) / 1_000 / (performance.now() - startedAt)) * 100
}

async function floor(): Promise<number> {
  const socket = connect({ port: Number(echoPort), host: '127.0.0.1', noDelay: true })
  await once(socket, 'connect')
  socket.on('data', () => setTimeout(() => socket.write('.'), POLL_MS))
  socket.write('.')
  const percent = await cpuOf()
  socket.removeAllListeners('data')
  socket.destroy()
  return percent
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

const floorPercent = await floor()
const cpuPercent = await idleClient()
console.log(JSON.stringify({ cpuPercent, floorPercent, closedAt: Date.now() }))
