import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { failureOf } from '../../support/settled.ts'
import { take } from '../../support/take.ts'
import { Bed } from './support/embedded.ts'

let bed: Bed

beforeEach(async () => {
  bed = await Bed.start({ topics: { a: { partitions: 12 }, b: { partitions: 2 } } })
})
afterEach(() => bed[Symbol.asyncDispose]())

describe('topic.fetchOffsets', () => {
  it.each([1.5, NaN, -1, -2, -3, 2 ** 64, 'newest', new Date(NaN), null, undefined])(
    'rejects %p as a position',
    async (at) => {
      const error = await failureOf(bed.client.topic('a').fetchOffsets(at as number))
      expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', topic: 'a' })
    },
  )

  it('accepts a Date, milliseconds or an end, and resolves with partitions in order', async () => {
    await bed.write('a', 11, 3)
    const topic = bed.client.topic('a')
    for (const at of ['earliest', new Date(0), 0] as const) {
      expect((await topic.fetchOffsets(at)).get(11)).toBe(0)
    }
    const latest = await topic.fetchOffsets('latest')
    expect(latest.get(11)).toBe(3)
    expect([...latest.keys()]).toEqual(Array.from({ length: 12 }, (_, i) => i))
  })
})

describe('the report of a consumer about its partitions', () => {
  it('is in order, whatever the order of the names', async () => {
    const consumer = await bed.client
      .topic('a')
      .getSimpleConsumer({ partitions: [10, 2, 9, 1], fetchWaitMaxMs: 20 })
    const order = [1, 2, 9, 10]
    for (const partition of [...order].reverse()) await bed.write('a', partition, 1)
    await take(consumer, 4)
    expect(consumer.partitions).toEqual(order)
    expect([...consumer.positions.keys()]).toEqual(order)
    expect([...consumer.heldOffsets.keys()]).toEqual(order)
    expect(consumer.lag).toEqual(order.map((partition) => ({ topic: 'a', partition, lag: 0 })))
    consumer.pause([10, 9])
    expect(consumer.paused).toEqual([9, 10])
    consumer.resume([10])
    expect(consumer.paused).toEqual([9])
  })

  it('has the same structure for lag and for paused partitions, with several topics', async () => {
    const consumer = await bed.client.getConsumer({
      topics: ['b', 'a'],
      partitions: { a: [3, 1] },
      fetchWaitMaxMs: 20,
    })
    await bed.write('b', 1, 1)
    await take(consumer, 1)
    const all = [
      { topic: 'a', partition: 1 },
      { topic: 'a', partition: 3 },
      { topic: 'b', partition: 0 },
      { topic: 'b', partition: 1 },
    ]
    expect(consumer.assignment).toEqual(all)
    expect(consumer.positions.map(({ topic, partition }) => ({ topic, partition }))).toEqual(all)
    expect(consumer.lag).toContainEqual({ topic: 'b', partition: 1, lag: 0 })
    consumer.pause([{ topic: 'b', partition: 0 }, { topic: 'a', partition: 3 }]) // prettier-ignore
    expect(consumer.paused).toEqual([all[1], all[2]])
  })

  it('does not list a partition as paused that a rebalance revoked and assigned again', async () => {
    const options = {
      managed: true,
      consumerGroup: 'g',
      heartbeatIntervalMs: 30,
      fetchWaitMaxMs: 20,
    } as const
    const topic = bed.client.topic('b')
    const first = await topic.getBalancedConsumer(options)
    first.pause()
    expect(first.paused).toEqual([0, 1])
    const second = await topic.getBalancedConsumer(options)
    expect(first.paused).toEqual([])
    await second.close()
  })
})

it('a consumer looks up the offsets of hundreds of topics with one request to each broker', async () => {
  const names = Array.from({ length: 600 }, (_, i) => `topic-${i}`)
  const topics = Object.fromEntries(names.map((name) => [name, { partitions: 1 }]))
  await using wide = await Bed.start({ brokers: 3, topics })
  const consumer = wide.consumer({ autoOffsetReset: 'latest' })
  await consumer.assign(names.map((topic) => ({ topic, partition: 0 })))
  const asked = wide.kafka.requests.all({ api: 'ListOffsets' }).map(({ broker }) => broker)
  expect([...asked].sort()).toEqual([1, 2, 3])
})
