import { Option, type Command } from 'commander'
import { setTimeout as delay } from 'node:timers/promises'
import type { Admin, ElectionType, PartitionReassignment, ReassignmentPlan } from '../../index.ts'
import { remainingSeconds } from '../../terminal/progress.ts'
import type { Column } from '../../terminal/table.ts'
import { bytes, declare, option, positive, wholeNumbers } from '../command.ts'
import { UsageError } from '../failure.ts'
import { PARTITION_RESULTS } from '../partition-results.ts'
import type { Session } from '../session.ts'
import { bytesText, count, durationText } from '../text.ts'

interface ReassignOptions {
  readonly toBrokers?: readonly number[]
  readonly replicationFactor?: number
  readonly wait?: boolean
  readonly throttle?: number
}

/** The interval at which the moves in progress are checked. */
const WAIT_MS = 1_000

const REASSIGN_OPTIONS = () => [
  option('--to-brokers <list>', 'brokers to use (default: all running brokers)').argParser(
    wholeNumbers,
  ),
  option(
    '-r, --replication-factor <count>',
    'replicas of each partition (default: unchanged)',
  ).argParser(positive),
]

/** Adds `samsa reassign`, `elect` and `logdirs`. */
export function placementCommands(samsa: Command): void {
  const reassign = samsa
    .command('reassign')
    .description('move partitions between brokers, with as few moves as possible')
  declare<ReassignOptions>(reassign, {
    name: 'run <topic...>',
    summary: 'plan moves, show them, and start them',
    options: [
      ...REASSIGN_OPTIONS(),
      option('--wait', 'wait until the moves are complete'),
      option(
        '--throttle <bytes>',
        'bytes per second that a broker may copy; requires --wait, which removes the limit at the end',
      ).argParser(bytes),
    ],
    has: ['connection', 'output', 'changes'],
    examples: [
      'samsa reassign run page-views --dry-run',
      'samsa reassign run page-views --to-brokers 1,2,3 --wait --yes',
    ],
    run: runReassignment,
  })
  declare<ReassignOptions>(reassign, {
    name: 'plan <topic...>',
    summary: 'plan moves and print them, like run --dry-run',
    options: REASSIGN_OPTIONS(),
    examples: ['samsa reassign plan page-views --to-brokers 1,2,3 --json'],
    run: async (session, topics, options) => {
      const plan = await planOf(session, await session.admin(), topics, options)
      session.print(plan, PLANNED, plan.moves)
      if (plan.moves.length === 0) session.say('no partition has to move')
    },
  })
  declare(reassign, {
    name: 'status',
    summary: 'list the moves in progress (Kafka 2.4)',
    examples: ['samsa reassign status'],
    run: async (session) => {
      const admin = await session.admin()
      const moves = await admin.listPartitionReassignments(undefined, session.call)
      session.print(moves, MOVES, moves, 'no move is in progress')
    },
  })
  declare(reassign, {
    name: 'cancel',
    summary: 'cancel the moves in progress (Kafka 2.4)',
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
  options: ReassignOptions,
): Promise<void> {
  const { wait = false, throttle } = options
  if (throttle !== undefined && !wait) throw new UsageError('--throttle requires --wait')
  const admin = await session.admin()
  const plan = await planOf(session, admin, topics, options)
  const { dryRun = false, json = false } = session.options
  if (dryRun && json) {
    session.printJson(plan)
    return
  }
  if (plan.moves.length === 0) {
    session.say('no partition has to move')
    session.print([], MOVES, [])
    return
  }
  const lines = plan.moves.map(
    ({ topic, partition, from, to }) =>
      `${topic}-${partition}: ${from.join(',')} → ${to.join(',')}`,
  )
  const question = `Move ${count(plan.moves.length, 'partition')}?`
  if (!(await session.confirm(lines.join('\n'), question))) return
  const limited =
    throttle === undefined ? undefined : await throttled(session, admin, plan, throttle)
  try {
    const results = await admin.apply(plan, { ...session.call, settle: true })
    session.print(results, PARTITION_RESULTS, results)
    session.checkItems(results)
    if (wait) await waitForMoves(session, admin, plan)
  } finally {
    await limited?.remove()
  }
}

const PLANNED: readonly Column<ReassignmentPlan['moves'][number]>[] = [
  { title: 'TOPIC', of: ({ topic }) => topic },
  { title: 'PARTITION', align: 'right', of: ({ partition }) => String(partition) },
  { title: 'FROM', of: ({ from }) => from.join(',') },
  { title: 'TO', of: ({ to }) => to.join(',') },
]

function planOf(
  session: Session,
  admin: Admin,
  topics: readonly string[],
  { toBrokers, replicationFactor }: ReassignOptions,
): Promise<ReassignmentPlan> {
  return admin.planReassignment(
    {
      topics,
      ...(toBrokers === undefined ? {} : { brokers: toBrokers }),
      ...(replicationFactor === undefined ? {} : { replicationFactor }),
    },
    session.call,
  )
}

/** Shows on a terminal how many moves remain, and an estimate of the remaining time. */
async function waitForMoves(session: Session, admin: Admin, plan: ReassignmentPlan): Promise<void> {
  const moved = plan.moves.map(({ topic, partition }) => ({ topic, partition }))
  const startedAt = performance.now()
  const { signal } = session.interrupt
  while (!signal.aborted) {
    const left = await admin.listPartitionReassignments(moved, session.call)
    if (left.length === 0) return
    const done = moved.length - left.length
    const seconds = (performance.now() - startedAt) / 1000
    const rest = remainingSeconds({ messages: done, bytes: 0 }, { messages: moved.length }, seconds)
    const ending = rest === undefined ? '' : `, ${durationText(rest * 1000)} left`
    session.say(`${count(left.length, 'partition')} of ${moved.length} still being moved${ending}`)
    await delay(WAIT_MS, undefined, session.call).catch(() => undefined)
  }
}

/**
 * Throttles the copies of a plan as kafka-reassign-partitions does: it sets the rates of brokers,
 * and the replicas that they apply to.
 */
async function throttled(
  session: Session,
  admin: Admin,
  { moves }: ReassignmentPlan,
  bytesPerSecond: number,
): Promise<{ remove(): Promise<void> }> {
  const brokers = [...new Set(moves.flatMap(({ from, to }) => [...from, ...to]))]
  const rates = ['leader.replication.throttled.rate', 'follower.replication.throttled.rate']
  const lists = ['leader.replication.throttled.replicas', 'follower.replication.throttled.replicas']
  const topics = [...new Set(moves.map(({ topic }) => topic))]
  const replicasOf = (topic: string, side: 'from' | 'to') =>
    moves
      .filter((move) => move.topic === topic)
      .flatMap((move) => move[side].map((broker) => `${move.partition}:${broker}`))
      .join(',')
  const targets = [
    ...brokers.map((broker) => ({
      target: { type: 'broker' as const, name: String(broker) },
      set: Object.fromEntries(rates.map((name) => [name, String(bytesPerSecond)])),
    })),
    ...topics.map((topic) => ({
      target: { type: 'topic' as const, name: topic },
      set: {
        [lists[0]!]: replicasOf(topic, 'from'),
        [lists[1]!]: replicasOf(topic, 'to'),
      },
    })),
  ]
  await admin.incrementalAlterConfigs(
    targets.map(({ target, set }) => ({ ...target, set })),
    session.call,
  )
  return {
    // Without the signal, because Ctrl-C must not leave the throttle in place.
    async remove() {
      await admin.incrementalAlterConfigs(
        targets.map(({ target, set }) => ({ ...target, delete: Object.keys(set) })),
      )
    },
  }
}

async function cancelReassignments(session: Session): Promise<void> {
  const admin = await session.admin()
  const moves = await admin.listPartitionReassignments(undefined, session.call)
  if (moves.length === 0) {
    session.say('no move is in progress')
    return
  }
  const lines = moves.map(({ topic, partition }) => `cancel the move of ${topic}-${partition}`)
  if (!(await session.confirm(lines.join('\n'), 'Continue?'))) return
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
    'no log directory contains a matching partition',
  )
  session.checkItems(brokers.flatMap((one) => [one, ...one.logDirs]))
}
