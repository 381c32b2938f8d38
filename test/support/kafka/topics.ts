import { rawCreateTopic, rawMetadata, type RawTopicOptions } from './raw-request.ts'
import { RawZooKeeper } from './raw-zookeeper.ts'
import type { KafkaVersion } from './versions.ts'
import { messageOf, waitFor } from './wait.ts'
import { PATIENCE_MS } from '../patience.ts'

const NOT_CONTROLLER = 41

export interface TopicOptions {
  readonly partitions?: number
  readonly replicationFactor?: number
  readonly config?: Readonly<Record<string, string>>
}

export interface TopicPlace {
  readonly version: KafkaVersion
  /** Of the brokers that run. */
  readonly brokers: readonly { readonly id: number; readonly port: number }[]
  readonly zookeeperPort: number | undefined
  readonly zookeeperChroot: string
}

/** Creates a topic, and returns when every broker knows a leader for each of its partitions. */
export async function createTopic(
  place: TopicPlace,
  name: string,
  { partitions = 1, replicationFactor = 1, config = {} }: TopicOptions,
): Promise<void> {
  if (replicationFactor > place.brokers.length) {
    throw new Error(`${replicationFactor} replicas of ${name} on ${place.brokers.length} brokers`)
  }
  const options = { partitions, replicationFactor, config }
  const { createTopicsVersion } = place.version
  if (createTopicsVersion === undefined) await createByZooKeeper(place, name, options)
  else await createByRequest(place, createTopicsVersion, name, options)
  for (const { id, port } of place.brokers) await waitForLeaders(id, port, name, options)
}

async function createByRequest(
  { brokers }: TopicPlace,
  version: 1 | 2,
  name: string,
  options: RawTopicOptions,
): Promise<void> {
  const attempt = async (): Promise<true | undefined> => {
    for (const { port } of brokers) {
      const { code, message } = await rawCreateTopic(port, version, name, options)
      if (code === 0) return true
      // Before KRaft just one of the brokers does this, and it may be about to change.
      if (code !== NOT_CONTROLLER) {
        throw new Error(`Creating topic ${name} failed with code ${code}: ${message}`)
      }
    }
    return undefined
  }
  await waitFor(attempt, {
    timeoutMs: PATIENCE_MS,
    onTimeout: () => new Error(`No broker is the controller that could create topic ${name}`),
  })
}

/** As the tool `kafka.admin.TopicCommand` of these versions does it: the settings come first. */
async function createByZooKeeper(
  { brokers, zookeeperPort, zookeeperChroot }: TopicPlace,
  name: string,
  { partitions, replicationFactor, config }: RawTopicOptions,
): Promise<void> {
  if (zookeeperPort === undefined) throw new Error('This version needs ZooKeeper')
  const replicasOf = (partition: number): number[] =>
    Array.from(
      { length: replicationFactor },
      (_, replica) => brokers[(partition + replica) % brokers.length]!.id,
    )
  const assignment = Object.fromEntries(
    Array.from({ length: partitions }, (_, partition) => [partition, replicasOf(partition)]),
  )
  await using zookeeper = await RawZooKeeper.open(zookeeperPort, PATIENCE_MS)
  const topic = `${zookeeperChroot}/brokers/topics/${name}`
  if (await zookeeper.exists(topic)) throw new Error(`Topic ${name} exists already`)
  const settings = `${zookeeperChroot}/config/topics/${name}`
  if (!(await zookeeper.exists(settings))) {
    await zookeeper.create(settings, JSON.stringify({ version: 1, config }))
  }
  await zookeeper.create(topic, JSON.stringify({ version: 1, partitions: assignment }))
}

async function waitForLeaders(
  broker: number,
  port: number,
  name: string,
  { partitions, replicationFactor }: RawTopicOptions,
): Promise<void> {
  let last = 'it does not know the topic'
  const isLed = async (): Promise<true | undefined> => {
    try {
      const topic = (await rawMetadata(port)).topics.find((known) => known.name === name)
      if (topic === undefined) return undefined
      const ready = topic.partitions.filter(
        ({ leader, isr }) => leader >= 0 && isr.length === replicationFactor,
      ).length
      if (ready === partitions) return true
      last = `${ready} of ${partitions} partitions are ready`
    } catch (error) {
      last = messageOf(error)
    }
    return undefined
  }
  await waitFor(isLed, {
    timeoutMs: PATIENCE_MS,
    onTimeout: () => new Error(`Topic ${name} on broker ${broker}: ${last}`),
  })
}
