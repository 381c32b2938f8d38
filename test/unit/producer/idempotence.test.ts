import { describe, expect, it } from '@jest/globals'
import { InvalidArgumentError, KafkaClient, ProduceFailureError } from '../../../src/index.ts'
import { QUICK } from '../../support/fake-cluster.ts'
import { Proxy } from '../../support/proxy.ts'
import { stall } from '../../support/proxy-faults.ts'
import { failureOf } from '../../support/settled.ts'
import { until } from '../../support/until.ts'
import { numbers, ProducerBench, TOPIC, type SentBatch } from './support/embedded.ts'

/** One message a batch, so that there are many of them. */
const ONE_EACH = { batchBytes: 1 }
const PRODUCE = { api: 'Produce' } as const

const sequences = (batches: readonly SentBatch[]) => batches.map(({ sequence }) => sequence)
const epochs = (batches: readonly SentBatch[]) => batches.map(({ epoch }) => epoch)

describe('an idempotent producer', () => {
  it('numbers its messages, each partition separately', async () => {
    await using bench = await ProducerBench.start({ topics: { [TOPIC]: { partitions: 2 } } })
    const producer = await bench.topic.getProducer(ONE_EACH)
    for (const partition of [0, 1, 0]) await producer.produce('x', { partition })
    expect(sequences(bench.batches)).toEqual([0, 0, 1])
    expect(new Set(bench.batches.map(({ producerId }) => producerId)).size).toBe(1)
    expect(bench.batches[0]!.producerId).toBeGreaterThanOrEqual(0n)
  })

  it('sends only one batch until it is acknowledged, because a broker accepts any sequence as the first', async () => {
    await using bench = await ProducerBench.start()
    const producer = await bench.topic.getProducer(ONE_EACH)
    const first = bench.kafka.faults.on({ ...PRODUCE, times: 1 }, { hold: true })
    const sent = numbers(20).map((value) => producer.produce(value))
    const seen = Promise.all(sent)
    await bench.kafka.requests.next(PRODUCE)
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(bench.requests).toHaveLength(1)
    const rest = bench.kafka.faults.on(PRODUCE, { hold: true })
    first.release()
    await producer.ready()
    await bench.kafka.requests.next(PRODUCE)
    rest.release()
    await seen
    expect(await bench.values()).toEqual(numbers(20))
    expect(sequences(bench.batches)).toEqual(Array.from({ length: 20 }, (_, index) => index))
  })

  it('turns idempotence off if the brokers are older than 0.11', async () => {
    await using bench = await ProducerBench.start({ version: '0.10' })
    const producer = await bench.topic.getProducer()
    expect((await producer.produce('x')).offset).toBe(0)
    expect(bench.kafka.requests.all({ api: 'InitProducerId' })).toEqual([])
    await expect(bench.topic.getProducer({ idempotent: true })).rejects.toMatchObject({
      code: 'UNSUPPORTED_VERSION',
    })
  })

  it.each([0, 1] as const)('cannot be combined with requiredAcks %i', async (requiredAcks) => {
    await using bench = await ProducerBench.start()
    await expect(bench.topic.getProducer({ idempotent: true, requiredAcks })).rejects.toThrow(
      InvalidArgumentError,
    )
    const producer = await bench.topic.getProducer({ requiredAcks })
    const seen = bench.kafka.requests.next(PRODUCE)
    await producer.produce('x')
    await seen
    expect(bench.batches[0]).toMatchObject({ producerId: -1n, sequence: -1 })
  })

  it('cannot be combined with more than five requests in flight', async () => {
    await using bench = await ProducerBench.start()
    await expect(bench.topic.getProducer({ idempotent: true, maxInFlight: 6 })).rejects.toThrow(
      'a maxInFlight of 5, not 6',
    )
  })

  it('keeps the sequence of a batch that was stored, but not acknowledged', async () => {
    await using bench = await ProducerBench.start()
    const producer = await bench.topic.getProducer(ONE_EACH)
    await producer.produce('0')
    bench.kafka.faults.on({ ...PRODUCE, times: 2 }, { cutAfterBytes: 0 })
    const sent = numbers(10, 1).map((value) => producer.produce(value))
    const offsets = (await Promise.all(sent)).map(({ offset }) => offset)
    expect(offsets).toEqual(Array.from({ length: 10 }, (_, index) => index + 1))
    expect(await bench.values()).toEqual(numbers(11))
    expect(new Set(epochs(bench.batches))).toEqual(new Set([0]))
  })

  it.each([
    'NOT_ENOUGH_REPLICAS',
    'NOT_LEADER_OR_FOLLOWER',
    'REQUEST_TIMED_OUT',
    'CORRUPT_MESSAGE',
    'KAFKA_STORAGE_ERROR',
    'UNKNOWN_TOPIC_OR_PARTITION',
  ] as const)(
    'keeps the order with five in flight when the first of them gets %s',
    async (error) => {
      await using bench = await ProducerBench.start()
      const producer = await bench.topic.getProducer(ONE_EACH)
      await producer.produce('0')
      bench.kafka.faults.on({ ...PRODUCE, times: 1 }, { error })
      const sent = numbers(30, 1).map((value) => producer.produce(value))
      await Promise.all(sent)
      expect(await bench.values()).toEqual(numbers(31))
    },
  )

  it('continues with the next epoch when the broker has lost its state', async () => {
    await using bench = await ProducerBench.start()
    const producer = await bench.topic.getProducer(ONE_EACH)
    for (const value of numbers(4)) await producer.produce(value)
    // An unclean election: the new leader lacks the last two, and says that 4 is out of order.
    bench.kafka.loseTail(TOPIC, 0, 2)
    await Promise.all(numbers(10, 4).map((value) => producer.produce(value)))
    expect(await bench.values()).toEqual(['0', '1', ...numbers(10, 4)])
    const last = bench.batches.at(-1)!
    expect(last).toMatchObject({ epoch: 1, sequence: 9 })
  })

  it.each([
    'UNKNOWN_PRODUCER_ID',
    'OUT_OF_ORDER_SEQUENCE_NUMBER',
    'INVALID_PRODUCER_EPOCH',
  ] as const)('restarts its sequence after %s, without a gap or a repeat', async (error) => {
    await using bench = await ProducerBench.start()
    const producer = await bench.topic.getProducer(ONE_EACH)
    await producer.produce('0')
    bench.kafka.faults.on({ ...PRODUCE, times: 1 }, { error })
    await Promise.all(numbers(20, 1).map((value) => producer.produce(value)))
    expect(await bench.values()).toEqual(numbers(21))
    expect(bench.batches.at(-1)).toMatchObject({ epoch: 1, sequence: 19 })
  })

  it('leaves no gap when a batch is refused permanently, and delivers those after it', async () => {
    await using bench = await ProducerBench.start()
    const producer = await bench.topic.getProducer(ONE_EACH)
    await producer.produce('0')
    bench.kafka.faults.on({ ...PRODUCE, times: 1 }, { error: 'INVALID_RECORD' })
    const bad = producer.produce('bad')
    const good = numbers(10, 1).map((value) => producer.produce(value))
    expect(await failureOf(bad)).toMatchObject({ code: 'INVALID_RECORD' })
    await Promise.all(good)
    expect(await bench.values()).toEqual(numbers(11))
  })

  it('continues after a batch expired that was stored in the log', async () => {
    await using bench = await ProducerBench.start()
    const producer = await bench.topic.getProducer({ ...ONE_EACH, deliveryTimeoutMs: 1_000 })
    await producer.produce('0')
    const held = bench.kafka.faults.on({ ...PRODUCE, times: 1 }, { hold: true })
    const late = await failureOf(producer.produce('1'))
    expect(late).toBeInstanceOf(ProduceFailureError)
    expect(late).toMatchObject({ outcomeUnknown: true })
    const next = producer.produce('2')
    const sent = Promise.resolve(next)
    held.release()
    await sent
    expect(await bench.values()).toEqual(['0', '1', '2'])
  })

  it('continues after a batch expired that was never stored in the log', async () => {
    await using bench = await ProducerBench.start()
    const producer = await bench.topic.getProducer({
      ...ONE_EACH,
      ackTimeoutMs: 100,
      deliveryTimeoutMs: 2_500,
    })
    await producer.produce('0')
    // The first goes nowhere, for longer than it has time.
    const silence = bench.kafka.faults.on(PRODUCE, { drop: true })
    const lost = await failureOf(producer.produce('lost'))
    expect(lost).toMatchObject({ outcomeUnknown: true })
    silence.remove()
    await Promise.all(numbers(5, 1).map((value) => producer.produce(value)))
    expect(await bench.values()).toEqual(numbers(6))
  })

  it.each([1, 2, 3, 4, 5])(
    'writes none of %i batches twice when their broker restarts before it acknowledges them',
    async (written) => {
      await using bench = await ProducerBench.start()
      const { kafka } = bench
      await using proxy = await Proxy.start(kafka.ports[0]!)
      await using client = new KafkaClient({ ...QUICK, hosts: proxy.name })
      const producer = await client.topic(TOPIC).getProducer(ONE_EACH)
      await producer.produce('0')
      proxy.misbehave('response', stall, { api: 'Produce' })
      const sent = numbers(written, 1).map((value) => Promise.resolve(producer.produce(value)))
      await until(() => kafka.offsetsOf(TOPIC, 0).end === 1 + written)
      const [id = -1] = kafka.brokerIds
      await kafka.stopBroker(id)
      await proxy.behave()
      await kafka.startBroker(id)
      sent.push(...numbers(5, 1 + written).map((value) => Promise.resolve(producer.produce(value))))
      const offsets = (await Promise.all(sent)).map(({ offset }) => offset)
      offsets.forEach((offset, index) => expect([index + 1, -1]).toContain(offset))
      expect(await bench.values()).toEqual(numbers(6 + written))
      expect(new Set(epochs(bench.batches))).toEqual(new Set([0]))
      expect(producer).toMatchObject({ deliveredMessages: 6 + written, failedMessages: 0 })
    },
  )

  it('restarts its sequence if a restarted broker knows none of the batches that may be in its log', async () => {
    await using bench = await ProducerBench.start()
    const producer = await bench.topic.getProducer(ONE_EACH)
    for (const value of numbers(4)) await producer.produce(value)
    bench.kafka.faults.on({ ...PRODUCE, times: 5 }, { close: true })
    const sent = numbers(10, 4).map((value) => Promise.resolve(producer.produce(value)))
    // What was acknowledged is lost with an unclean election: all that follows is out of order.
    bench.kafka.loseTail(TOPIC, 0, 2)
    await Promise.all(sent)
    expect(await bench.values()).toEqual(['0', '1', ...numbers(10, 4)])
  })

  it('follows a leader that moves, with all batches in order', async () => {
    await using bench = await ProducerBench.start({ brokers: 3, topics: { [TOPIC]: {} } })
    const producer = await bench.topic.getProducer(ONE_EACH)
    const sent: Promise<unknown>[] = []
    for (let round = 0; round < 6; round++) {
      sent.push(...numbers(50, round * 50).map((value) => Promise.resolve(producer.produce(value))))
      bench.kafka.moveLeader(TOPIC, 0, 1 + (round % 3))
      await producer.ready()
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    await Promise.all(sent)
    expect(await bench.values()).toEqual(numbers(300))
  })

  it('splits a batch that is too large, and keeps the order', async () => {
    await using bench = await ProducerBench.start({
      topics: { [TOPIC]: { config: { 'max.message.bytes': '2000' } } },
    })
    const producer = await bench.topic.getProducer()
    const values = numbers(100).map((value) => value.padEnd(100))
    const offsets = await Promise.all(values.map((value) => producer.produce(value)))
    expect(offsets.map(({ offset }) => offset)).toEqual(values.map((_, index) => index))
    expect(await bench.values()).toEqual(values)
  })
})

describe('a producer without idempotence', () => {
  it('has one batch of a partition in flight, and keeps the order across retries', async () => {
    await using bench = await ProducerBench.start()
    const producer = await bench.topic.getProducer({ ...ONE_EACH, requiredAcks: 1 })
    bench.kafka.faults.on({ ...PRODUCE, times: 2 }, { error: 'NOT_LEADER_OR_FOLLOWER' })
    await Promise.all(numbers(20).map((value) => producer.produce(value)))
    expect(await bench.values()).toEqual(numbers(20))
  })
})
