import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { EmbeddedCluster } from '../../src/embedded/index.ts'
import { Kafka, logLevel, type ConsumerConfig } from '../../src/kafkajs/index.ts'

describe('a Kafka of samsa/kafkajs', () => {
  let cluster: EmbeddedCluster
  let kafka: Kafka

  beforeAll(async () => {
    cluster = await EmbeddedCluster.start({ topics: { orders: { partitions: 1 } } })
    kafka = new Kafka({ brokers: [cluster.hosts], logLevel: logLevel.NOTHING })
    const producer = kafka.producer()
    await producer.connect()
    await producer.send({ topic: 'orders', messages: [{ value: 'a', timestamp: '1000' }] })
    await producer.send({ topic: 'orders', messages: [{ value: 'b', timestamp: '2000' }] })
    await producer.disconnect()
  })

  afterAll(() => cluster.stop())

  it.each<Partial<ConsumerConfig>>([
    { heartbeatInterval: 0 },
    { minBytes: 0 },
    { maxWaitTimeInMs: 0 },
  ])('reads, and sends heartbeats, with %j', async (options) => {
    const groupId = Object.keys(options).join()
    const consumer = kafka.consumer({ groupId, heartbeatInterval: 100, ...options })
    const crashed = new Promise((_, reject) =>
      consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error)),
    )
    const beaten = new Promise((resolve) => consumer.on(consumer.events.HEARTBEAT, resolve))
    await consumer.connect()
    await consumer.subscribe({ topics: ['orders'], fromBeginning: true })
    const read = new Promise((resolve, reject) => {
      const eachMessage = ({ message }: { message: { value: Buffer | null } }): Promise<void> => {
        resolve(message.value?.toString())
        return Promise.resolve()
      }
      consumer.run({ eachMessage }).catch(reject)
    })
    expect(await Promise.race([read, crashed])).toBe('a')
    await Promise.race([beaten, crashed])
    await consumer.disconnect()
  })

  it('finds offsets by a timestamp that is text, as those of messages are', async () => {
    const admin = kafka.admin()
    await admin.connect()
    const text = '2000' as unknown as number
    expect(await admin.fetchTopicOffsetsByTimestamp('orders', text)).toEqual([
      { partition: 0, offset: '1' },
    ])
    await admin.disconnect()
  })
})
