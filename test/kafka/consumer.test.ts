import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import {
  KafkaClient,
  type SimpleConsumer,
  type SimpleConsumerOptions,
  type Topic,
} from '../../src/index.ts'
import { kcatWrite } from '../support/kcat.ts'
import { startKafka, type KafkaCluster } from '../support/kafka/cluster.ts'
import { describeWithBrokers, isAtLeast, versionsToTest } from '../support/real-brokers.ts'
import { failureOf } from '../support/settled.ts'
import { PATIENCE_MS } from '../support/patience.ts'

/** As in pykafka's tests: what is produced before each of them. */
const MESSAGES = 1_000
const PARTITIONS = 3

/** What pykafka's test_simpleconsumer asserts, and what else only a real broker can show. */
describeWithBrokers('a simple consumer on a real broker', ['java', 'kcat'], () => {
  describe.each(versionsToTest())('Kafka %s', (version) => {
    let kafka: KafkaCluster
    let client: KafkaClient
    let topic: Topic
    let count = 0

    beforeAll(async () => {
      kafka = await startKafka({ version })
      client = new KafkaClient({ hosts: kafka.hosts })
    })
    afterAll(async () => {
      await client.close()
      await kafka.stop()
    })

    beforeEach(async () => {
      const name = `consumed-${count++}`
      await kafka.createTopic(name, { partitions: PARTITIONS })
      topic = client.topic(name)
      await using producer = await topic.getProducer()
      for (let i = 0; i < MESSAGES; i++) {
        void producer.produce(`msg ${i}`, { partition: i % PARTITIONS })
      }
      await producer.flush()
    })

    const opened: SimpleConsumer[] = []
    const open = async (options: SimpleConsumerOptions = {}) => {
      const consumer = await topic.getSimpleConsumer({ fetchWaitMaxMs: 100, ...options })
      opened.push(consumer)
      return consumer
    }
    afterEach(() => Promise.all(opened.splice(0).map((consumer) => consumer.close())))

    const sum = (offsets: ReadonlyMap<number, number>) =>
      [...offsets.values()].reduce((total, offset) => total + offset, 0)

    const lagOf = (consumer: SimpleConsumer) =>
      consumer.lag.reduce((total, { lag }) => total + lag, 0)

    async function take(consumer: SimpleConsumer, wanted: number): Promise<string[]> {
      const values: string[] = []
      while (values.length < wanted) {
        const message = await consumer.consume({ timeoutMs: PATIENCE_MS })
        if (message === undefined) throw new Error(`Only ${values.length} messages came`)
        values.push(String(message.value))
      }
      return values
    }

    it('consumes every message once', async () => {
      const values = await take(await open(), MESSAGES)
      expect(new Set(values).size).toBe(MESSAGES)
      expect(await opened[0]!.consume({ timeoutMs: 200 })).toBeUndefined()
      expect(await opened[0]!.consume({ block: false })).toBeUndefined()
    })

    it('commits its positions, also of partitions without messages, and fetches what it committed', async () => {
      const consumer = await open({ consumerGroup: `committing-${count}` })
      await take(consumer, 100)
      await consumer.commitOffsets()
      const held = [...consumer.heldOffsets].map(([one, offset]) => [one, offset + 1] as const)
      const committed = await consumer.fetchOffsets()
      expect(committed).toEqual(new Map([[0, 0], [1, 0], [2, 0], ...held])) // prettier-ignore
      expect(sum(committed)).toBe(100)
    })

    it('commits the offsets that are given', async () => {
      const consumer = await open({ consumerGroup: `overriding-${count}` })
      await consumer.commitOffsets(new Map([[0, 7], [2, 9]])) // prettier-ignore
      expect(await consumer.fetchOffsets()).toEqual(new Map([[0, 7], [2, 9]])) // prettier-ignore
      expect(consumer.positions).toEqual(new Map([[0, 0], [1, 0], [2, 0]])) // prettier-ignore
    })

    it('resumes at the offsets that its group committed', async () => {
      const group = { consumerGroup: `resuming-${count}` }
      const first = await open(group)
      const before = await take(first, 400)
      await first.commitOffsets()
      await first.close()
      const second = await open({ ...group, stopAtEnd: true })
      expect(sum(second.positions)).toBe(400)
      const after = await take(second, MESSAGES - 400)
      expect(new Set([...before, ...after]).size).toBe(MESSAGES)
      expect(await second.consume()).toBeUndefined()
    })

    it('starts over with resetOffsetOnStart', async () => {
      const group = { consumerGroup: `restarting-${count}` }
      const first = await open(group)
      await take(first, 400)
      await first.commitOffsets()
      const second = await open({ ...group, resetOffsetOnStart: true })
      expect(sum(second.positions)).toBe(0)
    })

    it('commits at an interval and on close, but not the message that was returned last', async () => {
      const group = { consumerGroup: `auto-${count}` }
      const consumer = await open({ ...group, autoCommitEnable: true, autoCommitIntervalMs: 50 })
      await take(consumer, 100)
      const seen = new Map<number, number>()
      while (sum(seen) < 99) {
        for (const [one, offset] of await consumer.fetchOffsets()) seen.set(one, offset)
      }
      await take(consumer, 50)
      await consumer.close()
      // No later call says that the last message is processed: it is delivered again.
      expect(sum((await open(group)).positions)).toBe(149)
    })

    it('seeks to either end of the log, and commits that position', async () => {
      const consumer = await open({ consumerGroup: `resetting-${count}` })
      await take(consumer, 10)
      await consumer.resetOffsets('latest')
      expect(sum(consumer.positions)).toBe(MESSAGES)
      expect(sum(await consumer.fetchOffsets())).toBe(MESSAGES)
      expect(await consumer.consume({ timeoutMs: 200 })).toBeUndefined()
      await consumer.resetOffsets('earliest')
      expect(sum(await consumer.fetchOffsets())).toBe(0)
      expect(new Set(await take(consumer, MESSAGES)).size).toBe(MESSAGES)
    })

    it('seeks to an offset, and follows autoOffsetReset when the offset does not exist', async () => {
      const consumer = await open({ partitions: [0] })
      await consumer.resetOffsets(5)
      expect((await consumer.consume())?.offset).toBe(5)
      await consumer.resetOffsets(new Map([[0, 1_000_000]]))
      expect((await consumer.consume())?.offset).toBe(0)
      const strict = await open({ partitions: [0], autoOffsetReset: 'none', consumerGroup: 'none' })
        .then(() => undefined, (error: unknown) => error) // prettier-ignore
      expect(strict).toMatchObject({ code: 'NO_OFFSET', partition: 0 })
    })

    it('has no lag after every message was consumed', async () => {
      const consumer = await open()
      await take(consumer, MESSAGES - 1)
      const lag = lagOf(consumer)
      expect(lag).toBeGreaterThanOrEqual(1)
      await take(consumer, 1)
      await consumer.consume({ timeoutMs: 300 })
      expect(lagOf(consumer)).toBe(0)
    })

    it('reads only its assigned partitions, and keeps messages of paused ones for later', async () => {
      const consumer = await open({ partitions: [0, 1] })
      consumer.pause([0])
      const sizes = await topic.latestAvailableOffsets()
      await take(consumer, sizes.get(1)!)
      expect(consumer.heldOffsets).toEqual(new Map([[1, sizes.get(1)! - 1]]))
      expect(await consumer.consume({ timeoutMs: 200 })).toBeUndefined()
      consumer.resume()
      await take(consumer, sizes.get(0)!)
      expect(await consumer.consume({ timeoutMs: 200 })).toBeUndefined()
    })

    it('receives a message that is larger than its fetch size', async () => {
      const large = 'x'.repeat(200_000)
      await using producer = await topic.getProducer()
      await producer.produce(large, { partition: 0 })
      await producer.produce('behind it', { partition: 0 })
      const consumer = await open({ fetchMessageMaxBytes: 1_000, partitions: [0], stopAtEnd: true })
      const values: string[] = []
      for await (const { value } of consumer) values.push(String(value))
      expect(values.slice(-2)).toEqual([large, 'behind it'])
    })

    it('waits until fetchMinBytes are available, but no longer than fetchWaitMaxMs', async () => {
      const consumer = await open({ fetchMinBytes: 100_000, fetchWaitMaxMs: 300, stopAtEnd: true })
      expect(new Set(await take(consumer, MESSAGES)).size).toBe(MESSAGES)
    })

    if (isAtLeast(version, '0.10.1')) {
      it('seeks to a time', async () => {
        const consumer = await open()
        await consumer.resetOffsets(new Date(Date.now() - 3_600_000))
        expect(sum(consumer.positions)).toBe(0)
        await consumer.resetOffsets(new Date(Date.now() + 3_600_000))
        expect(sum(consumer.positions)).toBe(MESSAGES)
        const [first] = await take(await open({ autoOffsetReset: new Date(0) }), 1)
        expect(first).toMatch(/^msg /)
      })
    }

    if (!isAtLeast(version, '4.0')) {
      it('keeps offsets in ZooKeeper, separate from those in Kafka', async () => {
        const group = { consumerGroup: `zookeeper-${count}` }
        const inZooKeeper = { ...group, offsetsStorage: 'zookeeper' as const }
        const first = await open(inZooKeeper)
        expect(await first.fetchOffsets()).toEqual(new Map())
        await take(first, 123)
        await first.commitOffsets()
        await first.close()
        expect(sum((await open(inZooKeeper)).positions)).toBe(123)
        expect(sum((await open(group)).positions)).toBe(0)
      })
    } else {
      it('rejects offsets in ZooKeeper for brokers without ZooKeeper', async () => {
        const error = await failureOf(open({ consumerGroup: 'z', offsetsStorage: 'zookeeper' }))
        expect(error).toMatchObject({ code: 'UNSUPPORTED_VERSION' })
        expect(error.message).toContain('ZooKeeper')
      })
    }

    it('notices partitions and topics that are created later', async () => {
      const prefix = `later-${count}`
      await using watching = new KafkaClient({ hosts: kafka.hosts, metadataMaxAgeMs: 200 })
      await using consumer = await watching.getConsumer({
        topics: new RegExp(`^${prefix}`),
        autoOffsetReset: 'latest',
        fetchWaitMaxMs: 100,
      })
      expect(consumer.assignment).toEqual([])
      await kafka.createTopic(`${prefix}-a`)
      await kcatWrite(kafka, `${prefix}-a`, 'one\n')
      expect(String((await consumer.consume())?.value)).toBe('one')
      await kafka.createTopic(`${prefix}-b`)
      await kcatWrite(kafka, `${prefix}-b`, 'two\n')
      expect(String((await consumer.consume())?.value)).toBe('two')
    })
  })
})
