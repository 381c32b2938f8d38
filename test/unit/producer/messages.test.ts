import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { randomBytes } from 'node:crypto'
import {
  InvalidArgumentError,
  MessageTooLargeError,
  UnknownTopicError,
  UnsupportedVersionError,
  type ProducerOptions,
} from '../../../src/index.ts'
import { failureOf } from '../../support/settled.ts'
import { ProducerBench, TOPIC } from './support/embedded.ts'

let bench: ProducerBench
beforeEach(async () => {
  bench = await ProducerBench.start({
    topics: { [TOPIC]: { partitions: 2 }, compacted: { config: { 'cleanup.policy': 'compact' } } },
    autoCreateTopics: false,
  })
})
afterEach(() => bench[Symbol.asyncDispose]())

const open = (options: ProducerOptions = {}) => bench.topic.getProducer(options)

describe('an invalid message', () => {
  /** That it fails so, and the next one all the same arrives. */
  async function expectRefused(
    options: ProducerOptions,
    produce: (producer: Awaited<ReturnType<typeof open>>) => Promise<unknown>,
    error: object,
  ): Promise<void> {
    const producer = await open(options)
    expect(await failureOf(produce(producer))).toMatchObject(error)
    expect(producer.failedMessages).toBe(1)
    expect((await producer.produce('good', { partition: 0 })).offset).toBe(0)
    expect(bench.requests).toHaveLength(1)
  }

  it.each([2 ** 31, -1, 0.5, NaN])(
    'with a partition that does not exist is rejected: %p',
    (partition) =>
      expectRefused({}, (producer) => producer.produce('x', { partition }), {
        message: `a partition must be a whole number from 0, not ${partition}`,
        topic: TOPIC,
      }),
  )

  it.each([2, -1, 0.5, NaN, undefined, 'one'])(
    'with an invalid result of its partitioner is rejected: %p',
    (chosen) =>
      expectRefused(
        // As callers without TypeScript do.
        { partitioner: () => chosen as number },
        (producer) => producer.produce('x'),
        { name: 'InvalidArgumentError', message: expect.stringContaining(`returned ${chosen}`) },
      ),
  )

  it('with a partitioner that throws is rejected', () =>
    expectRefused(
      {
        partitioner: () => {
          throw new Error('no idea')
        },
      },
      (producer) => producer.produce('x'),
      { message: 'the partitioner failed: no idea', cause: { message: 'no idea' } },
    ))

  it('with a serializer that throws is rejected', async () => {
    const producer = await bench.topic.getProducer<object>({
      serializer: (value, key) => [JSON.stringify(value), key],
    })
    const endless: { self?: object } = {}
    endless.self = endless
    const error = await failureOf(producer.produce(endless))
    expect(error).toBeInstanceOf(InvalidArgumentError)
    expect(error.message).toContain('the serializer failed: Converting circular structure')
    await producer.produce({ a: 1 }, { partition: 0 })
    expect(await bench.values()).toEqual(['{"a":1}'])
  })

  it('with an unsupported result of its serializer is rejected', async () => {
    const serializer = (() => [42, null]) as unknown as () => [string, null]
    const producer = await open({ serializer })
    expect(await failureOf(producer.produce('x'))).toMatchObject({
      message: 'a value must be a string, bytes or null, not a number',
    })
  })

  it('that is larger than maxRequestSize is rejected before it is sent', () =>
    expectRefused({ maxRequestSize: 1_000 }, (producer) => producer.produce('x'.repeat(1_000)), {
      name: 'MessageTooLargeError',
      message: 'a message of 1036 bytes is larger than maxRequestSize, 1000',
    }))

  it.each([-1, 0.5, NaN, 2 ** 52, Infinity])(
    'with an invalid timestamp is rejected: %p',
    (timestamp) =>
      expectRefused({}, (producer) => producer.produce('x', { timestamp }), {
        message: `timestamp must be a valid Date or whole milliseconds since 1970, not ${timestamp}`,
      }),
  )

  it('with invalid headers is rejected', () =>
    expectRefused(
      {},
      (producer) => producer.produce('x', { headers: { a: 1 as unknown as string } }),
      { message: "header 'a' must be a string, bytes or null, not a number" },
    ))
})

describe('a message that the broker refuses', () => {
  it('fails alone: the others of its batch are delivered (KIP-467)', async () => {
    const producer = await bench.client.topic('compacted').getProducer({ lingerMs: 5 })
    const good = producer.produce('a', { key: 'k' })
    const bad = producer.produce('no key')
    const alsoGood = producer.produce('b', { key: 'k' })
    expect(await failureOf(bad)).toMatchObject({ code: 'INVALID_RECORD' })
    expect(await good).toMatchObject({ offset: 0 })
    expect(await alsoGood).toMatchObject({ offset: 1 })
    expect(await bench.values(0, 'compacted')).toEqual(['a', 'b'])
    expect(producer.failedMessages).toBe(1)
    expect(producer.deliveredMessages).toBe(2)
    await producer.produce('c', { key: 'k' })
  })

  it('reports that it exceeds the limit of the topic', async () => {
    bench.kafka.createTopic('small', { config: { 'max.message.bytes': '500' } })
    const producer = await bench.client.topic('small').getProducer()
    const error = await failureOf(producer.produce('x'.repeat(1_000)))
    expect(error).toBeInstanceOf(MessageTooLargeError)
    expect(error.message).toMatch(/rejected a batch of 10\d\d bytes for small-0 as too large/)
    expect((await producer.produce('y')).offset).toBe(0)
  })

  it('reports both sizes when it exceeds the limit of the topic although it is compressed', async () => {
    bench.kafka.createTopic('small', { config: { 'max.message.bytes': '500' } })
    const producer = await bench.client.topic('small').getProducer({ compression: 'gzip' })
    const error = await failureOf(producer.produce(randomBytes(1_000)))
    expect(error).toBeInstanceOf(MessageTooLargeError)
    expect(error.message).toMatch(
      /rejected a batch of 10\d\d bytes \(1\d\d\d compressed\) for small-0 as too large/,
    )
  })

  it('for a topic without write permission fails: messages to others are delivered', async () => {
    const producer = await bench.client.getProducer()
    bench.kafka.faults.on(
      { api: 'Produce', topic: 'compacted' },
      { error: 'TOPIC_AUTHORIZATION_FAILED' },
    )
    const refused = producer.produce('compacted', 'x', { key: 'k' })
    const taken = producer.produce(TOPIC, 'y')
    expect(await failureOf(refused)).toMatchObject({
      code: 'TOPIC_AUTHORIZATION_FAILED',
      topic: 'compacted',
      retriable: false,
    })
    expect((await taken).offset).toBe(0)
  })

  it('for a topic that was deleted fails if the topic is not recreated within deliveryTimeoutMs', async () => {
    // Their time is over while they wait, not while an answer does.
    const producer = await open({ deliveryTimeoutMs: 500, retryBackoffMs: 10_000 })
    await producer.produce('x')
    bench.kafka.deleteTopic(TOPIC)
    expect(await failureOf(producer.produce('y'))).toBeInstanceOf(UnknownTopicError)
    expect(await failureOf(producer.produce('z'))).toBeInstanceOf(UnknownTopicError)
  })
})

describe('a feature that older formats lack', () => {
  it.each([
    ['0.8.2', false],
    ['0.9', false],
    ['0.10', true],
  ] as const)(
    'is rejected for Kafka %s before the message is queued',
    async (version, hasTimestamps) => {
      await using old = await ProducerBench.start({ version })
      const producer = await old.topic.getProducer()
      const headers = await failureOf(producer.produce('x', { headers: { a: 'b' } }))
      expect(headers).toBeInstanceOf(UnsupportedVersionError)
      expect(headers.message).toContain('a message with headers requires Kafka 0.11 or newer')
      const timed = producer.produce('x', { timestamp: 1_600_000_000_000 })
      if (hasTimestamps) expect(await timed).toMatchObject({ timestamp: 1_600_000_000_000 })
      else
        expect((await failureOf(timed)).message).toContain(
          'a message with a timestamp requires Kafka 0.10',
        )
      await expect(old.topic.getProducer({ compression: 'zstd' })).rejects.toThrow(
        'compression with zstd requires Kafka 2.1 or newer',
      )
      await producer.produce('plain', { key: 'k' })
      expect(await old.values()).toContain('plain')
    },
  )
})

describe('the content of a message', () => {
  it('distinguishes a null from an empty text', async () => {
    const producer = await open()
    await producer.produce(null, { key: 'k', partition: 0 })
    await producer.produce('', { key: 'k', partition: 0 })
    expect(await bench.values()).toEqual([null, ''])
  })

  it('has the bytes that were present when it was produced', async () => {
    const producer = await open()
    const bytes = Buffer.from('before')
    const sent = producer.produce(bytes, { partition: 0 })
    bytes.write('after!')
    await sent
    expect(await bench.values()).toEqual(['before'])
  })

  it.each([TOPIC, 'new'])(
    'keeps the bytes of value, key and header from when they were produced to %s',
    async (topic) => {
      bench.kafka.createTopic('new')
      const producer = await bench.client.getProducer({ maxQueuedBytes: 2_000 })
      const bytes = Buffer.from('before')
      const header = Buffer.alloc(1_500, 'h')
      const headers = { b: bytes, h: header }
      // The topic is looked up by its first message: the producer has to keep the message meanwhile.
      const sent = producer.produce(topic, bytes, { key: bytes, headers, partition: 0 })
      expect(producer.queuedMessages).toBe(1)
      expect(producer.queuedBytes).toBeGreaterThan(1_500)
      bytes.write('after!')
      header.fill('x')
      await sent
      const consumer = await bench.client
        .topic(topic)
        .getSimpleConsumer({ autoOffsetReset: 'earliest', partitions: [0] })
      const message = await consumer.consume()
      expect(message?.value?.toString()).toBe('before')
      expect(message?.key?.toString()).toBe('before')
      expect(message?.headers.map(({ value }) => value?.toString())).toEqual([
        'before',
        'h'.repeat(1_500),
      ])
      await consumer.close()
      expect(producer.queuedBytes).toBe(0)
    },
  )

  it('is returned with its topic, partition, offset and timestamp', async () => {
    const producer = await open()
    const before = Date.now()
    const metadata = await producer.produce('x', { partition: 1 })
    expect(metadata).toEqual({
      topic: TOPIC,
      partition: 1,
      offset: 0,
      timestamp: expect.any(Number),
    })
    expect(metadata.timestamp).toBeGreaterThanOrEqual(before)
    expect(metadata.timestamp).toBeLessThanOrEqual(Date.now())
    const timed = await producer.produce('x', { partition: 1, timestamp: 1_500_000_000_000 })
    expect(timed).toMatchObject({ offset: 1, timestamp: 1_500_000_000_000 })
  })

  it('is returned with the timestamp of a topic that stamps messages itself', async () => {
    bench.kafka.createTopic('stamped', { config: { 'message.timestamp.type': 'LogAppendTime' } })
    const producer = await bench.client.topic('stamped').getProducer()
    const { timestamp } = await producer.produce('x', { timestamp: 1_500_000_000_000 })
    expect(timestamp).toBeGreaterThan(1_700_000_000_000)
  })
})
