import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { createPartitions } from '../../protocol/apis/create-partitions.ts'
import { EmbeddedCluster } from '../../src/embedded/index.ts'
import { KafkaClient } from '../../src/index.ts'
import { takeTexts } from '../support/take.ts'

const GROUP = {
  managed: true,
  consumerGroup: 'g',
  autoOffsetReset: 'latest',
  heartbeatIntervalMs: 30,
} as const
let kafka: EmbeddedCluster
let client: KafkaClient

beforeEach(async () => {
  kafka = await EmbeddedCluster.start({
    topics: { 'orders-1': { partitions: 1 } },
    groupMinSessionTimeoutMs: 100,
  })
  client = new KafkaClient({ hosts: kafka.hosts, metadataMaxAgeMs: 100 })
})
afterEach(async () => {
  await client.close()
  await kafka.stop()
})

async function write(topic: string, partition: number, text: string): Promise<void> {
  // Another client, whose metadata is new.
  await using writer = new KafkaClient({ hosts: kafka.hosts })
  await using producer = await writer.topic(topic).getProducer()
  await producer.produce(text, { partition })
}

async function addPartition(): Promise<void> {
  await client.request(createPartitions, {
    topics: [{ name: 'orders-1', count: 2, assignments: null }],
    timeoutMs: 1_000,
    validateOnly: false,
  })
}

describe("a balanced consumer with autoOffsetReset 'latest'", () => {
  it('reads a partition that is added while it runs from the first message of the partition', async () => {
    await write('orders-1', 0, 'before the start')
    const consumer = await client.topic('orders-1').getBalancedConsumer(GROUP)
    await addPartition()
    await write('orders-1', 1, 'before it was noticed')
    expect(await takeTexts(consumer, 1, 60_000)).toEqual(['before it was noticed'])
  })

  it('reads a new topic that its pattern matches from the first message of the topic', async () => {
    await write('orders-1', 0, 'before the start')
    const consumer = await client.getBalancedConsumer({ ...GROUP, topics: /^orders-/ })
    kafka.createTopic('orders-2', { partitions: 1 })
    await write('orders-2', 0, 'before it was noticed')
    expect(await takeTexts(consumer, 1, 60_000)).toEqual(['before it was noticed'])
  })
})

it('a member stays in its group when a topic is deleted that was just assigned to it', async () => {
  kafka.createTopic('orders-2', { partitions: 1 })
  const decided = kafka.requests.next({ api: 'SyncGroup' })
  // Positions of the deleted topic are asked for until this time is over.
  const timeouts = { metadataMaxAgeMs: 100, operationTimeoutMs: 5_000 }
  await using impatient = new KafkaClient({ hosts: kafka.hosts, ...timeouts })
  const starting = impatient.getBalancedConsumer({ ...GROUP, topics: /^orders-/ })
  await decided
  kafka.deleteTopic('orders-2')
  const consumer = await starting
  expect(consumer.assignment).toEqual([{ topic: 'orders-1', partition: 0 }])
})
