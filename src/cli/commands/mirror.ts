import type { Command } from 'commander'
import type {
  Compression,
  Consumer,
  ConsumedMessage,
  KafkaClient,
  NewTopic,
  TopicPartitionOffset,
} from '../../index.ts'
import { Progress } from '../../terminal/progress.ts'
import { append, declare, filled, option } from '../command.ts'
import { committedOffsets } from '../committed-offsets.ts'
import { UsageError } from '../failure.ts'
import { filterOf, type FilterOptions } from '../filter.ts'
import { COMPRESSION_OPTION, FILTER_OPTIONS } from '../message-options.ts'
import { copier, type Copier } from '../mirroring.ts'
import { offsetsLeft, RangeEnd, rangeOf, topicNames, type RangeOptions } from '../range.ts'
import { keyAndValue, type Session } from '../session.ts'
import { count } from '../text.ts'
import { topicLike } from '../topic-like.ts'

interface MirrorOptions extends RangeOptions, FilterOptions {
  readonly toBrokers?: string
  readonly toProfile?: string
  readonly to?: readonly string[]
  readonly rename?: string
  readonly repartition?: boolean
  readonly create?: boolean
  readonly resume?: string
  readonly exactlyOnce?: boolean
  readonly follow?: boolean
  readonly readCommitted?: boolean
  readonly compression: Compression
}

/** Adds `samsa mirror`. */
export function mirrorCommand(samsa: Command): void {
  declare<MirrorOptions>(samsa, {
    name: 'mirror <topic...>',
    summary: 'copy topics to another cluster, or to other topics of the same cluster',
    arguments: { topic: 'topic names; * matches any characters, /…/ is a regular expression' },
    options: [
      option('--to-brokers <list>', 'bootstrap brokers of the target; default: the same cluster'),
      option('--to-profile <name>', 'profile of the target'),
      option(
        '--to <key=value>',
        'setting of the connection to the target; can be repeated',
      ).argParser(append),
      option(
        '--rename <pattern>',
        'name of the target topic; % is the name of the source',
      ).argParser(filled),
      option('--repartition', 'choose partitions by key instead of keeping the numbers'),
      option('--no-create', 'fail if the target topic does not exist'),
      option(
        '--resume <group>',
        'store the position as the offsets of this group, and continue there the next time',
      ).argParser(filled),
      option(
        '--exactly-once',
        'copy in transactions that include the position; requires --resume, and Kafka 0.11 as the target',
      ),
      option('--follow', 'continue with new messages until Ctrl-C'),
      option('--from <time>', 'start at a date, or a time ago such as -2h'),
      option('--until <time>', 'stop at messages of this time or later'),
      ...FILTER_OPTIONS(),
      option('--read-committed', 'skip messages of open and aborted transactions'),
      COMPRESSION_OPTION(),
    ],
    has: ['connection', 'output', 'changes'],
    notes:
      'Keys, values, headers and timestamps are copied unchanged. Missing topics are created with the partitions and\nsettings of the source. With --resume the offsets are stored in the source cluster, with --exactly-once in the target cluster.',
    examples: [
      'samsa mirror page-views --to-brokers other:9092',
      "samsa mirror 'orders*' --to-profile staging --rename 'copy-of-%' --from -1d",
      'samsa mirror page-views --to-brokers other:9092 --resume mirror --exactly-once --follow',
    ],
    run: mirror,
  })
}

async function mirror(
  session: Session,
  names: readonly string[],
  options: MirrorOptions,
): Promise<void> {
  const { resume, exactlyOnce = false, follow = false, repartition = false } = options
  checkOptions(options)
  const isWanted = filterOf(options)
  const range = rangeOf(options, 'earliest')
  const source = await session.client()
  const target = await targetOf(session, options)
  const topics = await topicNames(session, source, names)
  const targetName = (topic: string) => (options.rename ?? '%').replaceAll('%', topic)
  await prepareTopics(session, source, target, topics, targetName, options)
  const what = topics.map((topic) => `copy ${topic} to ${targetName(topic)}`)
  if (session.options.dryRun === true) {
    await session.confirm(what.join('\n'), '')
    return
  }
  await using consumer = await source.getConsumer(
    {
      topics,
      autoOffsetReset: range.at,
      stopAtEnd: !follow,
      autoStart: false,
      isolationLevel: options.readCommitted === true ? 'read_committed' : 'read_uncommitted',
      ...(resume !== undefined && !exactlyOnce ? { consumerGroup: resume } : {}),
    },
    session.call,
  )
  await consumer.start(session.call)
  if (exactlyOnce) await seekToResume(session, target, consumer, resume!, targetName)
  const isWatched = process.stderr.isTTY
  using progress = new Progress('copied', isWatched ? process.stderr : undefined)
  if (isWatched && !follow)
    progress.total = { messages: await offsetsLeft(session, source, consumer) }
  const copy = await copier(target, consumer, {
    compression: options.compression,
    resume,
    exactlyOnce,
    targetName,
    keepPartition: !repartition,
  })
  const copied = new Map<string, number>()
  await copyAll(session, consumer, copy, new RangeEnd(range), isWanted, (message) => {
    progress.add((message.key?.length ?? 0) + (message.value?.length ?? 0))
    copied.set(message.topic, (copied.get(message.topic) ?? 0) + 1)
  })
  const rows = topics.map((topic) => ({
    topic,
    target: targetName(topic),
    messages: copied.get(topic) ?? 0,
  }))
  session.print(
    rows,
    [
      { title: 'TOPIC', of: ({ topic }) => topic },
      { title: 'TARGET', of: (row) => row.target },
      { title: 'MESSAGES', align: 'right', of: ({ messages }) => String(messages) },
    ],
    rows,
  )
  if (follow) session.interrupt.succeedAfterCtrlC()
}

function checkOptions({
  toBrokers,
  toProfile,
  to = [],
  rename,
  resume,
  exactlyOnce,
  repartition,
  until,
}: MirrorOptions): void {
  const isElsewhere = toBrokers !== undefined || toProfile !== undefined || to.length > 0
  if (!isElsewhere && (rename === undefined || rename === '%')) {
    throw new UsageError('give the target: --to-brokers, --to-profile, --to, or --rename')
  }
  if (exactlyOnce === true && resume === undefined) {
    throw new UsageError(
      '--exactly-once requires --resume, which names the group that stores the position',
    )
  }
  if (resume !== undefined && until !== undefined) {
    throw new UsageError(
      '--resume continues where the last copy ended: it cannot be used with --until',
    )
  }
  if (exactlyOnce === true && repartition === true) {
    throw new UsageError(
      '--exactly-once keeps the partitions: it cannot be used with --repartition',
    )
  }
}

function targetOf(
  session: Session,
  { toBrokers, toProfile, to = [] }: MirrorOptions,
): Promise<KafkaClient> {
  // A profile is another cluster; without one, missing settings are those of the source.
  const base = toProfile === undefined ? session.properties() : session.profiles.read(toProfile)
  const properties = new Map([...base, ...to.map(keyAndValue)])
  if (toBrokers !== undefined) properties.set('bootstrap.servers', toBrokers)
  return session.connect(properties)
}

/** Creates the missing target topics, and checks the others. */
async function prepareTopics(
  session: Session,
  source: KafkaClient,
  target: KafkaClient,
  topics: readonly string[],
  targetName: (topic: string) => string,
  { create = true, repartition = false }: MirrorOptions,
): Promise<void> {
  const described = await source.admin.describeTopics(topics, session.call)
  session.checkItems(described)
  const existing = await target.admin.describeTopics(topics.map(targetName), session.call)
  const missing = existing.filter(({ error }) => error?.code === 'UNKNOWN_TOPIC_OR_PARTITION')
  session.checkItems(existing.filter((topic) => !missing.includes(topic)))
  if (missing.length > 0 && !create) session.checkItems(missing)
  for (const [index, { topic, partitions }] of described.entries()) {
    const found = existing[index]!
    if (found.error !== undefined || repartition) continue
    if (found.partitions.length >= partitions.length) continue
    throw new UsageError(
      `topic ${found.topic} has ${count(found.partitions.length, 'partition')}, ${topic} ` +
        `${partitions.length}: give --repartition`,
    )
  }
  if (missing.length === 0 || session.options.dryRun === true) return
  const isMissing = new Set(missing.map(({ topic }) => topic))
  const wanted = described.filter(({ topic }) => isMissing.has(targetName(topic)))
  const configs = await source.admin.describeConfigs(
    wanted.map(({ topic }) => ({ type: 'topic' as const, name: topic })),
    session.call,
  )
  session.checkItems(configs)
  const brokers = (await target.admin.describeCluster(session.call)).brokers.length
  const created = await target.admin.createTopics(
    wanted.map((topic, index): NewTopic => {
      const copy = topicLike(topic, configs[index]!, targetName(topic.topic))
      // A smaller cluster may have fewer brokers than replicas.
      return { ...copy, replicationFactor: Math.min(copy.replicationFactor, brokers) }
    }),
    { ...session.call, settle: true },
  )
  session.checkItems(created)
}

/** The position of an exactly-once copy is in the target, under the names of the target's topics. */
async function seekToResume(
  session: Session,
  target: KafkaClient,
  consumer: Consumer,
  group: string,
  targetName: (topic: string) => string,
): Promise<void> {
  const committed = await committedOffsets(target.admin, session, group)
  const offsets = new Map(
    committed.map(({ topic, partition, offset }) => [`${topic}-${partition}`, offset]),
  )
  for (const { topic, partition } of consumer.assignment) {
    const offset = offsets.get(`${targetName(topic)}-${partition}`)
    if (offset !== undefined) consumer.seek({ topic, partition }, offset)
  }
}

/** Copies until the end or Ctrl-C, and then commits the position of the copied messages. */
async function copyAll(
  session: Session,
  consumer: Consumer,
  copy: Copier,
  end: RangeEnd,
  isWanted: (message: ConsumedMessage) => boolean,
  onCopied: (message: ConsumedMessage) => void,
): Promise<void> {
  const { ClosedError } = await import('../../index.ts')
  const { signal } = session.interrupt
  try {
    for await (const batch of consumer.batches({ signal })) {
      const position: TopicPartitionOffset = {
        topic: batch.topic,
        partition: batch.partition,
        offset: batch.nextOffset,
      }
      for (const message of batch.messages) {
        if (end.isPast(message) || !isWanted(message)) continue
        await copy.send(message)
        onCopied(message)
      }
      await copy.reached(position)
      if (end.isBounded && end.hasEnded(consumer)) break
    }
  } catch (error) {
    if (!signal.aborted && !(error instanceof ClosedError)) {
      await copy.giveUp()
      throw error
    }
  }
  await copy.finish()
}
