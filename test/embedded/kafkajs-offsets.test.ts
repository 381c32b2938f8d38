import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { EmbeddedCluster } from '../../src/embedded/index.ts'
import { KafkaClient } from '../../src/index.ts'
import { Kafka, logLevel, type Consumer } from '../../src/kafkajs/index.ts'
import { until } from '../support/until.ts'

let cluster: EmbeddedCluster
let consumer: Consumer

beforeEach(async () => {
  cluster = await EmbeddedCluster.start({
    topics: { in: { partitions: 1 }, out: { partitions: 1 }, other: { partitions: 1 } },
  })
  await using client = new KafkaClient({ hosts: cluster.hosts })
  await using producer = await client.topic('in').getProducer()
  for (const value of ['0', '1', '2']) await producer.produce(value)
})

afterEach(async () => {
  await consumer.disconnect()
  await cluster.stop()
})

function kafka(): Kafka {
  return new Kafka({
    brokers: [cluster.hosts],
    logLevel: logLevel.NOTHING,
    retry: { initialRetryTime: 10 },
  })
}

describe('a consumer of samsa/kafkajs', () => {
  it('delivers the first message again after the transaction with its offset was aborted', async () => {
    const app = kafka()
    const producer = app.producer({ transactionalId: 'tx', maxInFlightRequests: 1 })
    await producer.connect()
    consumer = app.consumer({ groupId: 'g', retry: { retries: 5, initialRetryTime: 10 } })
    await consumer.subscribe({ topics: ['in'], fromBeginning: true })
    const seen: string[] = []
    await consumer.run({
      autoCommit: false,
      eachMessage: async ({ topic, partition, message }) => {
        seen.push(String(message.value))
        const transaction = await producer.transaction()
        await transaction.send({ topic: 'out', messages: [{ value: message.value }] })
        const offset = String(Number(message.offset) + 1)
        await transaction.sendOffsets({
          consumerGroupId: 'g',
          topics: [{ topic, partitions: [{ partition, offset }] }],
        })
        if (seen.length === 1) {
          await transaction.abort()
          throw new Error('not this time')
        }
        await transaction.commit()
      },
    })
    await until(() => seen.length >= 4)
    expect(seen).toEqual(['0', '0', '1', '2'])
    await consumer.disconnect()
    await producer.disconnect()
  })

  it('cannot commit by a transaction the offset of a partition that another member has now', async () => {
    cluster.createTopic('both', { partitions: 2 })
    const app = kafka()
    const producer = app.producer({ transactionalId: 'tx', maxInFlightRequests: 1 })
    await producer.connect()
    const joined = async (of: Kafka) => {
      const member = of.consumer({ groupId: 'g' })
      const assignments: (readonly number[])[] = []
      member.on(member.events.GROUP_JOIN, ({ payload }) => {
        assignments.push(payload.memberAssignment['both'] ?? [])
      })
      await member.subscribe({ topics: ['both'], fromBeginning: true })
      await member.run({ autoCommit: false, eachMessage: () => Promise.resolve() })
      await until(() => assignments.length > 0)
      return { member, assignments }
    }
    const first = await joined(app)
    consumer = first.member
    const second = await joined(kafka())
    await until(() => first.assignments.at(-1)?.length === 1)
    const commit = async ([partition]: readonly number[]) => {
      const transaction = await producer.transaction()
      const topics = [{ topic: 'both', partitions: [{ partition: partition!, offset: '1' }] }]
      try {
        await transaction.sendOffsets({ consumerGroupId: 'g', topics })
        await transaction.commit()
      } catch (error) {
        await transaction.abort()
        throw error
      }
    }
    await commit(first.assignments.at(-1)!)
    await expect(commit(second.assignments.at(-1)!)).rejects.toMatchObject({
      name: 'KafkaJSProtocolError',
      type: 'ILLEGAL_GENERATION',
    })
    await second.member.disconnect()
    await producer.disconnect()
  })

  it('crashes rather than read a topic from its end that it has to read from the beginning', async () => {
    cluster.faults.on({ api: 'ListOffsets' }, { error: 'TOPIC_AUTHORIZATION_FAILED' })
    consumer = kafka().consumer({
      groupId: 'g',
      retry: { restartOnFailure: () => Promise.resolve(false) },
    })
    await consumer.subscribe({ topics: ['in'], fromBeginning: true })
    await consumer.subscribe({ topics: ['other'] })
    const crashes: string[] = []
    consumer.on(consumer.events.CRASH, ({ payload }) => void crashes.push(payload.error.message))
    const seen: string[] = []
    await consumer.run({
      eachMessage: ({ message }) => {
        seen.push(String(message.value))
        return Promise.resolve()
      },
    })
    await until(() => crashes.length > 0)
    expect(crashes).toHaveLength(1)
    expect(seen).toEqual([])
  })
})
