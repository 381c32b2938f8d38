/** What users of other clients reported, replayed. The repository and number of each report is in the test's name. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { crc32c } from '../../protocol/buffer/crc32c.ts'
import { EmbeddedCluster } from '../../src/embedded/index.ts'
import { KafkaClient, type ConsumedMessage } from '../../src/index.ts'
import { until } from '../support/until.ts'
import { batchOf } from './support/requests.ts'

let kafka: EmbeddedCluster
let client: KafkaClient

beforeEach(async () => {
  kafka = await EmbeddedCluster.start({
    brokers: 2,
    groupMinSessionTimeoutMs: 100,
    topics: { t: { partitions: 1 }, u: { partitions: 2 } },
    autoCreateTopics: false,
  })
  client = new KafkaClient({ hosts: kafka.hosts })
})
afterEach(async () => {
  kafka.faults.clear()
  await client.close()
  await kafka.stop()
})

/** Values are their numbers. */
async function write(count: number, topic = 't', compression: 'none' | 'gzip' = 'none') {
  await using producer = await client.topic(topic).getProducer({ compression, lingerMs: 5 })
  for (let i = 0; i < count; i++) void producer.produce(String(i), { partition: 0 })
  await producer.flush()
}

const numberOf = ({ value }: ConsumedMessage) => Number(value)
const upTo = (count: number) => Array.from({ length: count }, (_, i) => i)

describe('a producer', () => {
  it('accepts an empty list of messages, and a message without key or headers (tulios/kafkajs#284, #193)', async () => {
    await using producer = await client.topic('t').getProducer()
    expect(await producer.produceMany([])).toMatchObject({ messages: 0 })
    await producer.produceMany([{ value: 'x', key: null }, { value: null }])
    await using consumer = await client.topic('t').getSimpleConsumer({ stopAtEnd: true })
    const keys: unknown[] = []
    for await (const { key } of consumer) keys.push(key)
    expect(keys).toEqual([null, null])
  })

  it('sends all messages when one call names a topic several times (tulios/kafkajs#622)', async () => {
    await using producer = await client.getProducer()
    await producer.produceMany([
      { topic: 't', value: '0' },
      { topic: 'u', value: '0', partition: 0 },
      { topic: 't', value: '1' },
      { topic: 'u', value: '1', partition: 0 },
      { topic: 't', value: '2' },
    ])
    for (const [topic, count] of [
      ['t', 3],
      ['u', 2],
    ] as const) {
      await using consumer = await client.topic(topic).getSimpleConsumer({ stopAtEnd: true })
      const seen: number[] = []
      for await (const message of consumer) seen.push(numberOf(message))
      expect(seen).toEqual(upTo(count))
    }
  })

  it('delivers to topics that exist although another does not exist (tulios/kafkajs#1078)', async () => {
    await using producer = await client.getProducer({ deliveryTimeoutMs: 5_000 })
    const results = await producer
      .produceMany([
        { topic: 'missing', value: '0' },
        { topic: 't', value: '0' },
        { topic: 'u', value: '0' },
      ])
      .catch((error: unknown) => error)
    expect(results).toMatchObject({ delivered: 2, code: 'UNKNOWN_TOPIC_OR_PARTITION' })
  })

  it('closes within its timeout while the brokers are down and messages are retried (IBM/sarama#2121)', async () => {
    const producer = await client.topic('t').getProducer({ deliveryTimeoutMs: 60_000 })
    await producer.produce('0')
    for (const id of kafka.brokerIds) await kafka.stopBroker(id)
    const lost = producer.produce('1').catch((error: unknown) => error)
    await producer.close({ timeoutMs: 200 })
    expect(await lost).toBeInstanceOf(Error)
    await client.close()
  })
})

describe('a consumer', () => {
  it('that seeks commits nothing (tulios/kafkajs#395)', async () => {
    await write(10)
    await using consumer = await client.topic('t').getSimpleConsumer({ consumerGroup: 'g' })
    consumer.seek(0, 7)
    expect(numberOf((await consumer.consume())!)).toBe(7)
    expect(kafka.requests.all({ api: 'OffsetCommit' })).toEqual([])
    expect(await consumer.fetchOffsets()).toEqual(new Map())
  })

  it('whose handler throws, in a group without commits, receives the message again (tulios/kafkajs#238)', async () => {
    await write(3)
    const options = { consumerGroup: 'g', autoOffsetReset: 'latest', managed: true } as const
    await using producer = await client.topic('t').getProducer()
    await using consumer = await client.topic('t').getBalancedConsumer(options)
    await producer.produce('3')
    const seen: number[] = []
    const handle = (message: ConsumedMessage) => {
      seen.push(numberOf(message))
      if (seen.length < 3) throw new Error('not yet')
      void consumer.close()
    }
    await expect(consumer.run(handle)).rejects.toThrow('not yet')
    await expect(consumer.run(handle)).rejects.toThrow('not yet')
    await consumer.run(handle)
    expect(seen).toEqual([3, 3, 3])
  })

  it('that is paused between batches loses no prefetched message (confluentinc/confluent-kafka-javascript#517)', async () => {
    for (let i = 0; i < 12; i++) await write(10)
    await using consumer = await client.topic('t').getSimpleConsumer({
      stopAtEnd: true,
      // Several responses are on their way when it is paused.
      fetchMessageMaxBytes: 200,
    })
    const seen: number[] = []
    for await (const batch of consumer.batches()) {
      seen.push(...batch.messages.map(({ offset }) => offset))
      consumer.pause()
      await nextTurn()
      consumer.resume()
    }
    expect(seen).toEqual(upTo(120))
  })

  it('that is paused and resumed opens no connections and cancels no fetches (twmb/franz-go#585)', async () => {
    await using consumer = await client.topic('u').getSimpleConsumer({ fetchWaitMaxMs: 50 })
    await kafka.requests.next({ api: 'Fetch' })
    let connections = 0
    const count = () => connections++
    subscribe('samsa:connect', count)
    for (let i = 0; i < 50; i++) {
      consumer.pause([i % 2])
      await nextTurn()
      consumer.resume([i % 2])
    }
    for (let fetches = 0; fetches < 3; fetches++) await kafka.requests.next({ api: 'Fetch' })
    unsubscribe('samsa:connect', count)
    expect(connections).toBe(0)
    await write(1, 'u')
    expect(numberOf((await consumer.consume())!)).toBe(0)
  })

  it('that seeks into a compressed batch starts at that offset (dpkp/kafka-python#1214)', async () => {
    await write(100, 't', 'gzip')
    await using consumer = await client.topic('t').getSimpleConsumer()
    for (const offset of [80, 3, 99, 50]) {
      consumer.seek(0, offset)
      expect((await consumer.consume())?.offset).toBe(offset)
      expect(consumer.position(0)).toBe(offset + 1)
    }
  })

  it('continues across gaps of a compacted topic, within a batch and after it (IBM/sarama#1005)', async () => {
    // Of eleven offsets two records are left, the last ones are gone.
    const kept = batchOf(['kept', 'kept too'])
    kept.writeInt32BE(10, 23)
    kept.writeUInt32BE(crc32c(kept, 21), 17)
    kafka.append('t', 0, kept)
    await write(1)
    await using consumer = await client.topic('t').getSimpleConsumer({ stopAtEnd: true })
    // An offset in the batch that has no record any more.
    consumer.seek(0, 5)
    const seen: number[] = []
    for await (const { offset } of consumer) seen.push(offset)
    expect(seen).toEqual([11])
  })

  it('that was moved to the end knows its position without reading (dpkp/kafka-python#2677)', async () => {
    await write(42)
    await using consumer = await client.topic('t').getSimpleConsumer()
    await consumer.resetOffsets('latest')
    expect(consumer.position(0)).toBe(42)
    await consumer.resetOffsets('earliest')
    expect(consumer.position(0)).toBe(0)
  })

  it('reads batches as long as there are any (platformatic/kafka#228)', async () => {
    await using producer = await client.topic('u').getProducer()
    await using consumer = await client.topic('u').getSimpleConsumer({ queuedMaxMessages: 20 })
    const seen = [0, 0]
    const batches = consumer.batches()
    for (let round = 0; round < 100; round++) {
      const values = Array.from({ length: 20 }, (_, i) => ({ value: 'x', partition: i % 2 }))
      await producer.produceMany(values)
      while (seen[0]! + seen[1]! < 20 * (round + 1)) {
        const { value: batch } = await batches.next()
        for (const { partition, offset } of batch!) expect(offset).toBe(seen[partition]!++)
      }
    }
    expect(seen).toEqual([1_000, 1_000])
  })

  it('whose stream is open keeps reading after all brokers were down (Blizzard/node-rdkafka#887)', async () => {
    await write(3)
    await using consumer = await client.topic('t').getSimpleConsumer()
    const seen: number[] = []
    const stream = consumer.stream()
    stream.on('data', (message: ConsumedMessage) => seen.push(numberOf(message)))
    await until(() => seen.length === 3)
    for (const id of kafka.brokerIds) await kafka.stopBroker(id)
    // Longer than a first wait before it connects again.
    await new Promise((resolve) => setTimeout(resolve, 500))
    for (const id of kafka.brokerIds) await kafka.startBroker(id)
    await write(2)
    await until(() => seen.length === 5)
    expect(seen).toEqual([0, 1, 2, 0, 1])
    stream.destroy()
  })
})

describe('a member of a group', () => {
  const member = (options = {}) =>
    client.topic('u').getBalancedConsumer({
      managed: true,
      consumerGroup: 'g',
      heartbeatIntervalMs: 30,
      ...options,
    })

  it('reads a partition that it had paused when it was revoked and assigned again (twmb/franz-go#1272)', async () => {
    await write(1, 'u')
    const first = await member()
    first.pause()
    const second = await member()
    await until(() => first.partitions.length === 1)
    await second.close()
    await until(() => first.partitions.length === 2)
    // The range assignor takes everything away, and a partition that comes back is a new assignment.
    expect(first.paused).toEqual([])
    expect(numberOf((await first.consume())!)).toBe(0)
    await first.close()
  })

  it('closes although it has hooks for rebalances (Blizzard/node-rdkafka#330)', async () => {
    const calls: string[] = []
    const consumer = await member({
      onPartitionsAssigned: () => void calls.push('assigned'),
      onPartitionsRevoked: () => void calls.push('revoked'),
    })
    await consumer.close()
    expect(calls).toEqual(['assigned', 'revoked'])
  })

  it('closes while it joins (confluentinc/librdkafka#2615)', async () => {
    const joins = kafka.faults.on({ api: 'JoinGroup' }, { hold: true })
    const consumer = await member({ autoStart: false })
    const joining = kafka.requests.next({ api: 'JoinGroup' })
    const starting = consumer.start().catch((error: unknown) => error)
    await joining
    const closed = consumer.close()
    joins.release()
    await closed
    expect(await starting).toMatchObject({ code: 'CLOSED' })
    // Its place is free: the next one has everything at once.
    const next = await member()
    expect(next.partitions).toEqual([0, 1])
  })
})
