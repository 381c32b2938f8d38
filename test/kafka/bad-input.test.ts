import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import {
  InvalidArgumentError,
  KafkaClient,
  MessageTooLargeError,
  UnknownTopicError,
  type Producer,
  type SimpleConsumerOptions,
  type ProducerOptions,
} from '../../src/index.ts'
import { startKafka, type KafkaCluster } from '../support/kafka/cluster.ts'
import { rawMetadata } from '../support/kafka/raw-request.ts'
import { NEWEST_KAFKA } from '../support/kafka/versions.ts'
import { describeWithBrokers } from '../support/real-brokers.ts'
import { samsa } from '../support/run-command.ts'

/** What the command may take for an error that it can tell at once, its own start included. */
const SOON_MS = 10_000

describeWithBrokers('input that a real broker rejects', ['java'], () => {
  describe('without automatic creation of topics', () => {
    let kafka: KafkaCluster

    beforeAll(async () => {
      const config = { 'auto.create.topics.enable': 'false' }
      kafka = await startKafka({ version: NEWEST_KAFKA, config })
      await kafka.createTopic('events')
      await kafka.createTopic('small', { config: { 'max.message.bytes': '2000' } })
    })
    afterAll(() => kafka.stop())

    /** The exit code and the one line of a command that fails. */
    async function failureOf(...args: string[]): Promise<{ code: number | null; line: string }> {
      const withBrokers = [...args, '--brokers', kafka.hosts]
      const { exitCode, stderr, stdout } = await samsa(withBrokers, {
        input: 'line\n',
        timeoutMs: SOON_MS,
      })
      expect(stdout.toString()).toBe('')
      expect(stderr).toMatch(/^samsa: [^\n]*\n$/)
      return { code: exitCode, line: stderr.trimEnd() }
    }

    async function withProducer(
      topic: string,
      options: ProducerOptions,
      use: (producer: Producer) => Promise<void>,
    ): Promise<void> {
      await using client = new KafkaClient({ hosts: kafka.hosts })
      const producer = await client.topic(topic).getProducer(options)
      try {
        await use(producer)
      } finally {
        await producer.close().catch(() => undefined)
      }
    }

    it('a topic that does not exist cannot be produced to, nor consumed', async () => {
      await using client = new KafkaClient({ hosts: kafka.hosts })
      const missing = client.topic('missing')
      await expect(missing.getProducer()).rejects.toThrow(UnknownTopicError)
      await expect(missing.getProducer()).rejects.toThrow(
        "topic 'missing' does not exist, and the brokers do not create topics automatically",
      )
      await expect(missing.getSimpleConsumer()).rejects.toThrow("topic 'missing' does not exist")
      await expect(missing.partitions()).rejects.toThrow(UnknownTopicError)
    })

    it('the command reports a topic that does not exist in one line', async () => {
      expect(await failureOf('produce', 'missing')).toEqual({
        code: 1,
        line: "samsa: topic 'missing' does not exist, and the brokers do not create topics automatically",
      })
      expect(await failureOf('consume', 'missing')).toEqual({
        code: 1,
        line: "samsa: topic 'missing' does not exist",
      })
    })

    it('the command names a partition, an option or a field that does not exist', async () => {
      expect((await failureOf('produce', 'events', '--partition', '9')).line).toContain('9')
      expect((await failureOf('consume', 'events', '--partition', '9')).line).toContain('9')
      expect((await failureOf('consume', 'events', '--ofset', '3')).line).toContain('--ofset')
      expect((await failureOf('consume', 'events', '-f', '%y')).line).toContain('%y')
      expect((await failureOf('produce', 'no/topic')).line).toContain("'no/topic'")
    })

    it('a message over the limit of the topic is rejected with its size and that limit', async () => {
      await withProducer('small', {}, async (producer) => {
        const tooLarge = producer.produce('x'.repeat(3000))
        await expect(tooLarge).rejects.toThrow(MessageTooLargeError)
        await expect(tooLarge).rejects.toThrow(
          /a batch of 30\d\d bytes .*for small-0 as too large \(max\.message\.bytes\)/,
        )
      })
    })

    it('messages that exceed that limit only together arrive in smaller batches', async () => {
      await withProducer('small', { lingerMs: 50 }, async (producer) => {
        const sent = Array.from({ length: 20 }, (_, i) => producer.produce(`${i}`.repeat(500)))
        const offsets = (await Promise.all(sent)).map(({ offset }) => offset)
        expect(offsets).toEqual(offsets.map((_, index) => offsets[0]! + index))
      })
    })

    it('a message over the limit of the producer is rejected before it is sent', async () => {
      await withProducer('events', { maxRequestSize: 100 }, async (producer) => {
        const tooLarge = producer.produce('x'.repeat(200))
        await expect(tooLarge).rejects.toThrow(/236 bytes is larger than maxRequestSize, 100/)
      })
    })

    it.each([
      [42, 'a number'],
      [{ id: 1 }, 'an object (Object)'],
      [undefined, 'undefined'],
      [Promise.resolve('x'), 'an await may be missing'],
      [['x'], 'an object (Array)'],
      [true, 'a boolean'],
      [Symbol('x'), 'a symbol'],
    ])('a value that is not a string, bytes or null is rejected: %p', async (value, named) => {
      await withProducer('events', {}, async (producer) => {
        // As callers without TypeScript do.
        const produce: unknown = Reflect.get(producer, 'produce')
        if (typeof produce !== 'function') throw new Error('a producer has no produce')
        const refused: unknown = Reflect.apply(produce, producer, [value])
        await expect(refused).rejects.toThrow(InvalidArgumentError)
        await expect(refused).rejects.toThrow(named)
        expect(producer.failedMessages).toBe(1)
        // That failure was handled; the flush throws one that is not handled.
        await producer.flush()
        Reflect.apply(produce, producer, [value])
        await expect(producer.flush()).rejects.toThrow(named)
        // The others are not held up.
        expect((await producer.produce(null)).offset).toBeGreaterThanOrEqual(0)
      })
    })

    it('unknown options are rejected by name', async () => {
      await using client = new KafkaClient({ hosts: kafka.hosts })
      const topic = client.topic('events')
      const unknown: object = { lingerMS: 5 }
      const consumerOptions: SimpleConsumerOptions = unknown
      const producerOptions: ProducerOptions = unknown
      await expect(topic.getProducer(producerOptions)).rejects.toThrow("no option 'lingerMS'")
      await expect(topic.getSimpleConsumer(consumerOptions)).rejects.toThrow("no option 'lingerMS'")
    })
  })

  // Where brokers create a topic that they are asked for, asking must not be how a consumer looks for one.
  it.each([NEWEST_KAFKA, '1.1.1', '0.8.2.2'])(
    'a consumer does not create the topic on Kafka %s, a producer does',
    async (version) => {
      await using kafka = await startKafka({ version })
      await kafka.createTopic('other')
      await using client = new KafkaClient({ hosts: kafka.hosts })
      const topic = client.topic('page-views')
      const exists = async (): Promise<boolean> =>
        (await rawMetadata(kafka.ports[0]!)).topics.some(({ name }) => name === topic.name)
      await expect(topic.getSimpleConsumer()).rejects.toThrow(UnknownTopicError)
      await expect(topic.latestAvailableOffsets()).rejects.toThrow(UnknownTopicError)
      expect(await exists()).toBe(false)
      await using producer = await topic.getProducer()
      expect(await producer.produce('first')).toMatchObject({ partition: 0, offset: 0 })
      expect(await exists()).toBe(true)
    },
  )
})
