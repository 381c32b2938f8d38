/** Share consumers of several topics, and of topics that go: librdkafka's share tests 0172, 0176, 0177, 0181 and 0184. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { EmbeddedCluster } from '../../../src/embedded/index.ts'
import {
  ClosedError,
  KafkaClient,
  type ShareConsumer,
  type ShareMessage,
} from '../../../src/index.ts'
import { lagOf, newQueue, numberOf, take, writeNumbers } from '../../support/share/queue.ts'
import { randomFrom } from '../../support/balanced/storm/random.ts'
import { until } from '../../support/until.ts'

const PARTITIONS = 3
const group = 'workers'

describe('a share consumer of several topics', () => {
  let kafka: EmbeddedCluster
  let client: KafkaClient

  beforeEach(async () => {
    kafka = await EmbeddedCluster.start({
      brokers: 2,
      shareAutoOffsetReset: 'earliest',
      // A producer must not create a topic again that a test has deleted.
      autoCreateTopics: false,
    })
    client = new KafkaClient({ hosts: kafka.hosts })
  })
  afterEach(async () => {
    kafka.faults.clear()
    await client.close()
    await kafka.stop()
  })

  async function newTopics(count: number): Promise<readonly string[]> {
    const topics: string[] = []
    while (topics.length < count) topics.push((await newQueue(client, PARTITIONS)).topic)
    return topics
  }

  const drained = (topic: string) =>
    until(async () => (await lagOf(client, { topic, group, partitions: PARTITIONS })) === 0)

  it('accepts, releases and rejects at random', async () => {
    const seed = Date.now() % 0x7fffffff
    console.info(`seed ${seed}`)
    const random = randomFrom(seed)
    const topics = await newTopics(4)
    for (const topic of topics) await writeNumbers(client, topic, 30, { partitions: PARTITIONS })
    const settings = { topics, shareGroup: group, acknowledgementMode: 'explicit' } as const
    const consumer = await client.getShareConsumer(settings)
    const nameOf = (one: ShareMessage) => `${one.topic} ${numberOf(one)}`
    const first = await take(consumer, 30 * topics.length)
    expect(first.every(({ deliveryCount }) => deliveryCount === 1)).toBe(true)
    const released: string[] = []
    for (const message of first) {
      const dice = random()
      if (dice < 0.4) message.accept()
      else if (dice < 0.7) message.reject()
      else {
        released.push(nameOf(message))
        message.release()
      }
    }
    await consumer.flush()
    const second = await take(consumer, released.length)
    expect(second.map(nameOf).sort()).toEqual(released.sort())
    expect(second.every(({ deliveryCount }) => deliveryCount === 2)).toBe(true)
    for (const message of second) message.accept()
    await consumer.flush()
    for (const topic of topics) await drained(topic)
  })

  it('gets the results of acknowledgements by topic and partition', async () => {
    const [one = '', two = ''] = await newTopics(2)
    for (const topic of [one, two]) {
      await writeNumbers(client, topic, 6, { partitions: PARTITIONS })
    }
    const topics = [one, two]
    const settings = { topics, shareGroup: group, acknowledgementMode: 'explicit' } as const
    const consumer = await client.getShareConsumer(settings)
    const messages = await take(consumer, 12)
    kafka.faults.on(
      { api: 'ShareAcknowledge', topic: two, partition: 1 },
      { error: 'INVALID_RECORD_STATE' },
    )
    for (const message of messages) message.accept()
    const results = await consumer.flush()
    const found = new Map(
      results.map((result) => [`${result.topic} ${result.partition}`, result] as const),
    )
    expect(found.size).toBe(6)
    for (const topic of topics) {
      for (let partition = 0; partition < PARTITIONS; partition++) {
        const isFailed = topic === two && partition === 1
        expect(found.get(`${topic} ${partition}`)).toMatchObject(
          isFailed
            ? { acknowledged: 0, failed: 2, error: { code: 'INVALID_RECORD_STATE' } }
            : { acknowledged: 2, failed: 0 },
        )
      }
    }
  })

  it('delivers released messages again, and rejected ones never, when the isolation level changes', async () => {
    const queue = await newQueue(client, 1, { 'share.isolation.level': 'read_committed' })
    await using producer = await client.getTransactionalProducer({ transactionalId: queue.topic })
    /** Writes a committed message and an aborted one. */
    const write = async (first: number) => {
      for (const number of [first, first + 1]) {
        const transaction = await producer.begin()
        await transaction.produce(queue.topic, String(number))
        await (number === first ? transaction.commit() : transaction.abort())
      }
    }
    const setLevel = (level: string) =>
      client.admin.incrementalAlterConfigs([
        { type: 'group', name: queue.group, set: { 'share.isolation.level': level } },
      ])
    const consumer = await client.getShareConsumer({
      topics: [queue.topic],
      shareGroup: queue.group,
      acknowledgementMode: 'explicit',
    })
    const read = async (count: number) => {
      const messages = await take(consumer, count)
      return messages.toSorted((a, b) => numberOf(a) - numberOf(b))
    }
    const seen = (messages: readonly ShareMessage[]) =>
      messages.map((one) => [numberOf(one), one.deliveryCount])
    await write(0)
    const committed = await read(1)
    expect(seen(committed)).toEqual([[0, 1]])
    committed[0]!.release()
    await consumer.flush()
    await setLevel('read_uncommitted')
    await write(2)
    const all = await read(3)
    expect(seen(all)).toEqual([
      [0, 2],
      [2, 1],
      [3, 1],
    ])
    all[0]!.reject()
    all[1]!.release()
    all[2]!.reject()
    await consumer.flush()
    await setLevel('read_committed')
    await write(4)
    const last = await read(2)
    expect(seen(last)).toEqual([
      [2, 2],
      [4, 1],
    ])
    for (const message of last) message.accept()
    await consumer.flush()
    await until(async () => (await lagOf(client, queue)) === 0)
  })

  describe('of which one is deleted', () => {
    const MODES = ['implicit', 'explicit'] as const
    const TIMES = ['before', 'after the assignment has changed']

    /** Accepts what was taken, as the mode does it, and returns the results. */
    async function acknowledge(consumer: ShareConsumer, messages: readonly ShareMessage[]) {
      // In implicit mode the next request accepts the last message.
      const isImplicit = messages.some(({ isAcknowledged }) => isAcknowledged)
      if (isImplicit) expect(await consumer.consume({ block: false })).toBeUndefined()
      else for (const message of messages) message.accept()
      return consumer.flush()
    }

    it.each(MODES.flatMap((mode) => TIMES.map((time) => [mode, time] as const)))(
      'reports the results of acknowledgements, and reads the other one: %s, acknowledged %s',
      async (acknowledgementMode, time) => {
        const [gone = '', kept = ''] = await newTopics(2)
        await writeNumbers(client, gone, 6, { partitions: PARTITIONS })
        await using reader = new KafkaClient({
          hosts: kafka.hosts,
          clientId: 'reader',
        })
        const settings = { topics: [gone, kept], shareGroup: group, acknowledgementMode }
        const consumer = await reader.getShareConsumer(settings)
        // Acknowledgements wait until all messages are there.
        const messages = await take(consumer, 6)
        const isBefore = time === 'before'
        if (isBefore) {
          const results = await acknowledge(consumer, messages)
          expect(results.filter(({ failed }) => failed > 0)).toEqual([])
        }
        await client.admin.deleteTopics([gone])
        if (!isBefore) {
          await until(() => consumer.assignment.every(({ topic }) => topic === kept))
        }
        if (!isBefore) {
          const results = await acknowledge(consumer, messages)
          const failed = results.reduce((total, one) => total + one.failed, 0)
          const acknowledged = results.reduce((total, one) => total + one.acknowledged, 0)
          // In implicit mode fetches before the deletion have carried some of them.
          if (acknowledgementMode === 'explicit') expect([failed, acknowledged]).toEqual([6, 0])
          else expect(failed).toBeGreaterThan(0)
        }
        await writeNumbers(client, kept, 3, { first: 6, partitions: PARTITIONS })
        const others = await take(consumer, 3)
        expect(others.map(({ topic }) => topic)).toEqual([kept, kept, kept])
      },
    )
  })

  it('reads what is written while the topic is deleted and created again with more partitions', async () => {
    const queue = await newQueue(client, PARTITIONS)
    await using reader = new KafkaClient({ hosts: kafka.hosts, clientId: 'reader' })
    await using writing = new KafkaClient({ hosts: kafka.hosts, clientId: 'writer' })
    await using consumer = await reader.getShareConsumer({
      topics: [queue.topic],
      shareGroup: group,
    })
    const received = new Map<string, number>()
    const running = consumer.run(({ value }) => {
      const text = String(value)
      received.set(text, (received.get(text) ?? 0) + 1)
    })
    await using writer = await startWriter(writing, queue.topic)
    const isRead = (phase: string) => [...received.keys()].some((text) => text.startsWith(phase))
    await until(() => isRead('before'))
    writer.phase = 'meanwhile'
    // Both learn from metadata that the topic is gone, and ask again: perhaps before deleteTopics knows that it is.
    const asksAgain = async (clientId: string) => {
      for (let times = 0; times < 2; times++) {
        await kafka.requests.next({ api: 'Metadata', clientId })
      }
    }
    const haveAskedAgain = Promise.all([asksAgain('reader'), asksAgain('writer')])
    await client.admin.deleteTopics([queue.topic])
    await haveAskedAgain
    await client.admin.createTopics([{ topic: queue.topic, partitions: 5 }])
    writer.phase = 'after'
    await until(() => isRead('after'))
    const after = (await writer.stop()).filter((text) => text.startsWith('after'))
    await until(() => after.every((text) => received.has(text)))
    expect(after.filter((text) => received.get(text) !== 1)).toEqual([])
    await consumer.close()
    await running
  })
})

/** Writes messages one after the other, each with the phase and a number, until it is stopped or the client closed. */
async function startWriter(client: KafkaClient, topic: string) {
  const producer = await client.topic(topic).getProducer({ compression: 'none', lingerMs: 0 })
  const written: string[] = []
  let isStopped = false
  const writer = {
    phase: 'before',
    /** Returns the messages that were written. */
    async stop(): Promise<readonly string[]> {
      isStopped = true
      await writing
      return written
    },
    async [Symbol.asyncDispose](): Promise<void> {
      isStopped = true
      await producer.close()
      await writing
    },
  }
  async function write(): Promise<void> {
    for (let number = 0; !isStopped; number++) {
      const text = `${writer.phase} ${number}`
      try {
        await producer.produce(text)
        written.push(text)
      } catch (error) {
        if (error instanceof ClosedError) return
        throw error
      }
    }
  }
  const writing = write()
  return writer
}
