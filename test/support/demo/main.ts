/**
 * What `npm start` runs: this repository's own lines go to a Kafka over TCP and come back, and both sides'
 * SHA-256 must be the same. It is an embedded one, so that nothing need be installed;
 * `npm start -- --brokers HOST:PORT` uses a real cluster.
 */
import { Command } from 'commander'
import { EmbeddedCluster } from '../../../src/embedded/index.ts'
import { KafkaClient } from '../../../src/index.ts'
import { messageOf } from '../kafka/wait.ts'
import { readSources } from './sources.ts'
import { receiveLines, sendLines } from './traffic.ts'
import { Tally } from './tally.ts'
import { View } from './view.ts'

const SEND_FOR_MS = 5_000
/** From the last line sent to the last one received. */
const CATCH_UP_MS = 10_000
const PARTITIONS = 3

interface Place extends AsyncDisposable {
  readonly hosts: string
  readonly topic: string
}

async function place(brokers: string | undefined): Promise<Place> {
  const topic = `samsa-demo-${Date.now()}`
  if (brokers !== undefined) {
    return {
      hosts: brokers,
      // The cluster makes it when it is first produced to, with as many partitions as it likes.
      topic,
      [Symbol.asyncDispose]: () => Promise.resolve(),
    }
  }
  const startedAt = performance.now()
  const kafka = await EmbeddedCluster.start({ topics: { [topic]: { partitions: PARTITIONS } } })
  console.log(
    `A Kafka in this process, for this demo alone, answers at ${kafka.hosts} after ` +
      `${(performance.now() - startedAt).toFixed(0)} ms.`,
  )
  return { hosts: kafka.hosts, topic, [Symbol.asyncDispose]: () => kafka.stop() }
}

async function demo(brokers: string | undefined, interrupted: AbortSignal): Promise<boolean> {
  await using where = await place(brokers)
  await using client = new KafkaClient({ hosts: where.hosts })
  const topic = client.topic(where.topic)
  await using producer = await topic.getProducer({ compression: 'lz4', lingerMs: 5 })
  await using consumer = await topic.getSimpleConsumer({ autoOffsetReset: 'earliest' })
  const partitions = (await topic.partitions()).map(({ partition }) => partition)
  const sources = await readSources()
  console.log(
    `Sending the ${sources.lines.length.toLocaleString('en')} lines of the ${sources.files} ` +
      `TypeScript files here, again and again for ${seconds(SEND_FOR_MS)},\nto topic ${topic.name}, ` +
      `and receiving them at the same time.\n`,
  )
  const sent = new Tally(partitions)
  const received = new Tally(partitions)
  {
    using view = new View(sent, received, process.stdout)
    const sendUntil = performance.now() + SEND_FOR_MS
    const isOver = () => interrupted.aborted || performance.now() >= sendUntil
    const receiving = receiveLines(consumer, received, view.signal)
    receiving.catch(() => undefined)
    await sendLines(producer, sources.lines, partitions, sent, isOver)
    view.expect(sent.messages, interrupted, CATCH_UP_MS)
    await receiving
  }
  interrupted.throwIfAborted()
  return isSame(sent, received)
}

function isSame(sent: Tally, received: Tally): boolean {
  const [ours, theirs] = [sent.digest(), received.digest()]
  console.log(`\nSHA-256 of what was sent      ${ours}`)
  console.log(`SHA-256 of what was received  ${theirs}`)
  const count = sent.messages.toLocaleString('en')
  console.log(
    ours === theirs
      ? `The same: all ${count} messages came back, byte for byte, in order in each partition.`
      : `NOT the same: ${received.messages.toLocaleString('en')} of ${count} messages came back.`,
  )
  return ours === theirs
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1).replace(/\.0$/, '')} s`
}

async function main(): Promise<void> {
  const { brokers } = new Command('npm start --')
    .description('Sends real lines to a Kafka and checks that they come back the same')
    .option(
      '--brokers <list>',
      'a real cluster, as host:port with commas between; default: an embedded one',
    )
    .parse()
    .opts<{ brokers?: string }>()
  const interruption = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.once(name, () => interruption.abort(new Error('Interrupted')))
  }
  try {
    if (!(await demo(brokers, interruption.signal))) process.exitCode = 1
  } catch (error) {
    console.error(`\n${messageOf(error)}`)
    process.exitCode = interruption.signal.aborted ? 130 : 1
  }
}

void main()
