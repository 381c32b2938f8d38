import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { setTimeout as delay } from 'node:timers/promises'
import { EmbeddedCluster } from '../../src/embedded/index.ts'
import { KafkaClient, type ProcessEvent } from '../../src/index.ts'
import { QUICK } from '../support/fake-cluster.ts'
import { failureOf } from '../support/settled.ts'
import { until } from '../support/until.ts'

const EARLIEST = { autoOffsetReset: 'earliest', stopAtEnd: true, consumerGroup: 'billing' } as const
const MESSAGES = 1_000

let kafka: EmbeddedCluster
let client: KafkaClient
let events: ProcessEvent[]
const listen = (event: unknown) => events.push(event as ProcessEvent)

beforeEach(async () => {
  kafka = await EmbeddedCluster.start({ topics: { orders: { partitions: 2 } } })
  client = new KafkaClient({ ...QUICK, clientId: 'observed', hosts: kafka.hosts })
  events = []
  subscribe('samsa:process', listen)
})
afterEach(async () => {
  unsubscribe('samsa:process', listen)
  await client.close()
  await kafka.stop()
})

async function fill(count: number): Promise<void> {
  const producer = await client.topic('orders').getProducer()
  const messages = Array.from({ length: count }, (_, at) => ({
    key: `k${at % 7}`,
    value: `v${at}`,
  }))
  await producer.produceMany(messages)
}

const consumer = () => client.topic('orders').getSimpleConsumer(EARLIEST)
const total = () => events.reduce((sum, { messages }) => sum + messages, 0)

describe('samsa:process', () => {
  const turn = () => Promise.resolve()
  const ways = {
    'run with handlers that return nothing': async () => (await consumer()).run(() => undefined),
    'run with handlers that return promises': async () => (await consumer()).run(turn),
    'run in the order of keys': async () =>
      (await consumer()).run(turn, { concurrency: 10, orderBy: 'key' }),
    'run in the order of keys, with handlers that return nothing': async () =>
      (await consumer()).run(() => undefined, { concurrency: 10, orderBy: 'key' }),
    runBatches: async () => (await consumer()).runBatches(turn),
    'handleEach of a batch': async () => {
      await (await consumer()).runBatches((batch) => batch.handleEach(turn))
    },
    'handleEach of a batch, with a wait after each message': async () => {
      await (await consumer()).runBatches((batch) => batch.handleEach(turn, () => delay(0, true)))
    },
  }

  it.each(Object.entries(ways))('counts each message once for %s', async (_, run) => {
    await fill(MESSAGES)
    await run()
    expect(total()).toBe(MESSAGES)
    for (const event of events) {
      expect(event).toEqual({
        clientId: 'observed',
        clusterId: kafka.clusterId,
        group: 'billing',
        topic: 'orders',
        partition: expect.any(Number),
        messages: expect.any(Number),
        durationMs: expect.any(Number),
        error: undefined,
      })
      expect(event.durationMs).toBeGreaterThanOrEqual(0)
    }
  })

  it('has many messages in an event for handlers that return nothing', async () => {
    await fill(MESSAGES)
    await (await consumer()).run(() => undefined)
    expect(events.length).toBeLessThan(MESSAGES / 10)
  })

  it('has a handler that takes long in an event of its own', async () => {
    await fill(3)
    // 10 ms is the limit of an event; a timer may fire a millisecond early.
    await (await consumer()).run(() => delay(15))
    expect(events.map(({ messages }) => messages)).toEqual([1, 1, 1])
    for (const { durationMs } of events) expect(durationMs).toBeGreaterThan(10)
  })

  it.each(['partition', 'key'] as const)('has the error of a handler (by %s)', async (orderBy) => {
    await fill(MESSAGES)
    const broken = new Error('broken')
    let calls = 0
    const reading = await consumer()
    const run = reading.run(
      () => {
        if (++calls === 5) throw broken
      },
      { orderBy },
    )
    expect(await failureOf(run)).toBe(broken)
    expect(total()).toBe(5)
    expect(events.filter(({ error }) => error !== undefined)).toEqual([
      expect.objectContaining({ error: broken }),
    ])
  })

  it('has an event for each message of a share group', async () => {
    await fill(3)
    const sharing = await client.getShareConsumer({ shareGroup: 'sharers', topics: ['orders'] })
    const run = sharing.run(turn)
    await until(async () => {
      await fill(1)
      return events.length >= 3
    })
    await sharing.close()
    await run
    for (const { messages, group } of events) {
      expect({ messages, group }).toEqual({ messages: 1, group: 'sharers' })
    }
  })
})
