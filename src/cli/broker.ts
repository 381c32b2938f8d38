import { InvalidArgumentError } from 'commander'
import {
  EmbeddedCluster,
  EmbeddedClusterError,
  EmbeddedZooKeeper,
  type KafkaVersion,
} from '../embedded/index.ts'
import { Interrupt } from './interrupt.ts'

export interface BrokerCommandOptions {
  readonly port: number
  readonly brokers: number
  /** Default: the newest, and with ZooKeeper the newest that has one. */
  readonly version?: KafkaVersion
  readonly topic: readonly TopicSpec[]
  readonly data?: string
  /** Its port; true for the usual one. */
  readonly zookeeper?: number | true
}

const ZOOKEEPER_PORT = 2181

/** What `--topic` asks for. */
export interface TopicSpec {
  readonly name: string
  readonly partitions: number
}

/** Runs an embedded cluster until it is interrupted. */
export async function brokerCommand(options: BrokerCommandOptions): Promise<void> {
  using interrupt = new Interrupt()
  await using zookeeper = await orOtherPort(() => startZooKeeper(options))
  await using kafka = await orOtherPort(() => startKafka(options, zookeeper))
  for (const { name, partitions } of options.topic) {
    // Of a data folder it may have come with more.
    if (!kafka.topics.includes(name)) kafka.createTopic(name, { partitions })
  }
  process.stdout.write(introduction(kafka, options))
  await interrupt.happened
  process.stdout.write('\nStopped.\n')
}

async function startZooKeeper({ zookeeper, port }: BrokerCommandOptions) {
  if (zookeeper === undefined) return undefined
  const usual = port === 0 ? 0 : ZOOKEEPER_PORT
  return EmbeddedZooKeeper.start({ port: zookeeper === true ? usual : zookeeper, onError })
}

async function startKafka(
  { port, brokers, version, data }: BrokerCommandOptions,
  zookeeper: EmbeddedZooKeeper | undefined,
) {
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

/** Says which option helps where a port is taken. */
async function orOtherPort<T>(start: () => Promise<T>): Promise<T> {
  try {
    return await start()
  } catch (error) {
    if (!(error instanceof EmbeddedClusterError) || error.code !== 'PORT_IN_USE') throw error
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
      ? 'Everything is in memory, and gone when it ends. Try it in another terminal:'
      : `What lasts is in ${data}. Try it in another terminal:`,
    '',
    `  echo hello | samsa produce ${at} ${name} && samsa consume ${at} --from-beginning --exit ${name}`,
    '',
    'Ctrl-C ends it.',
    '',
  ].join('\n')
}

/** Reads `name` or `name:partitions`, and adds it to those before. */
export function topicSpec(text: string, before: readonly TopicSpec[]): readonly TopicSpec[] {
  const match = /^([^:]+)(?::([1-9]\d{0,5}))?$/.exec(text)
  if (match === null) throw new InvalidArgumentError('It must be name or name:partitions.')
  const [, name, partitions = '1'] = match
  return [...before, { name: name!, partitions: Number(partitions) }]
}
