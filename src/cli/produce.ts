import { setTimeout as delay } from 'node:timers/promises'
import {
  InvalidArgumentError,
  KafkaClient,
  type Compression,
  type Producer,
  type Topic,
} from '../index.ts'
import { Interrupt } from './interrupt.ts'
import { LineSplitter, splitKey } from './lines.ts'
import { Progress } from './progress.ts'

export interface ProduceCommandOptions {
  readonly brokers: string
  readonly keySeparator?: string
  readonly compression: Compression
  readonly acks: -1 | 0 | 1
  readonly partition?: number
  readonly maxMessageBytes: number
}

/** Small, so that memory stays flat with millions of short lines, which take many times their bytes. */
const MAX_QUEUED_BYTES = 8 * 1024 * 1024
/** Lines that come together go together. */
const LINGER_MS = 5
/** What a record takes beside its key and value counts towards the producer's limit, too. */
const RECORD_OVERHEAD_BYTES = 64
const FLUSH_AFTER_INTERRUPT_MS = 5_000

/** Sends each line of standard input as a message. */
export async function produceCommand(name: string, options: ProduceCommandOptions): Promise<void> {
  await using client = new KafkaClient({ hosts: options.brokers, clientId: 'samsa-cli' })
  const topic = client.topic(name)
  const producer = await topic.getProducer({
    compression: options.compression,
    requiredAcks: options.acks,
    maxRequestSize: options.maxMessageBytes + RECORD_OVERHEAD_BYTES,
    maxQueuedBytes: Math.max(MAX_QUEUED_BYTES, options.maxMessageBytes),
    lingerMs: LINGER_MS,
  })
  if (options.partition !== undefined) await checkPartition(topic, options.partition)
  using interrupt = new Interrupt()
  const isWatched = process.stderr.isTTY && !process.stdin.isTTY
  using progress = new Progress('sent', isWatched ? process.stderr : undefined)
  const sending = sendLines(producer, options, progress, interrupt.signal)
  // Awaited below, unless Ctrl-C comes first.
  sending.catch(() => undefined)
  await Promise.race([sending, interrupt.happened])
  if (interrupt.exitCode === undefined) await producer.close()
  else await endInterrupted(producer, interrupt.exitCode)
}

/** A producer would wait for the partition to be added, for as long as a delivery may take. */
async function checkPartition(topic: Topic, partition: number): Promise<void> {
  const numbers = (await topic.partitions()).map((one) => one.partition)
  if (numbers.includes(partition)) return
  const last = Math.max(...numbers)
  throw new InvalidArgumentError(
    `topic '${topic.name}' has no partition ${partition}: its partitions are 0 to ${last}`,
  )
}

/** Resolves when all of standard input is queued, or a message has failed: `close` throws why. */
async function sendLines(
  producer: Producer,
  options: ProduceCommandOptions,
  progress: Progress,
  signal: AbortSignal,
): Promise<void> {
  const lines = new LineSplitter(options.maxMessageBytes)
  const separator =
    options.keySeparator === undefined ? undefined : Buffer.from(options.keySeparator)
  const where = options.partition === undefined ? {} : { partition: options.partition }
  const send = (line: Buffer): void => {
    const { key, value } =
      separator === undefined ? { key: null, value: line } : splitKey(line, separator)
    void producer.produce(value, { key, ...where })
    progress.add(line.length)
  }
  const input = process.stdin
  const stopReading = () => input.destroy()
  signal.addEventListener('abort', stopReading)
  try {
    for await (const chunk of input as AsyncIterable<Buffer>) {
      for (const line of lines.push(chunk)) send(line)
      if (producer.failedMessages > 0) return
      await producer.ready()
    }
  } catch (error) {
    // The lines before it are on their way and arrive all the same.
    await producer.flush()
    throw error
  } finally {
    signal.removeEventListener('abort', stopReading)
  }
  const last = lines.finish()
  if (last !== undefined) send(last)
}

async function endInterrupted(producer: Producer, exitCode: number): Promise<void> {
  process.exitCode = exitCode
  const closed = producer.close().then(() => true)
  closed.catch(() => undefined)
  const isDone = await Promise.race([
    closed,
    delay(FLUSH_AFTER_INTERRUPT_MS, false, { ref: false }),
  ])
  if (isDone) return
  // Nobody can stop the attempts that are under way, so they end with the process.
  const reason = `interrupted; ${producer.queuedMessages} messages were not acknowledged in ${FLUSH_AFTER_INTERRUPT_MS / 1000} s`
  process.stderr.write(`samsa: ${reason}\n`, () => process.exit(exitCode))
}
