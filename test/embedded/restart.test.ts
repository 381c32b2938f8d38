import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { EmbeddedCluster, EmbeddedZooKeeper } from '../../src/embedded/index.ts'
import { KafkaClient, type BalancedConsumer } from '../../src/index.ts'
import { takeTexts } from '../support/take.ts'

const CLOSED = { code: 'CLOSED' }
/** Both kinds of groups have one member here, so that nothing is waited for. */
const MANAGED = { managed: true } as const

let kafka: EmbeddedCluster
let zookeeper: EmbeddedZooKeeper
let client: KafkaClient
let topic: string
let topics = 0

beforeAll(async () => {
  kafka = await EmbeddedCluster.start({})
  zookeeper = await EmbeddedZooKeeper.start()
  client = new KafkaClient({ hosts: kafka.hosts })
})

afterAll(async () => {
  await client.close()
  await zookeeper.stop()
  await kafka.stop()
})

/** One partition with the values 0 to 9. */
beforeEach(async () => {
  topic = `t${topics++}`
  await client.topic(topic).create({ partitions: 1, replicationFactor: 1 })
  await using producer = await client.topic(topic).getProducer()
  for (let number = 0; number < 10; number++) void producer.produce(`${number}`)
  await producer.flush()
})

describe('a consumer that was stopped and is started again', () => {
  it('continues after the last message that it delivered, without a group', async () => {
    const consumer = await client.topic(topic).getSimpleConsumer()
    expect(await takeTexts(consumer, 3)).toEqual(['0', '1', '2'])
    await consumer.stop()
    await expect(consumer.consume()).rejects.toMatchObject(CLOSED)
    await consumer.start()
    expect(await takeTexts(consumer, 2)).toEqual(['3', '4'])
    await consumer.stop()
    await consumer.start()
    expect(await takeTexts(consumer, 1)).toEqual(['5'])
    await consumer.close()
  })

  it('continues at the offset that its group has committed', async () => {
    const consumer = await client.topic(topic).getSimpleConsumer({ consumerGroup: topic })
    await takeTexts(consumer, 3)
    await consumer.commitOffsets()
    await takeTexts(consumer, 3)
    await consumer.stop()
    await consumer.start()
    expect(await takeTexts(consumer, 1)).toEqual(['3'])
    await consumer.close()
  })

  // The message that was delivered last counts as processed when the next one is asked for.
  it('continues at the message that was not processed yet when it commits automatically', async () => {
    const consumer = await client
      .topic(topic)
      .getSimpleConsumer({ consumerGroup: topic, autoCommitEnable: true })
    await takeTexts(consumer, 3)
    await consumer.stop()
    await consumer.start()
    expect(await takeTexts(consumer, 1)).toEqual(['2'])
    await consumer.close()
  })

  it('starts over with resetOffsetOnStart', async () => {
    const consumer = await client
      .topic(topic)
      .getSimpleConsumer({ consumerGroup: topic, resetOffsetOnStart: true })
    await takeTexts(consumer, 3)
    await consumer.commitOffsets()
    await consumer.stop()
    await consumer.start()
    expect(await takeTexts(consumer, 1)).toEqual(['0'])
    await consumer.close()
  })

  it('continues at a failed message of run() without a group', async () => {
    const consumer = await client.topic(topic).getSimpleConsumer()
    const failing = consumer.run((message) => {
      if (message.offset === 4) throw new Error('not this one')
    })
    await expect(failing).rejects.toThrow('not this one')
    await consumer.stop()
    await consumer.start()
    expect(await takeTexts(consumer, 1)).toEqual(['4'])
    await consumer.close()
  })

  it('keeps a seek that was made while it was not started', async () => {
    const consumer = await client.topic(topic).getSimpleConsumer({ autoStart: false })
    consumer.seek(0, 7)
    await consumer.stop()
    await consumer.start()
    expect(await takeTexts(consumer, 1)).toEqual(['7'])
    await consumer.close()
  })

  it('waits until it has stopped, and shares the start with other calls', async () => {
    const consumer = await client.topic(topic).getSimpleConsumer({ consumerGroup: topic })
    await takeTexts(consumer, 1)
    const stopping = consumer.stop()
    await Promise.all([consumer.start(), stopping, consumer.start()])
    expect(await takeTexts(consumer, 1)).toEqual(['0'])
    await consumer.close()
  })

  it('stays closed when it is closed while a start waits for the stop', async () => {
    const consumer = await client.topic(topic).getSimpleConsumer()
    const stopping = consumer.stop()
    const refused = expect(consumer.start()).rejects.toMatchObject(CLOSED)
    await consumer.close()
    await stopping
    await refused
    await expect(consumer.start()).rejects.toMatchObject(CLOSED)
  })

  it('reads several topics again from its positions', async () => {
    const consumer = await client.getConsumer({ topics: [topic] })
    expect(await takeTexts(consumer, 3)).toEqual(['0', '1', '2'])
    await consumer.stop()
    await consumer.start()
    expect(await takeTexts(consumer, 1)).toEqual(['3'])
    await consumer.close()
  })

  it('is closed with its client', async () => {
    const other = new KafkaClient({ hosts: kafka.hosts })
    const consumer = await other.topic(topic).getSimpleConsumer()
    await consumer.stop()
    await consumer.start()
    await other.close()
    await expect(consumer.consume()).rejects.toMatchObject(CLOSED)
    await consumer.stop()
    await expect(consumer.start()).rejects.toMatchObject(CLOSED)
  })

  it.each(['Kafka', 'ZooKeeper'])(
    'rejoins a group that %s coordinates, at the committed offset',
    async (coordinator) => {
      const by = coordinator === 'Kafka' ? MANAGED : { zookeeperHosts: zookeeper.hosts }
      const consumer: BalancedConsumer = await client
        .topic(topic)
        .getBalancedConsumer({ consumerGroup: topic, ...by, autoCommitEnable: true })
      expect(await takeTexts(consumer, 3)).toEqual(['0', '1', '2'])
      const { memberId } = consumer
      await consumer.stop()
      expect(consumer.partitions).toEqual([])
      await expect(consumer.consume()).rejects.toMatchObject(CLOSED)
      await consumer.start()
      expect(consumer.partitions).toEqual([0])
      expect(consumer.memberId).not.toBe(memberId)
      expect(await takeTexts(consumer, 1)).toEqual(['2'])
      await consumer.close()
      await expect(consumer.start()).rejects.toMatchObject(CLOSED)
    },
  )

  it('applies resetOffsetOnStart of a group only to its first start, as pykafka does', async () => {
    const consumer = await client.topic(topic).getBalancedConsumer({
      consumerGroup: topic,
      ...MANAGED,
      autoCommitEnable: true,
      resetOffsetOnStart: true,
    })
    await takeTexts(consumer, 3)
    await consumer.stop()
    await consumer.start()
    expect(await takeTexts(consumer, 1)).toEqual(['2'])
    await consumer.close()
  })
})

describe('a producer that was stopped and is started again', () => {
  it('produces to its topic', async () => {
    const producer = await client.topic(topic).getProducer()
    const unawaited = producer.produce('10')
    await producer.stop()
    expect((await unawaited).offset).toBe(10)
    await expect(producer.produce('refused')).rejects.toMatchObject(CLOSED)
    await producer.start()
    expect((await producer.produce('11')).offset).toBe(11)
    expect(producer.deliveredMessages).toBe(1)
    await producer.close()
    await expect(producer.start()).rejects.toMatchObject(CLOSED)
  })

  it('produces to several topics', async () => {
    const producer = await client.getProducer()
    await producer.produce(topic, '10')
    await producer.stop()
    await expect(producer.produce(topic, 'refused')).rejects.toMatchObject(CLOSED)
    await producer.start()
    expect((await producer.produce(topic, '11')).offset).toBe(11)
    await producer.close()
  })

  it('is closed with its client, which delivers what is queued', async () => {
    const other = new KafkaClient({ hosts: kafka.hosts })
    const producer = await other.topic(topic).getProducer({ lingerMs: 60_000 })
    await producer.stop()
    await producer.start()
    const unawaited = producer.produce('10')
    await other.close()
    expect((await unawaited).offset).toBe(10)
  })

  it('stays closed when it was closed', async () => {
    const producer = await client.topic(topic).getProducer()
    await producer.stop()
    await producer.close()
    await expect(producer.start()).rejects.toMatchObject(CLOSED)
  })
})
