import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import type { Admin, OffsetResetRequest, TopicPartition } from '../../index.ts'
import { declare, list, option, wholeNumbers } from '../command.ts'
import { committedOffsets } from '../committed-offsets.ts'
import { UsageError } from '../failure.ts'
import { count } from '../text.ts'
import { PARTITION_RESULTS } from '../partition-results.ts'
import type { Session } from '../session.ts'
import { timeOf } from '../times.ts'

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

/** The values of --at that are not times. */
const POSITIONS: ReadonlyMap<string, 'earliest' | 'latest' | 'maxTimestamp'> = new Map([
  ['earliest', 'earliest'],
  ['latest', 'latest'],
  ['max-timestamp', 'maxTimestamp'],
])

/** Adds `samsa offsets` with `samsa offsets reset`. */
export function offsetCommands(samsa: Command): void {
  const offsets = samsa
    .command('offsets')
    .description('list offsets; reset and export the offsets of groups')
  declare<ListOptions>(offsets, {
    name: 'list <topic...>',
    summary: 'list the first and the next offset of each partition',
    options: [
      option(
        '--at <position>',
        'earliest, latest, max-timestamp, or the first message from a date or a time ago such as -2h',
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
      option('--topic <list>', 'only these topics; default: all with committed offsets').argParser(
        list,
      ),
      option('--partitions <list>', 'only these').argParser(wholeNumbers),
    ],
    has: ['connection', 'output', 'changes'],
    notes:
      'The plan is shown before anything changes. Offsets outside the log are moved to its nearest end.',
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
    const position = POSITIONS.get(at.toLowerCase()) ?? timeOf(at)
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
  const offsets = await committedOffsets(admin, session, group!)
  if (offsets.length === 0) throw new Error(`group ${group} has no committed offsets`)
  session.write(
    offsets.map(({ topic, partition, offset }) => `${topic},${partition},${offset}\n`).join(''),
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
  const { offsets, ...plan } = await admin.planOffsetReset(
    {
      group: group!,
      ...(await targetOf(admin, session, to, group!, topic, wanted)),
    },
    session.call,
  )
  const isRelative = /^[+-]/.test(to)
  const changes = offsets.filter(
    ({ partition, from }) =>
      (wanted?.includes(partition) ?? true) && !(isRelative && from === undefined),
  )
  session.checkItems(changes)
  if (changes.length === 0) {
    throw new UsageError(`group ${group} has no committed offsets: name topics with --topic`)
  }
  if (session.options.dryRun === true && session.options.json === true) {
    session.printJson(
      changes.map(({ topic: name, partition, to: offset }) => ({ topic: name, partition, offset })),
    )
    return
  }
  const lines = changes.map(
    ({ topic: name, partition, from, to: offset }) =>
      `${name}-${partition}: ${from ?? 'none'} → ${offset}`,
  )
  const question = `Set ${count(changes.length, 'offset')} of group ${group}?`
  if (!(await session.confirm(lines.join('\n'), question))) return
  const results = await admin.apply(
    { ...plan, offsets: changes },
    { ...session.call, settle: true },
  )
  session.print(results, PARTITION_RESULTS, results)
  session.checkItems(results)
}

/** The position of `--to`, in the form of the admin client's plans. */
async function targetOf(
  admin: Admin,
  session: Session,
  to: string,
  group: string,
  topics: readonly string[] | undefined,
  wanted: readonly number[] | undefined,
): Promise<Omit<OffsetResetRequest, 'group'>> {
  const inTopics = topics === undefined ? {} : { topics }
  if (to === 'earliest' || to === 'latest') return { ...inTopics, to }
  if (/^[+-]\d{1,15}$/.test(to)) return { ...inTopics, to: { by: Number(to) } }
  if (to.startsWith('@')) return { ...inTopics, to: timeOf(`-${to.slice(1)}`) }
  if (/^\d{4}-\d{2}|^\d{10,16}$/.test(to)) return { ...inTopics, to: timeOf(to) }
  if (/^\d{1,9}$/.test(to)) {
    const partitions =
      topics === undefined
        ? await committedBy(admin, session, group)
        : await partitionsOf(admin, session, topics, wanted)
    const offset = Number(to)
    return {
      to: { offsets: partitions.map(({ topic, partition }) => ({ topic, partition, offset })) },
    }
  }
  if (!to.startsWith('group:')) return { to: { offsets: ofFile(to) } }
  const others = await committedBy(admin, session, to.slice('group:'.length))
  const own =
    topics === undefined
      ? await committedBy(admin, session, group)
      : await partitionsOf(admin, session, topics, wanted)
  const isWanted = new Set(own.map(({ topic, partition }) => `${topic}-${partition}`))
  const offsets = others.filter(
    ({ topic, partition }) => isWanted.size === 0 || isWanted.has(`${topic}-${partition}`),
  )
  return { to: { offsets } }
}

async function committedBy(
  admin: Admin,
  session: Session,
  group: string,
): Promise<readonly Target[]> {
  const offsets = await committedOffsets(admin, session, group)
  return offsets.map(({ topic, partition, offset }) => ({ topic, partition, offset }))
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
