import { Option, type Command } from 'commander'
import { createReadStream, createWriteStream } from 'node:fs'
import type { Readable, Writable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import type { Compression, ProduceOptions, Producer, Topic } from '../../index.ts'
import { Progress } from '../../terminal/progress.ts'
import { append, bytes, declare, filled, option, positive, wholeNumber } from '../command.ts'
import { UsageError } from '../failure.ts'
import { unescaped } from '../format.ts'
import { LineSplitter, splitKey } from '../lines.ts'
import { recordOf } from '../records.ts'
import { keyAndValue, type Session } from '../session.ts'

interface ProduceCommandOptions {
  readonly keySeparator?: string
  readonly key?: string
  readonly header?: readonly string[]
  readonly compression: Compression
  readonly acks: -1 | 0 | 1
  readonly partition?: number
  readonly maxMessageBytes: number
  readonly json?: boolean
  readonly null?: boolean
  readonly delimiter?: string
  readonly file?: string
  readonly tee?: boolean
  readonly count?: number
  readonly rate?: number
}

/** Small, so that memory stays flat with millions of short lines, which take many times their bytes. */
const MAX_QUEUED_BYTES = 8 * 1024 * 1024
/** Lines that come together go together. */
const LINGER_MS = 5
/** What a record takes beside its key and value counts towards the producer's limit, too. */
const RECORD_OVERHEAD_BYTES = 64
const FLUSH_AFTER_INTERRUPT_MS = 5_000

/** Adds `samsa produce`. */
export function produceCommand(samsa: Command): void {
  declare<ProduceCommandOptions>(samsa, {
    name: 'produce <topic>',
    summary: 'send each line of standard input as a message',
    arguments: {
      topic: 'topic to write to; brokers with auto-creation enabled create it if it is missing',
    },
    options: [
      option(
        '-K, --key-separator <sep>',
        'key and value are separated by the first SEP of a line; \\t is a tab',
      ).argParser(filled),
      option('-k, --key <key>', 'key of every message'),
      option('-H, --header <key=value>', 'header of every message; can be repeated').argParser(
        append,
      ),
      new Option('-z, --compression <codec>', 'compression codec for batches')
        .choices(['none', 'gzip', 'snappy', 'lz4', 'zstd'])
        .default('none'),
      new Option(
        '--acks <acks>',
        'acknowledgements required: 0, 1 (leader) or all (in-sync replicas)',
      )
        .argParser(acks)
        .default(-1, 'all'),
      option('-p, --partition <number>', 'write every message to this partition').argParser(
        wholeNumber,
      ),
      option(
        '-J, --json',
        'each line is a JSON object with key, value, headers, partition and timestamp',
      ),
      option('-Z, --null', 'send empty keys and values as null'),
      option('-D, --delimiter <byte>', 'byte that ends a message').default(undefined, '\\n'),
      option('-l, --file <path>', 'file to read instead of standard input'),
      option('-T, --tee', 'copy the input to standard output'),
      option('-n, --count <count>', 'maximum number of messages to send').argParser(positive),
      option('--rate <messages>', 'maximum number of messages per second').argParser(positive),
      option('--max-message-bytes <bytes>', 'maximum length of a line')
        .argParser(bytes)
        .default(1_000_000),
    ],
    has: ['connection'],
    examples: [
      'cat access.log | samsa produce page-views',
      "printf 'user-1:signed in\\n' | samsa produce -K : events",
      'samsa produce --compression zstd --brokers kafka1:9092,kafka2:9092 lines < lines.txt',
      'samsa consume page-views --from-beginning --exit --json | samsa produce page-views-copy --json',
    ],
    run: produce,
  })
}

async function produce(
  session: Session,
  [name]: readonly string[],
  options: ProduceCommandOptions,
): Promise<void> {
  const client = await session.client()
  const topic = client.topic(name!)
  const producer = await topic.getProducer({
    compression: options.compression,
    requiredAcks: options.acks,
    maxRequestSize: options.maxMessageBytes + RECORD_OVERHEAD_BYTES,
    maxQueuedBytes: Math.max(MAX_QUEUED_BYTES, options.maxMessageBytes),
    lingerMs: LINGER_MS,
  })
  if (options.partition !== undefined) await checkPartition(topic, options.partition)
  const { interrupt } = session
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
  throw new UsageError(
    `topic '${topic.name}' has no partition ${partition}: its partitions are 0 to ${last}`,
  )
}

/** Resolves when all of the input is queued, or a message has failed: `close` throws why. */
async function sendLines(
  producer: Producer,
  options: ProduceCommandOptions,
  progress: Progress,
  signal: AbortSignal,
): Promise<void> {
  const { count = Infinity, rate, tee = false } = options
  const lines = new LineSplitter(options.maxMessageBytes, delimiterOf(options.delimiter))
  const toRecord = recordMaker(options)
  const input: Readable =
    options.file === undefined ? process.stdin : createReadStream(options.file)
  const copy: Writable | undefined = tee
    ? createWriteStream('', { fd: 1, autoClose: false })
    : undefined
  const startedAt = performance.now()
  let sent = 0
  const send = (line: Buffer): void => {
    sent++
    const { value, ...rest } = toRecord(line, sent)
    void producer.produce(value, rest)
    progress.add(line.length)
  }
  const stopReading = (): void => void input.destroy()
  signal.addEventListener('abort', stopReading)
  try {
    for await (const chunk of input as AsyncIterable<Buffer>) {
      copy?.write(chunk)
      for (const line of lines.push(chunk)) {
        if (sent >= count) return
        send(line)
        if (rate !== undefined) await slowDown(startedAt, sent, rate, signal)
      }
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
  if (last !== undefined && sent < count) send(last)
}

async function slowDown(
  startedAt: number,
  sent: number,
  rate: number,
  signal: AbortSignal,
): Promise<void> {
  const aheadMs = (sent / rate) * 1000 - (performance.now() - startedAt)
  // A wait for each message would be too coarse: timers have a resolution of a millisecond.
  if (aheadMs >= 5) await delay(aheadMs, undefined, { signal }).catch(() => undefined)
}

type Record = ProduceOptions & { readonly value: Buffer | null }

function recordMaker(options: ProduceCommandOptions): (line: Buffer, number: number) => Record {
  const { json = false, keySeparator, key, header = [], partition, null: emptyIsNull } = options
  if (json && (keySeparator !== undefined || key !== undefined)) {
    throw new UsageError('--json has the key in each line: leave --key and --key-separator')
  }
  const separator = keySeparator === undefined ? undefined : unescaped(keySeparator)
  const fixedKey = key === undefined ? null : Buffer.from(key)
  const headers = header.map(keyAndValue).map(([name, value]) => ({ key: name, value }))
  const common = {
    ...(headers.length === 0 ? {} : { headers }),
    ...(partition === undefined ? {} : { partition }),
  }
  if (json) return (line, number) => ({ ...common, ...recordOf(line, number) })
  const nullable = (bytes: Buffer | null) =>
    emptyIsNull === true && bytes?.length === 0 ? null : bytes
  return (line) => {
    if (separator === undefined) return { value: nullable(line), key: fixedKey, ...common }
    const split = splitKey(line, separator)
    return { value: nullable(split.value), key: nullable(split.key), ...common }
  }
}

function delimiterOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const byte = unescaped(text)
  if (byte.length !== 1) throw new UsageError(`--delimiter must be one byte, not '${text}'`)
  return byte[0]
}

async function endInterrupted(producer: Producer, exitCode: number): Promise<void> {
  const closed = producer.close().then(() => true)
  closed.catch(() => undefined)
  const isDone = await Promise.race([
    closed,
    delay(FLUSH_AFTER_INTERRUPT_MS, false, { ref: false }),
  ])
  if (isDone) return
  // The attempts that are under way cannot be stopped, so they end with the process.
  const reason = `interrupted; ${producer.queuedMessages} messages were not acknowledged in ${FLUSH_AFTER_INTERRUPT_MS / 1000} s`
  process.stderr.write(`samsa: ${reason}\n`, () => process.exit(exitCode))
}

function acks(text: string): -1 | 0 | 1 {
  if (text === 'all' || text === '-1') return -1
  if (text === '0' || text === '1') return text === '0' ? 0 : 1
  throw new UsageError(`--acks must be 0, 1 or all, not '${text}'`)
}
