import type { Command } from 'commander'
import type { KafkaClient, TopicDescription } from '../../index.ts'
import type { Styler } from '../../terminal/style.ts'
import type { Column } from '../../terminal/table.ts'
import { visibleText } from '../../terminal/visible.ts'
import { declare, duration, option, positive } from '../command.ts'
import { UsageError } from '../failure.ts'
import { measure } from '../group-lag.ts'
import { clock, Histories, live, liveTable, Rate, rateText, sparklineWidth } from '../live.ts'
import { matcherOf } from '../names.ts'
import type { Session } from '../session.ts'
import { count } from '../text.ts'
import { timeLags, unknownAges } from '../time-lag.ts'

interface TopOptions {
  readonly interval: number
  readonly topics: number
  readonly groups: number
}

/** Adds `samsa top`. */
export function topCommand(samsa: Command): void {
  declare<TopOptions>(samsa, {
    name: 'top [pattern...]',
    summary: 'show the busiest topics and the groups with lag, live',
    arguments: { pattern: 'topics, with * for any characters; default: all topics' },
    options: [
      option('--interval <duration>', 'time between two updates')
        .argParser(duration)
        .default(2_000, '2s'),
      option('--topics <count>', 'how many topics to show').argParser(positive).default(10),
      option('--groups <count>', 'how many groups to show').argParser(positive).default(10),
    ],
    has: ['connection'],
    examples: ['samsa top', "samsa top 'orders*' --interval 5s"],
    run: top,
  })
}

async function top(
  session: Session,
  patterns: readonly string[],
  options: TopOptions,
): Promise<void> {
  if (!process.stdout.isTTY) throw new UsageError('top requires a terminal')
  const client = await session.client()
  const isWanted = matcherOf(patterns)
  const topics = new TopicRates()
  const groups = new Histories()
  await live(session, options.interval, async () => {
    const [cluster, listed] = await Promise.all([
      client.admin.describeCluster(session.call),
      client.admin.listTopics(session.call),
    ])
    const wanted = listed.filter(({ topic }) => isWanted(topic))
    await topics.measure(session, client, wanted)
    const lags = await measure(client.admin, session, [], {})
    const behind = lags.toSorted((a, b) => (b.lag ?? Infinity) - (a.lag ?? Infinity))
    const shown = behind.slice(0, options.groups)
    const { byGroup } = await timeLags(client, shown, session.interrupt.signal).catch(unknownAges)
    groups.remember(lags, byGroup)
    const style = session.style
    const head = [
      `samsa top   ${clock()}   Ctrl-C ends it`,
      summary(cluster, listed, topics.total, style),
      '',
    ]
    return (width) =>
      [
        ...head,
        topics.table(options.topics, width, style),
        shown.length === 0 ? 'no groups' : groups.table(shown, width, style),
      ].join('\n')
  })
}

function summary(
  {
    clusterId,
    brokers,
    controller,
  }: { clusterId?: string; brokers: readonly unknown[]; controller?: number },
  topics: readonly TopicDescription[],
  total: number | undefined,
  style: Styler,
): string {
  const partitions = topics.flatMap((topic) => topic.partitions)
  const behind = partitions.filter(({ isr, replicas }) => isr.length < replicas.length).length
  const lost = partitions.filter(({ leader }) => leader === undefined).length
  const health = [
    ...(behind > 0 ? [style('yellow', `${behind} under-replicated`)] : []),
    ...(lost > 0 ? [style('red', `${lost} without a leader`)] : []),
  ]
  return [
    `cluster ${clusterId ?? 'without an id'}, ${count(brokers.length, 'broker')}, controller ${controller ?? 'unknown'}`,
    `${count(topics.length, 'topic')}, ${count(partitions.length, 'partition')}` +
      (health.length === 0 ? ', all in sync' : `, ${health.join(', ')}`) +
      (total === undefined ? '' : `, ${rateText(total)} messages/s`),
  ].join('\n')
}

interface TopicRow {
  readonly topic: string
  readonly partitions: number
  readonly messages: number | undefined
  readonly rate: Rate
}

/** The rates at which the topics grow, from the end offsets of their partitions. */
class TopicRates {
  readonly #rates = new Map<string, Rate>()
  #rows: readonly TopicRow[] = []

  /** The sum over all topics, in messages per second. */
  get total(): number | undefined {
    const known = this.#rows.flatMap(({ rate }) => rate.current ?? [])
    return known.length === 0 ? undefined : known.reduce((sum, one) => sum + one, 0)
  }

  async measure(
    session: Session,
    client: KafkaClient,
    topics: readonly TopicDescription[],
  ): Promise<void> {
    const places = topics.flatMap(({ topic, partitions }) =>
      partitions.map(({ partition }) => ({ topic, partition })),
    )
    const [starts, ends] = await Promise.all([
      client.admin.listOffsets(places, 'earliest', session.call),
      client.admin.listOffsets(places, 'latest', session.call),
    ])
    const sums = new Map<string, { end: number; kept: number; isKnown: boolean }>()
    for (const [index, { topic, offset: end }] of ends.entries()) {
      const sum = sums.get(topic) ?? { end: 0, kept: 0, isKnown: true }
      const start = starts[index]!.offset
      sum.isKnown &&= end !== undefined && start !== undefined
      sum.end += end ?? 0
      sum.kept += (end ?? 0) - (start ?? 0)
      sums.set(topic, sum)
    }
    const names = new Set(topics.map(({ topic }) => topic))
    for (const name of this.#rates.keys()) if (!names.has(name)) this.#rates.delete(name)
    this.#rows = topics.map(({ topic, partitions }) => {
      const rate = this.#rates.get(topic) ?? new Rate()
      this.#rates.set(topic, rate)
      const sum = sums.get(topic)
      // A partition that did not respond would look like a decrease.
      if (sum?.isKnown === true) rate.add(sum.end)
      const messages = sum?.isKnown === true ? sum.kept : undefined
      return { topic, partitions: partitions.length, messages, rate }
    })
  }

  table(most: number, width: number, style: Styler): string {
    if (this.#rows.length === 0) return 'no topics\n'
    const rows = this.#rows
      .toSorted(
        (a, b) =>
          (b.rate.current ?? 0) - (a.rate.current ?? 0) || (b.messages ?? 0) - (a.messages ?? 0),
      )
      .slice(0, most)
    const trend = sparklineWidth(width)
    const columns: Column<TopicRow>[] = [
      { title: 'TOPIC', of: ({ topic }) => visibleText(topic) },
      { title: 'PARTITIONS', align: 'right', of: ({ partitions }) => String(partitions) },
      {
        title: 'OFFSETS',
        align: 'right',
        of: ({ messages }) => (messages === undefined ? '?' : messages.toLocaleString('en')),
      },
      { title: 'IN/S', align: 'right', of: ({ rate }) => rateText(rate.current) },
      { title: 'TREND', align: 'right', of: ({ rate }) => rate.sparkline(trend) },
    ]
    const leaveOut = width < 60 ? ['PARTITIONS', 'TREND'] : []
    return liveTable(columns, leaveOut, rows, width, style)
  }
}
