import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { murmur2Partition } from '../../../src/producer/intake/partitioners.ts'
import { preferredPartitions } from '../../../src/producer/intake/preferred-partitions.ts'
import type { ProducerOptions } from '../../../src/index.ts'
import { mayNotFire } from '../../support/fault-watch.ts'
import { ProducerBench, TOPIC } from './support/embedded.ts'

const ALL = [0, 1, 2, 3, 4, 5]
const RACKS = ['near', 'far', 'far']
/** Each message has another partition than the message before. */
const SPREAD = { batchBytes: 1 } as const

let bench: ProducerBench
beforeEach(async () => {
  const topics = { [TOPIC]: { partitions: ALL.length }, single: { partitions: 3 } }
  bench = await ProducerBench.start({
    brokers: 3,
    racks: RACKS,
    topics,
    defaultReplicationFactor: 3,
  })
  lead(1, 0, 1)
  lead(2, 2, 3)
  lead(3, 4, 5)
})
afterEach(() => bench[Symbol.asyncDispose]())

function lead(broker: number, ...partitions: number[]): void {
  for (const partition of partitions) bench.kafka.moveLeader(TOPIC, partition, broker)
}

/** The same, and the client knows it. */
async function leadKnown(broker: number, ...partitions: number[]): Promise<void> {
  lead(broker, ...partitions)
  await bench.client.updateCluster()
}

/** Opens a producer; what it returns sends a hundred messages and returns the partitions that they were written to. */
async function spreading(options: ProducerOptions): Promise<() => Promise<number[]>> {
  const producer = await bench.topic.getProducer({ ...SPREAD, ...options })
  return async () => {
    const sent = Array.from({ length: 100 }, () => producer.produce('x'))
    return distinct((await Promise.all(sent)).map(({ partition }) => partition))
  }
}

const distinct = (numbers: readonly number[]) => [...new Set(numbers)].sort()

describe('a producer with a clientRack', () => {
  it('sends messages without a key to partitions whose leader is in its rack', async () => {
    const send = await spreading({ clientRack: 'near' })
    expect(await send()).toEqual([0, 1])
  })

  it('follows leaders that move, and uses all partitions while none is led in its rack', async () => {
    const send = await spreading({ clientRack: 'near' })
    await leadKnown(2, 0)
    expect(await send()).toEqual([1])
    await leadKnown(3, 1)
    expect(await send()).toEqual(ALL)
    await leadKnown(1, 4)
    expect(await send()).toEqual([4])
  })

  it('follows a leader that only the error of a batch names (KIP-951)', async () => {
    const send = await spreading({ clientRack: 'near' })
    expect(await send()).toEqual([0, 1])
    mayNotFire(bench.kafka.faults.on({ api: 'Metadata' }, { drop: true }))
    lead(2, 0)
    expect(await send()).toEqual([0, 1])
    expect(await send()).toEqual([1])
  })

  it('uses all partitions while the broker in its rack is down, and later its own again', async () => {
    const send = await spreading({ clientRack: 'near' })
    await bench.kafka.stopBroker(1)
    await bench.client.updateCluster()
    expect(await send()).toEqual(ALL)
    await bench.kafka.startBroker(1)
    await leadKnown(1, 0, 1)
    expect(await send()).toEqual([0, 1])
  })

  it('leaves a partition whose leader moves away before the share of the partition is complete', async () => {
    const producer = await bench.topic.getProducer({ clientRack: 'near' })
    const { partition } = await producer.produce('x')
    expect((await producer.produce('x')).partition).toBe(partition)
    await leadKnown(2, partition)
    expect((await producer.produce('x')).partition).toBe(1 - partition)
  })

  it('uses all partitions if no broker is in its rack', async () => {
    const send = await spreading({ clientRack: 'elsewhere' })
    expect(await send()).toEqual(ALL)
  })

  it('with partitionerRackAware: false uses all partitions', async () => {
    const send = await spreading({ clientRack: 'near', partitionerRackAware: false })
    expect(await send()).toEqual(ALL)
  })

  it('sends messages with a key or a partition where they belong', async () => {
    const producer = await bench.topic.getProducer({ clientRack: 'near' })
    const keys = Array.from({ length: 50 }, (_, key) => `${key}`)
    const sent = await Promise.all(keys.map((key) => producer.produce('x', { key })))
    expect(sent.map(({ partition }) => partition)).toEqual(
      keys.map((key) => murmur2Partition(key, ALL.length)),
    )
    expect((await producer.produce('x', { partition: 5 })).partition).toBe(5)
  })

  it('prefers the partitions of each topic in transactions too', async () => {
    const producer = await bench.client.getTransactionalProducer({
      transactionalId: 'near',
      clientRack: 'near',
    })
    for (const one of [0, 1, 2]) bench.kafka.moveLeader('single', one, one + 1)
    await bench.client.updateCluster()
    for (let count = 0; count < 10; count++) {
      await producer.transaction(async (transaction) => {
        expect((await transaction.produce('single', 'x')).partition).toBe(0)
        expect([0, 1]).toContain((await transaction.produce(TOPIC, 'x')).partition)
      })
    }
  })
})

describe('preferredPartitions', () => {
  const racks = new Map([
    [1, 'near'],
    [2, 'far'],
    [3, null],
  ])
  const preferred = (
    leaders: readonly (readonly [partition: number, leader: number])[],
    rack?: string,
  ) =>
    preferredPartitions(
      {
        name: TOPIC,
        topicId: undefined,
        isInternal: false,
        errorCode: 0,
        partitions: leaders.map(([partition, leader]) => ({
          partition,
          leader,
          errorCode: 0,
          leaderEpoch: 0,
          replicas: [],
          isr: [],
        })),
      },
      (nodeId) => racks.get(nodeId),
      rack,
    )

  it.each<[string, [number, number][], string | undefined, number[] | undefined]>([
    [
      'those in the rack',
      [
        [0, 1],
        [1, 2],
        [2, 1],
      ],
      'near',
      [0, 2],
    ],
    [
      'all if all are in the rack',
      [
        [0, 1],
        [1, 1],
      ],
      'near',
      undefined,
    ],
    [
      'all without a rack',
      [
        [0, 1],
        [1, 2],
      ],
      undefined,
      undefined,
    ],
    [
      'all if no broker is in the rack',
      [
        [0, 1],
        [1, 3],
      ],
      'elsewhere',
      undefined,
    ],
    [
      'those with a leader if none is in the rack',
      [
        [0, 2],
        [1, -1],
        [2, 3],
      ],
      'near',
      [0, 2],
    ],
    [
      'those with a leader without a rack',
      [
        [0, 2],
        [1, -1],
        [2, 1],
      ],
      undefined,
      [0, 2],
    ],
    [
      'all if none has a leader',
      [
        [0, -1],
        [1, -1],
      ],
      'near',
      undefined,
    ],
    [
      'all while the broker that leads is not known',
      [
        [0, 9],
        [1, 2],
      ],
      'near',
      undefined,
    ],
    [
      'none that is not below the number of known partitions',
      [
        [0, 2],
        [7, 1],
      ],
      'near',
      [0],
    ],
  ])('returns %s', (_, leaders, rack, expected) => {
    expect(preferred(leaders, rack)).toEqual(expected)
  })
})

describe('a producer without a clientRack', () => {
  it('sends no message without a key to a partition that has no leader', async () => {
    bench.kafka.createTopic('once', { partitions: 3, replicationFactor: 1 })
    const leaders = [0, 1, 2].map((partition) => bench.kafka.leaderOf('once', partition))
    const producer = await bench.client.topic('once').getProducer(SPREAD)
    await bench.kafka.stopBroker(leaders[1]!)
    await bench.client.updateCluster()
    const sent = await Promise.all(Array.from({ length: 100 }, () => producer.produce('x')))
    expect(distinct(sent.map(({ partition }) => partition))).toEqual([0, 2])
  })
})
