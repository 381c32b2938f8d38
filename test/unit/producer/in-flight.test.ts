import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { initProducerId } from '../../../protocol/apis/init-producer-id.ts'
import { produce, type ProduceRequest } from '../../../protocol/apis/produce.ts'
import { deferred, type Deferred } from '../../../src/async/deferred.ts'
import { KafkaClient, type ProducerOptions } from '../../../src/index.ts'
import { FakeBroker } from '../../support/fake-broker.ts'
import { layoutOf, QUICK, tellLayout } from '../../support/fake-cluster.ts'
import { batchesOf, numbers, TOPIC } from './support/embedded.ts'

let fake: FakeBroker
let client: KafkaClient

beforeEach(async () => {
  // Topics by name: the fake cluster gives no ids.
  fake = await FakeBroker.start({ versions: { Produce: [3, 9] } })
  fake.handle(initProducerId, () => ({
    throttleTimeMs: 0,
    errorCode: 0,
    producerId: 7n,
    producerEpoch: 0,
  }))
  client = new KafkaClient({ ...QUICK, hosts: fake.name, socketTimeoutMs: 60_000 })
})
afterEach(async () => {
  await fake.stop()
  // A test that failed may have left messages.
  await client.close({ timeoutMs: 100 }).catch(() => undefined)
})

/** A topic with this many partitions, all led by the broker. */
const tellPartitions = (count: number) =>
  tellLayout(layoutOf([fake], { [TOPIC]: Array.from({ length: count }, () => 1) }), fake)

const acknowledgement = ({ topicData }: ProduceRequest) => ({
  throttleTimeMs: 0,
  responses: topicData.map(({ name = '', partitionData }) => ({
    name,
    partitionResponses: partitionData.map(({ index }) => ({ index, errorCode: 0, baseOffset: 0n })),
  })),
})

const open = (options: ProducerOptions) => client.topic(TOPIC).getProducer(options)

describe('requests in flight', () => {
  it.each([1, 2, 3, 5])(
    'are as many as maxInFlight allows, and no more: %i',
    async (maxInFlight) => {
      tellPartitions(1)
      let inFlight = 0
      let most = 0
      let left = 20
      const waiting: Deferred<void>[] = []
      fake.handle(produce, (body) => acknowledgement(body))
      const producer = await open({ batchBytes: 1, maxInFlight })
      // The broker knows the producer id from here on: batches of the partition may be pipelined.
      await producer.produce('first')
      fake.handle(produce, async (body) => {
        const answer = deferred()
        waiting.push(answer)
        most = Math.max(most, ++inFlight)
        // The first is answered when as many requests have come as may be in flight: fewer would wait forever.
        if (waiting.length === Math.min(maxInFlight, left)) waiting.shift()?.resolve()
        await answer.promise
        inFlight--
        left--
        if (left > 0 && left < maxInFlight) waiting.shift()?.resolve()
        return acknowledgement(body)
      })
      await Promise.all(numbers(20).map((value) => producer.produce(value)))
      expect(most).toBe(maxInFlight)
      expect(left).toBe(0)
    },
  )

  it('are one for each partition until the broker has acknowledged a batch of the producer id', async () => {
    tellPartitions(1)
    const first = deferred()
    let count = 0
    fake.handle(produce, async (body) => {
      if (count++ === 0) await first.promise
      return acknowledgement(body)
    })
    const producer = await open({ batchBytes: 1, maxInFlight: 5 })
    const sent = Promise.all(numbers(10).map((value) => producer.produce(value)))
    await fake.until(() => fake.received(produce).length === 1)
    // What the producer has written by now arrives before the answer to another request on its connections.
    await client.topic(TOPIC).partitions()
    expect(count).toBe(1)
    first.resolve()
    await sent
    expect(count).toBe(10)
  })
})

describe('a linger', () => {
  const KIB = 'x'.repeat(1_000)

  it.each([0, 60_000])(
    'leaves batches open while the application waits for space (lingerMs %i)',
    async (lingerMs) => {
      tellPartitions(1)
      const first = deferred()
      const counts: number[] = []
      fake.handle(produce, async (body) => {
        counts.push(...batchesOf(body).map(({ count }) => count))
        if (counts.length === 1) await first.promise
        return acknowledgement(body)
      })
      const producer = await open({ lingerMs, maxQueuedBytes: 20_000 })
      const sent: Promise<unknown>[] = [producer.produce('first')]
      const flushed = producer.flush()
      await fake.until(() => fake.received(produce).length === 1)
      for (let i = 0; i < 20; i++) sent.push(producer.produce(KIB))
      expect(producer.hasRoom).toBe(false)
      const room = producer.ready()
      for (let i = 0; i < 10; i++) sent.push(producer.produce(KIB))
      first.resolve()
      await Promise.all([...sent, flushed, room])
      expect(counts).toEqual([1, 30])
    },
  )

  it('keeps messages without a key together until their batch is full', async () => {
    tellPartitions(8)
    const counts: number[] = []
    fake.handle(produce, (body) => {
      counts.push(...batchesOf(body).map(({ count }) => count))
      return acknowledgement(body)
    })
    const producer = await open({ lingerMs: 60_000, batchBytes: 256 * 1024 })
    for (let i = 0; i < 200; i++) void producer.produce(KIB)
    await producer.flush()
    expect(counts).toEqual([200])
  })

  it('ends for a batch that is full, and for no other', async () => {
    tellPartitions(1)
    const counts: number[] = []
    fake.handle(produce, (body) => {
      counts.push(...batchesOf(body).map(({ count }) => count))
      return acknowledgement(body)
    })
    const producer = await open({ lingerMs: 60_000, batchBytes: 10_300 })
    const sent = Array.from({ length: 15 }, () => producer.produce(KIB))
    await sent[0]
    expect(counts).toEqual([10])
    await producer.flush()
    expect(counts).toEqual([10, 5])
  })
})
