import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { Deadline } from '../../../src/async/deadline.ts'
import { offsetStoreOf } from '../../../src/consumer/options.ts'
import { EmbeddedCluster } from '../../../src/embedded/index.ts'
import { KafkaClient } from '../../../src/index.ts'
import type { PositionEvent } from '../../../src/observe/channels.ts'
import { QUICK } from '../../support/fake-cluster.ts'
import { valueOf } from '../../support/metrics.ts'
import { failureOf } from '../../support/settled.ts'
import { takeTexts } from '../../support/take.ts'
import { until } from '../../support/until.ts'
import { Bed } from './support/embedded.ts'

const A0 = { topic: 'a', partition: 0 }
const A1 = { topic: 'a', partition: 1 }
const B0 = { topic: 'b', partition: 0 }
let bed: Bed

beforeEach(async () => {
  bed = await Bed.start({ brokers: 3, topics: { a: { partitions: 2 }, b: { partitions: 1 } } })
})
afterEach(() => bed[Symbol.asyncDispose]())

const numbers = (from: number, to: number, prefix = '') =>
  Array.from({ length: to - from }, (_, i) => `${prefix}${from + i}`)

/** Writes messages of 1,000 bytes, each in a batch of its own, to the partitions in turn. */
async function writeLarge(to: Bed, topic: string, count: number, partitions: number) {
  await using producer = await to.client.topic(topic).getProducer({ batchBytes: 1 })
  const value = 'x'.repeat(1_000)
  for (let i = 0; i < count; i++) {
    await producer.ready()
    void producer.produce(value, { partition: i % partitions })
  }
  await producer.flush()
}

const bufferedBytes = (client: KafkaClient) =>
  valueOf(client.metrics(), 'samsa_consumer_buffered_bytes')

interface FetchBody {
  readonly sessionId: number
  readonly sessionEpoch: number
  readonly topics: readonly { readonly partitions: readonly { readonly partition: number }[] }[]
  readonly forgottenTopicsData: readonly { readonly partitions: readonly number[] }[]
}

interface LimitsBody {
  readonly topics: readonly {
    readonly partitions: readonly { readonly partitionMaxBytes: number }[]
  }[]
}

const fetchesTo = (broker: number) =>
  bed.kafka.requests
    .all({ api: 'Fetch', broker })
    .map(({ body }) => body as unknown as FetchBody)
    .map(({ sessionId, sessionEpoch, topics, forgottenTopicsData }) => ({
      sessionId,
      sessionEpoch,
      named: topics.flatMap(({ partitions }) => partitions.map(({ partition }) => partition)),
      forgotten: forgottenTopicsData.flatMap(({ partitions }) => partitions),
    }))

describe('a fetch session', () => {
  beforeEach(() => {
    bed.kafka.moveLeader('a', 0, 1)
    bed.kafka.moveLeader('a', 1, 1)
  })

  it('names changed partitions, and removes those that are no longer wanted', async () => {
    const consumer = bed.consumer()
    await consumer.assign([A0, A1])
    await bed.write('a', 0, 1)
    await takeTexts(consumer.reader, 1)
    for (let i = 0; i < 3; i++) await bed.kafka.requests.next({ api: 'Fetch' })
    const [first, ...others] = fetchesTo(1)
    expect(first).toMatchObject({ sessionId: 0, sessionEpoch: 0, forgotten: [] })
    expect(first!.named.sort()).toEqual([0, 1])
    expect(others.map(({ sessionEpoch }) => sessionEpoch)).toEqual(others.map((_, i) => i + 1))
    // Only the position of partition 0 has changed.
    expect(others.flatMap(({ named }) => named)).toEqual([0])
    consumer.pause([A1])
    await bed.kafka.requests.next({ api: 'Fetch' })
    await bed.kafka.requests.next({ api: 'Fetch' })
    expect(fetchesTo(1).flatMap(({ forgotten }) => forgotten)).toEqual([1])
    consumer.resume([A1])
    await bed.write('a', 1, 1, 'again')
    expect(await takeTexts(consumer.reader, 1)).toEqual(['again0'])
  })

  it('is reopened when the broker has dropped it', async () => {
    const consumer = bed.consumer()
    await consumer.assign([A0, A1])
    await bed.kafka.requests.next({ api: 'Fetch' })
    await bed.kafka.requests.next({ api: 'Fetch' })
    bed.kafka.dropFetchSessions()
    for (const prefix of ['one ', 'two ', 'three ']) {
      await bed.write('a', 0, 3, prefix)
      expect(await takeTexts(consumer.reader, 3)).toEqual(numbers(0, 3, prefix))
    }
    expect(fetchesTo(1).filter(({ sessionEpoch }) => sessionEpoch === 0)).toHaveLength(2)
  })

  it('is reopened when a response was lost', async () => {
    const consumer = bed.consumer()
    await consumer.assign([A0, A1])
    await bed.write('a', 0, 3)
    expect(await takeTexts(consumer.reader, 3)).toEqual(numbers(0, 3))
    bed.kafka.faults.on({ api: 'Fetch', times: 1 }, { cutAfterBytes: 5 })
    await bed.kafka.requests.next({ api: 'Fetch' })
    await bed.write('a', 0, 3, 'more')
    expect(await takeTexts(consumer.reader, 3)).toEqual(numbers(0, 3, 'more'))
    const begun = fetchesTo(1).filter(({ sessionEpoch }) => sessionEpoch === 0)
    expect(begun).toHaveLength(2)
    expect(begun[1]!.sessionId).toBeGreaterThan(0)
  })
})

describe('a consumer', () => {
  it('follows leaders that move, and loses nothing', async () => {
    const consumer = bed.consumer()
    await consumer.assign([A0])
    const seen: string[] = []
    for (let round = 0; round < 6; round++) {
      bed.kafka.moveLeader('a', 0, 1 + (round % 3))
      await bed.write('a', 0, 10, `${round}.`)
      seen.push(...(await takeTexts(consumer.reader, 10)))
    }
    expect(seen).toEqual([0, 1, 2, 3, 4, 5].flatMap((round) => numbers(0, 10, `${round}.`)))
  })

  it('detects that a leader lost what it had read, and continues where the lost part began (KIP-320)', async () => {
    const events: PositionEvent[] = []
    const listen = (event: unknown) => void events.push(event as PositionEvent)
    subscribe('samsa:position', listen)
    try {
      for (let i = 0; i < 10; i++) await bed.write('a', 0, 1, `old ${i}.`)
      const consumer = bed.consumer()
      await consumer.assign([A0])
      await takeTexts(consumer.reader, 10)
      bed.kafka.loseTail('a', 0, 3)
      // As many as were lost: by its offset alone the position looks right.
      for (let i = 0; i < 4; i++) await bed.write('a', 0, 1, `new ${i}.`)
      expect(await takeTexts(consumer.reader, 4)).toEqual([
        'new 0.0',
        'new 1.0',
        'new 2.0',
        'new 3.0',
      ])
      expect(events).toEqual([{ clientId: 'samsa', ...A0, from: 10, to: 7, reason: 'truncated' }])
    } finally {
      unsubscribe('samsa:position', listen)
    }
  })

  it('does not deliver what was fetched from a log that was truncated since', async () => {
    for (let i = 0; i < 10; i++) await bed.write('a', 0, 1, `old ${i}.`)
    const consumer = bed.consumer()
    await consumer.assign([A0])
    await takeTexts(consumer.reader, 2)
    consumer.pause()
    bed.kafka.loseTail('a', 0, 3)
    for (let i = 0; i < 3; i++) await bed.write('a', 0, 1, `new ${i}.`)
    await bed.client.topic('a').partitions()
    await bed.cluster.refresh('a')
    consumer.resume()
    // What is decoded is given: it cannot be told whether it was lost before or behind it.
    const values = await takeTexts(consumer.reader, 5)
    expect(values).toEqual(numbers(2, 7, 'old ').map((value) => `${value}.0`))
  })

  it('reports where it continues when its position is not or no longer in the log', async () => {
    const events: PositionEvent[] = []
    const listen = (event: unknown) => void events.push(event as PositionEvent)
    subscribe('samsa:position', listen)
    try {
      await bed.write('a', 0, 3)
      const consumer = bed.consumer({ autoOffsetReset: 'latest' })
      await consumer.assign([{ ...A0, offset: 50 }])
      expect(await consumer.reader.consume({ timeoutMs: 200 })).toBeUndefined()
      await bed.write('a', 0, 1, 'next ')
      expect(await takeTexts(consumer.reader, 1)).toEqual(['next 0'])
      const reason = 'out-of-range' as const
      expect(events).toEqual([{ clientId: 'samsa', ...A0, from: 50, to: 3, reason }])
    } finally {
      unsubscribe('samsa:position', listen)
    }
  })

  describe('whose committed position has an epoch that the leader does not know (UNDEFINED_EPOCH_OFFSET)', () => {
    const UNKNOWN_EPOCH = 5

    beforeEach(async () => {
      await bed.write('a', 0, 3)
      const store = offsetStoreOf(bed.cluster, { consumerGroup: 'g' })!
      const deadline = new Deadline(10_000)
      const results = await store.commit(
        [{ ...A0, offset: 2, leaderEpoch: UNKNOWN_EPOCH }],
        deadline,
      )
      expect(results).toEqual([A0])
    })

    it.each([
      ['earliest', 0, ['0', '1', '2', 'next 0']],
      ['latest', 3, ['next 0']],
    ] as const)(
      'continues at the %s offset, and reports it',
      async (autoOffsetReset, to, values) => {
        const events: PositionEvent[] = []
        const listen = (event: unknown) => void events.push(event as PositionEvent)
        subscribe('samsa:position', listen)
        try {
          const consumer = bed.consumer({ consumerGroup: 'g', autoOffsetReset })
          await consumer.assign([A0])
          await until(() => events.length > 0)
          await bed.write('a', 0, 1, 'next ')
          expect(await takeTexts(consumer.reader, values.length)).toEqual(values)
          expect(events).toEqual([{ clientId: 'samsa', ...A0, from: 2, to, reason: 'truncated' }])
        } finally {
          unsubscribe('samsa:position', listen)
        }
      },
    )

    it('stops there with autoOffsetReset none, until a seek', async () => {
      const consumer = bed.consumer({ consumerGroup: 'g', autoOffsetReset: 'none' })
      await consumer.assign([A0])
      const error = await failureOf(consumer.reader.consume())
      expect(error).toMatchObject({ code: 'OFFSET_OUT_OF_RANGE', partition: 0, offset: 2 })
      expect(error.message).toContain(`does not know epoch ${UNKNOWN_EPOCH}`)
      consumer.positions.seek(A0, 1)
      expect(await takeTexts(consumer.reader, 2)).toEqual(['1', '2'])
    })
  })

  it('keeps its position when all messages of its epoch are deleted, and later ones follow', async () => {
    const events: PositionEvent[] = []
    const listen = (event: unknown) => void events.push(event as PositionEvent)
    subscribe('samsa:position', listen)
    try {
      await bed.write('a', 0, 3)
      const consumer = bed.consumer({ autoOffsetReset: 'latest' })
      await consumer.assign([{ ...A0, offset: 0 }])
      await takeTexts(consumer.reader, 3)
      consumer.pause()
      bed.kafka.moveLeader('a', 0, 2)
      await bed.write('a', 0, 2, 'next ')
      await bed.deleteRecords('a', 0, 3)
      consumer.resume()
      expect(await takeTexts(consumer.reader, 2)).toEqual(['next 0', 'next 1'])
      expect(events).toEqual([])
    } finally {
      unsubscribe('samsa:position', listen)
    }
  })

  it('stops at a position that is not in the log with autoOffsetReset none, until a seek', async () => {
    await bed.write('a', 0, 3)
    const consumer = bed.consumer({ autoOffsetReset: 'none' })
    await consumer.assign([{ ...A0, offset: 50 }])
    const error = await failureOf(consumer.reader.consume())
    expect(error).toMatchObject({ code: 'OFFSET_OUT_OF_RANGE', partition: 0, offset: 50 })
    consumer.positions.seek(A0, 1)
    expect(await takeTexts(consumer.reader, 2)).toEqual(['1', '2'])
  })

  it('resets one partition without blocking the others', async () => {
    const broken = bed.kafka.faults.on(
      { api: 'ListOffsets', topic: 'a', partition: 0 },
      { error: 'KAFKA_STORAGE_ERROR' },
    )
    await bed.write('a', 1, 3)
    const consumer = bed.consumer()
    await consumer.assign([{ ...A0, offset: 50 }, { ...A1, offset: 0 }]) // prettier-ignore
    expect(await takeTexts(consumer.reader, 3)).toEqual(numbers(0, 3))
    await bed.write('a', 1, 3, 'more ')
    expect(await takeTexts(consumer.reader, 3)).toEqual(numbers(0, 3, 'more '))
    broken.remove()
    await bed.write('a', 0, 1, 'at last ')
    expect(await takeTexts(consumer.reader, 1)).toEqual(['at last 0'])
  })

  it('keeps reading other topics when one is deleted, and reports it', async () => {
    const consumer = bed.consumer({ fetchErrorBackoffMs: 1 })
    await consumer.assign([A0, B0])
    await bed.write('a', 0, 1, 'a')
    await takeTexts(consumer.reader, 1)
    bed.kafka.deleteTopic('b')
    const error = await failureOf(consumer.reader.consume())
    expect(error).toMatchObject({ code: 'UNKNOWN_TOPIC_OR_PARTITION', topic: 'b' })
    expect(error.message).toContain('it was deleted')
    await bed.write('a', 0, 1, 'still ')
    expect(await takeTexts(consumer.reader, 1)).toEqual(['still 0'])
  })

  it('does not mistake a topic for an earlier one of the same name', async () => {
    await bed.write('b', 0, 3, 'old ')
    const consumer = bed.consumer()
    await consumer.assign([A0, B0])
    await takeTexts(consumer.reader, 3)
    bed.kafka.deleteTopic('b')
    bed.kafka.createTopic('b', { partitions: 1 })
    await bed.write('b', 0, 5, 'new ')
    expect(await failureOf(consumer.reader.consume())).toMatchObject({
      name: 'TopicRecreatedError',
      topic: 'b',
    })
    expect(consumer.positions.of(B0)).toBe(3)
    await bed.write('a', 0, 1, 'still ')
    expect(await takeTexts(consumer.reader, 1)).toEqual(['still 0'])
    consumer.positions.seek(B0, 0)
    expect(await takeTexts(consumer.reader, 5)).toEqual(numbers(0, 5, 'new '))
  })

  it('reads messages in the formats of the oldest brokers, larger than its fetch size', async () => {
    for (const version of ['0.8.2', '0.10'] as const) {
      await using old = await Bed.start({ version, topics: { a: { partitions: 1 } } })
      const large = 'x'.repeat(5_000)
      await using producer = await old.client.topic('a').getProducer()
      await producer.produce(large)
      await producer.produce('small')
      const consumer = old.consumer({ fetchMessageMaxBytes: 100 })
      await consumer.assign([A0])
      expect(await takeTexts(consumer.reader, 2)).toEqual([large, 'small'])
    }
  })

  it('buffers no more than queuedMaxBytes, and serves every partition in turn', async () => {
    const topics = { wide: { partitions: 8 } }
    await using wide = await Bed.start({ topics })
    await writeLarge(wide, 'wide', 800, 8)
    await using consumer = await wide.client.topic('wide').getSimpleConsumer({
      autoOffsetReset: 'earliest',
      queuedMaxBytes: 40_000,
      fetchMessageMaxBytes: 10_000,
    })
    // Half of it is for requests in flight, and batches count 400 bytes more than they have.
    await until(() => bufferedBytes(wide.client) >= 10_000)
    for (let turn = 0; turn < 300; turn++) await nextTurn()
    let mostBuffered = bufferedBytes(wide.client)
    const counts = new Map<number, number>()
    for (let taken = 0; taken < 800; taken++) {
      const { partition } = (await consumer.consume())!
      counts.set(partition, (counts.get(partition) ?? 0) + 1)
      mostBuffered = Math.max(mostBuffered, bufferedBytes(wide.client))
    }
    expect([...counts.values()]).toEqual(Array(8).fill(100))
    expect(mostBuffered).toBeLessThanOrEqual(40_000)
    const limits = wide.kafka.requests
      .all({ api: 'Fetch' })
      .map(({ body }) => (body as unknown as { maxBytes: number }).maxBytes)
    expect(Math.max(...limits)).toBeLessThanOrEqual(20_000)
  })

  it('keeps fetching other partitions when those that fill the buffer are paused', async () => {
    await writeLarge(bed, 'a', 100, 1)
    await using consumer = await bed.client.getConsumer({
      topics: ['a'],
      autoOffsetReset: 'earliest',
      queuedMaxBytes: 40_000,
    })
    await until(() => bufferedBytes(bed.client) >= 15_000)
    consumer.pause([A0])
    // A request for the other partition may be in flight already: what follows needs new ones.
    for (const prefix of ['x', 'y', 'z']) {
      await bed.write('a', 1, 1, prefix)
      expect(await takeTexts(consumer, 1)).toEqual([`${prefix}0`])
    }
  })

  it('has as many requests in flight to a broker as numConsumerFetchers', async () => {
    bed.kafka.moveLeader('a', 0, 1)
    bed.kafka.moveLeader('a', 1, 1)
    const consumer = bed.consumer({ numConsumerFetchers: 2 })
    await consumer.assign([A0, A1])
    await bed.write('a', 0, 2, 'x')
    await bed.write('a', 1, 2, 'y')
    expect((await takeTexts(consumer.reader, 4)).sort()).toEqual(['x0', 'x1', 'y0', 'y1'])
    const begun = fetchesTo(1).filter(({ sessionEpoch }) => sessionEpoch === 0)
    expect(begun.map(({ named }) => named).sort()).toEqual([[0], [1]])
  })

  it('divides half of queuedMaxBytes between all requests in flight', async () => {
    bed.kafka.moveLeader('a', 0, 1)
    bed.kafka.moveLeader('a', 1, 1)
    const consumer = bed.consumer({ numConsumerFetchers: 2, queuedMaxBytes: 40_000 })
    await consumer.assign([A0, A1])
    await bed.write('a', 0, 1, 'x')
    await bed.write('a', 1, 1, 'y')
    await takeTexts(consumer.reader, 2)
    const limits = bed.kafka.requests
      .all({ api: 'Fetch' })
      .map(({ body }) => (body as unknown as { maxBytes: number }).maxBytes)
    expect(new Set(limits)).toEqual(new Set([10_000]))
  })

  it('has two requests in flight while responses are large, and one when they are empty', async () => {
    bed.kafka.moveLeader('a', 0, 1)
    bed.kafka.moveLeader('a', 1, 1)
    const values = Array.from({ length: 40 }, () => Buffer.alloc(300_000))
    const { client } = bed
    await using producer = await client.topic('a').getProducer({ batchBytes: 1 })
    for (const [index, value] of values.entries()) {
      await producer.ready()
      void producer.produce(value, { partition: index % 2 })
    }
    await producer.flush()
    const consumer = bed.consumer()
    await consumer.assign([A0, A1])
    for (let i = 0; i < values.length; i++) await consumer.reader.consume()
    const begun = fetchesTo(1).filter(({ sessionEpoch }) => sessionEpoch === 0)
    expect(begun[0]?.named).toEqual([0, 1])
    expect(begun.slice(1).map(({ named }) => named.length)).toEqual([1])
    // The second one has ended when one session has both partitions again.
    const { length } = fetchesTo(1)
    const regained = begun[1]!.named
    await until(() =>
      fetchesTo(1)
        .slice(length)
        .some(({ sessionId, named }) => sessionId !== 0 && named.join() === regained.join()),
    )
    await bed.write('a', 0, 1, 'x')
    await bed.write('a', 1, 1, 'y')
    expect((await takeTexts(consumer.reader, 2)).sort()).toEqual(['x0', 'y0'])
  })

  it('requests the size of a batch that is larger than fetchMessageMaxBytes, until batches are smaller', async () => {
    const large = Buffer.alloc(5_000)
    const { client } = bed
    await using producer = await client.topic('b').getProducer({ batchBytes: 1 })
    for (let i = 0; i < 3; i++) await producer.produce(large)
    for (let i = 0; i < 40; i++) await producer.produce(Buffer.alloc(1_000))
    const consumer = bed.consumer({ fetchMessageMaxBytes: 4_000 })
    await consumer.assign([B0])
    for (let i = 0; i < 43; i++) await consumer.reader.consume()
    const asked = bed.kafka.requests.all({ api: 'Fetch' }).flatMap(({ body }) => {
      const { topics } = body as unknown as LimitsBody
      return topics.flatMap(({ partitions }) => partitions.map((one) => one.partitionMaxBytes))
    })
    expect(asked[0]).toBe(4_000)
    const largest = Math.max(...asked)
    expect(asked[1]).toBe(largest)
    expect(largest).toBeGreaterThan(5_000)
    expect(largest).toBeLessThan(5_200)
    expect(asked.at(-1)).toBe(4_000)
  })
})

describe('a wait after a failed fetch', () => {
  it('ends as soon as metadata names a newer leader', async () => {
    const long = { retryBackoffMs: 600_000, retryBackoffMaxMs: 600_000 }
    const kafka = await EmbeddedCluster.start({ brokers: 2, topics: { t: {} } })
    try {
      kafka.moveLeader('t', 0, 1)
      await using client = new KafkaClient({ ...QUICK, ...long, hosts: kafka.hosts })
      await using writer = new KafkaClient({ ...QUICK, hosts: kafka.hosts })
      const producer = await writer.topic('t').getProducer()
      const consumer = await client.topic('t').getSimpleConsumer({ fetchWaitMaxMs: 20 })
      await producer.produce('before')
      expect(String((await consumer.consume())?.value)).toBe('before')
      kafka.moveLeader('t', 0, 2)
      await producer.produce('after')
      // The former leader refuses the next fetch.
      const message = await consumer.consume({ timeoutMs: 60_000 })
      expect(String(message?.value)).toBe('after')
    } finally {
      await kafka.stop()
    }
  })
})
