import type { Command } from 'commander'
import { setTimeout as delay } from 'node:timers/promises'
import type { Admin, CreatedTopic, NewTopic, TopicDescription } from '../../index.ts'
import type { Column } from '../../terminal/table.ts'
import { append, declare, option, positive, wholeNumber, wholeNumbers } from '../command.ts'
import { UsageError } from '../failure.ts'
import { matcherOf } from '../names.ts'
import { bytesText, count } from '../text.ts'
import { keyAndValue, type Session } from '../session.ts'
import { replicaAssignment, type ReplicaAssignment } from '../replica-assignment.ts'
import { topicLike } from '../topic-like.ts'

interface TopicsOptions {
  readonly internal?: boolean
  readonly underReplicated?: boolean
  readonly underMinIsr?: boolean
  readonly unavailable?: boolean
  readonly sizes?: boolean
}

/** The interval at which new topics are checked. */
const WAIT_MS = 100

/** Adds `samsa topics` and `samsa topic …`. */
export function topicCommands(samsa: Command): void {
  declare<TopicsOptions>(samsa, {
    name: 'topics [pattern...]',
    summary: 'list topics',
    arguments: { pattern: 'names, with * for any characters; default: all topics' },
    options: [
      option('--internal', 'list internal topics too, such as __consumer_offsets'),
      option('--under-replicated', 'only topics with a partition that lacks in-sync replicas'),
      option('--under-min-isr', 'only topics with a partition below min.insync.replicas'),
      option('--unavailable', 'only topics with a partition without a leader'),
      option('--sizes', 'also show the disk space of all replicas (Kafka 1.0)'),
    ],
    examples: ['samsa topics', "samsa topics 'page-*' --json", 'samsa topics --under-replicated'],
    run: listTopics,
  })
  const topic = samsa.command('topic').description('describe, create, change and delete topics')
  declare<{ readonly withConfigs?: boolean }>(topic, {
    name: 'describe <topic...>',
    summary: 'show the partitions of topics, with their leaders and replicas',
    options: [option('--with-configs', 'also show the settings that are not defaults')],
    examples: ['samsa topic describe page-views', 'samsa topic describe page-views --json'],
    run: describeTopics,
  })
  declare<CreateOptions>(topic, {
    name: 'create <topic...>',
    summary: 'create topics',
    options: [
      option(
        '-p, --partitions <count>',
        'number of partitions; default: that of the brokers',
      ).argParser(positive),
      option(
        '-r, --replication-factor <count>',
        'number of replicas of each partition; default: that of the brokers',
      ).argParser(positive),
      option(
        '--replica-assignment <assignment>',
        'brokers of each partition instead, the leader first: 1:2,2:3 or {"0":[1,2],"1":[2,3]}',
      ).argParser(replicaAssignment),
      option('-c, --topic-config <key=value>', 'setting of the topic; can be repeated').argParser(
        append,
      ),
      option('--if-not-exists', 'succeed if the topic already exists'),
      option('--wait', 'wait until all partitions have a leader'),
      option('--dry-run', 'check whether the topics could be created, and create none'),
    ],
    has: ['connection', 'output'],
    examples: [
      'samsa topic create page-views',
      'samsa topic create page-views -p 6 -r 1 -c retention.ms=3600000',
      'samsa topic create page-views --if-not-exists',
    ],
    run: createTopics,
  })
  declare<{ readonly ifExists?: boolean }>(topic, {
    name: 'delete <topic...>',
    summary: 'delete topics with all their messages',
    options: [option('--if-exists', 'succeed if the topic does not exist')],
    has: ['connection', 'output', 'changes'],
    examples: ['samsa topic delete page-views --yes', 'samsa topic delete page-views --dry-run'],
    run: deleteTopics,
  })
  declare<{ readonly partitions: number }>(topic, {
    name: 'alter <topic>',
    summary: 'add partitions to a topic',
    options: [
      option('-p, --partitions <count>', 'number of partitions that the topic then has')
        .argParser(positive)
        .makeOptionMandatory(),
    ],
    has: ['connection', 'output', 'changes'],
    notes: 'Messages with a key may then go to other partitions than before.',
    examples: ['samsa topic alter page-views -p 12 --yes'],
    run: addPartitions,
  })
  declare<TrimOptions>(topic, {
    name: 'trim <topic>',
    summary: 'delete the oldest messages of a topic',
    options: [
      option('--before <offset>', 'delete messages before this offset; default: all').argParser(
        wholeNumber,
      ),
      option('--partitions <list>', 'only these partitions').argParser(wholeNumbers),
    ],
    has: ['connection', 'output', 'changes'],
    examples: [
      'samsa topic trim page-views --before 100 --partitions 0 --yes',
      'samsa topic trim page-views --dry-run',
    ],
    run: trimTopic,
  })
  declare<{ readonly partitions?: number }>(topic, {
    name: 'clone <source> <target>',
    summary: 'create a topic with the partitions and settings of another',
    examples: ['samsa topic clone page-views page-views-copy'],
    run: cloneTopic,
  })
}

async function listTopics(
  session: Session,
  patterns: readonly string[],
  { internal = false, underReplicated, underMinIsr, unavailable, sizes = false }: TopicsOptions,
): Promise<void> {
  const admin = await session.admin()
  const isWanted = matcherOf(patterns)
  const all = await admin.listTopics({ ...session.call, includeInternal: internal })
  let topics = all.filter(({ topic }) => isWanted(topic))
  if (underReplicated === true) topics = topics.filter((topic) => missingReplicas(topic) > 0)
  if (unavailable === true) topics = topics.filter((topic) => leaderless(topic) > 0)
  if (underMinIsr === true) topics = await belowMinIsr(admin, session, topics)
  if (sizes) return listWithSizes(session, admin, topics)
  session.print(topics, TOPIC_COLUMNS, topics, NO_TOPICS)
  session.checkItems(topics)
}

async function listWithSizes(
  session: Session,
  admin: Admin,
  topics: readonly TopicDescription[],
): Promise<void> {
  const brokers = await admin.describeLogDirs(undefined, session.call)
  const bytes = new Map<string, number>()
  const replicas = brokers.flatMap(({ logDirs }) => logDirs.flatMap((one) => one.replicas))
  for (const { topic, sizeBytes } of replicas) {
    bytes.set(topic, (bytes.get(topic) ?? 0) + sizeBytes)
  }
  const sized = topics.map((topic) => ({ ...topic, sizeBytes: bytes.get(topic.topic) ?? 0 }))
  const size: Column<(typeof sized)[number]> = {
    title: 'SIZE',
    align: 'right',
    of: ({ sizeBytes }) => bytesText(sizeBytes),
  }
  session.print(sized, [...TOPIC_COLUMNS, size], sized, NO_TOPICS)
  // The sums do not include brokers that did not respond.
  session.checkItems([...topics, ...brokers.flatMap((one) => [one, ...one.logDirs])])
}

const NO_TOPICS = 'no topics found'

const TOPIC_COLUMNS: readonly Column<TopicDescription>[] = [
  { title: 'TOPIC', of: ({ topic }) => topic },
  { title: 'PARTITIONS', align: 'right', of: ({ partitions }) => String(partitions.length) },
  {
    title: 'REPLICAS',
    align: 'right',
    of: ({ partitions }) => String(partitions[0]?.replicas.length ?? 0),
  },
  {
    title: 'STATE',
    of: (topic) => {
      const lost = leaderless(topic)
      const behind = missingReplicas(topic)
      if (topic.error !== undefined) return topic.error.code
      if (lost > 0) return `${lost} without a leader`
      return behind > 0 ? `${behind} under-replicated` : 'healthy'
    },
  },
]

function missingReplicas({ partitions }: TopicDescription): number {
  return partitions.filter(({ isr, replicas }) => isr.length < replicas.length).length
}

function leaderless({ partitions }: TopicDescription): number {
  return partitions.filter(({ leader }) => leader === undefined).length
}

async function belowMinIsr(
  admin: Admin,
  session: Session,
  topics: readonly TopicDescription[],
): Promise<TopicDescription[]> {
  const resources = topics.map(({ topic }) => ({ type: 'topic' as const, name: topic }))
  const described = await admin.describeConfigs(resources, {
    ...session.call,
    names: ['min.insync.replicas'],
  })
  session.checkItems(described)
  const least = new Map(
    described.map(({ name, configs }) => [name, Number(configs[0]?.value ?? 1)]),
  )
  return topics.filter(({ topic, partitions }) =>
    partitions.some(({ isr }) => isr.length < least.get(topic)!),
  )
}

type OwnConfigs = ReadonlyMap<string, Readonly<Record<string, string | null>>>
const NO_CONFIGS: OwnConfigs = new Map()

async function describeTopics(
  session: Session,
  names: readonly string[],
  { withConfigs = false }: { readonly withConfigs?: boolean },
): Promise<void> {
  const admin = await session.admin()
  const topics = await admin.describeTopics(names, session.call)
  const configs = withConfigs ? await ownConfigs(session, admin, topics) : NO_CONFIGS
  const rows = topics.flatMap(({ topic, partitions }) =>
    partitions.map((partition) => ({ topic, ...partition })),
  )
  const shown = topics.map((topic) => ({
    ...topic,
    ...(withConfigs ? { configs: configs.get(topic.topic) ?? {} } : {}),
  }))
  session.print(
    shown,
    [
      { title: 'TOPIC', of: ({ topic }) => topic },
      { title: 'PARTITION', align: 'right', of: ({ partition }) => String(partition) },
      { title: 'LEADER', align: 'right', of: ({ leader }) => String(leader ?? 'none') },
      { title: 'REPLICAS', of: ({ replicas }) => replicas.join(',') },
      { title: 'IN SYNC', of: ({ isr }) => isr.join(',') },
    ],
    rows,
  )
  if (session.options.json !== true) printConfigs(session, configs)
  session.checkItems(topics)
}

/** Configs by topic, without those that have their default. */
async function ownConfigs(
  session: Session,
  admin: Admin,
  topics: readonly TopicDescription[],
): Promise<OwnConfigs> {
  const found = topics.filter(({ error }) => error === undefined)
  const resources = found.map(({ topic }) => ({ type: 'topic' as const, name: topic }))
  const described = await admin.describeConfigs(resources, session.call)
  session.checkItems(described)
  return new Map(
    described.map(({ name, configs }) => [
      name,
      Object.fromEntries(
        configs.filter(({ isDefault }) => !isDefault).map((one) => [one.name, one.value]),
      ),
    ]),
  )
}

function printConfigs(session: Session, configs: OwnConfigs): void {
  const rows = [...configs].flatMap(([topic, entries]) =>
    Object.entries(entries).map(([name, value]) => ({ topic, name, value })),
  )
  if (rows.length === 0) return
  session.write('\n')
  session.print(
    rows,
    [
      { title: 'TOPIC', of: ({ topic }) => topic },
      { title: 'SETTING', of: ({ name }) => name },
      { title: 'VALUE', of: ({ value }) => value ?? '(hidden)' },
    ],
    rows,
  )
}

interface CreateOptions {
  readonly replicaAssignment?: ReplicaAssignment
  readonly partitions?: number
  readonly replicationFactor?: number
  readonly topicConfig?: readonly string[]
  readonly ifNotExists?: boolean
  readonly wait?: boolean
  readonly dryRun?: boolean
}

interface CreateResult extends CreatedTopic {
  readonly exists?: boolean
}

async function createTopics(
  session: Session,
  names: readonly string[],
  options: CreateOptions,
): Promise<void> {
  const { partitions, replicationFactor, ifNotExists = false, dryRun = false } = options
  const { topicConfig: config = [], replicaAssignment: assignments } = options
  if (assignments !== undefined && (partitions ?? replicationFactor) !== undefined) {
    throw new UsageError(
      '--replica-assignment determines the partitions and replicas: it cannot be used with -p or -r',
    )
  }
  const admin = await session.admin()
  const created = await admin.createTopics(
    names.map((topic): NewTopic => ({
      topic,
      ...(partitions === undefined ? {} : { partitions }),
      ...(replicationFactor === undefined ? {} : { replicationFactor }),
      ...(assignments === undefined ? {} : { assignments }),
      ...(config.length === 0 ? {} : { configs: Object.fromEntries(config.map(keyAndValue)) }),
    })),
    { ...session.call, settle: true, validateOnly: dryRun },
  )
  const results: readonly CreateResult[] = created.map((result) =>
    ifNotExists && result.error?.code === 'TOPIC_ALREADY_EXISTS'
      ? { topic: result.topic, exists: true }
      : result,
  )
  if (options.wait === true && !dryRun) {
    const made = results.filter(({ error }) => error === undefined).map(({ topic }) => topic)
    await waitForLeaders(session, admin, made)
  }
  const done = dryRun ? 'can be created' : 'created'
  session.print(results, resultColumns(done), results)
  session.checkItems(results)
}

async function waitForLeaders(
  session: Session,
  admin: Admin,
  topics: readonly string[],
): Promise<void> {
  const deadline = performance.now() + (session.options.timeout ?? 30_000)
  for (;;) {
    const described = await admin.describeTopics(topics, session.call)
    const missing = described.filter(
      (topic) =>
        topic.error !== undefined || topic.partitions.length === 0 || leaderless(topic) > 0,
    )
    if (missing.length === 0) return
    if (performance.now() > deadline) {
      const names = missing.map(({ topic }) => topic).join(', ')
      throw new Error(`some partitions have no leader: ${names}`)
    }
    await delay(WAIT_MS, undefined, session.call)
  }
}

function resultColumns(
  done: string,
): readonly Column<{ topic: string; exists?: boolean; error?: { code: string } }>[] {
  return [
    { title: 'TOPIC', of: ({ topic }) => topic },
    {
      title: 'RESULT',
      of: ({ error, exists }) => error?.code ?? (exists === true ? 'exists' : done),
    },
  ]
}

async function deleteTopics(
  session: Session,
  names: readonly string[],
  { ifExists = false }: { readonly ifExists?: boolean },
): Promise<void> {
  const admin = await session.admin()
  const described = await admin.describeTopics(names, session.call)
  const isMissing = ({ error }: TopicDescription) => error?.code === 'UNKNOWN_TOPIC_OR_PARTITION'
  const found = ifExists ? described.filter((topic) => !isMissing(topic)) : described
  session.checkItems(found)
  const plan = found.map(
    ({ topic, partitions }) => `delete topic ${topic}, ${count(partitions.length, 'partition')}`,
  )
  if (found.length === 0) {
    session.print([], resultColumns('deleted'), [])
    return
  }
  if (!(await session.confirm(plan.join('\n'), `Delete ${count(found.length, 'topic')}?`))) return
  const results = await admin.deleteTopics(
    found.map(({ topic }) => topic),
    { ...session.call, settle: true },
  )
  session.print(results, resultColumns('deleted'), results)
  session.checkItems(results)
}

async function describeOne(
  admin: Admin,
  session: Session,
  topic: string,
): Promise<TopicDescription> {
  const [described] = await admin.describeTopics([topic], session.call)
  session.checkItems([described!])
  return described!
}

async function addPartitions(
  session: Session,
  [topic]: readonly string[],
  { partitions }: { readonly partitions: number },
): Promise<void> {
  const admin = await session.admin()
  const described = await describeOne(admin, session, topic!)
  const before = described.partitions.length
  if (partitions <= before) {
    throw new UsageError(
      `topic ${topic} has ${count(before, 'partition')}: Kafka can add partitions, but not remove them`,
    )
  }
  const plan = `topic ${topic}: ${before} → ${count(partitions, 'partition')}; keys may change partitions`
  if (!(await session.confirm(plan, 'Continue?'))) return
  const changes = [{ topic: topic!, count: partitions }]
  const results = await admin.createPartitions(changes, { ...session.call, settle: true })
  session.print(results, resultColumns(`${partitions} partitions`), results)
  session.checkItems(results)
}

interface TrimOptions {
  readonly before?: number
  readonly partitions?: readonly number[]
}

async function trimTopic(
  session: Session,
  [topic]: readonly string[],
  { before, partitions }: TrimOptions,
): Promise<void> {
  const admin = await session.admin()
  const described = await describeOne(admin, session, topic!)
  const wanted = described.partitions
    .map(({ partition }) => partition)
    .filter((partition) => partitions?.includes(partition) ?? true)
    .map((partition) => ({ topic: topic!, partition }))
  if (wanted.length === 0) throw new UsageError(`topic ${topic} has none of these partitions`)
  const [starts, ends] = await Promise.all([
    admin.listOffsets(wanted, 'earliest', session.call),
    admin.listOffsets(wanted, 'latest', session.call),
  ])
  session.checkItems([...starts, ...ends])
  const records = ends.map(({ partition, offset = 0 }) => ({
    topic: topic!,
    partition,
    beforeOffset: Math.min(before ?? offset, offset),
  }))
  const plan = records.map(({ partition, beforeOffset }, index) => {
    const start = starts[index]!.offset ?? 0
    return `${topic}-${partition}: delete ${Math.max(0, beforeOffset - start)} offsets, ${start} to ${beforeOffset}`
  })
  if (!(await session.confirm(plan.join('\n'), 'Delete these messages?'))) return
  const results = await admin.deleteRecords(records, { ...session.call, settle: true })
  session.print(
    results,
    [
      { title: 'PARTITION', align: 'right', of: ({ partition }) => String(partition) },
      {
        title: 'FIRST OFFSET',
        align: 'right',
        of: ({ lowWatermark, error }) => error?.code ?? String(lowWatermark ?? ''),
      },
    ],
    results,
  )
  session.checkItems(results)
}

async function cloneTopic(session: Session, [source, target]: readonly string[]): Promise<void> {
  const admin = await session.admin()
  const described = await describeOne(admin, session, source!)
  const [resource] = await admin.describeConfigs([{ type: 'topic', name: source! }], session.call)
  session.checkItems([resource!])
  const results = await admin.createTopics([topicLike(described, resource!, target!)], {
    ...session.call,
    settle: true,
  })
  session.print(results, resultColumns(`created as ${source}`), results)
  session.checkItems(results)
}
