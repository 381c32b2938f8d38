/**
 * pykafka's own tests that have no counterpart elsewhere:
 *
 *     test_cluster.py         test_exclude_internal_topics         omits internal topics …
 *                             test_topic_updates                   lists topics that are created and deleted
 *     test_partition.py       test_earliest_available_offset       finds the earliest offsets …
 *     test_simpleconsumer.py  test_partition_rejects_old_message   never delivers the messages of an old response …
 *                             test_partition_consume_empty_queue   delivers nothing before anything was fetched
 */
import { describe, expect, it } from '@jest/globals'
import { EmbeddedCluster } from '../../src/embedded/index.ts'
import { KafkaClient, type SimpleConsumer } from '../../src/index.ts'

async function offsetsOf(consumer: SimpleConsumer, count: number): Promise<readonly number[]> {
  const offsets: number[] = []
  while (offsets.length < count) offsets.push((await consumer.consume())!.offset)
  return offsets
}

async function produce(client: KafkaClient, topic: string, count: number): Promise<void> {
  await using producer = await client.topic(topic).getProducer()
  for (let number = 0; number < count; number++) void producer.produce(`${number}`)
  await producer.flush()
}

describe("the port of pykafka's tests", () => {
  // Brokers before 0.10 do not tell that a topic is internal.
  it.each(['0.8.2', '0.10', '4.4'] as const)(
    'omits internal topics unless they are requested, on Kafka %s',
    async (version) => {
      const topics = { t: { partitions: 1 }, __consumer_offsets: { partitions: 1 } }
      await using kafka = await EmbeddedCluster.start({ version, topics })
      await using client = new KafkaClient({ hosts: kafka.hosts })
      const names = async (excludeInternalTopics?: boolean) => {
        const options = excludeInternalTopics === undefined ? {} : { excludeInternalTopics }
        return (await client.topics.list(options)).map(({ name }) => name)
      }
      expect(await names()).toEqual(['t'])
      expect(await names(true)).toEqual(['t'])
      expect(await names(false)).toEqual(['__consumer_offsets', 't'])
      await using matching = await client.getConsumer({ topics: /./ })
      expect(matching.assignment).toEqual([{ topic: 't', partition: 0 }])
    },
  )

  it('lists topics that are created and deleted', async () => {
    await using kafka = await EmbeddedCluster.start({})
    await using client = new KafkaClient({ hosts: kafka.hosts })
    await using other = new KafkaClient({ hosts: kafka.hosts })
    const names = async () => (await client.topics.list()).map(({ name }) => name)
    expect(await names()).toEqual([])
    await other.topic('comes').create({ partitions: 1, replicationFactor: 1 })
    expect(await names()).toEqual(['comes'])
    await other.admin.deleteTopics(['comes'])
    expect(await names()).toEqual([])
    expect(await client.topics.has('comes')).toBe(false)
  })

  it('finds the earliest offsets of a topic and of a partition, also after records were deleted', async () => {
    await using kafka = await EmbeddedCluster.start({ topics: { t: { partitions: 1 } } })
    await using client = new KafkaClient({ hosts: kafka.hosts })
    const topic = client.topic('t')
    const [partition] = await topic.partitions()
    const found = async () => [
      await partition!.earliestAvailableOffset(),
      (await topic.earliestAvailableOffsets()).get(0),
    ]
    expect(await found()).toEqual([0, 0])
    await produce(client, 't', 10)
    expect(await found()).toEqual([0, 0])
    await client.admin.deleteRecords([{ topic: 't', partition: 0, beforeOffset: 4 }])
    expect(await found()).toEqual([4, 4])
  })

  it('never delivers the messages of an old response after a reset', async () => {
    await using kafka = await EmbeddedCluster.start({ topics: { t: { partitions: 1 } } })
    await using client = new KafkaClient({ hosts: kafka.hosts })
    await produce(client, 't', 10)
    await using consumer = await client.topic('t').getSimpleConsumer()
    // All ten were fetched together.
    expect(await offsetsOf(consumer, 2)).toEqual([0, 1])
    await consumer.resetOffsets(new Map([[0, 7]]))
    expect(await offsetsOf(consumer, 2)).toEqual([7, 8])
    await consumer.resetOffsets(new Map([[0, 1]]))
    expect(await offsetsOf(consumer, 9)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9])
  })

  it('never delivers a response that was in flight when the consumer was reset', async () => {
    await using kafka = await EmbeddedCluster.start({ topics: { t: { partitions: 1 } } })
    await using client = new KafkaClient({ hosts: kafka.hosts })
    await produce(client, 't', 3)
    await using consumer = await client
      .topic('t')
      .getSimpleConsumer({ autoOffsetReset: 'latest', fetchWaitMaxMs: 5_000 })
    const first = consumer.consume()
    // The fetch at the end of the log waits; what ends it comes when the consumer has gone elsewhere.
    consumer.seek(0, 1)
    await produce(client, 't', 1)
    expect((await first)?.offset).toBe(1)
    expect(await offsetsOf(consumer, 2)).toEqual([2, 3])
  })

  it('delivers nothing before anything was fetched', async () => {
    await using kafka = await EmbeddedCluster.start({ topics: { t: { partitions: 1 } } })
    await using client = new KafkaClient({ hosts: kafka.hosts })
    await using consumer = await client.topic('t').getSimpleConsumer()
    expect(await consumer.consume({ block: false })).toBeUndefined()
  })
})

describe('lists of offsets', () => {
  it('have the end and the beginning of the log, as many as requested', async () => {
    const topics = { t: { partitions: 1 } }
    await using kafka = await EmbeddedCluster.start({ version: '3.9', topics })
    await using client = new KafkaClient({ hosts: kafka.hosts })
    await produce(client, 't', 5)
    const topic = client.topic('t')
    expect(await topic.fetchOffsetLimits('latest', { maxOffsets: 5 })).toEqual(
      new Map([[0, [5, 0]]]),
    )
    expect(await topic.fetchOffsetLimits('latest')).toEqual(new Map([[0, [5]]]))
    const [partition] = await topic.partitions()
    expect(await partition!.fetchOffsetLimit('earliest')).toEqual([0])
    expect(await partition!.fetchOffsetLimit(new Date('2001-01-01'))).toEqual([])
    await expect(topic.fetchOffsetLimits('latest', { maxOffsets: 0 })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    })
  })

  it('are refused by brokers without them, from Kafka 4.0 on', async () => {
    await using kafka = await EmbeddedCluster.start({ topics: { t: { partitions: 1 } } })
    await using client = new KafkaClient({ hosts: kafka.hosts })
    await expect(client.topic('t').fetchOffsetLimits('latest')).rejects.toMatchObject({
      code: 'UNSUPPORTED_VERSION',
    })
  })
})
