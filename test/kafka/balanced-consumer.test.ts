import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { createPartitions } from '../../protocol/apis/create-partitions.ts'
import {
  KafkaClient,
  type BalancedConsumer,
  type BalancedConsumerOptions,
  type TopicPartition,
} from '../../src/index.ts'
import { shared, untilRebalanced } from '../support/balanced/rebalances.ts'
import { startKafka, type KafkaCluster } from '../support/kafka/cluster.ts'
import type { JavaProcess } from '../support/kafka/java.ts'
import { freePorts } from '../support/kafka/ports.ts'
import { startZooKeeper } from '../support/kafka/zookeeper.ts'
import { describeWithBrokers, isAtLeast, versionsToTest } from '../support/real-brokers.ts'
import { requestOnce } from '../support/request-once.ts'
import { takeTexts } from '../support/take.ts'
import { TemporaryFolder } from '../support/temporary-folder.ts'
import { until } from '../support/until.ts'
import { SessionRelay } from '../support/zookeeper/session-relay.ts'

const clients: KafkaClient[] = []
let kafka: KafkaCluster
let topics = 0

afterEach(async () => {
  await Promise.allSettled(clients.splice(0).map((client) => client.close()))
})

function client(): KafkaClient {
  const made = new KafkaClient({ hosts: kafka.hosts })
  clients.push(made)
  return made
}

async function newTopic(partitions: number): Promise<string> {
  const topic = `balanced-${topics++}`
  await kafka.createTopic(topic, { partitions })
  return topic
}

function consumer(
  topic: string,
  zookeeperHosts: string,
  options: Partial<BalancedConsumerOptions> = {},
): Promise<BalancedConsumer> {
  return client()
    .topic(topic)
    .getBalancedConsumer({
      consumerGroup: topic,
      zookeeperHosts,
      fetchWaitMaxMs: 50,
      rebalanceBackoffMs: 500,
      ...options,
    })
}

async function produce(topic: string, partitions: number, from: number, to: number): Promise<void> {
  await using producer = await client().topic(topic).getProducer({ lingerMs: 0 })
  for (let i = from; i < to; i++) void producer.produce(`${i}`, { partition: i % partitions })
  await producer.flush()
}

async function take(from: BalancedConsumer, count: number): Promise<number[]> {
  return (await takeTexts(from, count)).map(Number)
}

/** Asks for more where there is none: what was read is processed. */
async function processAll(...consumers: readonly BalancedConsumer[]): Promise<void> {
  for (const one of consumers) expect(await one.consume({ block: false })).toBeUndefined()
}

function sorted(values: readonly number[]): number[] {
  return [...values].sort((a, b) => a - b)
}

const upTo = (end: number) => Array.from({ length: end }, (_, index) => index)
const inOrder: Partial<BalancedConsumerOptions> = {
  onPartitionsRevoked: (_, member) => member.commitOffsets(),
}

for (const version of versionsToTest()) {
  describeWithBrokers(`balanced consumers of Kafka ${version}`, ['java'], () => {
    beforeAll(async () => {
      kafka = await startKafka({ version, zookeeper: true })
    })
    afterAll(() => kafka.stop())

    it('hand partitions over without losing or repeating a message', async () => {
      const topic = await newTopic(4)
      const zookeeperHosts = kafka.zookeeperHosts!
      await produce(topic, 4, 0, 8)
      const first = await consumer(topic, zookeeperHosts, inOrder)
      const read = await take(first, 8)
      await processAll(first)
      const second = await consumer(topic, zookeeperHosts, inOrder)
      await until(() => first.partitions.length === 2 && second.partitions.length === 2)
      await produce(topic, 4, 8, 16)
      read.push(...(await take(first, 4)), ...(await take(second, 4)))
      await processAll(first)
      await first.close()
      await until(() => second.partitions.length === 4)
      await produce(topic, 4, 16, 24)
      read.push(...(await take(second, 8)))
      expect(sorted(read)).toEqual(upTo(24))
    })

    // Brokers can add partitions on request since Kafka 1.0, and tell ZooKeeper of them up to 3.9.
    if (isAtLeast(version, '1.0') && !isAtLeast(version, '4')) {
      it('notice new partitions when ZooKeeper does', async () => {
        const topic = await newTopic(2)
        const first = await consumer(topic, kafka.zookeeperHosts!)
        await requestOnce(kafka.hosts, createPartitions, {
          topics: [{ name: topic, count: 5, assignments: null }],
          timeoutMs: 10_000,
          validateOnly: false,
        })
        await until(() => first.partitions.length === 5)
      })
    }
  })
}

describeWithBrokers('a group whose ZooKeeper fails', ['java'], () => {
  beforeAll(async () => {
    kafka = await startKafka({ version: '4.4.0' })
  })
  afterAll(() => kafka.stop())

  it('continues at its positions when ZooKeeper is killed and comes back in time', async () => {
    using folder = new TemporaryFolder()
    const [port] = await freePorts(1)
    let zookeeper = await startZooKeeper({ folder: folder.path, port: port! })
    try {
      const topic = await newTopic(4)
      const lost: unknown[] = []
      const hosts = `127.0.0.1:${port}`
      const options = {
        ...inOrder,
        zookeeperConnectionTimeoutMs: 20_000,
        onPartitionsLost: (partitions: unknown) => void lost.push(partitions),
      }
      const first = await consumer(topic, hosts, options)
      const second = await consumer(topic, hosts, options)
      await until(() => first.partitions.length === 2)
      await produce(topic, 4, 0, 8)
      const read = [...(await take(first, 4)), ...(await take(second, 4))]
      await processAll(first, second)
      await zookeeper.stop(0)
      await until(() => !first.isOwnershipCertain)
      await expect(first.commitOffsets(new Map([[0, 0]]))).rejects.toMatchObject({
        code: 'PARTITION_NOT_OWNED',
      })
      await produce(topic, 4, 8, 16)
      expect(await first.consume({ timeoutMs: 300 })).toBeUndefined()
      zookeeper = await startZooKeeper({ folder: folder.path, port: port! })
      read.push(...(await take(first, 4)), ...(await take(second, 4)))
      expect(sorted(read)).toEqual(upTo(16))
      expect(lost).toEqual([])
    } finally {
      await zookeeper.stop(0)
    }
  })

  it('continues without loss when another client expires the session of one of its members', async () => {
    using folder = new TemporaryFolder()
    const [port] = await freePorts(1)
    const zookeeper = await startZooKeeper({ folder: folder.path, port: port! })
    try {
      await using relay = await SessionRelay.start(port!)
      const topic = await newTopic(6)
      const read = new Set<number>()
      const members: BalancedConsumer[] = []
      const violations: string[] = []
      const lost: TopicPartition[] = []
      const join = async (zookeeperHosts: string) => {
        const member = await consumer(topic, zookeeperHosts, {
          ...inOrder,
          zookeeperConnectionTimeoutMs: 20_000,
          onPartitionsAssigned: (partitions, to) => {
            for (const { partition } of partitions) {
              const others = members.filter((one) => one !== to && one.isOwnershipCertain)
              if (others.some((one) => one.partitions.includes(partition))) {
                violations.push(`${partition} is given to ${to.memberId} while another has it`)
              }
            }
          },
          onPartitionsLost: (partitions) => void lost.push(...partitions),
        })
        members.push(member)
        member.run((message) => void read.add(Number(String(message.value)))).catch(() => undefined)
        return member
      }
      const expiring = await join(relay.hosts)
      await join(`127.0.0.1:${port}`)
      await join(`127.0.0.1:${port}`)
      await shared(members, 6)
      await using producer = await client().topic(topic).getProducer({ lingerMs: 0 })
      let produced = 0
      const producing = setInterval(() => {
        void producer.produce(`${produced}`, { partition: produced++ % 6 })
      }, 2)
      try {
        const had = [...expiring.partitions]
        await relay.expire()
        await untilRebalanced(() => lost.length > 0)
        await shared(members, 6)
        expect(lost.map(({ partition }) => partition).sort()).toEqual(had)
        expect(relay.granted).toHaveLength(2)
      } finally {
        clearInterval(producing)
      }
      await producer.flush()
      await until(() => read.size === produced)
      expect(expiring.partitions).toHaveLength(2)
      expect(violations).toEqual([])
    } finally {
      await zookeeper.stop(0)
    }
  })

  it('is not affected when one of an ensemble of three is killed', async () => {
    using folder = new TemporaryFolder()
    const ports = await freePorts(9)
    const quorum = [0, 1, 2].map((i) => [ports[i + 3]!, ports[i + 6]!] as const)
    const servers: JavaProcess[] = await Promise.all(
      [0, 1, 2].map((index) => {
        const own = join(folder.path, String(index))
        mkdirSync(own)
        const ensemble = { id: index + 1, ports: quorum }
        return startZooKeeper({ folder: own, port: ports[index]!, ensemble })
      }),
    )
    try {
      const hosts = [0, 1, 2].map((index) => `127.0.0.1:${ports[index]}`).join(',')
      const topic = await newTopic(4)
      const lost: unknown[] = []
      const options = {
        ...inOrder,
        zookeeperConnectionTimeoutMs: 15_000,
        onPartitionsLost: (partitions: unknown) => void lost.push(partitions),
      }
      const members = [await consumer(topic, hosts, options), await consumer(topic, hosts, options)]
      await until(() => members.every(({ partitions }) => partitions.length === 2))
      await servers[0]!.stop(0)
      await produce(topic, 4, 0, 8)
      const [first, second] = members as [BalancedConsumer, BalancedConsumer]
      const read = [...(await take(first, 4)), ...(await take(second, 4))]
      await processAll(first)
      await first.close()
      await until(() => second.partitions.length === 4)
      expect(sorted(read)).toEqual(upTo(8))
      expect(lost).toEqual([])
    } finally {
      await Promise.all(servers.map((server) => server.stop(0)))
    }
  })
})
