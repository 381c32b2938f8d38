import { describe, expect, it } from '@jest/globals'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { EmbeddedCluster } from '../../src/embedded/index.ts'
import { joinedAfter } from '../../src/consumer/delivery/run-by-batch.ts'
import { KafkaClient, type GroupEvent } from '../../src/index.ts'

const GROUP = { consumerGroup: 'g', managed: true, autoOffsetReset: 'earliest' } as const

interface Scene extends AsyncDisposable {
  readonly client: KafkaClient
}

/** A cluster with three messages in each partition of topic t. */
async function filled(partitions: number): Promise<Scene> {
  const kafka = await EmbeddedCluster.start({ topics: { t: { partitions } } })
  const client = new KafkaClient({ hosts: kafka.hosts })
  const producer = await client.topic('t').getProducer()
  const messages = Array.from({ length: partitions * 3 }, (_, index) => ({
    value: String(index),
    partition: index % partitions,
  }))
  await producer.produceMany(messages)
  return {
    client,
    [Symbol.asyncDispose]: async () => {
      await client.close()
      await kafka.stop()
    },
  }
}

describe('runBatches', () => {
  it('delivers a batch again whose handler threw, and commits nothing of it', async () => {
    await using scene = await filled(1)
    const { client } = scene
    const consumer = await client.getBalancedConsumer({ ...GROUP, topics: ['t'] })
    const refused = consumer.runBatches(() => Promise.reject(new Error('no')))
    await expect(refused).rejects.toThrow('no')
    expect(consumer.positions).toEqual([{ topic: 't', partition: 0, offset: 0 }])
    const stop = new AbortController()
    const offsets: number[] = []
    await consumer.runBatches(
      (batch) => {
        offsets.push(...batch.messages.map(({ offset }) => offset))
        if (offsets.length >= 3) stop.abort()
      },
      { stopSignal: stop.signal },
    )
    expect(offsets).toEqual([0, 1, 2])
  })

  it('handles batches of several partitions at the same time, and one of a partition', async () => {
    await using scene = await filled(3)
    const { client } = scene
    const consumer = await client.getBalancedConsumer({ ...GROUP, topics: ['t'] })
    const stop = new AbortController()
    const running = new Set<number>()
    let release: () => void = () => undefined
    const together = new Promise<void>((resolve) => (release = resolve))
    await consumer.runBatches(
      async ({ partition }) => {
        expect(running.has(partition)).toBe(false)
        running.add(partition)
        if (running.size === 3) release()
        await together
        running.delete(partition)
        stop.abort()
      },
      { concurrency: 3, stopSignal: stop.signal },
    )
    expect(running.size).toBe(0)
  })
})

describe('runBatches with a handler that takes no time', () => {
  it('joins more and more small batches, up to 10,000 messages', async () => {
    await using scene = await filled(1)
    const { client } = scene
    const producer = await client.topic('t').getProducer({ lingerMs: 0 })
    for (let sent = 0; sent < 120; sent++) {
      await producer.produceMany(Array.from({ length: 100 }, () => ({ value: 'v', partition: 0 })))
    }
    const consumer = await client.getBalancedConsumer({ ...GROUP, topics: ['t'] })
    const stop = new AbortController()
    const offsets: number[] = []
    const sizes: number[] = []
    await consumer.runBatches(
      ({ messages, length }) => {
        sizes.push(length)
        for (const { offset } of messages) offsets.push(offset)
        if (offsets.length === 12_003) stop.abort()
      },
      { stopSignal: stop.signal },
    )
    expect(offsets).toEqual(Array.from({ length: 12_003 }, (_, offset) => offset))
    expect(sizes[0]).toBeLessThanOrEqual(500)
    expect(Math.max(...sizes)).toBeGreaterThan(500)
    expect(Math.max(...sizes)).toBeLessThanOrEqual(10_000)
  })
})

describe('joinedAfter', () => {
  it.each([
    [500, 1, 1_000],
    [1_000, 1, 2_000],
    [4_000, 1, 8_000],
    [8_000, 1, 10_000],
    [10_000, 1, 10_000],
    [2_000, 100, 2_000],
    [2_000, 300, 1_000],
    [500, 300, 500],
  ])('follows %i messages that took %i ms with up to %i', (joined, tookMs, next) => {
    expect(joinedAfter(joined, tookMs)).toBe(next)
  })
})

describe('samsa:group', () => {
  it('reports a generation that a member has joined, with its leader and its assignment', async () => {
    await using scene = await filled(2)
    const { client } = scene
    const events: GroupEvent[] = []
    const onEvent = (event: unknown): void => void events.push(event as GroupEvent)
    subscribe('samsa:group', onEvent)
    try {
      const consumer = await client.getBalancedConsumer({ ...GROUP, topics: ['t'] })
      expect(events).toMatchObject([
        {
          kind: 'joined',
          group: 'g',
          instanceId: client.instanceId,
          memberId: consumer.memberId,
          leaderId: consumer.memberId,
          assignor: 'range',
          assignment: [
            { topic: 't', partition: 0 },
            { topic: 't', partition: 1 },
          ],
        },
      ])
    } finally {
      unsubscribe('samsa:group', onEvent)
    }
  })
})
