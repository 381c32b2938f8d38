/**
 * What `npm start` runs: this repository's own lines go through a real broker and come back, and both
 * sides' SHA-256 must be the same. `npm start -- --brokers HOST:PORT` uses a cluster that runs already.
 */
import { Command } from 'commander'
import { KafkaClient } from '../../../src/index.ts'
import { startKafka } from '../kafka/cluster.ts'
import { javaAvailable } from '../kafka/java.ts'
import { messageOf } from '../kafka/wait.ts'
import { NEWEST_KAFKA } from '../kafka/versions.ts'
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
  createTopic(name: string): Promise<void>
}

async function place(brokers: string | undefined, signal: AbortSignal): Promise<Place> {
  if (brokers !== undefined) {
    return {
      hosts: brokers,
      // The cluster makes it when it is first produced to, with as many partitions as it likes.
      createTopic: () => Promise.resolve(),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    }
  }
  if (javaAvailable() === undefined) {
    throw new Error(
      'Java 17 or newer is missing, which the broker needs. Install it, or use a cluster that runs ' +
        'already: npm start -- --brokers HOST:PORT',
    )
  }
  const startedAt = performance.now()
  console.log(`Starting Apache Kafka ${NEWEST_KAFKA}, for this demo alone …`)
  const kafka = await startKafka({ version: NEWEST_KAFKA, signal })
  console.log(`It answers at ${kafka.hosts} after ${seconds(performance.now() - startedAt)}.`)
  return {
    hosts: kafka.hosts,
    createTopic: (name) => kafka.createTopic(name, { partitions: PARTITIONS }),
    [Symbol.asyncDispose]: () => kafka[Symbol.asyncDispose](),
  }
}

async function demo(brokers: string | undefined, interrupted: AbortSignal): Promise<boolean> {
  await using where = await place(brokers, interrupted)
  await using client = new KafkaClient({ hosts: where.hosts })
  const topic = client.topic(`samsa-demo-${Date.now()}`)
  await where.createTopic(topic.name)
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
    .description('Sends real lines through a real broker and checks that they come back the same')
    .option('--brokers <list>', 'a cluster that runs already, as host:port with commas between')
    .parse()
    .opts<{ brokers?: string }>()
  const interruption = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.once(name, () => interruption.abort(new Error('Interrupted: the broker is stopped')))
  }
  try {
    if (!(await demo(brokers, interruption.signal))) process.exitCode = 1
  } catch (error) {
    console.error(`\n${messageOf(error)}`)
    process.exitCode = interruption.signal.aborted ? 130 : 1
  }
}

void main()
