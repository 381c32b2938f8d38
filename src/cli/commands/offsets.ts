import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import type { Admin, OffsetPosition, TopicPartition } from '../../index.ts'
import { declare, list, option, wholeNumbers } from '../command.ts'
import { UsageError } from '../failure.ts'
import { count } from '../text.ts'
import type { Session } from '../session.ts'
import { timeOf } from '../times.ts'
import { PARTITION_RESULTS } from './groups.ts'

interface ListOptions {
  readonly at?: string
  readonly partitions?: readonly number[]
  readonly readCommitted?: boolean
}

interface ResetOptions {
  readonly to: string
  readonly topic?: readonly string[]
  readonly partitions?: readonly number[]
}

/** Adds `samsa offsets` with `samsa offsets reset`. */
export function offsetCommands(samsa: Command): void {
  const offsets = samsa
    .command('offsets')
    .description('list offsets, reset and export those of groups')
  declare<ListOptions>(offsets, {
    name: 'list <topic...>',
    summary: 'list the first and the next offset of each partition',
    options: [
      option(
        '--at <position>',
        'a date, a time ago such as -2h, or max-timestamp: the first message from then on',
      ),
      option('--partitions <list>', 'only these').argParser(wholeNumbers),
      option('--read-committed', 'up to the first open transaction'),
    ],
    examples: [
      'samsa offsets list page-views',
      'samsa offsets list page-views --at 2026-01-31T10:00:00Z',
      'samsa offsets list page-views --at -2h --json',
    ],
    run: listOffsets,
  })
  declare(offsets, {
    name: 'export <group>',
    summary: 'print the committed offsets of a group as CSV, for offsets reset --to FILE',
    has: ['connection'],
    notes: "The lines are topic,partition,offset, as Kafka's own tool reads and writes them.",
    examples: ['samsa offsets export billing > billing.csv'],
    run: exportOffsets,
  })
  declare<ResetOptions>(offsets, {
    name: 'reset <group>',
    summary: 'set the committed offsets of a group that has no members',
    options: [
      option(
        '--to <position>',
        'earliest, latest, an offset, +N, -N, a date, @DURATION ago, group:NAME, or a CSV file',
      ).makeOptionMandatory(),
      option('--topic <list>', 'these topics; default: those with committed offsets').argParser(
        list,
      ),
      option('--partitions <list>', 'only these').argParser(wholeNumbers),
    ],
    has: ['connection', 'output', 'changes'],
    notes:
      'The plan is shown before anything changes. Offsets outside of the log are moved to its nearer end.',
    examples: [
      'samsa offsets reset billing --to earliest --topic page-views --dry-run',
      'samsa offsets reset billing --to 2026-01-31T10:00:00Z --yes',
      'samsa offsets reset billing --to -100 --yes',
      'samsa offsets reset billing --to ./billing.csv --yes',
    ],
    run: resetOffsets,
  })
}

async function partitionsOf(
  admin: Admin,
  session: Session,
  topics: readonly string[],
  wanted: readonly number[] | undefined,
): Promise<readonly TopicPartition[]> {
  const described = await admin.describeTopics(topics, session.call)
  session.checkItems(described)
  return described.flatMap(({ topic, partitions }) =>
    partitions
      .filter(({ partition }) => wanted?.includes(partition) ?? true)
      .map(({ partition }) => ({ topic, partition })),
  )
}

async function listOffsets(
  session: Session,
  topics: readonly string[],
  { at, partitions: wanted, readCommitted = false }: ListOptions,
): Promise<void> {
  const admin = await session.admin()
  const partitions = await partitionsOf(admin, session, topics, wanted)
  if (at !== undefined) {
    const position = at === 'max-timestamp' ? 'maxTimestamp' : timeOf(at)
    const found = await admin.listOffsets(partitions, position, session.call)
    session.print(
      found,
      [
        { title: 'TOPIC', of: ({ topic }) => topic },
        { title: 'PARTITION', align: 'right', of: ({ partition }) => String(partition) },
        { title: 'OFFSET', align: 'right', of: ({ offset }) => String(offset ?? 'none') },
        {
          title: 'TIMESTAMP',
          of: ({ timestamp }) => (timestamp === undefined ? '' : new Date(timestamp).toISOString()),
        },
      ],
      found,
    )
    session.checkItems(found)
    return
  }
  const isolationLevel = readCommitted ? 'read_committed' : 'read_uncommitted'
  const [starts, ends] = await Promise.all([
    admin.listOffsets(partitions, 'earliest', session.call),
    admin.listOffsets(partitions, 'latest', { ...session.call, isolationLevel }),
  ])
  const rows = ends.map(({ topic, partition, offset: end, error }, index) => {
    const { offset: start, error: startError } = starts[index]!
    const problem = error ?? startError
    return { topic, partition, start, end, ...(problem === undefined ? {} : { error: problem }) }
  })
  session.print(
    rows,
    [
      { title: 'TOPIC', of: ({ topic }) => topic },
      { title: 'PARTITION', align: 'right', of: ({ partition }) => String(partition) },
      { title: 'FIRST', align: 'right', of: ({ start }) => String(start ?? '?') },
      { title: 'NEXT', align: 'right', of: ({ end }) => String(end ?? '?') },
      {
        title: 'OFFSETS',
        align: 'right',
        of: ({ start, end }) =>
          start === undefined || end === undefined ? '?' : String(end - start),
      },
    ],
    rows,
  )
  session.checkItems(rows)
}

async function exportOffsets(session: Session, [group]: readonly string[]): Promise<void> {
  const admin = await session.admin()
  const [listed] = await admin.listGroupOffsets([group!], session.call)
  session.checkItems([listed!, ...listed!.offsets])
  session.write(
    listed!.offsets
      .map(({ topic, partition, offset }) => `${topic},${partition},${offset}\n`)
      .join(''),
  )
}

interface Target extends TopicPartition {
  readonly offset: number
}

async function resetOffsets(
  session: Session,
  [group]: readonly string[],
  { to, topic, partitions: wanted }: ResetOptions,
): Promise<void> {
  const admin = await session.admin()
  const [listed] = await admin.listGroupOffsets([group!], session.call)
  if (listed!.error !== undefined && listed!.error.code !== 'GROUP_ID_NOT_FOUND') {
    session.checkItems([listed!])
  }
  const committed = new Map(
    listed!.offsets.map(({ topic: name, partition, offset }) => [`${name}-${partition}`, offset]),
  )
  const partitions =
    topic === undefined
      ? listed!.offsets
          .map(({ topic: name, partition }) => ({ topic: name, partition }))
          .filter(({ partition }) => wanted?.includes(partition) ?? true)
      : await partitionsOf(admin, session, topic, wanted)
  const targets = await targetsOf(admin, session, to, partitions, committed)
  if (targets.length === 0) {
    throw new UsageError(`group ${group} has no committed offsets: name topics with --topic`)
  }
  const plan = targets.map(({ topic: name, partition, offset }) => {
    const before = committed.get(`${name}-${partition}`)
    return `${name}-${partition}: ${before ?? 'none'} → ${offset}`
  })
  const question = `Set ${count(targets.length, 'offset')} of group ${group}?`
  if (session.options.dryRun === true && session.options.json === true) {
    session.printJson(targets)
    return
  }
  if (!(await session.confirm(plan.join('\n'), question))) return
  const results = await admin.alterGroupOffsets(group!, targets, { ...session.call, settle: true })
  session.print(results, PARTITION_RESULTS, results)
  session.checkItems(results)
}

/** Where each partition is to go, inside of its log. */
async function targetsOf(
  admin: Admin,
  session: Session,
  to: string,
  partitions: readonly TopicPartition[],
  committed: ReadonlyMap<string, number | undefined>,
): Promise<readonly Target[]> {
  const chosen = await chosenBy(admin, session, to, partitions, committed)
  const where = chosen.map(({ topic, partition }) => ({ topic, partition }))
  const [starts, ends] = await Promise.all([
    admin.listOffsets(where, 'earliest', session.call),
    admin.listOffsets(where, 'latest', session.call),
  ])
  session.checkItems([...starts, ...ends])
  return chosen.map((target, index) => ({
    ...target,
    offset: Math.min(Math.max(target.offset, starts[index]!.offset ?? 0), ends[index]!.offset ?? 0),
  }))
}

async function chosenBy(
  admin: Admin,
  session: Session,
  to: string,
  partitions: readonly TopicPartition[],
  committed: ReadonlyMap<string, number | undefined>,
): Promise<readonly Target[]> {
  const at = async (position: OffsetPosition): Promise<readonly Target[]> => {
    const found = await admin.listOffsets(partitions, position, session.call)
    session.checkItems(found)
    // There is no message from then on: the group reads what comes next.
    return found.map(({ topic, partition, offset = Infinity }) => ({ topic, partition, offset }))
  }
  if (to === 'earliest' || to === 'latest') return at(to)
  if (/^[+-]\d{1,15}$/.test(to)) {
    return partitions.flatMap(({ topic, partition }) => {
      const before = committed.get(`${topic}-${partition}`)
      return before === undefined ? [] : [{ topic, partition, offset: before + Number(to) }]
    })
  }
  if (/^\d{1,9}$/.test(to)) return partitions.map((one) => ({ ...one, offset: Number(to) }))
  if (to.startsWith('group:')) return ofGroup(admin, session, to.slice('group:'.length), partitions)
  if (to.startsWith('@')) return at(timeOf(`-${to.slice(1)}`))
  if (/^\d{4}-\d{2}|^\d{10,16}$/.test(to)) return at(timeOf(to))
  return ofFile(to)
}

async function ofGroup(
  admin: Admin,
  session: Session,
  group: string,
  partitions: readonly TopicPartition[],
): Promise<readonly Target[]> {
  const [listed] = await admin.listGroupOffsets([group], session.call)
  session.checkItems([listed!, ...listed!.offsets])
  const isWanted = new Set(partitions.map(({ topic, partition }) => `${topic}-${partition}`))
  return listed!.offsets
    .filter(({ topic, partition }) => isWanted.size === 0 || isWanted.has(`${topic}-${partition}`))
    .map(({ topic, partition, offset }) => ({ topic, partition, offset: offset! }))
}

function ofFile(path: string): readonly Target[] {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch {
    throw new UsageError(
      `--to '${path}' is neither earliest, latest, an offset, +N, -N, a date, @DURATION, group:NAME, nor a file that can be read`,
    )
  }
  return text
    .split(/\r?\n/)
    .filter((line) => line.trim() !== '')
    .map((line, index) => {
      const match = /^"?([\w.-]{1,249})"?,(\d{1,10}),(\d{1,15})$/.exec(line.trim())
      if (match === null) {
        throw new UsageError(`${path}, line ${index + 1}: it must be topic,partition,offset`)
      }
      return { topic: match[1]!, partition: Number(match[2]), offset: Number(match[3]) }
    })
}
