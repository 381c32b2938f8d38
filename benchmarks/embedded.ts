/**
 * What an embedded cluster costs, in a process of its own:
 *
 *     npm run bench:embedded [-- messages]
 *
 * Rates are of one run on this machine, with whatever else runs on it; the broker's CPU time a message says
 * more. "raw" are requests that were made before, and responses that are not decoded: the broker alone. Memory
 * is what is in use after a collection, of what the process has taken from the system.
 */
import { fork } from 'node:child_process'
import { connect } from 'node:net'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fetch } from '../protocol/apis/fetch.ts'
import { produce } from '../protocol/apis/produce.ts'
import { encodeRequest } from '../protocol/headers.ts'
import { encodeBatch } from '../protocol/records/encode-batch.ts'
import { OutgoingRecord } from '../protocol/records/outgoing-record.ts'
import { EmbeddedCluster, type EmbeddedClusterOptions } from '../src/embedded/index.ts'
import { KafkaClient } from '../src/index.ts'
import { FrameReader } from '../src/network/frame-reader.ts'
import type { BrokerCost } from './embedded-broker.ts'

const MESSAGES = Number(process.argv[2] ?? 2_000_000)
const VALUE = Buffer.alloc(100, 'x')
/** How many raw requests are on their way at a time. */
const IN_FLIGHT = 4

class BrokerProcess implements AsyncDisposable {
  readonly #child
  hosts = ''

  private constructor(options: EmbeddedClusterOptions) {
    const script = new URL('./embedded-broker.ts', import.meta.url).pathname
    this.#child = fork(script, [JSON.stringify(options)], {
      execArgv: [...process.execArgv, '--expose-gc'],
    })
  }

  static async start(options: EmbeddedClusterOptions): Promise<BrokerProcess> {
    const broker = new BrokerProcess(options)
    broker.hosts = (await broker.#next()) as string
    return broker
  }

  get port(): number {
    return Number(this.hosts.split(':')[1])
  }

  async cost(): Promise<BrokerCost> {
    const next = this.#next()
    this.#child.send('cost')
    return (await next) as BrokerCost
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('exit', resolve))
    this.#child.disconnect()
    await ended
  }

  #next(): Promise<unknown> {
    return new Promise((resolve) => this.#child.once('message', resolve))
  }
}

/** Prints how long something took here, and what of it was the broker's CPU time. */
async function measured(
  name: string,
  broker: BrokerProcess,
  count: number,
  run: () => Promise<unknown>,
): Promise<void> {
  const before = await broker.cost()
  const ownBefore = process.cpuUsage()
  const startedAt = performance.now()
  await run()
  const tookMs = performance.now() - startedAt
  const own = process.cpuUsage(ownBefore)
  const after = await broker.cost()
  const perMessage = (cpuMs: number) => `${((cpuMs * 1000) / count).toFixed(3).padStart(8)} µs`
  console.log(
    `${name.padEnd(44)} ${Math.round((count * 1000) / tookMs)
      .toLocaleString('en')
      .padStart(11)} /s   CPU each: broker ${perMessage(after.cpuMs - before.cpuMs)}, ` +
      `client ${perMessage((own.user + own.system) / 1000)}   broker's memory ` +
      `${Math.round(after.heapBytes / 1e6)} of ${Math.round(after.rssBytes / 1e6)} MB`,
  )
}

function batch(count: number): Buffer {
  const now = Date.now()
  return encodeBatch(Array.from({ length: count }, () => new OutgoingRecord(null, VALUE, now)))
}

function produceFrame(records: Buffer, partitions: readonly number[]): Buffer {
  const partitionData = partitions.map((index) => ({ index, records }))
  const body = { acks: -1, timeoutMs: 10_000, topicData: [{ name: 't', partitionData }] }
  return Buffer.concat(encodeRequest(produce, 9, 1, 'bench', body))
}

function fetchFrame(offset: number, partitions: readonly number[]): Buffer {
  const body = {
    maxWaitMs: 0,
    minBytes: 0,
    maxBytes: 50_000_000,
    topics: [
      {
        topic: 't',
        partitions: partitions.map((partition) => ({
          partition,
          fetchOffset: BigInt(offset),
          partitionMaxBytes: 1_048_576,
        })),
      },
    ],
  }
  return Buffer.concat(encodeRequest(fetch, 12, 1, 'bench', body))
}

/** Sends this many requests, few at a time, and looks at nothing that comes back. */
function sendRaw(port: number, count: number, frameOf: (index: number) => Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    let sent = 0
    let answered = 0
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    const send = () => {
      if (sent < count) socket.write(frameOf(sent++))
    }
    const reader = new FrameReader(0x7fffffff, () => {
      answered++
      if (answered === count) {
        socket.destroy()
        resolve()
      } else send()
    })
    socket.on('data', (chunk) => reader.push(chunk))
    socket.on('error', reject)
    socket.on('connect', () => {
      for (let i = 0; i < IN_FLIGHT; i++) send()
    })
  })
}

async function starts(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'samsa-'))
  const cases: readonly [string, EmbeddedClusterOptions][] = [
    ['a broker', {}],
    ['three brokers, 100 partitions', { brokers: 3, topics: { t: { partitions: 100 } } }],
    ['a broker with a data folder', { dataDir: folder }],
    ['a broker, 1,000 partitions', { topics: { t: { partitions: 1_000 } } }],
  ]
  try {
    for (const [name, options] of cases) {
      const times: number[] = []
      for (let i = 0; i < 20; i++) {
        const startedAt = performance.now()
        await using kafka = await EmbeddedCluster.start(options)
        times.push(performance.now() - startedAt)
        await kafka.stop()
      }
      const [first] = times
      const median = times.sort((one, other) => one - other)[10]!
      console.log(
        `start of ${name.padEnd(35)} the first ${first!.toFixed(1)} ms, then ${median.toFixed(1)} ms`,
      )
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function rawTraffic(options: EmbeddedClusterOptions, name: string): Promise<void> {
  for (const perBatch of [150, 9_000]) {
    await using broker = await BrokerProcess.start({ topics: { t: {} }, ...options })
    const records = batch(perBatch)
    const frame = produceFrame(records, [0])
    const count = Math.ceil(MESSAGES / perBatch)
    const what = `${name}, batches of ${Math.round(records.length / 1000)} kB`
    await measured(`produce raw, ${what}`, broker, count * perBatch, () =>
      sendRaw(broker.port, count, () => frame),
    )
    // What one fetch of 1 MiB reads.
    const perFetch = Math.max(1, Math.floor(1_048_576 / records.length)) * perBatch
    const fetches = Math.floor((count * perBatch) / perFetch)
    await measured(`fetch raw, ${what}`, broker, fetches * perFetch, () =>
      sendRaw(broker.port, fetches, (index) => fetchFrame(index * perFetch, [0])),
    )
  }
}

async function ourClient(): Promise<void> {
  await using broker = await BrokerProcess.start({ topics: { t: { partitions: 3 } } })
  await using client = new KafkaClient({ hosts: broker.hosts })
  const topic = client.topic('t')
  await using producer = await topic.getProducer({ lingerMs: 5 })
  await measured('produce with our producer, 3 partitions', broker, MESSAGES, async () => {
    for (let i = 0; i < MESSAGES; i++) {
      void producer.produce(VALUE)
      if (i % 1_000 === 0) await producer.ready()
    }
    await producer.flush()
  })
  await using consumer = await topic.getSimpleConsumer({
    autoOffsetReset: 'earliest',
    stopAtEnd: true,
  })
  await measured('consume with our consumer, 3 partitions', broker, MESSAGES, async () => {
    let bytes = 0
    for await (const { value } of consumer) bytes += value!.length
    if (bytes !== MESSAGES * VALUE.length) throw new Error(`${bytes} bytes came back`)
  })
}

async function manyPartitions(): Promise<void> {
  const partitions = Array.from({ length: 1_000 }, (_, index) => index)
  await using broker = await BrokerProcess.start({ topics: { t: { partitions: 1_000 } } })
  const rounds = 300
  const frame = produceFrame(batch(1), partitions)
  await measured('produce raw, 1 message to 1,000 partitions', broker, rounds * 1_000, () =>
    sendRaw(broker.port, rounds, () => frame),
  )
  const empty = fetchFrame(rounds, partitions)
  await measured('fetch raw, nothing new in 1,000 partitions', broker, rounds * 1_000, () =>
    sendRaw(broker.port, rounds, () => empty),
  )
}

await starts()
await ourClient()
await rawTraffic({}, 'memory')
const folder = mkdtempSync(join(tmpdir(), 'samsa-'))
try {
  await rawTraffic({ dataDir: folder }, 'data folder')
} finally {
  rmSync(folder, { recursive: true, force: true })
}
await manyPartitions()
