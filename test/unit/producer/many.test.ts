import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { once } from 'node:events'
import { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { ProduceManyError, UnknownTopicError } from '../../../src/index.ts'
import { failureOf } from '../../support/settled.ts'
import { numbers, ProducerBench, TOPIC } from './support/embedded.ts'

const PRODUCE = { api: 'Produce' } as const

let bench: ProducerBench
beforeEach(async () => {
  bench = await ProducerBench.start({
    topics: { [TOPIC]: {}, other: { partitions: 2 } },
    autoCreateTopics: false,
  })
})
afterEach(() => bench[Symbol.asyncDispose]())

describe('produceMany', () => {
  it('accepts text, bytes, nulls and messages, and returns their positions', async () => {
    const producer = await bench.topic.getProducer()
    const messages = ['a', Buffer.from('b'), null, { value: 'c', key: 'k', headers: { h: '1' } }]
    expect(await producer.produceMany(messages)).toEqual({
      messages: 4,
      ranges: [{ topic: TOPIC, partition: 0, baseOffset: 0, count: 4, logStartOffset: 0 }],
    })
    expect(await bench.values()).toEqual(['a', 'b', null, 'c'])
    expect(producer.deliveredMessages).toBe(4)
  })

  it('accepts an async iterable, in its order', async () => {
    const producer = await bench.topic.getProducer()
    const source = async function* () {
      for (const value of numbers(100)) {
        if (value.endsWith('0')) await new Promise((resolve) => setTimeout(resolve, 1))
        yield value
      }
    }
    expect(await producer.produceMany(source())).toMatchObject({ messages: 100 })
    expect(await bench.values()).toEqual(numbers(100))
  })

  it('accepts an empty list', async () => {
    const producer = await bench.topic.getProducer()
    expect(await producer.produceMany([])).toEqual({ messages: 0, ranges: [] })
  })

  it('runs concurrently with other calls and with produce', async () => {
    const producer = await bench.topic.getProducer()
    const results = await Promise.all([
      producer.produceMany(numbers(10)),
      producer.produce('single'),
      producer.produceMany(numbers(10, 10)),
    ])
    const counts = [results[0], results[2]].map(({ ranges }) =>
      ranges.reduce((sum, { count }) => sum + count, 0),
    )
    expect(counts).toEqual([10, 10])
    expect((await bench.values()).sort()).toEqual([...numbers(20), 'single'].sort())
  })

  it('rejects with the failed messages; the others are delivered', async () => {
    const producer = await bench.topic.getProducer({ maxRequestSize: 500 })
    const nonsense = 42 as unknown as string
    const error = await failureOf(producer.produceMany(['a', 'x'.repeat(1_000), nonsense, 'b']))
    expect(error).toBeInstanceOf(ProduceManyError)
    expect(error).toMatchObject({ code: 'MESSAGE_TOO_LARGE', delivered: 2 })
    expect(error).toMatchObject({
      failures: [
        { message: 'x'.repeat(1_000), error: { code: 'MESSAGE_TOO_LARGE' } },
        { message: 42, error: { code: 'INVALID_ARGUMENT' } },
      ],
    })
    expect(error.message).toContain('2 of 4 messages failed; the first: a message of 1036 bytes')
    expect(await bench.values()).toEqual(['a', 'b'])
    await producer.flush()
  })

  it('returns the messages that the broker refused', async () => {
    const producer = await bench.topic.getProducer()
    bench.kafka.faults.on({ ...PRODUCE, times: 1 }, { error: 'INVALID_RECORD' })
    const error = await failureOf(producer.produceMany([{ value: 'v', key: 'k' }]))
    if (!(error instanceof ProduceManyError)) throw error
    expect(String((error.failures[0]!.message as { value: Buffer }).value)).toBe('v')
    expect(String((error.failures[0]!.message as { key: Buffer }).key)).toBe('k')
  })

  it('rejects with its own messages only, of a batch that contains those of other calls', async () => {
    const producer = await bench.topic.getProducer()
    bench.kafka.faults.on({ ...PRODUCE, times: 1 }, { error: 'INVALID_RECORD' })
    const first = producer.produceMany(['a', 'b'])
    const single = producer.produce('c')
    const second = producer.produceMany(['d'])
    const valuesOf = async (many: Promise<unknown>) => {
      const error = await failureOf(many)
      if (!(error instanceof ProduceManyError)) throw error
      return error.failures.map(({ message }) => String((message as { value: Buffer }).value))
    }
    expect(await valuesOf(first)).toEqual(['a', 'b'])
    expect(await valuesOf(second)).toEqual(['d'])
    expect((await failureOf(single)).message).toContain('INVALID_RECORD')
    expect(producer.failedMessages).toBe(4)
    await producer.flush()
  })

  it('is thrown by the next flush when it fails and its promise is not handled', async () => {
    const producer = await bench.topic.getProducer()
    bench.kafka.faults.on({ ...PRODUCE, times: 1 }, { error: 'INVALID_RECORD' })
    void producer.produceMany(['bad'])
    await expect(producer.flush()).rejects.toBeInstanceOf(ProduceManyError)
    await producer.flush()
  })

  it('rejects with the error of its source, and delivers what came before', async () => {
    const producer = await bench.topic.getProducer()
    const source = function* () {
      yield 'a'
      throw new Error('the file is gone')
    }
    expect(await failureOf(producer.produceMany(source()))).toMatchObject({
      delivered: 1,
      cause: { message: 'the file is gone' },
    })
    expect(await bench.values()).toEqual(['a'])
  })
})

describe('a writable', () => {
  it('produces everything that is piped into it, and finishes when all is acknowledged', async () => {
    const producer = await bench.topic.getProducer({ lingerMs: 60_000, maxQueuedMessages: 50 })
    await pipeline(Readable.from(numbers(1_000)), producer.writable())
    expect(producer.deliveredMessages).toBe(1_000)
    expect(await bench.values()).toEqual(numbers(1_000))
    const sent = producer.produce('still open')
    await producer.flush()
    expect((await sent).offset).toBe(1_000)
  })

  it('fails with a message that fails', async () => {
    const producer = await bench.topic.getProducer()
    bench.kafka.faults.on({ ...PRODUCE, times: 1 }, { error: 'INVALID_RECORD' })
    const piping = pipeline(Readable.from(['bad']), producer.writable())
    expect(await failureOf(piping)).toMatchObject({ code: 'INVALID_RECORD' })
    await producer.flush()
  })

  it('waits for space', async () => {
    const producer = await bench.topic.getProducer({ maxQueuedMessages: 1 })
    const held = bench.kafka.faults.on({ ...PRODUCE, times: 1 }, { hold: true })
    const asked = bench.kafka.requests.next({ api: 'Produce' })
    const stream: Writable = producer.writable()
    stream.write('a')
    const taken = once(stream, 'drain')
    for (let i = 0; i < 20; i++) stream.write('b')
    await asked
    expect(producer.queuedMessages).toBeLessThanOrEqual(2)
    held.release()
    await taken
    stream.end()
    await once(stream, 'finish')
    expect(producer.deliveredMessages).toBe(21)
  })
})

describe('a producer to many topics', () => {
  it('looks up each topic on first use, and keeps the order', async () => {
    const producer = await bench.client.getProducer()
    const sent = numbers(10).map((value) => producer.produce(TOPIC, value))
    const other = producer.produce('other', 'x', { partition: 1 })
    expect(producer.queuedMessages).toBe(11)
    expect((await Promise.all(sent)).map(({ offset }) => offset)).toEqual(
      numbers(10).map((_, index) => index),
    )
    expect(await other).toMatchObject({ topic: 'other', partition: 1, offset: 0 })
    expect(producer.queuedMessages).toBe(0)
    expect(producer.queuedBytes).toBe(0)
  })

  it('flushes and closes messages that still wait for their topic', async () => {
    const producer = await bench.client.getProducer({ lingerMs: 60_000 })
    const sent = producer.produce(TOPIC, 'a')
    await producer.flush()
    await sent
    const last = producer.produce('other', 'b')
    await producer.close()
    expect((await last).topic).toBe('other')
  })

  it('fails messages to a topic that does not exist, and no others', async () => {
    const producer = await bench.client.getProducer({ deliveryTimeoutMs: 500 })
    const lost = producer.produce('missing', 'x')
    const good = producer.produce(TOPIC, 'y')
    expect(await failureOf(lost)).toBeInstanceOf(UnknownTopicError)
    expect((await good).offset).toBe(0)
    expect(await failureOf(producer.produce('no/topic', 'x'))).toMatchObject({
      code: 'INVALID_ARGUMENT',
    })
  })

  it('accepts many messages, each with its topic', async () => {
    const producer = await bench.client.getProducer()
    const messages = numbers(100).map((value, index) => ({
      topic: index % 2 === 0 ? TOPIC : 'other',
      value,
      partition: 0,
    }))
    expect(await producer.produceMany(messages)).toMatchObject({ messages: 100 })
    await pipeline(Readable.from([{ topic: TOPIC, value: 'last' }]), producer.writable())
    expect(await bench.values(0, TOPIC)).toEqual([
      ...numbers(100).filter((value) => Number(value) % 2 === 0),
      'last',
    ])
    const error = await failureOf(producer.produceMany([{ value: 'x' } as never]))
    expect(error.message).toContain('an object with a topic and a value')
  })
})

describe('delivery reports', () => {
  it('report every message, with its error if it failed', async () => {
    const producer = await bench.topic.getProducer({ deliveryReports: true })
    await producer.produce('a', { key: 'k' })
    bench.kafka.faults.on({ ...PRODUCE, times: 1 }, { error: 'INVALID_RECORD' })
    await failureOf(producer.produce('b'))
    await producer.close()
    const reports = []
    for await (const report of producer.deliveryReports()) reports.push(report)
    expect(reports).toMatchObject([
      { topic: TOPIC, partition: 0, offset: 0, key: 'k', value: 'a', error: undefined },
      { topic: TOPIC, partition: 0, offset: -1, value: 'b', error: { code: 'INVALID_RECORD' } },
    ])
  })

  it('that are not read fill the queue', async () => {
    const producer = await bench.topic.getProducer({ deliveryReports: true, maxQueuedMessages: 2 })
    await Promise.all(numbers(2).map((value) => producer.produce(value)))
    expect(producer.hasRoom).toBe(false)
    const ready = producer.ready()
    const reports = producer.deliveryReports()
    await reports.next()
    await ready
  })

  it('are passed to a function, whose errors do not affect the producer', async () => {
    const told: unknown[] = []
    const producer = await bench.topic.getProducer({
      deliveryReports: (report) => {
        told.push(report.value)
        throw new Error('no matter')
      },
    })
    await producer.produceMany(['a', 'b'])
    expect(told).toEqual(['a', 'b'])
    expect(() => producer.deliveryReports()).toThrow('without deliveryReports: true')
  })
})

describe('a producer with autoStart: false', () => {
  it('does nothing before it is started', async () => {
    const producer = await bench.topic.getProducer({ autoStart: false })
    expect(bench.kafka.requests.all()).toEqual([])
    expect(await failureOf(producer.produce('x'))).toMatchObject({ code: 'NOT_STARTED' })
    await producer.start()
    expect((await producer.produce('x')).offset).toBe(0)
  })
})
