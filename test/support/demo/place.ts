import { createTopics } from '../../../protocol/apis/create-topics.ts'
import { EmbeddedCluster, EmbeddedZooKeeper } from '../../../src/embedded/index.ts'
import type { BalancedConsumerOptions } from '../../../src/index.ts'
import { requestOnce } from '../request-once.ts'

const PARTITIONS = 12
/** How long a process that was killed keeps its partitions. */
const ZOOKEEPER_SESSION_MS = 3_000
/** The shortest that brokers allow, unless they are configured otherwise. */
const KAFKA_SESSION_MS = 6_000

/** Where the demo happens. At the end of its block all that it started has stopped. */
export interface Place extends AsyncDisposable {
  readonly description: string
  readonly hosts: string
  readonly topic: string
  readonly consumer: BalancedConsumerOptions
}

/** `brokers` and `zookeeper` as host:port; without brokers, embedded ones. */
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
      `Three brokers of Kafka (${kafka.hosts})\nand a ZooKeeper (${zookeeper.hosts}), ` +
      'all in this process and for this demo alone.',
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
      `The Kafka at ${hosts}, and a group that ` +
      `${zookeeper === undefined ? 'it coordinates' : `the ZooKeeper at ${zookeeper} coordinates`}.\n` +
      `Topic ${topic} stays there at the end.`,
    hosts,
    topic,
    consumer: zookeeper === undefined ? byKafka(topic) : byZooKeeper(topic, zookeeper),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}

/**
 * Where this broker can't do it (it is not the controller, or older than 0.10.1) the cluster makes the topic when
 * it is first produced to, with as many partitions as it likes.
 */
async function tryToCreate(name: string, hosts: string): Promise<void> {
  await requestOnce(hosts, createTopics, {
    topics: [
      { name, numPartitions: PARTITIONS, replicationFactor: 1, assignments: [], configs: [] },
    ],
  }).catch(() => undefined)
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
