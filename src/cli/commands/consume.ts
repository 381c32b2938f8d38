import type { Command } from 'commander'
import type { KafkaClient } from '../../index.ts'
import { Output } from '../../terminal/output.ts'
import { Progress } from '../../terminal/progress.ts'
import { append, declare, filled, option, positive, wholeNumbers } from '../command.ts'
import { UsageError } from '../failure.ts'
import { filterOf, type FilterOptions } from '../filter.ts'
import { FILTER_OPTIONS, KCAT_OPTIONS, PRINT_OPTIONS } from '../message-options.ts'
import { printerOf, type PrintOptions } from '../printer.ts'
import {
  offsetsLeft,
  RangeEnd,
  rangeOf,
  seekBeforeEnd,
  seekToOffset,
  topicsOf,
  type Range,
  type RangeOptions,
  type Reader,
} from '../range.ts'
import type { Session } from '../session.ts'

interface ConsumeOptions extends RangeOptions, FilterOptions, PrintOptions {
  readonly topic?: readonly string[]
  readonly exit?: boolean
  readonly count?: number
  readonly maxMessages?: number
  readonly partition?: readonly number[]
  readonly group?: string
  readonly balancedGroup?: string
  readonly readCommitted?: boolean
  readonly countOnly?: boolean
}

/** With a group, `--exit` ends the command if no message arrives for this long. */
const GROUP_IDLE_MS = 5_000
const COMMIT_EVERY_MS = 5_000

const FIELDS = `Fields of a format:
  %t topic       %p partition    %o offset    %T timestamp    %h headers as key=value,key=value
  %k key         %K its length   %s value     %S its length   %R the same as 4 bytes, big-endian
  %H how many headers            %v value     %% percent     \\n \\t \\r \\\\ \\0 and \\xNN: a byte
  %T{iso}, and %k{…}, %s{…}, %v{…} with hex, base64, json or int8 to float64. Lengths are -1 for null.`

/** Adds `samsa consume`. */
export function consumeCommand(samsa: Command): void {
  declare<ConsumeOptions>(samsa, {
    name: 'consume [topic...]',
    summary: 'print the messages of topics, one value per line',
    arguments: { topic: 'topic names; * matches any characters, /…/ is a regular expression' },
    options: [
      option('--from-beginning', 'start at the oldest message instead of the end'),
      option(
        '-o, --offset <position>',
        'where to start: beginning, end, N, -N (N before the end), s@TIME; N:M and @TIME:TIME are ranges, e@TIME an end',
      ).argParser(append),
      option('--from <time>', 'start at a date, or a time ago such as -2h'),
      option('--until <time>', 'exit at messages of this time or later'),
      option(
        '--tail <count>',
        'start this number of messages before the end of each partition',
      ).argParser(positive),
      option(
        '-e, --exit',
        'exit at the offsets that were the end when the command started; with --group, after 5 s without a message',
      ),
      option('-n, --count <count>', 'exit after this number of messages').argParser(positive),
      option('-c, --max-messages <count>', 'the same').argParser(positive).hideHelp(),
      option('-p, --partition <list>', 'read only these partitions').argParser(wholeNumbers),
      option('-g, --group <id>', 'read as a member of this group and commit offsets').argParser(
        filled,
      ),
      option('-G, --balanced-group <id>', 'the same').argParser(filled).hideHelp(),
      option('-f, --format <format>', 'output format of a message, as in kcat; see below'),
      ...PRINT_OPTIONS(),
      option('-s, --serdes <letter>', "kcat's letters for numbers, such as key=i")
        .argParser(append)
        .hideHelp(),
      ...FILTER_OPTIONS(),
      option('--read-committed', 'skip messages of open and aborted transactions'),
      option('--count-only', 'print only the number of messages'),
      option('--raw', 'do not escape control characters on a terminal'),
      ...KCAT_OPTIONS(),
    ],
    has: ['connection'],
    notes: FIELDS,
    examples: [
      'samsa consume page-views',
      'samsa consume --from-beginning --exit page-views > page-views.txt',
      "samsa consume --from-beginning -n 10 -f '%p %o %k: %s\\n' events",
      "samsa consume 'page-*' --from -2h --exit --json",
    ],
    run: consume,
  })
}

async function consume(
  session: Session,
  args: readonly string[],
  given: ConsumeOptions,
): Promise<void> {
  const options = withGroup(given)
  const names = [...(options.topic ?? []), ...args]
  if (names.length === 0) throw new UsageError('name a topic')
  const most = options.count ?? options.maxMessages ?? Infinity
  const print = printerOf(options, process.stdout.isTTY)
  const isWanted = filterOf(options)
  const range = rangeOf(options, options.countOnly === true ? 'earliest' : 'latest')
  const end = new RangeEnd(range)
  const client = await session.client()
  await using consumer = await open(session, client, names, options, range)
  const output = new Output(process.stdout)
  const isWatched = process.stderr.isTTY && !process.stdout.isTTY
  using progress = new Progress('received', isWatched ? process.stderr : undefined)
  if (isWatched) progress.total = await totalOf(session, client, consumer, options, most)
  // Closing also ends waiting for a message.
  const stop = (): void => void consumer.close()
  session.interrupt.signal.addEventListener('abort', stop)
  process.stdout.once('error', stop)
  let found = 0
  const { ClosedError } = await import('../../index.ts')
  try {
    for await (const message of consumer) {
      if (end.isPast(message)) {
        if (end.hasEnded(consumer)) break
        continue
      }
      if (!isWanted(message)) continue
      found++
      if (options.countOnly !== true) output.write(print(message))
      progress.add((message.key?.length ?? 0) + (message.value?.length ?? 0))
      if (found >= most || output.error !== undefined) break
      if (output.isFull) await output.drained()
    }
  } catch (error) {
    if (!(error instanceof ClosedError)) throw error
  }
  if (options.countOnly === true) output.write([Buffer.from(`${found}\n`)])
  await output.finish()
  // The last message counts as processed only after it is printed.
  if (options.group !== undefined && found > 0) await consumer.commitOffsets()
  // As in kcat.
  session.interrupt.succeedAfterCtrlC()
}

/** kcat's other option for the group, and its name for the committed offsets of the group. */
function withGroup(options: ConsumeOptions): ConsumeOptions {
  const { group = options.balancedGroup, offset } = options
  if (group === undefined) return options
  const places = offset?.filter((text) => text !== 'stored')
  return { ...options, group, ...(places === undefined ? {} : { offset: places }) }
}

async function open(
  session: Session,
  client: KafkaClient,
  names: readonly string[],
  options: ConsumeOptions,
  range: Range,
): Promise<Reader> {
  const { partition, group, exit = false, countOnly = false, readCommitted = false } = options
  const topics = topicsOf(names)
  const common = {
    topics,
    isolationLevel: readCommitted ? 'read_committed' : 'read_uncommitted',
    autoOffsetReset: range.at,
  } as const
  const stopAtEnd = exit || countOnly || new RangeEnd(range).isBounded
  if (group !== undefined) {
    const isPlaced = range.beforeEnd !== undefined || range.atOffset !== undefined
    if (partition !== undefined || isPlaced) {
      throw new UsageError(
        '--group determines partitions and offsets: it cannot be used with -p, -o N or --tail',
      )
    }
    return client.getBalancedConsumer(
      {
        ...common,
        consumerGroup: group,
        managed: true,
        autoCommitEnable: true,
        autoCommitIntervalMs: COMMIT_EVERY_MS,
        // Members do not know where the log ended when they joined, because their partitions
        // change.
        ...(stopAtEnd ? { consumerTimeoutMs: GROUP_IDLE_MS } : {}),
      },
      session.call,
    )
  }
  if (partition !== undefined && topics instanceof RegExp) {
    throw new UsageError('--partition requires topic names, not patterns')
  }
  const chosen = (topics instanceof RegExp ? [] : topics).map(
    (topic) => [topic, partition ?? []] as const,
  )
  const consumer = await client.getConsumer(
    {
      ...common,
      stopAtEnd,
      ...(partition === undefined ? {} : { partitions: Object.fromEntries(chosen) }),
    },
    session.call,
  )
  if (topics instanceof RegExp && consumer.assignment.length === 0) {
    throw new UsageError(`no topic matches ${names.join(' ')}`)
  }
  if (range.atOffset !== undefined) await seekToOffset(session, client, consumer, range.atOffset)
  if (range.beforeEnd !== undefined) await seekBeforeEnd(session, client, consumer, range.beforeEnd)
  return consumer
}

/** The expected number of messages, if the command has an end and prints all of them. */
async function totalOf(
  session: Session,
  client: KafkaClient,
  consumer: Reader,
  options: ConsumeOptions,
  most: number,
): Promise<{ readonly messages?: number }> {
  if (most !== Infinity) return { messages: most }
  if (options.exit !== true || options.group !== undefined) return {}
  return { messages: await offsetsLeft(session, client, consumer) }
}
