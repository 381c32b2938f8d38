import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { ConsumedMessage, HeadersInit, ProduceOptions } from '../../../src/index.ts'
import { failureOf } from '../../support/settled.ts'
import { ProducerBench, TOPIC } from './support/embedded.ts'

const HEADERS = [
  ['trace', 'a'],
  ['none', null],
  ['trace', 'b'],
] as const

let bench: ProducerBench
beforeEach(async () => {
  bench = await ProducerBench.start({
    topics: { [TOPIC]: { partitions: 3 }, copy: { partitions: 3 } },
  })
})
afterEach(() => bench[Symbol.asyncDispose]())

async function read(topic: string): Promise<ConsumedMessage[]> {
  const consumer = await bench.client
    .topic(topic)
    .getSimpleConsumer({ autoOffsetReset: 'earliest', stopAtEnd: true })
  const messages: ConsumedMessage[] = []
  for await (const message of consumer) messages.push(message)
  await consumer.close()
  return messages
}

async function consumed(): Promise<ConsumedMessage> {
  const producer = await bench.topic.getProducer()
  await producer.produce('v', {
    key: 'k',
    headers: HEADERS,
    partition: 2,
    timestamp: 1_700_000_000_000,
  })
  const [message] = await read(TOPIC)
  return message!
}

const told = ({ key, value, headers, timestamp }: ConsumedMessage) => ({
  key: String(key),
  value: String(value),
  timestamp,
  headers: headers.map((header) => [header.key, header.value?.toString() ?? null]),
})

describe('a consumed message', () => {
  it('has headers that produce() accepts unchanged, with nulls and repeated keys', async () => {
    const { key, value, headers } = await consumed()
    const producer = await bench.client.topic('copy').getProducer()
    await producer.produce(value, { key, headers })
    expect((await read('copy')).map(({ headers: copied }) => copied)).toEqual([headers])
  })

  it.each(['as it is', 'as a plain object'])(
    'written to writable() %s keeps everything except its partition',
    async (how) => {
      const message = await consumed()
      const producer = await bench.client.topic('copy').getProducer({ partitioner: () => 1 })
      const given = how === 'as it is' ? message : message.toObject()
      await pipeline(Readable.from([given]), producer.writable())
      const [copied] = await read('copy')
      expect(told(copied!)).toEqual(told(message))
      expect(copied!.partition).toBe(1)
    },
  )

  it('keeps its partition if that is requested', async () => {
    const message = await consumed()
    const producer = await bench.client.topic('copy').getProducer({ partitioner: () => 1 })
    await pipeline(Readable.from([message]), producer.writable({ keepPartitions: true }))
    await producer.produceMany([message], { keepPartitions: true })
    expect((await read('copy')).map(({ partition }) => partition)).toEqual([2, 2])
  })

  it('can be passed as the options of produce(), without its partition', async () => {
    const message = await consumed()
    const producer = await bench.client.topic('copy').getProducer({ partitioner: () => 1 })
    expect(await producer.produce(message.value, message)).toMatchObject({ partition: 1 })
  })
})

describe('an unknown field', () => {
  it.each(['partitionKey', 'header', 'keys', 'Key', 'value2'])(
    '%s is rejected by name',
    async (name) => {
      const producer = await bench.topic.getProducer()
      const message = `a message has no field '${name}'`
      const single = producer.produce('x', { [name]: 'y' })
      expect((await failureOf(single)).message).toContain(message)
      const many = producer.produceMany([{ value: 'x', [name]: 'y' }])
      expect((await failureOf(many)).message).toContain(message)
      const piped = pipeline(Readable.from([{ value: 'x', [name]: 'y' }]), producer.writable())
      expect((await failureOf(piped)).message).toContain(message)
      expect(bench.requests).toEqual([])
    },
  )

  it('topic is rejected if it is not the topic of the producer', async () => {
    const producer = await bench.topic.getProducer()
    const given = [{ topic: 'copy', value: 'x' }]
    const error = await failureOf(producer.produceMany(given))
    expect(error.message).toContain(`for topic copy was passed to a producer for topic ${TOPIC}`)
    await producer.produceMany([{ topic: TOPIC, value: 'x' } as { value: string }])
  })

  it.each([5, true, Symbol('key')])(
    'options that are %p, and not a key, are rejected',
    async (options) => {
      const producer = await bench.topic.getProducer()
      const sent = producer.produce('x', options as unknown as ProduceOptions)
      expect(await failureOf(sent)).toMatchObject({ code: 'INVALID_ARGUMENT' })
    },
  )
})

describe('headers', () => {
  it.each([
    [new Map([['trace', 'a']]), 'not an object (Map)'],
    [new URLSearchParams('a=b'), 'not an object (URLSearchParams)'],
    [null, 'not null'],
    ['a=b', 'not a string'],
    [['ab'], 'a header must be [key, value] or { key, value }'],
    [[['a', 'b', 'c']], 'a header must be [key, value] or { key, value }'],
    [[{ key: 'a' }], 'a header must be [key, value] or { key, value }'],
  ])('of another type are rejected: %p', async (headers, reason) => {
    const producer = await bench.topic.getProducer()
    const options = { headers: headers as unknown as HeadersInit }
    const single = await failureOf(producer.produce('x', options))
    expect(single).toMatchObject({ code: 'INVALID_ARGUMENT' })
    expect(single.message).toContain(reason)
    const many = await failureOf(producer.produceMany([{ value: 'x', ...options }]))
    expect(many.message).toContain(reason)
  })
})

describe('a serializer', () => {
  it.each([
    ['an async function', async () => Promise.resolve(['a', 'b'] as const)],
    ['a function that returns no pair', () => 'ab'],
  ])('that is %s is rejected', async (_, serializer) => {
    const producer = await bench.topic.getProducer({ serializer: serializer as never })
    const error = await failureOf(producer.produce('x'))
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT' })
    expect(error.message).toContain('the serializer')
  })
})
