import { InvalidArgumentError, Option, type Command } from 'commander'
import type { EmbeddedCluster, EmbeddedZooKeeper, KafkaVersion } from '../../embedded/index.ts'
import { declare, filled, option, port, positive } from '../command.ts'
import type { Session } from '../session.ts'

/** The embedded brokers are loaded when they run, so that `--help` starts immediately. */
const embedded = () => import('../../embedded/index.ts')

export interface BrokerCommandOptions {
  readonly port: number
  readonly brokers: number
  /** Default: the newest version; with ZooKeeper the newest that supports it. */
  readonly version?: KafkaVersion
  readonly topic: readonly TopicSpec[]
  readonly data?: string
  /** Its port; true for the default port. */
  readonly zookeeper?: number | true
}

const ZOOKEEPER_PORT = 2181

/** The topics that `--topic` requests. */
export interface TopicSpec {
  readonly name: string
  readonly partitions: number
}

/** Adds `samsa broker`. */
export function brokerCommand(samsa: Command): void {
  declare<BrokerCommandOptions>(samsa, {
    name: 'broker',
    summary: 'run a Kafka cluster in this process until Ctrl-C',
    options: [
      option(
        '--port <number>',
        'port of the first broker; others use the following ports; 0: any free port',
      )
        .argParser(port)
        .default(9092),
      option('--brokers <count>', 'number of brokers').argParser(positive).default(1),
      option(
        '--version <kafka>',
        'Kafka version to behave like (default: 4.4; with --zookeeper: 3.9)',
      ).choices([
        '0.8.2',
        '0.9',
        '0.10',
        '0.11',
        '1.1',
        '2.8',
        '3.9',
        '4.4',
      ] satisfies KafkaVersion[]),
      new Option('--topic <name[:partitions]>', 'topic to create at the start; can be repeated')
        .argParser(topicSpec)
        .default([], 'none'),
      option(
        '--zookeeper [port]',
        'also run a ZooKeeper and register the brokers in it (default port: 2181)',
      ).argParser(port),
      option(
        '--data <folder>',
        'folder for topics, records and committed offsets (default: memory only)',
      ).argParser(filled),
    ],
    has: [],
    notes:
      'For development and tests. Without --data, everything is kept in memory and lost when the command exits.',
    examples: [
      'samsa broker',
      'samsa broker --port 0 --topic page-views:6 --topic events',
      'samsa broker --brokers 3 --data ./kafka-data',
      'samsa broker --zookeeper --version 0.8.2',
    ],
    run: (session, _args, options) => runBroker(session, options),
  })
}

/** Runs an embedded cluster until it is interrupted. */
async function runBroker({ interrupt }: Session, options: BrokerCommandOptions): Promise<void> {
  await using zookeeper = await orOtherPort(() => startZooKeeper(options))
  await using kafka = await orOtherPort(() => startKafka(options, zookeeper))
  for (const { name, partitions } of options.topic) {
    // A data folder may already contain the topic with more partitions.
    if (!kafka.topics.includes(name)) kafka.createTopic(name, { partitions })
  }
  process.stdout.write(introduction(kafka, options))
  await interrupt.happened
  // Ctrl-C is the normal end of this command.
  interrupt.exitCode = 0
  process.stdout.write('\nStopped.\n')
}

async function startZooKeeper({ zookeeper, port }: BrokerCommandOptions) {
  if (zookeeper === undefined) return undefined
  const usual = port === 0 ? 0 : ZOOKEEPER_PORT
  const { EmbeddedZooKeeper } = await embedded()
  return EmbeddedZooKeeper.start({ port: zookeeper === true ? usual : zookeeper, onError })
}

async function startKafka(
  { port, brokers, version, data }: BrokerCommandOptions,
  zookeeper: EmbeddedZooKeeper | undefined,
) {
  const { EmbeddedCluster } = await embedded()
  return EmbeddedCluster.start({
    brokers,
    ports: Array.from({ length: brokers }, (_, index) => (port === 0 ? 0 : port + index)),
    onError,
    onWarning: (message) => console.error(`samsa: ${message}`),
    ...(version === undefined ? {} : { version }),
    ...(data === undefined ? {} : { dataDir: data }),
    ...(zookeeper === undefined ? {} : { zookeeper }),
  })
}

function onError(error: unknown): void {
  console.error(`samsa: a connection was ended: ${String(error)}`)
}

/** Adds the option that helps if a port is in use. */
async function orOtherPort<T>(start: () => Promise<T>): Promise<T> {
  try {
    return await start()
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'PORT_IN_USE')) throw error
    throw new Error(`${error.message}: samsa broker --port 0`, { cause: error })
  }
}

function introduction(kafka: EmbeddedCluster, { topic, data }: BrokerCommandOptions): string {
  const name = topic[0]?.name ?? 'greetings'
  const at = `--brokers ${kafka.hosts.split(',')[0]!}`
  const count = kafka.brokerIds.length
  const what = count === 1 ? 'A broker that presents' : `${count} brokers that present`
  return [
    `${what} Kafka ${kafka.version}:`,
    '',
    `  ${kafka.hosts}`,
    '',
    ...(kafka.zookeeperHosts === undefined
      ? []
      : ['ZooKeeper:', '', `  ${kafka.zookeeperHosts}`, '']),
    data === undefined
      ? 'Everything is in memory and is lost when the command ends. Try it in another terminal:'
      : `Topics, records and committed offsets are stored in ${data}. Try it in another terminal:`,
    '',
    `  echo hello | samsa produce ${at} ${name} && samsa consume ${at} --from-beginning --exit ${name}`,
    '',
    'Ctrl-C ends it.',
    '',
  ].join('\n')
}

/** Parses `name` or `name:partitions`, and adds it to the previous topics. */
export function topicSpec(text: string, before: readonly TopicSpec[]): readonly TopicSpec[] {
  const match = /^([^:]+)(?::([1-9]\d{0,5}))?$/.exec(text)
  if (match === null) throw new InvalidArgumentError('It must be name or name:partitions.')
  const [, name, partitions = '1'] = match
  return [...before, { name: name!, partitions: Number(partitions) }]
}
