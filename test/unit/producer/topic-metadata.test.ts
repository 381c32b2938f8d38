import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createPartitions } from '../../../protocol/apis/index.ts'
import { ProducerQueueFullError, UnknownTopicError } from '../../../src/index.ts'
import { requestOnce } from '../../support/request-once.ts'
import { failureOf } from '../../support/settled.ts'
import { until } from '../../support/until.ts'
import { numbers, ProducerBench, TOPIC } from './support/embedded.ts'

const METADATA = { api: 'Metadata' } as const
const STALE = [
  'UNKNOWN_TOPIC_OR_PARTITION',
  'LEADER_NOT_AVAILABLE',
  'UNKNOWN_SERVER_ERROR',
] as const

let bench: ProducerBench
beforeEach(async () => {
  bench = await ProducerBench.start({
    topics: { [TOPIC]: { partitions: 2 } },
    autoCreateTopics: false,
  })
})
afterEach(() => bench[Symbol.asyncDispose]())

/** Has the client ask for the topic, and be notified of an error. */
async function tellError(error: (typeof STALE)[number]): Promise<void> {
  const fault = bench.kafka.faults.on({ ...METADATA, topic: TOPIC }, { error })
  const producer = await bench.client.topic(TOPIC).getProducer({ autoStart: false })
  void producer.start().catch(() => undefined)
  await until(() => fault.hits > 0)
  fault.remove()
  await producer.close()
}

describe.each(STALE)('after a Metadata response with %s for its topic', (error) => {
  it('a producer continues in order', async () => {
    const producer = await bench.client.getProducer()
    await producer.produce(TOPIC, '0', { partition: 0 })
    const fault = bench.kafka.faults.on({ ...METADATA, topic: TOPIC }, { error })
    bench.kafka.faults.on({ api: 'Produce', times: 1 }, { error: 'NOT_LEADER_OR_FOLLOWER' })
    const sent: Promise<unknown>[] = [producer.produce(TOPIC, '1', { partition: 0 })]
    await until(() => fault.hits > 0)
    const rest = numbers(200, 2)
    for (const value of rest.slice(0, 100)) {
      sent.push(producer.produce(TOPIC, value, { partition: 0 }))
      await new Promise((resolve) => setImmediate(resolve))
    }
    fault.remove()
    for (const value of rest.slice(100)) {
      sent.push(producer.produce(TOPIC, value, { partition: 0 }))
      await new Promise((resolve) => setImmediate(resolve))
    }
    await Promise.all(sent)
    expect(await bench.values()).toEqual(numbers(202))
  })

  it('produceMany and writable() deliver', async () => {
    const producer = await bench.topic.getProducer()
    await producer.produce('0', { partition: 0 })
    await tellError(error)
    await producer.produceMany(['1', '2'].map((value) => ({ value, partition: 0 })))
    await pipeline(Readable.from([{ value: '3', partition: 0 }]), producer.writable())
    expect(await bench.values()).toEqual(numbers(4))
  })
})

describe('a message whose topic is not known yet', () => {
  it('waits longer than a few responses, up to its deliveryTimeoutMs', async () => {
    const producer = await bench.client.getProducer()
    const sent = Promise.resolve(producer.produce('new', 'x'))
    const asked = () => bench.kafka.requests.all(METADATA).length
    await until(() => asked() > 12)
    bench.kafka.createTopic('new')
    expect(await sent).toMatchObject({ topic: 'new', offset: 0 })
  })

  it('fails at its deliveryTimeoutMs, without later messages', async () => {
    const producer = await bench.client.getProducer({ deliveryTimeoutMs: 500 })
    const first = failureOf(producer.produce('new', 'x'))
    const error = await first
    expect(error).toBeInstanceOf(UnknownTopicError)
    expect(error.message).toContain("topic 'new' did not exist within 500 ms (deliveryTimeoutMs)")
    const second = Promise.resolve(producer.produce('new', 'y'))
    bench.kafka.createTopic('new')
    expect(await second).toMatchObject({ offset: 0 })
  })

  it('keeps its original bytes, in key, value and headers', async () => {
    const producer = await bench.client.getProducer()
    const bytes = Buffer.from('before')
    const sent = Promise.resolve(
      producer.produce('new', bytes, { key: bytes, headers: { h: bytes } }),
    )
    bytes.write('after!')
    bench.kafka.createTopic('new')
    await sent
    const consumer = await bench.client
      .topic('new')
      .getSimpleConsumer({ autoOffsetReset: 'earliest' })
    const message = await consumer.consume()
    expect(String(message?.value)).toBe('before')
    expect(String(message?.key)).toBe('before')
    expect(String(message?.headers[0]?.value)).toBe('before')
  })

  it('counts with its headers in queuedBytes', async () => {
    const producer = await bench.client.getProducer({ deliveryTimeoutMs: 300 })
    const sent = failureOf(producer.produce('new', 'x', { headers: { h: Buffer.alloc(900_000) } }))
    expect(producer.queuedBytes).toBeGreaterThan(900_000)
    expect(await sent).toBeInstanceOf(UnknownTopicError)
    expect(producer.queuedBytes).toBe(0)
  })

  it('is refused when the headers of earlier ones fill maxQueuedBytes', async () => {
    const options = { blockOnQueueFull: false, maxQueuedBytes: 500_000 }
    const producer = await bench.client.getProducer(options)
    const headers = { h: Buffer.alloc(600_000) }
    const first = Promise.resolve(producer.produce('new', 'x', { headers }))
    const second = await failureOf(producer.produce('new', 'y'))
    expect(second).toBeInstanceOf(ProducerQueueFullError)
    bench.kafka.createTopic('new')
    expect(await first).toMatchObject({ offset: 0 })
  })

  it('is not overtaken by a later message when another caller has found the topic', async () => {
    const producer = await bench.client.getProducer()
    const hidden = bench.kafka.faults.on(
      { ...METADATA, topic: TOPIC },
      { error: 'LEADER_NOT_AVAILABLE' },
    )
    const sent: Promise<unknown>[] = [producer.produce(TOPIC, '0', { partition: 0 })]
    await until(() => hidden.hits > 3)
    hidden.remove()
    const other = bench.client.topic(TOPIC).getProducer()
    for (const value of numbers(200, 1)) {
      sent.push(producer.produce(TOPIC, value, { partition: 0 }))
      await new Promise((resolve) => setImmediate(resolve))
    }
    await Promise.all([other, ...sent])
    expect(await bench.values()).toEqual(numbers(201))
  })

  it('is failed by close()', async () => {
    const producer = await bench.client.getProducer()
    const sent = failureOf(producer.produce('new', 'x'))
    await producer.close({ timeoutMs: 50 })
    expect(await sent).toMatchObject({ code: 'CLOSED' })
    const asked = bench.kafka.requests.all(METADATA).length
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(bench.kafka.requests.all(METADATA).length).toBeLessThanOrEqual(asked + 1)
  })
})

describe('a message to a partition', () => {
  it('that is new waits for the partition to be known', async () => {
    const producer = await bench.topic.getProducer()
    const sent = Promise.resolve(producer.produce('x', { partition: 3 }))
    const many = Promise.resolve(producer.produceMany([{ value: 'y', partition: 3 }]))
    await until(() => bench.kafka.requests.all(METADATA).length > 6)
    await requestOnce(bench.kafka.hosts, createPartitions, {
      topics: [{ name: TOPIC, count: 4, assignments: null }],
      timeoutMs: 1_000,
      validateOnly: false,
    })
    expect(await sent).toMatchObject({ partition: 3, offset: 0 })
    expect(await many).toMatchObject({ messages: 1 })
  })

  it('that is not created fails with UnknownTopicError', async () => {
    const producer = await bench.topic.getProducer({ deliveryTimeoutMs: 300 })
    const error = await failureOf(producer.produce('x', { partition: 3 }))
    expect(error).toBeInstanceOf(UnknownTopicError)
    expect(error).toMatchObject({ topic: TOPIC, partition: 3 })
    expect(await producer.produce('y', { partition: 0 })).toMatchObject({ offset: 0 })
  })
})

describe('a topic that the brokers do not know for a while', () => {
  it('keeps its messages until it is known again', async () => {
    const producer = await bench.topic.getProducer()
    await producer.produce('0', { partition: 0 })
    const unknown = { error: 'UNKNOWN_TOPIC_OR_PARTITION' } as const
    const metadata = bench.kafka.faults.on({ ...METADATA, topic: TOPIC }, unknown)
    const produce = bench.kafka.faults.on({ api: 'Produce' }, unknown)
    const sent = Promise.resolve(producer.produce('1', { partition: 0 }))
    await until(() => metadata.hits > 12)
    metadata.remove()
    produce.remove()
    expect(await sent).toMatchObject({ offset: 1 })
  })
})

describe('a topic without a leader for any partition', () => {
  it('accepts messages, which wait for a leader', async () => {
    bench.kafka.createTopic('leaderless', { partitions: 1 })
    const fault = bench.kafka.faults.on(
      { ...METADATA, topic: 'leaderless', partition: 0 },
      { error: 'LEADER_NOT_AVAILABLE' },
    )
    const producer = await bench.client.topic('leaderless').getProducer()
    const sent = Promise.resolve(producer.produce('x'))
    const many = Promise.resolve(producer.produceMany(['y']))
    await until(() => fault.hits > 5)
    fault.remove()
    expect(await sent).toMatchObject({ offset: 0 })
    expect(await many).toMatchObject({ messages: 1 })
  })
})
