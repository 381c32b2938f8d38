/** The options of share consumers that bound fetches and connections: librdkafka's share test 0180. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import type { EmbeddedCluster } from '../../../src/embedded/index.ts'
import { KafkaClient, type CloseEvent, type ShareMessage } from '../../../src/index.ts'
import { explicit, jobsQueue, options, startJobs, stopJobs } from '../../support/share/jobs.ts'
import { lagOf, nextOf, numberOf, take, writeNumbers } from '../../support/share/queue.ts'
import { until } from '../../support/until.ts'

const upTo = (count: number) => Array.from({ length: count }, (_, at) => at)

describe('a share consumer', () => {
  let kafka: EmbeddedCluster
  let client: KafkaClient

  beforeEach(async () => {
    ;({ kafka, client } = await startJobs(1))
  })

  afterEach(() => stopJobs(kafka, client))

  /** Writes messages in batches of their own. */
  async function writeOneByOne(count: number): Promise<void> {
    for (const first of upTo(count)) await writeNumbers(client, 'jobs', 1, { first })
  }

  it.each([0, 0x7fffffff])('receives all messages with fetchMinBytes %i', async (fetchMinBytes) => {
    await writeOneByOne(5)
    const settings = { ...explicit, fetchMinBytes, fetchWaitMaxMs: 20 }
    const consumer = await client.getShareConsumer(settings)
    const messages = await take(consumer, 5)
    expect(messages.map(numberOf)).toEqual(upTo(5))
    for (const message of messages) message.accept()
    await consumer.flush()
    expect(await lagOf(client, jobsQueue(1))).toBe(0)
    const [fetch] = kafka.requests.all({ api: 'ShareFetch' })
    expect(fetch?.body.minBytes).toBe(fetchMinBytes)
  })

  it.each(['batch_optimized', 'record_limit'] as const)(
    'receives at most maxRecords messages of small batches in one response with acquireMode %s',
    async (acquireMode) => {
      await writeOneByOne(10)
      const settings = { ...explicit, acquireMode, maxRecords: 5 }
      const consumer = await client.getShareConsumer(settings)
      const sizes: number[] = []
      for await (const { messages } of consumer.batches()) {
        for (const message of messages) message.accept()
        sizes.push(messages.length)
        if (sizes.length === 2) break
      }
      expect(sizes).toEqual([5, 5])
    },
  )

  it.each([
    ['batch_optimized', 0],
    ['record_limit', 5],
  ] as const)(
    'acquires a larger batch as a whole only with batch_optimized: %s leaves %i messages to others',
    async (acquireMode, left) => {
      await writeNumbers(client, 'jobs', 10)
      const settings = { ...explicit, acquireMode, maxRecords: 5 }
      const consumer = await client.getShareConsumer(settings)
      await nextOf(consumer)
      const other = await client.getShareConsumer(explicit)
      const reading = other.consume()
      if (left === 0) {
        // The other one gets nothing until there is more.
        await kafka.requests.next({ api: 'ShareFetch' })
        await writeNumbers(client, 'jobs', 1, { first: 10 })
        expect(numberOf((await reading)!)).toBe(10)
      } else {
        const messages = [(await reading)!, ...(await take(other, left - 1))]
        expect(messages.map(numberOf)).toEqual([5, 6, 7, 8, 9])
      }
    },
  )

  it('continues to read after its connections were closed because they were idle', async () => {
    const settings = { hosts: kafka.hosts, clientId: 'idle', connectionsMaxIdleMs: 50 }
    const closed: string[] = []
    const onClose = (event: unknown) => {
      const { clientId, reason } = event as CloseEvent
      if (clientId === 'idle' && reason.message.includes('idle')) closed.push(reason.message)
    }
    subscribe('samsa:close', onClose)
    await using idle = new KafkaClient(settings)
    const consumer = await idle.getShareConsumer(explicit)
    await writeNumbers(client, 'jobs', 1)
    const first = await nextOf(consumer)
    first.accept()
    await consumer.flush()
    // The application requests nothing until the connections are closed.
    while (closed.length < 2) await new Promise((resolve) => setTimeout(resolve, 10))
    await writeNumbers(client, 'jobs', 1, { first: 1 })
    const second = await nextOf(consumer)
    expect([numberOf(second), second.deliveryCount]).toEqual([1, 1])
    unsubscribe('samsa:close', onClose)
  })

  it('reads messages that fit into maxResponseBytes, and reports a response that does not', async () => {
    await using small = new KafkaClient({ hosts: kafka.hosts, maxResponseBytes: 100_000 })
    const settings = { ...explicit, fetchMaxBytes: 50_000 }
    const consumer = await small.getShareConsumer(settings)
    await writeNumbers(client, 'jobs', 1)
    const message = await nextOf(consumer)
    message.accept()
    await using producer = await client.topic('jobs').getProducer()
    await producer.produce('x'.repeat(200_000))
    await producer.flush()
    await expect(nextOf(consumer)).rejects.toThrow(/maxResponseBytes/)
  })

  it('fetches for requests that do not wait, and returns what has arrived to a later one', async () => {
    const consumer = await client.getShareConsumer(options)
    const fetches = () => kafka.requests.all({ api: 'ShareFetch' }).length
    await until(() => consumer.assignment.length === 1)
    expect(fetches()).toBe(0)
    await writeNumbers(client, 'jobs', 3)
    const got: ShareMessage[] = []
    await until(async () => {
      const message = await consumer.consume({ block: false })
      if (message !== undefined) got.push(message)
      return got.length === 3
    })
    expect(got.map(({ value, deliveryCount }) => [Number(String(value)), deliveryCount])).toEqual([
      [0, 1],
      [1, 1],
      [2, 1],
    ])
    const before = fetches()
    await until(async () => {
      expect(await consumer.consume({ block: false })).toBeUndefined()
      return fetches() > before
    })
    await until(async () => (await lagOf(client, jobsQueue(1))) === 0)
  })

  it('sends one fetch for a request that does not wait', async () => {
    const consumer = await client.getShareConsumer({ ...options, fetchWaitMaxMs: 10 })
    await until(() => consumer.assignment.length === 1)
    expect(await consumer.consume({ block: false })).toBeUndefined()
    await kafka.requests.next({ api: 'ShareFetch' })
    // What arrives after the response of this fetch stays for other members.
    await consumer.flush()
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(kafka.requests.all({ api: 'ShareFetch' })).toHaveLength(1)
  })
})
