import { InvalidArgumentError, type Command } from 'commander'
import { createReadStream, createWriteStream, fstatSync, statSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import type { Readable, Writable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import type { Compression, Topic } from '../../index.ts'
import { Progress } from '../../terminal/progress.ts'
import { append, bytes, declare, filled, option, positive } from '../command.ts'
import { UsageError } from '../failure.ts'
import { unescaped } from '../format.ts'
import { LineSplitter } from '../lines.ts'
import { ACKS_OPTION, COMPRESSION_OPTION, KCAT_OPTIONS } from '../message-options.ts'
import { slowDown } from '../pace.ts'
import { recordMaker, type RecordOptions } from '../record-maker.ts'
import type { Session } from '../session.ts'
import { openSink, type Sink } from '../sink.ts'

interface ProduceCommandOptions extends RecordOptions {
  readonly topic?: readonly string[]
  readonly compression: Compression
  readonly acks: -1 | 0 | 1
  readonly maxMessageBytes: number
  readonly delimiter?: string
  readonly file?: string
  readonly tee?: boolean
  readonly count?: number
  readonly maxMessages?: number
  readonly rate?: number
  /** True if the option has no transactional id. */
  readonly transaction?: string | true
}

const FLUSH_AFTER_INTERRUPT_MS = 5_000

/** Adds `samsa produce`. */
export function produceCommand(samsa: Command): void {
  declare<ProduceCommandOptions>(samsa, {
    name: 'produce [topic] [file...]',
    summary: 'send each line of standard input as a message',
    arguments: {
      topic: 'topic to write to; brokers with auto-creation enabled create it if it is missing',
      file: 'files to send instead, each as one message',
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
      COMPRESSION_OPTION(),
      ACKS_OPTION(),
      option('-p, --partition <number>', 'write every message to this partition').argParser(
        partitionNumber,
      ),
      option(
        '-J, --json',
        'each line is a JSON object with key, value, headers, partition and timestamp',
      ),
      option('-f, --format <format>', 'format of each line, such as %k\\t%v; see below'),
      option('-Z, --null', 'send empty keys and values as null'),
      option('--tombstone', 'each line is a key; send it with null as value'),
      option('-D, --delimiter <text>', 'text that ends a message')
        .argParser(filled)
        .default(undefined, '\\n'),
      option('-l, --file <path>', 'file to read instead of standard input'),
      option('-T, --tee', 'copy the input to standard output'),
      option('-n, --count <count>', 'maximum number of messages to send').argParser(positive),
      option('-c, --max-messages <count>', 'the same').argParser(positive).hideHelp(),
      option('--rate <messages>', 'maximum number of messages per second').argParser(positive),
      option(
        '--transaction [id]',
        'send all messages in one transaction, which is aborted if one fails (Kafka 0.11)',
      ),
      option('--max-message-bytes <bytes>', 'maximum length of a line')
        .argParser(bytes)
        .default(1_000_000),
      ...KCAT_OPTIONS(),
    ],
    has: ['connection'],
    notes:
      'Fields of a format: %k key, %s or %v value, %h headers as key=value,key=value, %p partition, %T timestamp.',
    examples: [
      'cat access.log | samsa produce page-views',
      "printf 'user-1:signed in\\n' | samsa produce -K : events",
      'samsa produce --compression zstd --brokers kafka1:9092,kafka2:9092 lines < lines.txt',
      'samsa produce orders --file orders.txt --transaction',
    ],
    run: produce,
  })
}

async function produce(
  session: Session,
  args: readonly string[],
  options: ProduceCommandOptions,
): Promise<void> {
  const [name, ...files] = [...(options.topic ?? []), ...args]
  if (name === undefined) throw new UsageError('name a topic')
  if (files.length > 0 && options.file !== undefined) {
    throw new UsageError('give either --file, or files that contain one message each')
  }
  const { transaction } = options
  if (transaction !== undefined && options.acks !== -1) {
    throw new UsageError('--transaction requires --acks all')
  }
  // Checks the options before anything connects.
  const { partition = -1 } = options
  const toRecord = recordMaker({ ...options, partition: partition < 0 ? undefined : partition })
  const delimiter = delimiterOf(options.delimiter)
  const lines = new LineSplitter(options.maxMessageBytes, delimiter)
  const client = await session.client()
  const sink = await openSink(client, name, {
    ...options,
    transaction: transaction === true ? `samsa-cli-${process.pid}-${Date.now()}` : transaction,
  })
  if (partition >= 0) await checkPartition(client.topic(name), partition)
  const { interrupt } = session
  // Lines that are typed on the terminal are already visible.
  const isTyped = process.stdin.isTTY && options.file === undefined && files.length === 0
  const isWatched = process.stderr.isTTY && !isTyped
  const { count = options.maxMessages } = options
  using progress = new Progress('sent', isWatched ? process.stderr : undefined, {
    messages: count,
    bytes: count === undefined ? inputBytes(options.file) : undefined,
  })
  // The progress is a share of the size of the file, which includes the delimiters.
  const delimiterBytes = files.length > 0 ? 0 : (delimiter?.length ?? 1)
  let sent = 0
  const send = (line: Buffer, number: number): void => {
    sent = number
    sink.send(toRecord(line, number))
    progress.add(line.length + delimiterBytes)
  }
  const sending =
    files.length > 0
      ? sendFiles(sink, files, send)
      : sendLines(sink, options, lines, send, interrupt.signal)
  // Awaited below, unless Ctrl-C comes first.
  sending.catch(() => undefined)
  try {
    await Promise.race([sending, interrupt.happened])
  } catch (error) {
    // The lines before the failure are already being sent, and still arrive.
    await sink.giveUp().catch(() => undefined)
    throw error
  }
  if (interrupt.exitCode !== undefined) {
    await endInterrupted(sink, interrupt.exitCode, transaction !== undefined)
    return
  }
  await finish(sink)
  if (sent === 0) session.say('the input is empty: nothing was sent')
}

async function finish(sink: Sink): Promise<void> {
  try {
    await sink.finish()
  } catch (error) {
    await sink.giveUp().catch(() => undefined)
    throw error
  }
}

/** A producer would wait for the partition to be added, for up to the delivery timeout. */
async function checkPartition(topic: Topic, partition: number): Promise<void> {
  const numbers = (await topic.partitions()).map((one) => one.partition)
  if (numbers.includes(partition)) return
  const last = Math.max(...numbers)
  throw new UsageError(
    `topic '${topic.name}' has no partition ${partition}: its partitions are 0 to ${last}`,
  )
}

/** The number of bytes that the progress refers to; undefined for a pipe. */
function inputBytes(file: string | undefined): number | undefined {
  try {
    const found = file === undefined ? fstatSync(0) : statSync(file)
    return found.isFile() && found.size > 0 ? found.size : undefined
  } catch {
    return undefined
  }
}

type Send = (line: Buffer, number: number) => void

async function sendFiles(sink: Sink, files: readonly string[], send: Send): Promise<void> {
  for (const [index, file] of files.entries()) {
    let content: Buffer
    try {
      content = await readFile(file)
    } catch (error) {
      throw cannotRead(file, error)
    }
    send(content, index + 1)
    if (sink.failedMessages > 0) return
    await sink.ready()
  }
}

function cannotRead(file: string, error: unknown): UsageError {
  const reason = error instanceof Error && 'code' in error ? String(error.code) : String(error)
  return new UsageError(`the file ${file} cannot be read: ${reason}`)
}

/**
 * Resolves when all of the input is queued, or a message has failed: ending the sink then throws
 * the error.
 */
async function sendLines(
  sink: Sink,
  options: ProduceCommandOptions,
  lines: LineSplitter,
  send: Send,
  signal: AbortSignal,
): Promise<void> {
  const { rate, tee = false, file } = options
  const most = options.count ?? options.maxMessages ?? Infinity
  const input: Readable = file === undefined ? process.stdin : createReadStream(file)
  const copy: Writable | undefined = tee
    ? createWriteStream('', { fd: 1, autoClose: false })
    : undefined
  const startedAt = performance.now()
  let sent = 0
  const stopReading = (): void => void input.destroy()
  signal.addEventListener('abort', stopReading)
  try {
    // A stream without an encoding yields Buffers; its type does not state that.
    for await (const chunk of input as AsyncIterable<Buffer>) {
      copy?.write(chunk)
      for (const line of lines.push(chunk)) {
        if (sent >= most) return
        send(line, ++sent)
        if (rate !== undefined) await slowDown(startedAt, sent, rate, signal)
      }
      if (sink.failedMessages > 0) return
      await sink.ready()
    }
  } catch (error) {
    const isOfFile = file !== undefined && error instanceof Error && 'syscall' in error
    throw isOfFile ? cannotRead(file, error) : error
  } finally {
    signal.removeEventListener('abort', stopReading)
  }
  const last = lines.finish()
  if (last !== undefined && sent < most) send(last, sent + 1)
}

function delimiterOf(text: string | undefined): Buffer | undefined {
  return text === undefined ? undefined : unescaped(text)
}

async function endInterrupted(sink: Sink, exitCode: number, isAborted: boolean): Promise<void> {
  const ended = sink.giveUp().then(() => true)
  ended.catch(() => undefined)
  const isDone = await Promise.race([ended, delay(FLUSH_AFTER_INTERRUPT_MS, false, { ref: false })])
  if (isDone) {
    if (isAborted) process.stderr.write('samsa: interrupted; the transaction was aborted\n')
    return
  }
  // The current attempts cannot be cancelled, so they end with the process.
  const reason = `interrupted; ${sink.queuedMessages} messages were not acknowledged in ${FLUSH_AFTER_INTERRUPT_MS / 1000} s`
  process.stderr.write(`samsa: ${reason}\n`, () => process.exit(exitCode))
}

/** −1 means any partition in kcat. */
function partitionNumber(text: string): number {
  if (text === '-1') return -1
  if (!/^\d{1,10}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.')
  return Number(text)
}
