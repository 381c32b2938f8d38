import { InvalidArgumentError } from 'commander'
import { EmbeddedCluster, EmbeddedClusterError, type KafkaVersion } from '../embedded/index.ts'
import { Interrupt } from './interrupt.ts'

export interface BrokerCommandOptions {
  readonly port: number
  readonly brokers: number
  readonly version: KafkaVersion
  readonly topic: readonly TopicSpec[]
  readonly data?: string
}

/** What `--topic` asks for. */
export interface TopicSpec {
  readonly name: string
  readonly partitions: number
}

/** Runs an embedded cluster until it is interrupted. */
export async function brokerCommand(options: BrokerCommandOptions): Promise<void> {
  using interrupt = new Interrupt()
  await using kafka = await start(options)
  for (const { name, partitions } of options.topic) {
    // Of a data folder it may have come with more.
    if (!kafka.topics.includes(name)) kafka.createTopic(name, { partitions })
  }
  process.stdout.write(introduction(kafka, options))
  await interrupt.happened
  process.stdout.write('\nStopped.\n')
}

async function start({ port, brokers, version, data }: BrokerCommandOptions) {
  try {
    return await EmbeddedCluster.start({
      brokers,
      version,
      ports: Array.from({ length: brokers }, (_, index) => (port === 0 ? 0 : port + index)),
      onError: (error) => console.error(`samsa: a connection was ended: ${String(error)}`),
      onWarning: (message) => console.error(`samsa: ${message}`),
      ...(data === undefined ? {} : { dataDir: data }),
    })
  } catch (error) {
    if (!(error instanceof EmbeddedClusterError) || error.code !== 'PORT_IN_USE') throw error
    const message = `${error.message}: samsa broker --port 0`
    throw new Error(message, { cause: error })
  }
}

function introduction(kafka: EmbeddedCluster, { version, topic, data }: BrokerCommandOptions) {
  const name = topic[0]?.name ?? 'greetings'
  const at = `--brokers ${kafka.hosts.split(',')[0]!}`
  const count = kafka.brokerIds.length
  return [
    `${count === 1 ? 'A broker that presents' : `${count} brokers that present`} Kafka ${version}:`,
    '',
    `  ${kafka.hosts}`,
    '',
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
