import { setTimeout as delay } from 'node:timers/promises'
import type { Command } from 'commander'
import type { Admin, GroupLag, PartitionLag } from '../../index.ts'
import { Screen } from '../../terminal/screen.ts'
import { sparkline } from '../../terminal/sparkline.ts'
import { renderTable, type Column } from '../../terminal/table.ts'
import { visibleText } from '../../terminal/visible.ts'
import { declare, duration, list, option, wholeNumber } from '../command.ts'
import { ConditionNotMetError, UsageError } from '../failure.ts'
import { isPattern, matcherOf } from '../names.ts'
import type { Session } from '../session.ts'

interface LagOptionsOfCommand {
  readonly topic?: readonly string[]
  readonly onlyLagging?: boolean
  readonly partitions?: boolean
  readonly max?: number
  readonly watch?: boolean
  readonly interval: number
  readonly readCommitted?: boolean
}

/** How many measurements a sparkline shows. */
const HISTORY = 30

/** Adds `samsa lag`. */
export function lagCommand(samsa: Command): void {
  declare<LagOptionsOfCommand>(samsa, {
    name: 'lag [group...]',
    summary: 'show the lag of groups in messages',
    arguments: { group: 'names, with * for any characters; default: all groups' },
    options: [
      option('--topic <list>', 'show only these topics').argParser(list),
      option('--only-lagging', 'show only groups and partitions with lag'),
      option('--partitions', 'show each partition with its member'),
      option('--max <messages>', 'exit with code 3 if a group has more lag').argParser(wholeNumber),
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
      "samsa lag 'billing*' --watch",
    ],
    run: (session, patterns, options) =>
      options.watch === true ? watch(session, patterns, options) : show(session, patterns, options),
  })
}

async function show(
  session: Session,
  patterns: readonly string[],
  options: LagOptionsOfCommand,
): Promise<void> {
  const groups = await measure(await session.admin(), session, patterns, options)
  printLag(session, groups, options)
  session.checkItems(groups.flatMap((group) => [group, ...group.partitions]))
  const { max } = options
  const above = groups.filter(({ lag }) => max !== undefined && lag !== undefined && lag > max)
  if (above.length > 0) {
    const names = above.map(({ group, lag }) => `${group} (${lag})`).join(', ')
    throw new ConditionNotMetError(`behind by more than ${max}: ${names}`)
  }
}

function printLag(
  session: Session,
  groups: readonly GroupLag[],
  { partitions, onlyLagging }: LagOptionsOfCommand,
): void {
  if (partitions !== true) {
    session.print(groups, GROUP_COLUMNS, groups)
    return
  }
  const rows = groups.flatMap(({ group, partitions: ofGroup }) =>
    ofGroup
      .filter(({ lag }) => onlyLagging !== true || lag !== 0)
      .map((partition) => ({ group, ...partition })),
  )
  session.print(groups, PARTITION_COLUMNS, rows)
}

const GROUP_COLUMNS: readonly Column<GroupLag>[] = [
  { title: 'GROUP', of: ({ group }) => group },
  { title: 'STATE', of: ({ state }) => state },
  { title: 'PARTITIONS', align: 'right', of: ({ partitions }) => String(partitions.length) },
  { title: 'LAG', align: 'right', of: ({ lag }) => lagText(lag) },
]

const PARTITION_COLUMNS: readonly Column<PartitionLag & { readonly group: string }>[] = [
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

/** The lag of the groups that are wanted, only of the topics that are wanted. */
async function measure(
  admin: Admin,
  session: Session,
  patterns: readonly string[],
  { topic, onlyLagging, readCommitted = false }: LagOptionsOfCommand,
): Promise<readonly GroupLag[]> {
  const names = await groupsOf(admin, session, patterns)
  const all = await admin.lag(names, { ...session.call, isReadCommitted: readCommitted })
  const isWanted = matcherOf(topic ?? [])
  const groups = topic === undefined ? all : all.map((group) => onlyTopics(group, isWanted))
  return onlyLagging === true ? groups.filter(({ lag }) => lag !== 0) : groups
}

async function groupsOf(
  admin: Admin,
  session: Session,
  patterns: readonly string[],
): Promise<readonly string[]> {
  if (patterns.length > 0 && !patterns.some(isPattern)) return [...new Set(patterns)]
  const { groups, incomplete } = await admin.listGroups(session.call)
  session.checkComplete(incomplete)
  const isWanted = matcherOf(patterns)
  return groups.map(({ group }) => group).filter(isWanted)
}

function onlyTopics(group: GroupLag, isWanted: (topic: string) => boolean): GroupLag {
  const partitions = group.partitions.filter(({ topic }) => isWanted(topic))
  const isKnown = group.error === undefined && partitions.every(({ lag }) => lag !== undefined)
  const lag = partitions.reduce((sum, one) => sum + (one.lag ?? 0), 0)
  const { type, state, error } = group
  return {
    group: group.group,
    ...(type === undefined ? {} : { type }),
    state,
    ...(isKnown ? { lag } : {}),
    partitions,
    ...(error === undefined ? {} : { error }),
  }
}

/** What one measurement after another reports a group. */
interface History {
  readonly lags: (number | undefined)[]
  readonly offsets: { at: number; committed: number; ends: number }[]
}

async function watch(
  session: Session,
  patterns: readonly string[],
  options: LagOptionsOfCommand,
): Promise<void> {
  if (!process.stdout.isTTY) throw new UsageError('--watch needs a terminal')
  const admin = await session.admin()
  const histories = new Map<string, History>()
  const { signal } = session.interrupt
  using screen = new Screen(process.stdout)
  while (!signal.aborted) {
    const text = await measure(admin, session, patterns, options).then(
      (groups) => drawing(groups, histories, screen.width),
      (error: unknown) => `${error instanceof Error ? error.message : String(error)}\n`,
    )
    screen.show(`samsa lag   ${new Date().toLocaleTimeString()}   Ctrl-C ends it\n\n${text}`)
    await delay(options.interval, undefined, { signal }).catch(() => undefined)
  }
}

function drawing(
  groups: readonly GroupLag[],
  histories: Map<string, History>,
  width: number,
): string {
  for (const group of groups) remember(histories, group)
  return renderTable<GroupLag>(
    [
      { title: 'GROUP', of: ({ group }) => visibleText(group) },
      { title: 'STATE', of: ({ state }) => state },
      { title: 'LAG', align: 'right', of: ({ lag }) => lagText(lag) },
      { title: 'IN/S', align: 'right', of: ({ group }) => rateOf(histories.get(group)!, 'ends') },
      {
        title: 'OUT/S',
        align: 'right',
        of: ({ group }) => rateOf(histories.get(group)!, 'committed'),
      },
      { title: 'TREND', align: 'right', of: ({ group }) => sparkline(histories.get(group)!.lags) },
    ],
    groups,
    width,
  )
}

function remember(histories: Map<string, History>, { group, lag, partitions }: GroupLag): void {
  const history = histories.get(group) ?? { lags: [], offsets: [] }
  histories.set(group, history)
  history.lags.push(lag)
  history.offsets.push({
    at: performance.now(),
    committed: partitions.reduce((sum, { offset = 0 }) => sum + offset, 0),
    ends: partitions.reduce((sum, { endOffset = 0 }) => sum + endOffset, 0),
  })
  if (history.lags.length > HISTORY) history.lags.shift()
  if (history.offsets.length > HISTORY) history.offsets.shift()
}

function rateOf({ offsets }: History, what: 'committed' | 'ends'): string {
  const [first, last] = [offsets[0], offsets.at(-1)]
  if (first === undefined || last === undefined || first === last) return ''
  const seconds = (last.at - first.at) / 1000
  return ((last[what] - first[what]) / seconds).toFixed(1)
}
