import { Option, type Command } from 'commander'
import { setTimeout as delay } from 'node:timers/promises'
import type { ElectionType, PartitionReassignment } from '../../index.ts'
import type { Column } from '../../terminal/table.ts'
import { declare, list, option, positive, wholeNumbers } from '../command.ts'
import type { Session } from '../session.ts'
import { bytesText, count } from '../text.ts'
import { PARTITION_RESULTS } from './groups.ts'

interface ReassignOptions {
  readonly toBrokers?: readonly number[]
  readonly replicationFactor?: number
  readonly wait?: boolean
}

/** Between two looks at the moves that are under way. */
const WAIT_MS = 1_000

/** Adds `samsa reassign`, `elect`, `logdirs` and `transactions`. */
export function placementCommands(samsa: Command): void {
  const reassign = samsa
    .command('reassign')
    .description('move partitions between brokers, with as few moves as possible')
  declare<ReassignOptions>(reassign, {
    name: 'run <topic...>',
    summary: 'plan moves, show them, and start them',
    options: [
      option('--to-brokers <list>', 'brokers to use (default: all that run)').argParser(
        wholeNumbers,
      ),
      option(
        '-r, --replication-factor <count>',
        'replicas of each partition (default: as today)',
      ).argParser(positive),
      option('--wait', 'wait until the moves are complete'),
    ],
    has: ['connection', 'output', 'changes'],
    examples: [
      'samsa reassign run page-views --dry-run',
      'samsa reassign run page-views --to-brokers 1,2,3 --wait --yes',
    ],
    run: runReassignment,
  })
  declare(reassign, {
    name: 'status',
    summary: 'list the moves under way (Kafka 2.4)',
    examples: ['samsa reassign status'],
    run: async (session) => {
      const admin = await session.admin()
      const moves = await admin.listPartitionReassignments(undefined, session.call)
      session.print(moves, MOVES, moves)
    },
  })
  declare(reassign, {
    name: 'cancel',
    summary: 'cancel the moves under way (Kafka 2.4)',
    has: ['connection', 'output', 'changes'],
    examples: ['samsa reassign cancel --yes'],
    run: cancelReassignments,
  })
  declare<{ readonly type: ElectionType }>(samsa, {
    name: 'elect [topic...]',
    summary: 'elect the preferred leaders of topics, or of all topics',
    options: [
      new Option('--type <type>', 'unclean elections can lose messages (Kafka 2.4)')
        .choices(['preferred', 'unclean'])
        .default('preferred'),
    ],
    has: ['connection', 'output', 'changes'],
    examples: ['samsa elect --yes', 'samsa elect page-views --dry-run'],
    run: elect,
  })
  declare<{ readonly broker?: readonly number[] }>(samsa, {
    name: 'logdirs',
    summary: 'show the disk space of topics on each broker (Kafka 1.0)',
    options: [option('--broker <list>', 'only these brokers').argParser(wholeNumbers)],
    examples: ['samsa logdirs', 'samsa logdirs --broker 0 --json'],
    run: logDirs,
  })
  declare<{ readonly state?: readonly string[]; readonly hanging?: boolean }>(samsa, {
    name: 'transactions',
    aliases: ['txns'],
    summary: 'list transactions (Kafka 3.0)',
    options: [
      option('--state <list>', 'only these states, such as Ongoing').argParser(list),
      option('--hanging', 'only transactions that no producer will end'),
    ],
    examples: ['samsa transactions', 'samsa transactions --hanging --json'],
    run: transactions,
  })
}

const MOVES: readonly Column<PartitionReassignment>[] = [
  { title: 'TOPIC', of: ({ topic }) => topic },
  { title: 'PARTITION', align: 'right', of: ({ partition }) => String(partition) },
  { title: 'REPLICAS', of: ({ replicas }) => replicas.join(',') },
  { title: 'ADDING', of: ({ addingReplicas }) => addingReplicas.join(',') },
  { title: 'REMOVING', of: ({ removingReplicas }) => removingReplicas.join(',') },
]

async function runReassignment(
  session: Session,
  topics: readonly string[],
  { toBrokers, replicationFactor, wait = false }: ReassignOptions,
): Promise<void> {
  const admin = await session.admin()
  const plan = await admin.planReassignment(
    {
      topics,
      ...(toBrokers === undefined ? {} : { brokers: toBrokers }),
      ...(replicationFactor === undefined ? {} : { replicationFactor }),
    },
    session.call,
  )
  const { dryRun = false, json = false } = session.options
  if (dryRun && json) {
    session.printJson(plan)
    return
  }
  if (plan.moves.length === 0) {
    session.say('nothing has to move')
    session.print([], MOVES, [])
    return
  }
  const lines = plan.moves.map(
    ({ topic, partition, from, to }) =>
      `${topic}-${partition}: ${from.join(',')} → ${to.join(',')}`,
  )
  const question = `Move ${count(plan.moves.length, 'partition')}?`
  if (!(await session.confirm(lines.join('\n'), question))) return
  const results = await admin.apply(plan, { ...session.call, settle: true })
  session.print(results, PARTITION_RESULTS, results)
  session.checkItems(results)
  const moved = plan.moves.map(({ topic, partition }) => ({ topic, partition }))
  while (wait && !session.interrupt.signal.aborted) {
    const left = await admin.listPartitionReassignments(moved, session.call)
    if (left.length === 0) return
    session.say(`${count(left.length, 'partition')} of ${moved.length} still move`)
    await delay(WAIT_MS, undefined, session.call).catch(() => undefined)
  }
}

async function cancelReassignments(session: Session): Promise<void> {
  const admin = await session.admin()
  const moves = await admin.listPartitionReassignments(undefined, session.call)
  if (moves.length === 0) {
    session.say('no partition moves')
    return
  }
  const lines = moves.map(({ topic, partition }) => `cancel the move of ${topic}-${partition}`)
  if (!(await session.confirm(lines.join('\n'), 'Go on?'))) return
  const results = await admin.alterPartitionReassignments(
    moves.map(({ topic, partition }) => ({ topic, partition, replicas: null })),
    { ...session.call, settle: true },
  )
  session.print(results, PARTITION_RESULTS, results)
  session.checkItems(results)
}

async function elect(
  session: Session,
  topics: readonly string[],
  { type }: { readonly type: ElectionType },
): Promise<void> {
  const admin = await session.admin()
  const described = await (topics.length === 0
    ? admin.listTopics({ ...session.call, includeInternal: true })
    : admin.describeTopics(topics, session.call))
  session.checkItems(described)
  const partitions = described.flatMap(({ topic, partitions: all }) =>
    all
      .filter(({ leader, replicas }) =>
        type === 'preferred' ? leader !== replicas[0] : leader === undefined,
      )
      .map(({ partition }) => ({ topic, partition })),
  )
  if (partitions.length === 0) {
    session.say('no partition needs an election')
    return
  }
  const lines = partitions.map(({ topic, partition }) => `${topic}-${partition}: ${type} election`)
  if (type === 'unclean') lines.push('unclean elections can lose messages')
  if (!(await session.confirm(lines.join('\n'), 'Hold these elections?'))) return
  const results = await admin.electLeaders(type, partitions, { ...session.call, settle: true })
  session.print(
    results,
    [
      { title: 'TOPIC', of: ({ topic }) => topic },
      { title: 'PARTITION', align: 'right', of: ({ partition }) => String(partition) },
      {
        title: 'RESULT',
        of: ({ error, isElected }) => error?.code ?? (isElected === true ? 'elected' : 'unchanged'),
      },
    ],
    results,
  )
  session.checkItems(results)
}

async function logDirs(
  session: Session,
  _args: readonly string[],
  { broker }: { readonly broker?: readonly number[] },
): Promise<void> {
  const admin = await session.admin()
  const brokers = await admin.describeLogDirs(broker, session.call)
  const rows = brokers.flatMap((one) =>
    one.logDirs.flatMap(({ logDir, replicas }) => {
      const sizes = new Map<string, { bytes: number; partitions: number }>()
      for (const { topic, sizeBytes } of replicas) {
        const before = sizes.get(topic) ?? { bytes: 0, partitions: 0 }
        sizes.set(topic, {
          bytes: before.bytes + sizeBytes,
          partitions: before.partitions + 1,
        })
      }
      return [...sizes].map(([topic, size]) => ({ broker: one.broker, logDir, topic, ...size }))
    }),
  )
  session.print(
    brokers,
    [
      { title: 'BROKER', align: 'right', of: (row) => String(row.broker) },
      { title: 'DIRECTORY', of: ({ logDir }) => logDir },
      { title: 'TOPIC', of: ({ topic }) => topic },
      { title: 'PARTITIONS', align: 'right', of: ({ partitions }) => String(partitions) },
      { title: 'SIZE', align: 'right', of: ({ bytes }) => bytesText(bytes) },
    ],
    rows,
  )
  session.checkItems(brokers.flatMap((one) => [one, ...one.logDirs]))
}

async function transactions(
  session: Session,
  _args: readonly string[],
  { state, hanging = false }: { readonly state?: readonly string[]; readonly hanging?: boolean },
): Promise<void> {
  const admin = await session.admin()
  if (hanging) {
    const found = await admin.findHangingTransactions(session.call)
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
    )
    session.checkItems(found.failed)
    session.checkComplete(found.incomplete)
    return
  }
  const listed = await admin.listTransactions({
    ...session.call,
    ...(state === undefined ? {} : { states: state }),
  })
  session.print(
    listed,
    [
      { title: 'TRANSACTIONAL ID', of: ({ transactionalId }) => transactionalId },
      { title: 'STATE', of: (one) => one.state },
      { title: 'PRODUCER', align: 'right', of: ({ producerId }) => String(producerId) },
    ],
    listed.transactions,
  )
  session.checkComplete(listed.incomplete)
}
