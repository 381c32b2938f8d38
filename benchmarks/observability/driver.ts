/**
 * A client in a process of its own, forked with the arguments DIST MODE SWITCHED. It warms up, sends `ready`, and then
 * does each part that it is sent, with what is switched on or off, and answers with the CPU time in microseconds.
 */
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import type { KafkaClient, Producer, SimpleConsumer } from '../../src/index.ts'
import type { Part } from './contestant.ts'
import { MemoryBroker } from './memory-broker.ts'
import type { Mode, Switched } from './modes.ts'
import { switchFor } from './switches.ts'

const [dist = '', mode, switched] = process.argv.slice(2)
/** So long that all is compiled before the measurement, with what is switched on and off. */
const WARM_UP_MS = 2_500
const WARM_UP_MESSAGES = switched === 'messages' ? 20_000 : 200_000
/** Turns of the event loop in which a client ends what it has begun, such as reading ahead. */
const TURNS_AFTER = 10
/** The broker serves the last batch of each partition of these again and again. */
const SERVED_AGAIN = 100_000
const TOPIC = 'observed'
const VALUE = Buffer.alloc(100, 'x')

async function produce(producer: Producer, messages: number): Promise<void> {
  for (let sent = 0; sent < messages; sent++) {
    if (!producer.hasRoom) await producer.ready()
    void producer.produce(VALUE)
  }
  await producer.flush()
}

let read = 0
const touch = ({ value }: { readonly value: Buffer | null }) => {
  read += value?.length ?? 0
}

async function consume(consumer: SimpleConsumer, how: Mode, messages: number): Promise<void> {
  let seen = 0
  const stop = new Error('all messages are read')
  const untilStop = (reading: Promise<void>) =>
    reading.catch((error: unknown) => {
      if (error !== stop) throw error
    })
  switch (how) {
    case 'iterate':
      for await (const message of consumer) {
        touch(message)
        if (++seen === messages) return
      }
      return
    case 'batches':
      for await (const batch of consumer.batches()) {
        for (const message of batch) touch(message)
        seen += batch.length
        if (seen >= messages) return
      }
      return
    case 'run':
      return untilStop(
        consumer.run((message) => {
          touch(message)
          if (++seen === messages) throw stop
        }),
      )
    case 'runBatches':
      return untilStop(
        consumer.runBatches((batch) => {
          for (const message of batch) touch(message)
          seen += batch.length
          if (seen >= messages) throw stop
        }),
      )
    case 'produce':
      throw new Error('a consumer does not produce')
  }
}

async function workOf(
  client: KafkaClient,
  how: Mode,
): Promise<(messages: number) => Promise<void>> {
  const topic = client.topic(TOPIC)
  if (how === 'produce') {
    const producer = await topic.getProducer()
    return (messages) => produce(producer, messages)
  }
  await produce(await topic.getProducer(), SERVED_AGAIN)
  const consumer = await topic.getSimpleConsumer({ autoOffsetReset: 'earliest' })
  return (messages) => consume(consumer, how, messages)
}

const samsa = (await import(pathToFileURL(join(dist, 'index.js')).href)) as {
  KafkaClient: typeof KafkaClient
}
const client = new samsa.KafkaClient({
  hosts: '127.0.0.1:9092',
  clientId: 'cost',
  socketFactory: () => new MemoryBroker(),
})
const { on, exported, off } = await switchFor(switched as Switched, client, dist)
const work = await workOf(client, mode as Mode)

async function cpuOf({ messages, isOn }: Part): Promise<number> {
  if (isOn) await on()
  const before = process.cpuUsage()
  await work(messages)
  if (isOn) await exported()
  for (let turn = 0; turn < TURNS_AFTER; turn++) await setImmediate()
  const { user, system } = process.cpuUsage(before)
  if (isOn) await off()
  return user + system
}

await off()
const endOfWarmUp = performance.now() + WARM_UP_MS
for (let part = 0; performance.now() < endOfWarmUp; part++) {
  await cpuOf({ messages: WARM_UP_MESSAGES, isOn: part % 2 === 1 })
}
if (mode !== 'produce' && read === 0) throw new Error('nothing was read')
process.on('message', (part: Part) => void cpuOf(part).then((cpu) => process.send!(cpu)))
process.on('disconnect', () => process.exit(0))
process.send!('ready')
