/**
 * pykafka's own tests of its two balanced consumers (tests/pykafka/test_balancedconsumer.py of 2.8), against real
 * brokers, with both coordinators if pykafka runs with both. Where each of them is:
 *
 *     TestBalancedConsumer, TestManagedBalancedConsumer
 *       test_unicode_consumer_group               accepts a group name that is not ASCII
 *       test_consume_returns                      returns from consume() when its time limit is reached
 *       test_consume_graceful_stop                ends a consume() without a time limit when it is stopped
 *       test_decide_partitions_range              unit/balanced/membership-protocol.test.ts, assignors.test.ts
 *       test_decide_partitions_roundrobin         the same
 *     BalancedConsumerIntegrationTests, ManagedBalancedConsumerIntegrationTests
 *       test_extra_consumer                       waits when there are more members than partitions …
 *       test_a_rebalance_unblock_event            joins the group while others wait in consume()
 *       test_rebalance_callbacks                  continues at the offsets that its callback returns
 *       test_rebalance_callbacks_surfaces_errors  throws what its callback threw
 *       test_consume_earliest                     shares all partitions with another, from the earliest offsets
 *       test_consume_latest                       shares all partitions with another, from the latest offsets
 *       test_external_kazoo_client                uses an existing ZooKeeper client (ZooKeeper)
 *       test_no_partitions                        returns undefined while it has no partitions, and can be stopped
 *       test_zk_conn_lost                         registers its znodes again after its session has expired (ZooKeeper)
 *
 * The same with gevent, and with rdkafka (RdkBalancedConsumerIntegrationTests), have no counterpart here.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { createClient } from 'node-zookeeper-client'
import {
  KafkaClient,
  type BalancedConsumer,
  type BalancedConsumerOptions,
  type MembershipProtocol,
} from '../../src/index.ts'
import { shared, untilRebalanced } from '../support/balanced/rebalances.ts'
import { startKafka, type KafkaCluster } from '../support/kafka/cluster.ts'
import { describeWithBrokers, isAtLeast, versionsToTest } from '../support/real-brokers.ts'
import { SessionRelay } from '../support/zookeeper/session-relay.ts'
import { ZooKeeperTestSession } from '../support/zookeeper/session.ts'
import { PATIENCE_MS } from '../support/patience.ts'

/** As in pykafka's tests. */
const PARTITIONS = 3
const MESSAGES = 1_000
/** The shortest that brokers allow. */
const MANAGED = { managed: true, sessionTimeoutMs: 6_000, heartbeatIntervalMs: 200 } as const

/** In `npm test` one that knows both coordinators is enough: the others are for `npm run test:brokers`. */
const versions = process.env['SAMSA_BROKERS'] === undefined ? ['1.1.1'] : versionsToTest()

type Options = Partial<BalancedConsumerOptions>

let kafka: KafkaCluster
let topics = 0
const opened: KafkaClient[] = []

function newClient(): KafkaClient {
  const client = new KafkaClient({ hosts: kafka.hosts })
  opened.push(client)
  return client
}

async function produce(topic: string, count: number): Promise<void> {
  await using producer = await newClient().topic(topic).getProducer()
  for (let i = 0; i < count; i++) void producer.produce(`msg ${i}`, { partition: i % PARTITIONS })
  await producer.flush()
}

async function newTopic(messages = MESSAGES): Promise<string> {
  const topic = `topic-${topics++}`
  await kafka.createTopic(topic, { partitions: PARTITIONS })
  await produce(topic, messages)
  return topic
}

/** One of the group that is called as its topic. */
function open(topic: string, options: Options): Promise<BalancedConsumer> {
  const all = { consumerGroup: topic, rebalanceBackoffMs: 300, ...options }
  return newClient().topic(topic).getBalancedConsumer(all)
}

async function partitionOfNext(consumer: BalancedConsumer): Promise<number | undefined> {
  return (await consumer.consume({ timeoutMs: PATIENCE_MS }))?.partition
}

/**
 * That the consumers read something each, nothing both, and everything together. Each commits what it read: a rebalance
 * waits until that is processed, which otherwise only the next call of consume() says.
 */
async function readTheirOwn(consumers: readonly BalancedConsumer[]): Promise<void> {
  for (const consumer of consumers) {
    expect(consumer.partitions).toContain(await partitionOfNext(consumer))
    await consumer.commitOffsets()
  }
  const owned = consumers.flatMap(({ partitions }) => partitions)
  expect(owned.sort()).toEqual([0, 1, 2])
}

describeWithBrokers("pykafka's tests of its balanced consumers", ['java'], () => {
  describe.each(versions)('on Kafka %s', (version) => {
    beforeAll(async () => {
      kafka = await startKafka({ version, zookeeper: true })
    })
    afterAll(() => kafka.stop())
    afterEach(async () => {
      await Promise.allSettled(opened.splice(0).map((client) => client.close()))
    })

    const coordinators = isAtLeast(version, '0.9') ? ['ZooKeeper', 'Kafka'] : ['ZooKeeper']
    describe.each(coordinators)('a consumer of a group coordinated by %s', (coordinator) => {
      const by = (): Options =>
        coordinator === 'Kafka' ? MANAGED : { zookeeperHosts: kafka.zookeeperHosts! }

      it('accepts a group name that is not ASCII', async () => {
        const topic = await newTopic()
        const consumer = await open(topic, { ...by(), consumerGroup: 'grüppe-组' })
        await partitionOfNext(consumer)
        await consumer.commitOffsets()
      })

      it('returns from consume() when its time limit is reached', async () => {
        const consumer = await open(await newTopic(0), { ...by(), consumerTimeoutMs: 300 })
        const begunAt = performance.now()
        expect(await consumer.consume()).toBeUndefined()
        expect(performance.now() - begunAt).toBeGreaterThanOrEqual(299)
      })

      it('ends a consume() without a time limit when it is stopped, and throws from then on', async () => {
        const consumer = await open(await newTopic(0), { ...by(), consumerTimeoutMs: -1 })
        const waiting = consumer.consume()
        const ended = expect(waiting).rejects.toMatchObject({ code: 'CLOSED' })
        await consumer.stop()
        await ended
        await expect(consumer.consume()).rejects.toMatchObject({ code: 'CLOSED' })
      })

      it('waits when there are more members than partitions, and takes over when another stops', async () => {
        const topic = await newTopic()
        const consumers: BalancedConsumer[] = []
        const oneIsIdle = async () => {
          await shared(consumers, PARTITIONS)
          const busy = consumers.filter(({ partitions }) => partitions.length > 0)
          const [idle, ...others] = consumers.filter((one) => !busy.includes(one))
          await readTheirOwn(busy)
          expect(await idle!.consume({ timeoutMs: 100 })).toBeUndefined()
          expect([busy.length, others.length]).toEqual([PARTITIONS, 0])
        }
        for (let i = 0; i < PARTITIONS + 1; i++) consumers.push(await open(topic, by()))
        await oneIsIdle()

        await consumers.shift()!.stop()
        await shared(consumers, PARTITIONS)
        await readTheirOwn(consumers)

        consumers.push(await open(topic, by()))
        await oneIsIdle()
      })

      it('joins the group while others wait in consume()', async () => {
        const topic = await newTopic()
        const options: Options = {
          ...by(),
          consumerTimeoutMs: -1,
          onPartitionsRevoked: (_, member) => member.commitOffsets(),
        }
        const first = await open(topic, options)
        for (let read = 0; read < MESSAGES; read++) await first.consume()
        const waiting = first.consume()
        const second = await open(topic, options)
        const waitingToo = second.consume()
        await shared([first, second], PARTITIONS)
        expect(await settledAmong([waiting, waitingToo])).toEqual([])
        await produce(topic, PARTITIONS)
        expect(first.partitions).toContain((await waiting)?.partition)
        expect(second.partitions).toContain((await waitingToo)?.partition)
      })

      it('continues at the offsets that its callback returns', async () => {
        const topic = await newTopic()
        const seen: ReadonlyMap<number, number>[] = []
        const first = await open(topic, {
          ...by(),
          postRebalanceCallback: (_, __, offsets) => {
            seen.push(offsets)
            return new Map([...offsets.keys()].map((partition) => [partition, 50]))
          },
        })
        const second = await open(topic, by())
        await shared([first, second], PARTITIONS)
        expect(seen.every(({ size }) => size > 0)).toBe(true)
        expect([...first.positions.values()]).toEqual(first.partitions.map(() => 50))
        expect((await first.consume({ timeoutMs: PATIENCE_MS }))?.offset).toBe(50)
      })

      it('throws what its callback threw', async () => {
        const topic = await newTopic()
        const first = await open(topic, {
          ...by(),
          postRebalanceCallback: () => {
            throw new Error('BAD CALLBACK')
          },
        })
        const second = await open(topic, by())
        await shared([first, second], PARTITIONS)
        await expect(first.consume()).rejects.toThrow('BAD CALLBACK')
      })

      it('shares all partitions with another, from the earliest offsets', async () => {
        const topic = await newTopic()
        const options = { ...by(), autoOffsetReset: 'earliest' } as const
        const consumers = [await open(topic, options), await open(topic, options)]
        await shared(consumers, PARTITIONS)
        await readTheirOwn(consumers)
      })

      it('shares all partitions with another, from the latest offsets', async () => {
        const topic = await newTopic()
        const options = { ...by(), autoOffsetReset: 'latest' } as const
        const consumers = [await open(topic, options), await open(topic, options)]
        await shared(consumers, PARTITIONS)
        await produce(topic, 9)
        await readTheirOwn(consumers)
        const offsets = consumers.flatMap(({ heldOffsets }) => [...heldOffsets.values()])
        expect(Math.min(...offsets)).toBeGreaterThanOrEqual(Math.floor(MESSAGES / PARTITIONS) - 1)
      })

      it('returns undefined while it has no partitions, and can be stopped', async () => {
        const nothing: Options =
          coordinator === 'Kafka'
            ? { assignors: [{ name: 'none', protocols: ['eager'], assign: () => new Map() }] }
            : { membershipProtocol: (() => []) satisfies MembershipProtocol }
        const options = { ...by(), ...nothing, autoStart: false, consumerTimeoutMs: 50 }
        const consumer = await open(await newTopic(), options)
        expect(await consumer.start()).toEqual([])
        expect(await consumer.consume()).toBeUndefined()
        expect(consumer.isOwnershipCertain).toBe(true)
        await consumer.stop()
      })

      if (coordinator === 'Kafka') return

      it('uses an existing ZooKeeper client', async () => {
        const zookeeper = createClient(kafka.zookeeperHosts!)
        zookeeper.connect()
        try {
          const consumer = await open(await newTopic(), { zookeeper, consumerTimeoutMs: 300 })
          for await (const message of consumer) expect(message.value).not.toBeNull()
          await consumer.stop()
          expect(zookeeper.getState().name).toBe('SYNC_CONNECTED')
        } finally {
          zookeeper.close()
        }
      })

      it('registers its znodes again after its session has expired', async () => {
        const topic = await newTopic()
        const zookeeperPort = Number(kafka.zookeeperHosts!.split(':')[1])
        await using relay = await SessionRelay.start(zookeeperPort)
        using looking = await ZooKeeperTestSession.open(kafka.zookeeperHosts!)
        const ownersOf = async ({ memberId }: BalancedConsumer) => {
          const folder = `/consumers/${topic}/owners/${topic}`
          const names = await looking.getChildren(folder)
          const owners = await Promise.all(
            names.map((name) => looking.getData(`${folder}/${name}`)),
          )
          return names
            .filter((_, index) => owners[index] === memberId)
            .map((name) => Number(name.split('-')[1]))
        }
        let wasLost = false
        const first = await open(topic, {
          zookeeperHosts: relay.hosts,
          onPartitionsLost: () => {
            wasLost = true
          },
        })
        expect(await ownersOf(first)).toEqual([0, 1, 2])
        await relay.expire()
        const second = await open(topic, by())
        await untilRebalanced(() => wasLost)
        await shared([first, second], PARTITIONS)
        expect(await ownersOf(first)).toEqual(first.partitions)
        expect(await ownersOf(second)).toEqual(second.partitions)
        expect(relay.granted).toHaveLength(2)
      })
    })
  })
})

/** Those of the promises that are settled already. */
async function settledAmong(promises: readonly Promise<unknown>[]): Promise<readonly unknown[]> {
  const waiting = Symbol('waiting')
  const states = await Promise.all(
    promises.map((promise) => Promise.race([promise, Promise.resolve(waiting)])),
  )
  return states.filter((state) => state !== waiting)
}
