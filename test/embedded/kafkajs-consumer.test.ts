import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { EmbeddedCluster } from '../../src/embedded/index.ts'
import { KafkaClient, type FetchEvent } from '../../src/index.ts'
import { Kafka, logLevel, type Consumer, type ConsumerConfig } from '../../src/kafkajs/index.ts'
import { until } from '../support/until.ts'

let cluster: EmbeddedCluster
let client: KafkaClient
let opened: { disconnect(): Promise<void> }[]

beforeEach(async () => {
  cluster = await EmbeddedCluster.start({
    brokers: 2,
    topics: { one: { partitions: 1 }, two: { partitions: 2 } },
  })
  client = new KafkaClient({ hosts: cluster.hosts })
  opened = []
})

afterEach(async () => {
  cluster.faults.clear()
  await Promise.all(opened.map((one) => one.disconnect()))
  await client.close()
  await cluster.stop()
})

function keep<T extends { disconnect(): Promise<void> }>(one: T): T {
  opened.push(one)
  return one
}

function kafka(): Kafka {
  return new Kafka({
    brokers: cluster.hosts.split(','),
    logLevel: logLevel.NOTHING,
    retry: { initialRetryTime: 10, maxRetryTime: 20 },
  })
}

function consumerOf(app: Kafka, config: Partial<ConsumerConfig> = {}): Consumer {
  return keep(app.consumer({ groupId: 'g', heartbeatInterval: 20, ...config }))
}

/** Waits for a time that is part of the case. */
async function after(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms))
}

async function fill(topic: string, values: readonly string[], partition = 0): Promise<void> {
  await using producer = await client.topic(topic).getProducer()
  await producer.produceMany(values.map((value) => ({ value, partition })))
}

async function committedOf(topic: string): Promise<(number | undefined)[]> {
  const { offsets } = (await client.admin.listGroupOffsets(['g']))[0]!
  return offsets.filter((one) => one.topic === topic).map(({ offset }) => offset)
}

describe('a consumer of samsa/kafkajs', () => {
  it('resolves the markers of transactions with the messages before them, and keeps what was fetched ahead', async () => {
    const COUNT = 20
    await using producer = await client.getTransactionalProducer({ transactionalId: 'tx' })
    for (let index = 0; index < COUNT; index++) {
      await producer.transaction(async (tx) => {
        await tx.produce('one', `${index} ${'x'.repeat(1000)}`)
      })
    }
    let fetchedBytes = 0
    const onFetch = (event: unknown): void => {
      fetchedBytes += (event as FetchEvent).bytes
    }
    subscribe('samsa:fetch', onFetch)
    try {
      const consumer = consumerOf(kafka())
      await consumer.subscribe({ topics: ['one'], fromBeginning: true })
      const seen: string[] = []
      await consumer.run({
        eachMessage: ({ message }) => {
          seen.push(message.offset)
          return Promise.resolve()
        },
      })
      await until(async () => (await committedOf('one'))[0] === 2 * COUNT)
      expect(seen).toHaveLength(COUNT)
      // Each message once, and not all that follow it again after each transaction.
      expect(fetchedBytes).toBeLessThan(2 * COUNT * 1200)
    } finally {
      unsubscribe('samsa:fetch', onFetch)
    }
  })

  it('crashes for a partition whose handler keeps failing while another partition is processed', async () => {
    await fill('two', ['poison'], 0)
    const consumer = consumerOf(kafka(), {
      retry: { retries: 3, initialRetryTime: 5, restartOnFailure: () => Promise.resolve(false) },
    })
    const crashes: unknown[] = []
    consumer.on(consumer.events.CRASH, ({ payload }) => void crashes.push(payload.error))
    await consumer.subscribe({ topics: ['two'], fromBeginning: true })
    let calls = 0
    let others = 0
    await consumer.run({
      partitionsConsumedConcurrently: 2,
      eachMessage: async ({ partition }) => {
        if (partition === 1) others++
        if (partition === 1) return
        calls++
        // The other partition has a success between any two failures.
        const before = others
        await fill('two', ['fine'], 1)
        await until(() => others > before)
        throw new Error('poison')
      },
    })
    await until(() => crashes.length > 0)
    expect(crashes).toMatchObject([{ name: 'KafkaJSNumberOfRetriesExceeded', retryCount: 3 }])
    expect(calls).toBe(4)
  })

  it('crashes for a handler that fails after the rebalance timeout, while messages of another partition arrive', async () => {
    await fill('two', ['slow'], 0)
    const consumer = consumerOf(kafka(), {
      rebalanceTimeout: 100,
      maxWaitTimeInMs: 20,
      retry: { retries: 2, initialRetryTime: 5, restartOnFailure: () => Promise.resolve(false) },
    })
    const crashes: unknown[] = []
    consumer.on(consumer.events.CRASH, ({ payload }) => void crashes.push(payload.error))
    await consumer.subscribe({ topics: ['two'], fromBeginning: true })
    let calls = 0
    await consumer.run({
      partitionsConsumedConcurrently: 2,
      eachMessage: async ({ partition }) => {
        if (partition === 1) return
        calls++
        await after(200)
        await fill('two', ['arrives'], 1)
        await after(100)
        throw new Error('too late')
      },
    })
    await until(() => crashes.length > 0 || calls > 6)
    expect(crashes).toMatchObject([{ name: 'KafkaJSNumberOfRetriesExceeded', message: 'too late' }])
    expect(calls).toBe(3)
  })

  it('treats what a handler throws as an error, even if it cannot be shown as text', async () => {
    await fill('one', ['a'])
    const consumer = consumerOf(kafka())
    await consumer.subscribe({ topics: ['one'], fromBeginning: true })
    let calls = 0
    await consumer.run({
      eachMessage: () => {
        // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- applications throw anything
        if (++calls === 1) return Promise.reject(Object.create(null))
        return Promise.resolve()
      },
    })
    await until(() => calls === 2)
    await until(async () => (await committedOf('one'))[0] === 1)
  })

  it('leaves no member in the group if it is stopped while it starts', async () => {
    const consumer = consumerOf(kafka())
    await consumer.subscribe({ topics: ['one'] })
    const joins: string[] = []
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => void joins.push(payload.memberId))
    const held = cluster.faults.on({ api: 'Metadata' }, { hold: true })
    const running = consumer.run({ eachMessage: () => Promise.resolve() })
    await until(() => held.hits > 0)
    await consumer.stop()
    held.remove()
    held.release()
    await running
    await consumer.run({ eachMessage: () => Promise.resolve() })
    await until(() => joins.length > 0)
    expect(joins).toHaveLength(1)
    const { members } = await consumer.describeGroup()
    expect(members.map(({ memberId }) => memberId)).toEqual(joins)
  })

  it('starts again with run() before stop() has ended', async () => {
    const consumer = consumerOf(kafka())
    await consumer.subscribe({ topics: ['one'], fromBeginning: true })
    const eachMessage = () => Promise.resolve()
    await consumer.run({ eachMessage })
    const leaving = cluster.faults.on({ api: 'LeaveGroup' }, { hold: true })
    const stopping = consumer.stop()
    const running = consumer.run({ eachMessage })
    await until(() => leaving.hits > 0)
    // Long enough for a second member to join.
    await after(300)
    leaving.remove()
    leaving.release()
    await Promise.all([stopping, running])
    await fill('one', ['a'])
    await until(async () => (await committedOf('one'))[0] === 1)
    await consumer.commitOffsets([{ topic: 'one', partition: 0, offset: '0' }])
    expect(await committedOf('one')).toEqual([0])
    const { members } = await consumer.describeGroup()
    expect(members).toHaveLength(1)
  })

  it('does not start twice if a listener of CRASH calls run()', async () => {
    await fill('one', ['a'])
    const consumer = consumerOf(kafka(), { retry: { retries: 0, initialRetryTime: 50 } })
    await consumer.subscribe({ topics: ['one'], fromBeginning: true })
    let crashes = 0
    let connects = 0
    let calls = 0
    const eachMessage = () => (++calls === 1 ? Promise.reject(new Error('no')) : Promise.resolve())
    consumer.on(consumer.events.CONNECT, () => {
      connects++
    })
    consumer.on(consumer.events.CRASH, () => {
      crashes++
      void consumer.run({ eachMessage })
    })
    await consumer.run({ eachMessage })
    await until(() => crashes > 0 && calls === 2)
    // Long enough for the restart.
    await after(200)
    expect([crashes, connects]).toEqual([1, 2])
  })

  it('emits events after connect() was called before disconnect() had ended', async () => {
    const consumer = consumerOf(kafka())
    await consumer.connect()
    await Promise.all([consumer.disconnect(), consumer.connect()])
    await consumer.subscribe({ topics: ['one'] })
    const joins: unknown[] = []
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => void joins.push(payload))
    await consumer.run({ eachMessage: () => Promise.resolve() })
    await until(() => joins.length > 0)
    expect(joins).toMatchObject([{ memberAssignment: { one: [0] } }])
  })

  it('names the node of a broker that has joined the cluster after the consumer has started', async () => {
    const [first, last] = cluster.brokerIds
    cluster.moveLeader('one', 0, first!)
    await cluster.stopBroker(last!)
    const consumer = consumerOf(kafka(), { metadataMaxAge: 50, maxWaitTimeInMs: 20 })
    await consumer.subscribe({ topics: ['one'] })
    const nodeIds = new Set<unknown>()
    consumer.on(consumer.events.FETCH, ({ payload }) => void nodeIds.add(payload.nodeId))
    await consumer.run({ eachMessage: () => Promise.resolve() })
    await until(() => nodeIds.size > 0)
    await cluster.startBroker(last!)
    cluster.moveLeader('one', 0, last!)
    await until(() => nodeIds.size > 1)
    // kafkajs declares numbers, and emits text.
    expect([...nodeIds]).toEqual([String(first), String(last)])
  })
})
