import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { createHash } from 'node:crypto'
import {
  hashingPartitioner,
  KafkaClient,
  MessageTooLargeError,
  ProduceFailureError,
  ProducerQueueFullError,
  type Compression,
  type ConsumedMessage,
  type Producer,
  type ProducerOptions,
} from '../../src/index.ts'
import { onceEach } from '../support/chaos/once-each.ts'
import { startKafka, type KafkaCluster } from '../support/kafka/cluster.ts'
import { Proxy } from '../support/proxy.ts'
import { cutAfter, stall } from '../support/proxy-faults.ts'
import { describeWithBrokers, isAtLeast, versionsToTest } from '../support/real-brokers.ts'
import { failureOf } from '../support/settled.ts'
import { until } from '../support/until.ts'
import { Random } from '../wire/support/random.ts'
import { reaches, roundsOfJava, roundsOfOurs } from './support/rack-producers.ts'

/** Those of pykafka's own tests of its producer that still have a meaning, and what is new. */
const LARGE_BYTES = 160 * 1024

/** What needs several brokers is left to `npm run test:brokers`; test/unit/producer has it with embedded ones. */
const isThorough = process.env['SAMSA_BROKERS'] !== undefined

describeWithBrokers('a producer', ['java'], () => {
  if (isThorough) {
    it('with a rack chooses the same partitions as Java’s, also while no leader is in the rack (KIP-1123), on Kafka 4.4.0', async () => {
      const topic = 'racks'
      const brokerConfig = (id: number) => ({ 'broker.rack': `rack-${id}` })
      await using kafka = await startKafka({ version: '4.4.0', brokers: 3, brokerConfig })
      await using client = new KafkaClient({ hosts: kafka.hosts, metadataMaxAgeMs: 500 })
      const [first, second, third] = kafka.brokerIds as [number, number, number]
      const replicas = [
        [first, second],
        [second, third],
        [third, second],
      ]
      await client.admin.createTopics([{ topic, assignments: [...replicas, ...replicas] }])
      const [near, all] = [
        [0, 3],
        [0, 1, 2, 3, 4, 5],
      ]
      const rack = `rack-${first}`
      await using java = await roundsOfJava(kafka.hosts, topic, rack)
      const send = await roundsOfOurs(client, topic, rack)
      expect(await send()).toEqual(near)
      expect(await java.send()).toEqual(near)
      await kafka.stopBroker(first)
      await reaches(send, all)
      await reaches(java.send, all)
      await kafka.startBroker(first)
      await until(async () => {
        const partitions = await client.topic(topic).partitions()
        return near.every((one) => partitions[one]!.isr.includes(first))
      })
      const wanted = near.map((partition) => ({ topic, partition }))
      await client.admin.electLeaders('preferred', wanted)
      await reaches(send, near)
      await reaches(java.send, near)
      expect(await send()).toEqual(near)
      expect(await java.send()).toEqual(near)
    })
  }

  describe.each(versionsToTest())('to Kafka %s', (version) => {
    let kafka: KafkaCluster
    let client: KafkaClient
    let topics = 0

    beforeAll(async () => {
      kafka = await startKafka({ version })
      client = new KafkaClient({ hosts: kafka.hosts })
    })
    afterAll(async () => {
      await client.close().catch(() => undefined)
      await kafka.stop()
    })

    async function newTopic(partitions = 1, config: Record<string, string> = {}): Promise<string> {
      const name = `produced-${++topics}`
      await kafka.createTopic(name, { partitions, config })
      return name
    }

    /** A topic of its own, and a producer to it. */
    async function open(options: ProducerOptions = {}, partitions = 1) {
      const name = await newTopic(partitions)
      return { name, producer: await client.topic(name).getProducer(options) }
    }

    async function read(name: string): Promise<ConsumedMessage[]> {
      const reading = { autoOffsetReset: 'earliest', stopAtEnd: true } as const
      await using consumer = await client.topic(name).getSimpleConsumer(reading)
      const messages: ConsumedMessage[] = []
      for await (const message of consumer) messages.push(message)
      return messages
    }

    const valuesOf = async (name: string) =>
      (await read(name)).map(({ value }) => value?.toString() ?? null)

    it('that is sync has each message in the log when its promise resolves', async () => {
      const name = await newTopic()
      const producer = await client.topic(name).getSyncProducer()
      expect(await producer.produce('héllo ✓', { key: 'k' })).toMatchObject({ offset: 0 })
      const [message] = await read(name)
      expect(message!.value!.toString()).toBe('héllo ✓')
      expect(message!.key!.toString()).toBe('k')
    })

    it('serializes values with its serializer', async () => {
      const name = await newTopic()
      const producer = await client.topic(name).getProducer<object, number>({
        serializer: (value, key) => [JSON.stringify(value), String(key)],
      })
      await producer.produce({ a: 1 }, { key: 42 })
      const [message] = await read(name)
      expect([message!.key!.toString(), message!.value!.toString()]).toEqual(['42', '{"a":1}'])
    })

    it('reports a message that is too large for the broker', async () => {
      const name = await newTopic(1, { 'max.message.bytes': '1000' })
      const producer = await client.topic(name).getSyncProducer()
      const error = await failureOf(producer.produce('x'.repeat(2_000)))
      expect(error).toBeInstanceOf(MessageTooLargeError)
      expect(error.message).toMatch(/rejected a batch of 20\d\d bytes .*for .* as too large/)
    })

    it('splits batches that are too large for the broker', async () => {
      const name = await newTopic(1, { 'max.message.bytes': '1000' })
      const producer = await client.topic(name).getProducer()
      const values = Array.from({ length: 50 }, (_, index) => String(index).padEnd(100))
      // In formats without batches it is each message that has to be small, unless they are compressed.
      await producer.produceMany(values)
      expect(await valuesOf(name)).toEqual(values)
    })

    it('rejects a message over maxRequestSize, and sends no larger requests', async () => {
      const { name, producer } = await open({ maxRequestSize: 2_000 })
      const refused = producer.produce('x'.repeat(2_000))
      expect(await failureOf(refused)).toBeInstanceOf(MessageTooLargeError)
      const values = Array.from({ length: 100 }, (_, index) => String(index).padEnd(300))
      await producer.produceMany(values)
      expect(await valuesOf(name)).toEqual(values)
    })

    it('hashes keys to the same partitions as pykafka', async () => {
      const { name, producer } = await open({ partitioner: hashingPartitioner() }, 3)
      const keys = Array.from({ length: 20 }, (_, index) => `key-${index}`)
      await Promise.all(keys.map((key) => producer.produce('x', { key })))
      for (const { key, partition } of await read(name)) {
        const hash = BigInt(`0x${createHash('sha1').update(key!).digest('hex')}`)
        expect(partition).toBe(Number(hash % 3n))
      }
    })

    it('spreads messages without a key over all partitions', async () => {
      const { name, producer } = await open({}, 4)
      await producer.produceMany(Array.from({ length: 20_000 }, () => 'x'.repeat(100)))
      const partitions = new Set((await read(name)).map(({ partition }) => partition))
      expect(partitions.size).toBe(4)
    })

    it('reports each delivery with its offset', async () => {
      const { producer } = await open({ deliveryReports: true })
      for (const value of ['a', 'b']) void producer.produce(value, { key: 'k' })
      await producer.close()
      const reports = []
      for await (const report of producer.deliveryReports()) reports.push(report)
      expect(reports).toMatchObject([
        { value: 'a', key: 'k', offset: 0, error: undefined },
        { value: 'b', key: 'k', offset: 1, error: undefined },
      ])
    })

    it('flushes at the end of its block', async () => {
      const name = await newTopic()
      {
        await using producer: Producer = await client.topic(name).getProducer({ lingerMs: 60_000 })
        void producer.produce('x')
      }
      expect(await valuesOf(name)).toEqual(['x'])
    })

    it('lets messages linger', async () => {
      const { producer } = await open({ lingerMs: 300 })
      const startedAt = performance.now()
      await producer.produce('x')
      expect(performance.now() - startedAt).toBeGreaterThanOrEqual(298)
    })

    it('rejects messages when its queue is full', async () => {
      const options = { maxQueuedMessages: 1, blockOnQueueFull: false, lingerMs: 200 }
      const { producer } = await open(options)
      const first = producer.produce('a')
      expect(await failureOf(producer.produce('b'))).toBeInstanceOf(ProducerQueueFullError)
      await first
    })

    it.each([-1, 0, 1] as const)('waits for the configured acks: %i', async (requiredAcks) => {
      const { name, producer } = await open({ requiredAcks })
      const { offset } = await producer.produce('x')
      expect(offset).toBe(requiredAcks === 0 ? -1 : 0)
      await producer.close()
      while ((await valuesOf(name)).length === 0) {
        // No response shows when a message without acks has arrived.
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
      expect(await valuesOf(name)).toEqual(['x'])
    })

    it('distinguishes a null from an empty message', async () => {
      const { name, producer } = await open()
      await producer.produceMany([{ value: null, key: 'k' }, { value: '', key: 'k' }, null, ''])
      expect(await valuesOf(name)).toEqual([null, '', null, ''])
    })

    it.each(
      (['none', 'gzip', 'snappy', 'lz4', 'zstd'] as Compression[]).filter(
        (codec) => codec !== 'zstd' || isAtLeast(version, '2.1'),
      ),
    )('sends many small messages and a large one with %s', async (compression) => {
      const { name, producer } = await open({ compression })
      const values = Array.from({ length: 500 }, (_, index) => `${index} `.repeat(20))
      const large = createHash('sha512')
        .update(compression)
        .digest('hex')
        .repeat(LARGE_BYTES / 128)
      await producer.produceMany([...values, large])
      expect(await valuesOf(name)).toEqual([...values, large])
    })

    it('keeps timestamps and headers if the format has them, and rejects them otherwise', async () => {
      const { name, producer } = await open()
      const headers = { trace: 'abc' }
      const timestamp = 1_600_000_000_000
      const withHeaders = producer.produce('h', { headers })
      if (isAtLeast(version, '0.11')) await withHeaders
      else expect((await failureOf(withHeaders)).message).toContain('requires Kafka 0.11 or newer')
      const withTime = producer.produce('t', { timestamp })
      if (isAtLeast(version, '0.10')) expect(await withTime).toMatchObject({ timestamp })
      else expect((await failureOf(withTime)).message).toContain('requires Kafka 0.10 or newer')
      const messages = await read(name)
      if (isAtLeast(version, '0.11')) {
        expect(messages[0]!.headers.map(({ key, value }) => [key, String(value)])).toEqual([
          ['trace', 'abc'],
        ])
      }
      if (isAtLeast(version, '0.10')) expect(messages.at(-1)!.timestamp).toBe(timestamp)
    })

    it('sends to many topics', async () => {
      const names = [await newTopic(), await newTopic()]
      const producer = await client.getProducer()
      await producer.produceMany(
        Array.from({ length: 100 }, (_, index) => ({
          topic: names[index % 2]!,
          value: String(index),
        })),
      )
      expect(await valuesOf(names[1]!)).toEqual(
        Array.from({ length: 50 }, (_, index) => String(2 * index + 1)),
      )
    })

    describe('behind a proxy', () => {
      let proxy: Proxy
      beforeAll(async () => {
        proxy = await Proxy.start(kafka.ports[0]!)
      })
      afterAll(() => proxy[Symbol.asyncDispose]())

      it('recovers when its connection is cut', async () => {
        const name = await newTopic()
        await using shaky = new KafkaClient({ hosts: proxy.name, retryBackoffMs: 10 })
        const producer = await shaky.topic(name).getProducer()
        await producer.produce('0')
        proxy.misbehave('request', cutAfter(40), { api: 'Produce', times: 1 })
        await producer.produce('1')
        proxy.dropConnections()
        await producer.produce('2')
        await proxy.behave()
        expect(await valuesOf(name)).toEqual(['0', '1', '2'])
      })

      it('fails a message at its deadline when its response never arrives', async () => {
        const name = await newTopic()
        await using shaky = new KafkaClient({ hosts: proxy.name, socketTimeoutMs: 200 })
        const producer = await shaky
          .topic(name)
          .getProducer({ deliveryTimeoutMs: 500, ackTimeoutMs: 100 })
        proxy.misbehave('response', stall, { api: 'Produce' })
        const error = await failureOf(producer.produce('x'))
        await proxy.behave()
        expect(error).toBeInstanceOf(ProduceFailureError)
        expect(error).toMatchObject({ outcomeUnknown: true })
      })

      const hasIdempotence = isAtLeast(version, '0.11')
      const promise = hasIdempotence ? 'once each and in order' : 'each at least once'
      it(`delivers all messages ${promise} through connection failures`, async () => {
        const seed = Math.floor(Math.random() * 2 ** 31)
        console.log(`Kafka ${version}, seed ${seed}`)
        const random = new Random(seed)
        const name = await newTopic(4)
        const { problems } = await onceEach({
          proxy,
          hosts: kafka.hosts,
          topic: name,
          partitions: 4,
          messages: 10_000,
          everyMs: 50,
          random: () => random.below(2 ** 30) / 2 ** 30,
          allowRepeats: !hasIdempotence,
          producer: { ackTimeoutMs: 1_000 },
        })
        expect(problems).toEqual([])
      })
    })
  })
})
