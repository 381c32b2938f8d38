import type { Command } from 'commander'
import type { GroupLag, KafkaClient, PartitionLag } from '../../index.ts'
import type { Column } from '../../terminal/table.ts'
import { declare, duration, list, option, wholeNumber } from '../command.ts'
import { ConditionNotMetError, UsageError } from '../failure.ts'
import { measure, type WantedLag } from '../group-lag.ts'
import { clock, Histories, live } from '../live.ts'
import type { Session } from '../session.ts'
import { durationText } from '../text.ts'
import { timeLags, unknownAges } from '../time-lag.ts'

interface LagOptionsOfCommand extends WantedLag {
  readonly partitions?: boolean
  readonly max?: number
  readonly watch?: boolean
  readonly interval: number
  readonly seconds?: boolean
  readonly maxAge?: number
}

/** Adds `samsa lag`. */
export function lagCommand(samsa: Command): void {
  declare<LagOptionsOfCommand>(samsa, {
    name: 'lag [group...]',
    summary: 'show the lag of groups, in messages and in time',
    arguments: { group: 'names, with * for any characters; default: all groups' },
    options: [
      option('--topic <list>', 'show only these topics').argParser(list),
      option('--only-lagging', 'show only groups and partitions with lag'),
      option('--partitions', 'show each partition with its member'),
      option('--max <messages>', 'exit with code 3 if a group has more lag').argParser(wholeNumber),
      option('--seconds', 'also show the age of the oldest unread message'),
      option(
        '--max-age <duration>',
        'exit with code 3 if that age is higher than this, such as 5m',
      ).argParser(duration),
      option('--read-committed', 'count only up to the first open transaction'),
      option('--watch', 'update the display until Ctrl-C'),
      option('--interval <duration>', 'time between two updates of --watch')
        .argParser(duration)
        .default(2_000, '2s'),
    ],
    notes: 'A lag that cannot be determined is shown as ?, never as 0, and the exit code is 1.',
    examples: [
      'samsa lag',
      'samsa lag billing --partitions',
      'samsa lag --max 10000 --json',
      'samsa lag billing --seconds --max-age 5m',
      "samsa lag 'billing*' --watch",
    ],
    run: (session, patterns, options) =>
      options.watch === true ? watch(session, patterns, options) : show(session, patterns, options),
  })
}

/** A group with its lag in time, if it was requested and is known. */
type AgedLag = GroupLag & { readonly ageMs?: number }
type AgedPartition = PartitionLag & { readonly group: string; readonly ageMs?: number }

async function show(
  session: Session,
  patterns: readonly string[],
  options: LagOptionsOfCommand,
): Promise<void> {
  const client = await session.client()
  const groups = await measure(client.admin, session, patterns, options)
  const { max, maxAge, seconds = false } = options
  const isAged = seconds || maxAge !== undefined
  const aged: readonly AgedLag[] = isAged ? await withAges(session, client, groups) : groups
  printLag(session, aged, options, isAged)
  session.checkItems(groups.flatMap((group) => [group, ...group.partitions]))
  const above = aged.filter(({ lag }) => max !== undefined && lag !== undefined && lag > max)
  const names = above.map(({ group, lag }) => `${group} (${lag})`).join(', ')
  if (above.length > 0) throw new ConditionNotMetError(`behind by more than ${max}: ${names}`)
  if (maxAge === undefined) return
  const unknown = aged.filter(({ lag, ageMs }) => lag !== 0 && ageMs === undefined)
  if (unknown.length > 0) {
    throw new Error(`the lag in time is unknown: ${unknown.map(({ group }) => group).join(', ')}`)
  }
  const late = aged.filter(({ ageMs }) => ageMs !== undefined && ageMs > maxAge)
  if (late.length === 0) return
  const texts = late.map(({ group, ageMs }) => `${group} (${durationText(ageMs!)})`).join(', ')
  throw new ConditionNotMetError(`behind by more than ${durationText(maxAge)}: ${texts}`)
}

async function withAges(
  session: Session,
  client: KafkaClient,
  groups: readonly GroupLag[],
): Promise<readonly AgedLag[]> {
  const { byGroup, ages } = await timeLags(client, groups, session.interrupt.signal)
  const ofPartition = new Map(
    ages.map(({ group, topic, partition, ageMs }) => [`${group} ${topic}-${partition}`, ageMs]),
  )
  return groups.map((group) => {
    const ageMs = byGroup.get(group.group)
    const partitions = group.partitions.map((one) => {
      const name = `${group.group} ${one.topic}-${one.partition}`
      const age = one.lag === 0 ? 0 : ofPartition.get(name)
      return age === undefined ? one : { ...one, ageMs: age }
    })
    return { ...group, partitions, ...(ageMs === undefined ? {} : { ageMs }) }
  })
}

function printLag(
  session: Session,
  groups: readonly AgedLag[],
  { partitions, onlyLagging }: LagOptionsOfCommand,
  isAged: boolean,
): void {
  const age: Column<{ readonly ageMs?: number }> = {
    title: 'BEHIND',
    align: 'right',
    of: ({ ageMs }) => (ageMs === undefined ? '?' : durationText(ageMs)),
  }
  const more = isAged ? [age] : []
  if (partitions !== true) {
    session.print(groups, [...GROUP_COLUMNS, ...more], groups, 'no groups found')
    return
  }
  const rows = groups.flatMap(({ group, partitions: ofGroup }) =>
    ofGroup
      .filter(({ lag }) => onlyLagging !== true || lag !== 0)
      .map((partition): AgedPartition => ({ group, ...partition })),
  )
  const at = PARTITION_COLUMNS.findIndex(({ title }) => title === 'LAG') + 1
  const none = onlyLagging === true ? 'no partition is behind' : 'no committed offsets found'
  session.print(groups, PARTITION_COLUMNS.toSpliced(at, 0, ...more), rows, none)
}

const GROUP_COLUMNS: readonly Column<GroupLag>[] = [
  { title: 'GROUP', of: ({ group }) => group },
  { title: 'STATE', of: ({ state }) => state },
  { title: 'PARTITIONS', align: 'right', of: ({ partitions }) => String(partitions.length) },
  { title: 'LAG', align: 'right', of: ({ lag }) => lagText(lag) },
]

const PARTITION_COLUMNS: readonly Column<AgedPartition>[] = [
  { title: 'GROUP', of: ({ group }) => group },
  { title: 'TOPIC', of: ({ topic }) => topic },
  { title: 'PARTITION', align: 'right', of: ({ partition }) => String(partition) },
  { title: 'OFFSET', align: 'right', of: ({ offset }) => String(offset ?? '-') },
  { title: 'END', align: 'right', of: ({ endOffset }) => String(endOffset ?? '?') },
  { title: 'LAG', align: 'right', of: ({ lag }) => lagText(lag) },
  { title: 'MEMBER', of: ({ memberId }) => memberId ?? '' },
  { title: 'HOST', of: ({ clientHost }) => (clientHost ?? '').replace(/^\//, '') },
]

function lagText(lag: number | undefined): string {
  return lag === undefined ? '?' : String(lag)
}

async function watch(
  session: Session,
  patterns: readonly string[],
  options: LagOptionsOfCommand,
): Promise<void> {
  if (!process.stdout.isTTY) throw new UsageError('--watch requires a terminal')
  const client = await session.client()
  const histories = new Histories()
  await live(session, options.interval, async () => {
    const groups = await measure(client.admin, session, patterns, options)
    const { byGroup } = await timeLags(client, groups, session.interrupt.signal).catch(unknownAges)
    histories.remember(groups, byGroup)
    const title = `samsa lag   ${clock()}   Ctrl-C ends it`
    return (width) =>
      groups.length === 0
        ? `${title}\n\nno groups`
        : `${title}\n\n${histories.table(groups, width, session.style)}`
  })
}
