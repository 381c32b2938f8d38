/**
 * What a message costs a consumer, by the way it is read: one process reads, an embedded broker in another serves.
 * The ways take turns, so that what else the machine does falls on all of them; the median of the rounds is told.
 * CPU is that of the reading process, garbage collection included. `npm run bench` compares with other clients.
 *
 *   npm run bench:consume [-- MESSAGES [VALUE_BYTES [COMPRESSION]]]
 *
 * With BROKERS=host:port it reads from a broker that runs already.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import {
  KafkaClient,
  type Compression,
  type SimpleConsumer,
  type SimpleConsumerOptions,
} from '../src/index.ts'

const MESSAGES = Number(process.argv[2] ?? 1_000_000)
const VALUE_BYTES = Number(process.argv[3] ?? 100)
const COMPRESSION = (process.argv[4] ?? 'none') as Compression
const PARTITIONS = 4
const ROUNDS = 5

interface Way {
  readonly name: string
  /** Reads all there is and touches every value; returns how many messages that were. */
  readonly read: (consumer: SimpleConsumer) => Promise<number>
  readonly options?: SimpleConsumerOptions
}

let touched = 0

async function readBatches(consumer: SimpleConsumer): Promise<number> {
  let count = 0
  for await (const batch of consumer.batches()) {
    for (const { value } of batch) touched += value?.length ?? 0
    count += batch.length
  }
  return count
}

const WAYS: readonly Way[] = [
  { name: 'batches()', read: readBatches },
  { name: 'the same, reuseMemory', read: readBatches, options: { reuseMemory: true } },
  {
    name: 'for await',
    async read(consumer) {
      let count = 0
      for await (const { value } of consumer) {
        touched += value?.length ?? 0
        count++
      }
      return count
    },
  },
  {
    name: 'run()',
    async read(consumer) {
      let count = 0
      await consumer.run(({ value }) => {
        touched += value?.length ?? 0
        count++
      })
      return count
    },
  },
  {
    name: 'run() by key, 10',
    async read(consumer) {
      let count = 0
      const handle = async ({ value }: { readonly value: Buffer | null }) => {
        await Promise.resolve()
        touched += value?.length ?? 0
        count++
      }
      await consumer.run(handle, { concurrency: 10, orderBy: 'key' })
      return count
    },
  },
  {
    name: 'stream()',
    async read(consumer) {
      let count = 0
      for await (const message of consumer.stream()) {
        touched += (message as { value: Buffer }).value.length
        count++
      }
      return count
    },
  },
]

interface Figures {
  readonly microseconds: number
  readonly perSecond: number
}

async function measured({ read, options }: Way, hosts: string, topic: string): Promise<Figures> {
  await using client = new KafkaClient({ hosts })
  const consumer = await client.topic(topic).getSimpleConsumer({ stopAtEnd: true, ...options })
  const before = process.cpuUsage()
  const startedAt = performance.now()
  const count = await read(consumer)
  const seconds = (performance.now() - startedAt) / 1_000
  const { user, system } = process.cpuUsage(before)
  if (count !== MESSAGES) throw new Error(`${count} messages were read, not ${MESSAGES}`)
  return { microseconds: (user + system) / count, perSecond: count / seconds }
}

async function fill(hosts: string, topic: string): Promise<void> {
  await using client = new KafkaClient({ hosts })
  const options = { lingerMs: 5, compression: COMPRESSION, requiredAcks: 1 } as const
  const producer = await client.topic(topic).getProducer(options)
  // A broker that creates the topic has its own mind about how many there are.
  const { length: partitions } = await client.topic(topic).partitions()
  const value = Buffer.alloc(VALUE_BYTES, 'value ')
  for (let i = 0; i < MESSAGES; i++) {
    if (i % 100 === 0) await producer.ready()
    void producer.produce(value, { partition: (i >> 9) % partitions })
  }
  await producer.flush()
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN
}

async function compare(hosts: string, topic: string): Promise<void> {
  await fill(hosts, topic)
  const figures = new Map<Way, Figures[]>(WAYS.map((way) => [way, []]))
  for (let round = -1; round < ROUNDS; round++) {
    for (const way of WAYS) {
      const one = await measured(way, hosts, topic)
      if (round >= 0) figures.get(way)!.push(one) // The first is for the compiler.
    }
  }
  console.log(
    `${MESSAGES} messages of ${VALUE_BYTES} bytes, ${COMPRESSION}, Node ${process.version}`,
  )
  for (const [{ name }, all] of figures) {
    const microseconds = median(all.map((one) => one.microseconds))
    const perSecond = median(all.map((one) => one.perSecond))
    const megabytes = (perSecond * VALUE_BYTES) / 1e6
    const rate = `${(perSecond / 1e6).toFixed(2)} M/s, ${megabytes.toFixed(0)} MB/s`
    console.log(`${name.padEnd(21)} ${microseconds.toFixed(3)} µs of CPU a message, ${rate}`)
  }
}

const given = process.env['BROKERS']
const topic = `consume-${Date.now()}`
if (given === undefined) {
  const script = new URL('./embedded-broker.ts', import.meta.url).pathname
  const options = { topics: { [topic]: { partitions: PARTITIONS } } }
  const broker = fork(script, [JSON.stringify(options)], { execArgv: process.execArgv })
  const [hosts] = (await once(broker, 'message')) as [string]
  await compare(hosts, topic)
  broker.disconnect()
} else {
  await compare(given, topic)
}
if (touched === 0) throw new Error('nothing was touched')
