import { KafkaClient, UnsupportedVersionError, type BalancedConsumerOptions } from 'samsa'
import { EmbeddedCluster, EmbeddedZooKeeper } from 'samsa/embedded'

const PARTITIONS = 12
/** How long a killed process keeps its partitions. */
const ZOOKEEPER_SESSION_MS = 3_000
/** The minimum that brokers allow by default. */
const KAFKA_SESSION_MS = 6_000

/** The cluster of the demo. Disposing of it stops everything that it started. */
export interface Place extends AsyncDisposable {
  readonly description: string
  readonly hosts: string
  readonly topic: string
  readonly consumer: BalancedConsumerOptions
}

/** `brokers` and `zookeeper` are addresses as host:port. Without brokers, the demo uses embedded ones. */
export function openPlace(brokers?: string, zookeeper?: string): Promise<Place> {
  const name = `samsa-demo-${Date.now()}`
  return brokers === undefined ? embedded(name) : real(name, brokers, zookeeper)
}

async function embedded(topic: string): Promise<Place> {
  const zookeeper = await EmbeddedZooKeeper.start({ minSessionTimeoutMs: ZOOKEEPER_SESSION_MS })
  const kafka = await EmbeddedCluster.start({
    brokers: 3,
    topics: { [topic]: { partitions: PARTITIONS } },
  })
  return {
    description:
      `Three Kafka brokers (${kafka.hosts})\nand a ZooKeeper (${zookeeper.hosts}), ` +
      'embedded in this process for the demo.',
    hosts: kafka.hosts,
    topic,
    consumer: byZooKeeper(topic, zookeeper.hosts),
    [Symbol.asyncDispose]: async () => {
      await kafka.stop()
      await zookeeper.stop()
    },
  }
}

async function real(topic: string, hosts: string, zookeeper: string | undefined): Promise<Place> {
  await tryToCreate(topic, hosts)
  return {
    description:
      `The Kafka cluster at ${hosts}. The group is coordinated by ` +
      `${zookeeper === undefined ? 'the cluster' : `the ZooKeeper at ${zookeeper}`}.\n` +
      `The topic ${topic} remains after the demo.`,
    hosts,
    topic,
    consumer: zookeeper === undefined ? byKafka(topic) : byZooKeeper(topic, zookeeper),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}

/** On clusters before Kafka 0.10.1, the first message creates the topic, with the brokers' `num.partitions`. */
async function tryToCreate(name: string, hosts: string): Promise<void> {
  await using client = new KafkaClient({ hosts })
  try {
    await client.topic(name).create({ partitions: PARTITIONS, replicationFactor: 1 })
  } catch (error) {
    if (!(error instanceof UnsupportedVersionError)) throw error
  }
}

function byZooKeeper(consumerGroup: string, zookeeperHosts: string): BalancedConsumerOptions {
  return {
    consumerGroup,
    zookeeperHosts,
    zookeeperConnectionTimeoutMs: ZOOKEEPER_SESSION_MS,
    autoOffsetReset: 'earliest',
  }
}

function byKafka(consumerGroup: string): BalancedConsumerOptions {
  return {
    consumerGroup,
    managed: true,
    sessionTimeoutMs: KAFKA_SESSION_MS,
    heartbeatIntervalMs: 500,
    autoOffsetReset: 'earliest',
  }
}
