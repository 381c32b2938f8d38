import type { Command } from 'commander'
import type { BalancedConsumer, KafkaClient, SimpleConsumer, TopicPartition } from '../../index.ts'
import { Output } from '../../terminal/output.ts'
import { Progress } from '../../terminal/progress.ts'
import { visible, visibleText } from '../../terminal/visible.ts'
import { append, declare, filled, option, positive, wholeNumbers } from '../command.ts'
import { UsageError } from '../failure.ts'
import {
  compileFormat,
  unescaped,
  valueLine,
  visibleValueLine,
  type Format,
  type Printable,
} from '../format.ts'
import { filterOf } from '../filter.ts'
import { jsonLine } from '../records.ts'
import type { Session } from '../session.ts'
import { timeOf } from '../times.ts'

interface ConsumeOptions {
  readonly fromBeginning?: boolean
  readonly offset?: string
  readonly from?: string
  readonly until?: string
  readonly tail?: number
  readonly exit?: boolean
  readonly format?: string
  readonly json?: boolean
  readonly count?: number
  readonly partition?: readonly number[]
  readonly group?: string
  readonly delimiter?: string
  readonly grep?: string
  readonly filterKey?: string
  readonly filterValue?: string
  readonly filterHeader?: readonly string[]
  readonly readCommitted?: boolean
  readonly countOnly?: boolean
  readonly raw?: boolean
}

/** With a group, `--exit` ends the command when no message has come for so long. */
const GROUP_IDLE_MS = 5_000

const FIELDS = `Fields of a format:
  %t topic       %p partition    %o offset    %T timestamp    %h headers as key=value,key=value
  %k key         %K its length   %s value     %S its length   %R the same as 4 bytes, big-endian
  %% percent     \\n \\t \\r \\\\ \\0 and \\xNN: a byte      Lengths are -1 for null.`

/** Adds `samsa consume`. */
export function consumeCommand(samsa: Command): void {
  declare<ConsumeOptions>(samsa, {
    name: 'consume <topic>',
    summary: 'print the messages of a topic, one value per line',
    options: [
      option('--from-beginning', 'start at the oldest message instead of the end'),
      option(
        '-o, --offset <position>',
        'where to start: beginning, end, an offset, -N (N before the end) or s@TIME',
      ),
      option('--from <time>', 'start at a date, or a time ago such as -2h'),
      option('--until <time>', 'exit at messages of this time or later'),
      option(
        '--tail <count>',
        'start this number of messages before the end of each partition',
      ).argParser(positive),
      option(
        '-e, --exit',
        'exit at the offsets that were the end at the start; with --group, after 5 s without a message',
      ),
      option('-n, --count <count>', 'exit after this number of messages').argParser(positive),
      option('-c, --max-messages <count>', 'the same').argParser(positive).hideHelp(),
      option('-p, --partition <list>', 'read only these partitions').argParser(wholeNumbers),
      option('-g, --group <id>', 'read as a member of this group and commit offsets').argParser(
        filled,
      ),
      option('-f, --format <format>', 'output format of a message, as in kcat; see below'),
      option('-J, --json', 'print one JSON object per line'),
      option('-D, --delimiter <text>', 'text to print after each value').default(undefined, '\\n'),
      option('--grep <text>', 'print only messages whose key or value contains this text'),
      option('--filter-key <text>', 'print only messages with this key; * matches any text'),
      option('--filter-value <text>', 'print only messages with this value; * matches any text'),
      option(
        '--filter-header <key=value>',
        'print only messages with this header; can be repeated',
      ).argParser(append),
      option('--read-committed', 'skip messages of open and aborted transactions'),
      option('--count-only', 'print only the number of messages'),
      option('--raw', 'do not escape control characters on a terminal'),
    ],
    has: ['connection'],
    notes: FIELDS,
    examples: [
      'samsa consume page-views',
      'samsa consume --from-beginning --exit page-views > page-views.txt',
      "samsa consume --from-beginning -n 10 -f '%p %o %k: %s\\n' events",
      'samsa consume page-views --from -2h --exit --json',
    ],
    run: consume,
  })
}

async function consume(
  session: Session,
  [topic]: readonly string[],
  given: ConsumeOptions & { readonly maxMessages?: number },
): Promise<void> {
  const options = { ...given, count: given.count ?? given.maxMessages ?? Infinity }
  const print = printerOf(options)
  const isWanted = filterOf(options)
  const untilMs = options.until === undefined ? Infinity : timeOf(options.until).getTime()
  const client = await session.client()
  await using consumer = await open(session, client, topic!, options)
  const output = new Output(process.stdout)
  const isWatched = process.stderr.isTTY && !process.stdout.isTTY
  using progress = new Progress('received', isWatched ? process.stderr : undefined)
  // Closing ends the wait for a message, too.
  const stop = (): void => void consumer.close()
  session.interrupt.signal.addEventListener('abort', stop)
  process.stdout.once('error', stop)
  const past = new Set<number>()
  let found = 0
  const { ClosedError } = await import('../../index.ts')
  try {
    for await (const message of consumer) {
      if (message.timestamp >= untilMs) {
        // Timestamps only grow as a rule, so that a partition ends at its first message that is late.
        past.add(message.partition)
        if (consumer.partitions.every((partition) => past.has(partition))) break
        continue
      }
      if (past.has(message.partition) || !isWanted(message)) continue
      found++
      if (options.countOnly !== true) output.write(print(message))
      progress.add((message.key?.length ?? 0) + (message.value?.length ?? 0))
      if (found >= options.count || output.error !== undefined) break
      if (output.isFull) await output.drained()
    }
  } catch (error) {
    if (!(error instanceof ClosedError)) throw error
  }
  if (options.countOnly === true) output.write([Buffer.from(`${found}\n`)])
  await output.finish()
  // The last message counts as processed only now that it is printed.
  if (options.group !== undefined && found > 0) await consumer.commitOffsets()
  // Ctrl-C is how a command without an end is ended, as in kcat.
  if (session.interrupt.exitCode === 130) session.interrupt.exitCode = 0
}

type Reader = SimpleConsumer | BalancedConsumer

async function open(
  session: Session,
  client: KafkaClient,
  topic: string,
  options: ConsumeOptions,
): Promise<Reader> {
  const start = startOf(options)
  const common = {
    isolationLevel: options.readCommitted === true ? 'read_committed' : 'read_uncommitted',
    autoOffsetReset: start.at,
  } as const
  const stopAtEnd =
    options.exit === true || options.until !== undefined || options.countOnly === true
  const { partition, group } = options
  if (group !== undefined) {
    if (partition !== undefined || start.beforeEnd !== undefined) {
      throw new UsageError('--group decides on partitions and offsets: leave -p, -o -N and --tail')
    }
    return client.topic(topic).getBalancedConsumer({
      ...common,
      consumerGroup: group,
      managed: true,
      autoCommitEnable: true,
      // Members do not know where the log ended when they joined: partitions come and go.
      ...(stopAtEnd ? { consumerTimeoutMs: GROUP_IDLE_MS } : {}),
    })
  }
  const consumer = await client.topic(topic).getSimpleConsumer({
    ...common,
    stopAtEnd,
    ...(partition === undefined ? {} : { partitions: partition }),
  })
  if (start.beforeEnd !== undefined) await seekBeforeEnd(session, client, consumer, start.beforeEnd)
  return consumer
}

interface Start {
  readonly at: 'earliest' | 'latest' | number | Date
  /** This many messages before the end instead. */
  readonly beforeEnd?: number
}

function startOf({ fromBeginning, offset, from, tail, countOnly }: ConsumeOptions): Start {
  const given = [fromBeginning, offset, from, tail].filter((value) => value !== undefined)
  if (given.length > 1) {
    throw new UsageError('give only one of --from-beginning, --offset, --from and --tail')
  }
  if (tail !== undefined) return { at: 'earliest', beforeEnd: tail }
  if (from !== undefined) return { at: timeOf(from) }
  if (fromBeginning === true || (offset === undefined && countOnly === true)) {
    return { at: 'earliest' }
  }
  if (offset === undefined || offset === 'end' || offset === 'latest') return { at: 'latest' }
  if (offset === 'beginning' || offset === 'earliest') return { at: 'earliest' }
  if (/^\d{1,15}$/.test(offset)) return { at: Number(offset) }
  if (/^-\d{1,15}$/.test(offset)) return { at: 'earliest', beforeEnd: -Number(offset) }
  if (offset.startsWith('s@')) return { at: timeOf(offset.slice(2)) }
  throw new UsageError(`'${offset}' is no offset: beginning, end, N, -N and s@TIME are`)
}

async function seekBeforeEnd(
  session: Session,
  client: KafkaClient,
  consumer: SimpleConsumer,
  count: number,
): Promise<void> {
  const partitions: TopicPartition[] = consumer.partitions.map((partition) => ({
    topic: consumer.topic,
    partition,
  }))
  const [starts, ends] = await Promise.all([
    client.admin.listOffsets(partitions, 'earliest', session.call),
    client.admin.listOffsets(partitions, 'latest', session.call),
  ])
  session.checkItems([...starts, ...ends])
  for (const [index, { partition, offset = 0 }] of ends.entries()) {
    consumer.seek(partition, Math.max(starts[index]!.offset ?? 0, offset - count))
  }
}

function printerOf({ format, json, delimiter, raw = false }: ConsumeOptions): Format {
  const isShown = process.stdout.isTTY && !raw
  if (format !== undefined && json === true) {
    throw new UsageError('give only one of --format and --json')
  }
  if (json === true) {
    return (message: Printable) => {
      const line = jsonLine(message)
      return [Buffer.from(isShown ? visibleText(line) : line)]
    }
  }
  if (format !== undefined) return compileFormat(format, isShown ? visible : undefined)
  if (delimiter === undefined) return isShown ? visibleValueLine : valueLine
  const end = unescaped(delimiter)
  const nothing = Buffer.alloc(0)
  return ({ value }) => [isShown ? visible(value ?? nothing) : (value ?? nothing), end]
}
