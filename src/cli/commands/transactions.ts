import type { Command } from 'commander'
import type { TransactionDescription } from '../../index.ts'
import type { Column } from '../../terminal/table.ts'
import { declare, duration, list, option, wholeNumber } from '../command.ts'
import { UsageError } from '../failure.ts'
import type { Session } from '../session.ts'
import { durationText } from '../text.ts'

interface ListOptions {
  readonly state?: readonly string[]
  readonly olderThan?: number
  readonly hanging?: boolean
}

interface AbortOptions {
  readonly topic?: string
  readonly partition?: number
}

/** Adds `samsa transactions` and `samsa transaction …`. */
export function transactionCommands(samsa: Command): void {
  declare<ListOptions>(samsa, {
    name: 'transactions',
    aliases: ['txns'],
    summary: 'list transactions (Kafka 3.0)',
    options: [
      option('--state <list>', 'only transactions in these states, such as Ongoing').argParser(
        list,
      ),
      option(
        '--older-than <duration>',
        'only transactions that have been open for longer than this, such as 15m',
      ).argParser(duration),
      option('--hanging', 'only transactions that no producer will end'),
    ],
    examples: [
      'samsa transactions',
      'samsa transactions --state Ongoing --older-than 15m',
      'samsa transactions --hanging --json',
    ],
    run: (session, _args, options) =>
      options.hanging === true ? listHanging(session, options) : listTransactions(session, options),
  })
  const transaction = samsa
    .command('transaction')
    .aliases(['txn'])
    .description('describe and abort transactions')
  declare(transaction, {
    name: 'describe <id...>',
    summary: 'show the state of transactional ids, and the partitions of their open transactions',
    examples: ['samsa transaction describe billing-1'],
    run: describeTransactions,
  })
  declare<AbortOptions>(transaction, {
    name: 'abort [id]',
    summary: 'abort the open transaction of a transactional id, or a hanging one in a partition',
    options: [
      option('--topic <name>', 'topic of a hanging transaction'),
      option('--partition <number>', 'partition of a hanging transaction').argParser(wholeNumber),
    ],
    has: ['connection', 'output', 'changes'],
    notes:
      'The producer of the transactional id is fenced: it fails, and has to be restarted. samsa transactions\n--hanging shows hanging transactions.',
    examples: [
      'samsa transaction abort billing-1 --yes',
      'samsa transaction abort --topic orders --partition 3 --yes',
    ],
    run: abortTransaction,
  })
}

async function listHanging(session: Session, { olderThan }: ListOptions): Promise<void> {
  const admin = await session.admin()
  const all = await admin.findHangingTransactions(session.call)
  const since = olderThan === undefined ? Infinity : Date.now() - olderThan
  const found = {
    ...all,
    transactions: all.transactions.filter(({ lastTimestamp }) => lastTimestamp <= since),
  }
  session.print(
    found,
    [
      { title: 'TOPIC', of: ({ topic }) => topic },
      { title: 'PARTITION', align: 'right', of: ({ partition }) => String(partition) },
      { title: 'PRODUCER', align: 'right', of: ({ producerId }) => String(producerId) },
      { title: 'TRANSACTIONAL ID', of: ({ transactionalId }) => transactionalId ?? '' },
      { title: 'LAST MESSAGE', of: (one) => new Date(one.lastTimestamp).toISOString() },
    ],
    found.transactions,
    'no hanging transactions found',
  )
  session.checkItems(found.failed)
  session.checkComplete(found.incomplete)
}

async function listTransactions(
  session: Session,
  { state, olderThan }: ListOptions,
): Promise<void> {
  const admin = await session.admin()
  const listed = await admin.listTransactions({
    ...session.call,
    ...(state === undefined ? {} : { states: state }),
    ...(olderThan === undefined ? {} : { minDurationMs: olderThan }),
  })
  session.print(
    listed,
    [
      { title: 'TRANSACTIONAL ID', of: ({ transactionalId }) => transactionalId },
      { title: 'STATE', of: (one) => one.state },
      { title: 'PRODUCER', align: 'right', of: ({ producerId }) => String(producerId) },
      { title: 'COORDINATOR', align: 'right', of: ({ coordinator }) => String(coordinator) },
    ],
    listed.transactions,
    'no transactions found',
  )
  session.checkComplete(listed.incomplete)
}

async function describeTransactions(session: Session, ids: readonly string[]): Promise<void> {
  const admin = await session.admin()
  const found = await admin.describeTransactions(ids, session.call)
  const columns: readonly Column<TransactionDescription>[] = [
    { title: 'TRANSACTIONAL ID', of: ({ transactionalId }) => transactionalId },
    { title: 'STATE', of: ({ state, error }) => error?.code ?? state ?? '' },
    { title: 'PRODUCER', align: 'right', of: ({ producerId }) => String(producerId ?? '') },
    {
      title: 'OPEN FOR',
      align: 'right',
      of: ({ startTimestamp }) =>
        startTimestamp === undefined ? '' : durationText(Math.max(0, Date.now() - startTimestamp)),
    },
    {
      title: 'PARTITIONS',
      of: ({ partitions }) =>
        partitions.map(({ topic, partition }) => `${topic}-${partition}`).join(' '),
    },
  ]
  session.print(found, columns, found)
  session.checkItems(found)
}

async function abortTransaction(
  session: Session,
  [id]: readonly string[],
  { topic, partition }: AbortOptions,
): Promise<void> {
  const admin = await session.admin()
  if (id !== undefined) {
    if (topic !== undefined || partition !== undefined) {
      throw new UsageError('give either a transactional id, or --topic and --partition')
    }
    const [found] = await admin.describeTransactions([id], session.call)
    session.checkItems([found!])
    const plan = `abort the transaction of ${id} (${found!.state}) and fence its producer`
    if (!(await session.confirm(plan, 'Continue?'))) return
    await admin.forceTerminateTransaction(id, session.call)
    finish(session, { transactionalId: id })
    return
  }
  if (topic === undefined || partition === undefined) {
    throw new UsageError('give a transactional id, or --topic and --partition')
  }
  const { transactions } = await admin.findHangingTransactions(session.call)
  const hanging = transactions.find((one) => one.topic === topic && one.partition === partition)
  if (hanging === undefined) {
    throw new UsageError(
      `${topic}-${partition} has no hanging transaction: see samsa transactions --hanging`,
    )
  }
  const plan = `abort the transaction of producer ${hanging.producerId} in ${topic}-${partition}`
  if (!(await session.confirm(plan, 'Continue?'))) return
  const { producerId, producerEpoch, coordinatorEpoch } = hanging
  await admin.abortTransaction(
    {
      topic,
      partition,
      producerId,
      producerEpoch,
      ...(coordinatorEpoch === undefined ? {} : { coordinatorEpoch }),
    },
    session.call,
  )
  finish(session, { topic, partition })
}

/** With --json, prints which transaction was aborted. */
function finish(session: Session, aborted: object): void {
  if (session.options.json === true) session.printJson([aborted])
}
