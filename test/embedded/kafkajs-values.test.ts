import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { EmbeddedCluster } from '../../src/embedded/index.ts'
import { CompressionTypes, Kafka, logLevel, type ConsumerConfig } from '../../src/kafkajs/index.ts'

describe('a Kafka of samsa/kafkajs', () => {
  let cluster: EmbeddedCluster
  let kafka: Kafka

  beforeAll(async () => {
    cluster = await EmbeddedCluster.start({
      topics: { orders: { partitions: 1 }, texts: { partitions: 1 } },
    })
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

  it('uses numbers that are text, such as those of environment variables', async () => {
    const text = <Value extends number>(value: Value) => String(value) as unknown as Value
    const app = new Kafka({
      brokers: [cluster.hosts],
      logLevel: logLevel.NOTHING,
      connectionTimeout: text(5_000),
      requestTimeout: text(20_000),
      retry: { retries: text(3), initialRetryTime: text(50), multiplier: text(2) },
    })
    const producer = app.producer({ metadataMaxAge: text(60_000), maxInFlightRequests: text(1) })
    await producer.connect()
    const messages = [{ value: 'text' }]
    const [sent] = await producer.send({
      topic: 'texts',
      messages,
      acks: text(1),
      timeout: text(5_000),
      compression: text(CompressionTypes.GZIP),
    })
    expect(sent).toMatchObject({ topicName: 'texts', errorCode: 0, baseOffset: '0' })
    await producer.disconnect()
    const consumer = app.consumer({
      groupId: 'texts',
      sessionTimeout: text(30_000),
      rebalanceTimeout: text(50_000),
      heartbeatInterval: text(1_000),
      metadataMaxAge: text(60_000),
      maxBytesPerPartition: text(100_000),
      minBytes: text(1),
      maxBytes: text(1_000_000),
      maxWaitTimeInMs: text(100),
    })
    await consumer.subscribe({ topics: ['texts'], fromBeginning: true })
    const read = await new Promise<string>((resolve, reject) => {
      consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error))
      const eachMessage = ({ message }: { message: { value: Buffer | null } }): Promise<void> => {
        resolve(String(message.value))
        return Promise.resolve()
      }
      const numbers = { autoCommitInterval: text(100), autoCommitThreshold: text(1) }
      consumer
        .run({ ...numbers, partitionsConsumedConcurrently: text(2), eachMessage })
        .catch(reject)
    })
    expect(read).toBe('text')
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
