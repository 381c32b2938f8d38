import { describe, expect, it, jest } from '@jest/globals'
import { performance } from 'node:perf_hooks'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Compression } from '../../../src/index.ts'
import { histogramsOf } from '../../support/metrics.ts'
import { until } from '../../support/until.ts'
import { batchesOf, numbers, ProducerBench, TOPIC } from './support/embedded.ts'

const PRODUCE = { api: 'Produce' } as const

describe('batches', () => {
  it('contain what is produced in one turn of the event loop', async () => {
    await using bench = await ProducerBench.start()
    const producer = await bench.topic.getProducer()
    await Promise.all(numbers(100).map((value) => producer.produce(value)))
    expect(bench.batches.map(({ count }) => count)).toEqual([100])
  })

  it('linger, and are sent together', async () => {
    await using bench = await ProducerBench.start()
    const producer = await bench.topic.getProducer({ lingerMs: 80 })
    const startedAt = performance.now()
    // On a machine that is busy the linger may be over before the last message: here no time passes.
    const clock = jest.spyOn(performance, 'now').mockReturnValue(startedAt)
    const sent: Promise<unknown>[] = []
    for (const value of numbers(3)) {
      sent.push(Promise.resolve(producer.produce(value)))
      await nextTurn()
    }
    clock.mockRestore()
    await Promise.all(sent)
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(78)
    expect(bench.batches.map(({ count }) => count)).toEqual([3])
  })

  it('are timed from their first message to their first attempt', async () => {
    await using bench = await ProducerBench.start()
    const producer = await bench.topic.getProducer({ lingerMs: 80 })
    const startedAt = performance.now()
    bench.kafka.faults.on({ ...PRODUCE, times: 2 }, { error: 'NOT_LEADER_OR_FOLLOWER' })
    await producer.produce('x')
    const tookMs = performance.now() - startedAt
    const [times] = histogramsOf(bench.client.metrics(), 'samsa_producer_queue_duration_seconds')
    expect(bench.batches).toHaveLength(3)
    expect(times?.count).toBe(1)
    // Timers may fire a little early.
    expect(times?.sum).toBeGreaterThanOrEqual(0.078)
    expect(times?.sum).toBeLessThanOrEqual(tookMs / 1_000)
  })

  it('are at least as large with a linger as without one', async () => {
    const meanCount = async (lingerMs: number) => {
      await using bench = await ProducerBench.start({ topics: { [TOPIC]: { partitions: 4 } } })
      const producer = await bench.topic.getProducer({ lingerMs })
      const value = Buffer.alloc(1024)
      for (let count = 0; count < 20_000; count++) {
        if (!producer.hasRoom) await producer.ready()
        void producer.produce(value)
      }
      await producer.flush()
      return 20_000 / bench.batches.length
    }
    const [five, none] = [await meanCount(5), await meanCount(0)]
    expect(five).toBeGreaterThanOrEqual(none)
  })

  it('do not linger when they are full', async () => {
    await using bench = await ProducerBench.start()
    const producer = await bench.topic.getProducer({ lingerMs: 60_000, batchBytes: 1_000 })
    const sent = numbers(20).map((value) => producer.produce(value.padEnd(200)))
    // Four in each; the last stay.
    await Promise.all(sent.slice(0, 16))
    expect(bench.batches.slice(0, 4).map(({ count }) => count)).toEqual([4, 4, 4, 4])
    await producer.flush()
  })

  it('do not linger when minQueuedMessages are waiting', async () => {
    await using bench = await ProducerBench.start({ topics: { [TOPIC]: { partitions: 2 } } })
    const producer = await bench.topic.getProducer({ lingerMs: 60_000, minQueuedMessages: 10 })
    const sent = numbers(10).map((value, index) =>
      producer.produce(value, { partition: index % 2 }),
    )
    await Promise.all(sent)
    // In one request, or in two where a turn takes long.
    expect(bench.batches.map(({ count }) => count)).toEqual([5, 5])
  })

  it('do not linger for a sync producer', async () => {
    await using bench = await ProducerBench.start()
    const producer = await bench.topic.getSyncProducer()
    expect((await producer.produce('x')).offset).toBe(0)
    await expect(bench.topic.getSyncProducer({ lingerMs: 60_000 })).rejects.toThrow(
      "option 'lingerMs' has no effect with sync",
    )
  })

  it('are no larger than batchBytes, except for one larger message', async () => {
    await using bench = await ProducerBench.start()
    const producer = await bench.topic.getProducer({ batchBytes: 2_000 })
    const values = [...numbers(50).map((value) => value.padEnd(150)), 'x'.repeat(5_000), 'last']
    await Promise.all(values.map((value) => producer.produce(value)))
    const sizes = bench.requests.flatMap(({ topicData }) =>
      topicData.flatMap(({ partitionData }) => partitionData.map(({ records }) => records!.length)),
    )
    expect(sizes.filter((size) => size > 2_000)).toHaveLength(1)
    expect(await bench.values()).toEqual(values)
  })

  it('of all partitions of a broker are sent in one request', async () => {
    const partitions = 50
    await using bench = await ProducerBench.start({ topics: { [TOPIC]: { partitions } } })
    const producer = await bench.topic.getProducer()
    // On a machine that is busy a turn may be over before the request is full: here no time passes.
    const clock = jest.spyOn(performance, 'now').mockReturnValue(performance.now())
    await Promise.all(
      numbers(partitions).map((value, partition) => producer.produce(value, { partition })),
    ).finally(() => clock.mockRestore())
    expect(bench.requests).toHaveLength(1)
    expect(batchesOf(bench.requests[0]!)).toHaveLength(partitions)
  })

  it('make requests of at most maxRequestSize', async () => {
    await using bench = await ProducerBench.start({ topics: { [TOPIC]: { partitions: 10 } } })
    const producer = await bench.topic.getProducer({ maxRequestSize: 3_000 })
    await Promise.all(
      numbers(100).map((value, index) =>
        producer.produce(value.padEnd(700), { partition: index % 10 }),
      ),
    )
    for (const { topicData } of bench.requests) {
      const bytes = topicData.flatMap(({ partitionData }) => partitionData)
      expect(bytes.reduce((sum, { records }) => sum + records!.length, 0)).toBeLessThanOrEqual(
        3_000,
      )
    }
  })

  it('stay in order with two requests in flight', async () => {
    await using bench = await ProducerBench.start()
    const producer = await bench.topic.getProducer({ batchBytes: 1, maxInFlight: 2 })
    await producer.produce('first')
    await Promise.all(numbers(10).map((value) => producer.produce(value)))
    expect(await bench.values()).toEqual(['first', ...numbers(10)])
  })

  it.each<Compression>(['gzip', 'snappy', 'lz4', 'zstd'])(
    'are compressed by %s, small and large, in order',
    async (compression) => {
      await using bench = await ProducerBench.start()
      const producer = await bench.topic.getProducer({ compression })
      await producer.produce('small')
      const values = numbers(3_000).map((value) => value.padEnd(100, 'abc'))
      await producer.produceMany(values)
      expect(await bench.values()).toEqual(['small', ...values])
      const bytes = bench.requests
        .flatMap(({ topicData }) => topicData.flatMap(({ partitionData }) => partitionData))
        .reduce((sum, { records }) => sum + records!.length, 0)
      expect(bytes).toBeLessThan(150_000)
    },
  )

  it.each(['0.8.2', '0.10', '1.1', '2.8'] as const)(
    'reach Kafka %s in its format',
    async (version) => {
      await using bench = await ProducerBench.start({ version })
      for (const compression of ['none', 'gzip', 'snappy', 'lz4'] as const) {
        const producer = await bench.topic.getProducer({ compression })
        await producer.produceMany(numbers(100).map((value) => ({ value, key: 'k' })))
      }
      const values = numbers(100)
      expect(await bench.values()).toEqual([...values, ...values, ...values, ...values])
    },
  )

  it('with requiredAcks 0 arrive in order, and have no offsets', async () => {
    await using bench = await ProducerBench.start()
    const producer = await bench.topic.getProducer({ requiredAcks: 0 })
    const sent = await Promise.all(numbers(100).map((value) => producer.produce(value)))
    expect(new Set(sent.map(({ offset }) => offset))).toEqual(new Set([-1]))
    const seen = bench.kafka.requests.next(PRODUCE)
    await producer.produce('last')
    await seen
    await producer.close()
    await bench.client.close()
    await until(() => bench.kafka.offsetsOf(TOPIC, 0).end === 101)
    expect(await bench.values()).toEqual([...numbers(100), 'last'])
  })
})
