import { Option, type Command } from 'commander'
import type { KafkaClient, ShareConsumer } from '../../index.ts'
import { Output } from '../../terminal/output.ts'
import { declare, option, positive } from '../command.ts'
import { UsageError } from '../failure.ts'
import { filterOf, type FilterOptions } from '../filter.ts'
import { FILTER_OPTIONS, PRINT_OPTIONS } from '../message-options.ts'
import { printerOf, type PrintOptions } from '../printer.ts'
import type { Session } from '../session.ts'

interface ShareOptions extends FilterOptions, PrintOptions {
  readonly ack: 'accept' | 'release' | 'reject'
  readonly exit?: boolean
  readonly count?: number
  readonly deliveryCount?: boolean
  readonly fromBeginning?: boolean
}

/** `--exit` ends the command if no message arrives for this long. */
const IDLE_MS = 5_000

/** Adds `samsa share`. */
export function shareCommand(samsa: Command): void {
  declare<ShareOptions>(samsa, {
    name: 'share <group> <topic...>',
    summary: 'print and acknowledge messages of a share group',
    arguments: { group: 'the share group', topic: 'names of topics' },
    options: [
      new Option('--ack <how>', 'what to do with the messages that are printed')
        .choices(['accept', 'release', 'reject'])
        .default('accept'),
      option(
        '--from-beginning',
        'make the group begin at the oldest message of partitions in which it has no position yet',
      ),
      option('-e, --exit', 'exit after 5 s without a message'),
      option('-n, --count <count>', 'exit after this number of messages').argParser(positive),
      option('--delivery-count', 'print the delivery count of the message before each value'),
      option('-f, --format <format>', 'output format of a message, as in consume'),
      ...PRINT_OPTIONS(),
      ...FILTER_OPTIONS(),
      option('--raw', 'do not escape control characters on a terminal'),
    ],
    has: ['connection'],
    notes:
      'Needs Kafka 4.2. Messages that a filter leaves out are released, and so are unread messages at the end: the group\n' +
      'counts that as a delivery, and archives a message that was delivered too often (5 times by default).',
    examples: [
      'samsa share workers jobs',
      'samsa share workers jobs --from-beginning --exit',
      'samsa share workers jobs --filter-key order-7 -n 1 --ack reject',
    ],
    run: share,
  })
}

async function share(
  session: Session,
  [group = '', ...topics]: readonly string[],
  options: ShareOptions,
): Promise<void> {
  const print = printerOf(options, process.stdout.isTTY)
  if (options.json === true && options.deliveryCount === true) {
    throw new UsageError(
      '--json prints an object for each message: it cannot be used with --delivery-count',
    )
  }
  const isWanted = filterOf(options)
  const { count: most = Infinity } = options
  const client = await session.client()
  if (options.fromBeginning === true) await beginAtTheOldest(client, session, group)
  await using consumer = await client.getShareConsumer(
    {
      topics,
      shareGroup: group,
      acknowledgementMode: 'explicit',
      ...(most === Infinity
        ? {}
        : { acquireMode: 'record_limit', maxRecords: Math.min(most, 500) }),
      ...(options.exit === true ? { consumerTimeoutMs: IDLE_MS } : {}),
    },
    session.call,
  )
  const output = new Output(process.stdout)
  // Closing also ends waiting for a message.
  const stop = (): void => void consumer.close()
  session.interrupt.signal.addEventListener('abort', stop)
  process.stdout.once('error', stop)
  const { ClosedError } = await import('../../index.ts')
  let found = 0
  try {
    for await (const message of consumer) {
      if (!isWanted(message)) {
        message.release()
        continue
      }
      found++
      if (options.deliveryCount === true) output.write([Buffer.from(`${message.deliveryCount} `)])
      output.write(print(message))
      if (output.isFull) await output.drained()
      message[options.ack]()
      if (found >= most || output.error !== undefined) break
    }
  } catch (error) {
    if (!(error instanceof ClosedError)) throw error
  }
  await output.finish()
  await report(session, consumer)
  session.interrupt.succeedAfterCtrlC()
}

async function beginAtTheOldest(
  client: KafkaClient,
  session: Session,
  group: string,
): Promise<void> {
  const set = { 'share.auto.offset.reset': 'earliest' }
  await client.admin.incrementalAlterConfigs([{ type: 'group', name: group, set }], session.call)
}

/** Throws if an acknowledgement had no effect. */
async function report(session: Session, consumer: ShareConsumer): Promise<void> {
  if (session.interrupt.signal.aborted) return
  const results = await consumer.flush(session.call)
  const error = results.find((result) => result.error !== undefined)?.error
  if (error !== undefined) throw error
}
