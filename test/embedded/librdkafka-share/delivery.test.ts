/** What share groups deliver, in the cases of librdkafka's share tests that no other file here has. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { shareFetch } from '../../../protocol/apis/share-fetch.ts'
import { EmbeddedCluster } from '../../../src/embedded/index.ts'
import { KafkaClient, type ShareConsumer, type ShareMessage } from '../../../src/index.ts'
import {
  lagOf,
  newQueue,
  nextOf,
  numberOf,
  take,
  writeNumbers,
  type Queue,
} from '../../support/share/queue.ts'
import { until } from '../../support/until.ts'

const optionsOf = ({ topic, group }: Queue) => ({ topics: [topic], shareGroup: group })
const explicitly = (queue: Queue) =>
  ({ ...optionsOf(queue), acknowledgementMode: 'explicit' }) as const
const upTo = (count: number, first = 0) => Array.from({ length: count }, (_, at) => first + at)
const inOrder = (numbers: readonly number[]) => [...numbers].sort((a, b) => a - b)

describe('a share group', () => {
  let kafka: EmbeddedCluster
  let client: KafkaClient

  beforeEach(async () => {
    kafka = await EmbeddedCluster.start({ brokers: 2, shareAutoOffsetReset: 'earliest' })
    // Topics that are created later are found in the metadata soon.
    client = new KafkaClient({ hosts: kafka.hosts, metadataMaxAgeMs: 200 })
  })
  afterEach(async () => {
    await client.close()
    await kafka.stop()
  })

  const drained = (queue: Queue) => until(async () => (await lagOf(client, queue)) === 0)

  const configure = ({ group }: Queue, set: Readonly<Record<string, string>>) =>
    client.admin.incrementalAlterConfigs([{ type: 'group', name: group, set }])

  /** Runs the consumer, and returns what it handles and the run, which ends when the consumer is closed. */
  function running(consumer: ShareConsumer) {
    const got: ShareMessage[] = []
    const run = consumer.run((message) => {
      got.push(message)
    })
    const close = async () => {
      await consumer.close()
      await run
    }
    return { got, close }
  }

  /** Another member, whose connection ends before it acknowledges what it has acquired. */
  async function crashWith(records: number, queue: Queue): Promise<number> {
    const [topic] = await client.admin.describeTopics([queue.topic])
    await using other = new KafkaClient({ hosts: kafka.hosts })
    const limits = { maxWaitMs: 0, minBytes: 0, maxRecords: records, batchSize: records }
    const partitions = [{ partitionIndex: 0, acknowledgementBatches: [] }]
    const { responses } = await other.request(
      shareFetch,
      {
        ...limits,
        groupId: queue.group,
        memberId: 'another',
        shareSessionEpoch: 0,
        isRenewAck: false,
        topics: [{ topicId: topic!.topicId!, partitions }],
        forgottenTopicsData: [],
      },
      { to: { leader: { topic: queue.topic, partition: 0 } } },
    )
    const acquired = responses[0]?.partitions[0]?.acquiredRecords ?? []
    return acquired.reduce(
      (sum, { firstOffset, lastOffset }) => sum + Number(lastOffset - firstOffset) + 1,
      0,
    )
  }

  it('delivers the messages of 15 topics with two partitions each to its members, each message once', async () => {
    const queues: Queue[] = []
    for (let at = 0; at < 15; at++) queues.push(await newQueue(client, 2))
    const shareGroup = 'all-topics'
    const topics = queues.map(({ topic }) => topic)
    const members = [
      running(await client.getShareConsumer({ topics, shareGroup })),
      running(await client.getShareConsumer({ topics, shareGroup })),
    ]
    await Promise.all(queues.map(({ topic }) => writeNumbers(client, topic, 20, { partitions: 2 })))
    for (const queue of queues) await drained({ ...queue, group: shareGroup })
    for (const { close } of members) await close()
    const got = members.flatMap((member) => member.got)
    expect(got.filter(({ deliveryCount }) => deliveryCount > 1)).toEqual([])
    for (const { topic } of queues) {
      const numbers = got.filter((message) => message.topic === topic).map(numberOf)
      expect(inOrder(numbers)).toEqual(upTo(20))
    }
  })

  it('gives more members than partitions an assignment, and those that are left all partitions', async () => {
    const queue = await newQueue(client, 2)
    const members: ShareConsumer[] = []
    while (members.length < 6) members.push(await client.getShareConsumer(optionsOf(queue)))
    await until(() => members.every(({ assignment }) => assignment.length > 0))
    const assigned = members.flatMap(({ assignment }) => assignment)
    expect(new Set(assigned.map(({ partition }) => partition))).toEqual(new Set([0, 1]))
    const [last, ...others] = members
    for (const member of others) await member.close()
    await until(() => last!.assignment.length === 2)
  })

  it('delivers to each member only the topics to which it has subscribed', async () => {
    const [shared, one, two] = [
      await newQueue(client),
      await newQueue(client),
      await newQueue(client),
    ]
    const shareGroup = 'overlapping'
    const first = running(
      await client.getShareConsumer({ topics: [shared.topic, one.topic], shareGroup }),
    )
    const second = running(
      await client.getShareConsumer({ topics: [shared.topic, two.topic], shareGroup }),
    )
    for (const queue of [shared, one, two]) {
      await writeNumbers(client, queue.topic, 20)
      await drained({ ...queue, group: shareGroup })
    }
    await first.close()
    await second.close()
    const numbersOf = (messages: readonly ShareMessage[], { topic }: Queue) =>
      inOrder(messages.filter((message) => message.topic === topic).map(numberOf))
    expect(numbersOf(first.got, one)).toEqual(upTo(20))
    expect(numbersOf(second.got, two)).toEqual(upTo(20))
    expect(numbersOf(first.got, two)).toEqual([])
    expect(numbersOf(second.got, one)).toEqual([])
    expect(numbersOf([...first.got, ...second.got], shared)).toEqual(upTo(20))
  })

  it('receives all messages although other groups read the topic, from where its own config says', async () => {
    const queue = await newQueue(client)
    const late = { ...queue, group: `${queue.group}-late` }
    await configure(late, { 'share.auto.offset.reset': 'latest' })
    await writeNumbers(client, queue.topic, 5)
    const groups = ['', '-2', '-3', '-4'].map((suffix) => ({
      ...queue,
      group: `${queue.group}${suffix}`,
    }))
    const readers = []
    for (const group of groups)
      readers.push(running(await client.getShareConsumer(optionsOf(group))))
    const lateReader = running(await client.getShareConsumer(optionsOf(late)))
    // The group has a start offset, the end of the partition.
    await drained(late)
    await writeNumbers(client, queue.topic, 5, { first: 5 })
    for (const group of [...groups, late]) await drained(group)
    for (const { close } of [...readers, lateReader]) await close()
    for (const { got } of readers) expect(got.map(numberOf)).toEqual(upTo(10))
    expect(lateReader.got.map(numberOf)).toEqual(upTo(5, 5))
  })

  it('reads a topic that is created after its members have subscribed, and continues with the others when one is deleted', async () => {
    const queue = await newQueue(client)
    const later = { topic: `${queue.topic}-later`, group: queue.group, partitions: 1 }
    const topics = [queue.topic, later.topic]
    const consumer = await client.getShareConsumer({ topics, shareGroup: queue.group })
    const { got, close } = running(consumer)
    await writeNumbers(client, queue.topic, 2)
    await drained(queue)
    await client.admin.createTopics([{ topic: later.topic, partitions: 1 }])
    await writeNumbers(client, later.topic, 2, { first: 2 })
    await drained(later)
    await client.admin.deleteTopics([queue.topic])
    await until(() => consumer.assignment.every(({ topic }) => topic === later.topic))
    await writeNumbers(client, later.topic, 2, { first: 4 })
    await drained(later)
    await close()
    expect(got.map(numberOf)).toEqual(upTo(6))
  })

  it('reads partitions that are added, and a topic that is created again with another number of partitions', async () => {
    const queue = await newQueue(client, 2)
    const { got, close } = running(await client.getShareConsumer(optionsOf(queue)))
    await writeNumbers(client, queue.topic, 4, { partitions: 2 })
    await drained(queue)
    await client.admin.createPartitions([{ topic: queue.topic, count: 5 }])
    await writeNumbers(client, queue.topic, 10, { first: 4, partitions: 5 })
    await drained({ ...queue, partitions: 5 })
    expect(inOrder(got.map(numberOf))).toEqual(upTo(14))
    for (const partitions of [3, 1]) {
      got.length = 0
      await client.admin.deleteTopics([queue.topic])
      await client.admin.createTopics([{ topic: queue.topic, partitions }])
      await writeNumbers(client, queue.topic, 6, { partitions })
      await drained({ ...queue, partitions })
      expect(inOrder(got.map(numberOf))).toEqual(upTo(6))
    }
    await close()
  })

  it('delivers messages as they were written: without bytes, with many headers, with each compression', async () => {
    const queue = await newQueue(client)
    const consumer = await client.getShareConsumer(optionsOf(queue))
    const headers = upTo(100).map((at) => ({ key: `header-${at % 50}`, value: `value ${at}` }))
    headers.push({ key: 'large', value: 'x'.repeat(100_000) })
    for (const compression of ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const) {
      await using producer = await client.topic(queue.topic).getProducer({ compression })
      void producer.produce('', { key: '' })
      void producer.produce(null, { key: null })
      void producer.produce(compression, { headers })
      await producer.flush()
      const [empty, tombstone, full] = await take(consumer, 3)
      expect([empty?.value, empty?.key]).toEqual([Buffer.alloc(0), Buffer.alloc(0)])
      expect([tombstone?.value, tombstone?.key]).toEqual([null, null])
      expect(String(full?.value)).toBe(compression)
      const read = full?.headers.map(({ key, value }) => ({ key, value: String(value) }))
      expect(read).toEqual(headers)
    }
    await consumer.close()
  })

  it('delivers messages that are larger than fetchMaxBytes', async () => {
    const queue = await newQueue(client)
    const { got, close } = running(
      await client.getShareConsumer({ ...optionsOf(queue), fetchMaxBytes: 1 }),
    )
    // Each in a batch of its own.
    for (const first of upTo(5)) await writeNumbers(client, queue.topic, 1, { first })
    await using producer = await client.topic(queue.topic).getProducer()
    await producer.produce('5'.padEnd(100_000))
    await producer.flush()
    await drained(queue)
    await close()
    expect(got.map(numberOf)).toEqual(upTo(6))
  })

  it('continues behind messages that were deleted, also those that a member holds', async () => {
    const queue = await newQueue(client)
    await writeNumbers(client, queue.topic, 10)
    const consumer = await client.getShareConsumer({
      ...explicitly(queue),
      acquireMode: 'record_limit',
      maxRecords: 5,
    })
    const held = await take(consumer, 5)
    await client.admin.deleteRecords([{ topic: queue.topic, partition: 0, beforeOffset: 7 }])
    for (const message of held) message.accept()
    await consumer.flush()
    const left = await take(consumer, 3)
    expect(left.map(numberOf)).toEqual([7, 8, 9])
    for (const message of left) message.accept()
    expect(await consumer.flush()).toMatchObject([{ acknowledged: 3, failed: 0 }])
    await drained(queue)
    await consumer.close()
  })

  it('locks no more messages of a partition than its config allows, and counts only those that are locked', async () => {
    const queue = await newQueue(client, 1, { 'share.partition.max.record.locks': '100' })
    for (let first = 0; first < 250; first += 10) {
      await writeNumbers(client, queue.topic, 10, { first })
    }
    const [one, two] = [
      await client.getShareConsumer(explicitly(queue)),
      await client.getShareConsumer(explicitly(queue)),
    ]
    const held = await take(one, 100)
    const next = nextOf(two)
    // All are locked: the fetch of the other member stays without a message until some are accepted.
    await kafka.requests.next({ api: 'ShareFetch' })
    expect(await crashWith(500, queue)).toBe(0)
    for (const message of held.slice(0, 50)) message.accept()
    await one.flush()
    const more = [await next, ...(await take(two, 49))]
    expect(inOrder(more.map(numberOf))).toEqual(upTo(50, 100))
    for (const message of [...held.slice(50), ...more]) message.accept()
    await one.close()
    await two.close()
    expect(await lagOf(client, queue)).toBe(100)
  })

  it('delivers what crashed members held until the limit of deliveries, and then never again', async () => {
    const queue = await newQueue(client, 1, { 'share.delivery.count.limit': '3' })
    await writeNumbers(client, queue.topic, 3)
    const crash = async () => {
      let acquired = 0
      await until(async () => (acquired = await crashWith(10, queue)) > 0)
      return acquired
    }
    // The group exists from now on.
    await (await client.getShareConsumer(optionsOf(queue))).close()
    expect([await crash(), await crash()]).toEqual([3, 3])
    const consumer = await client.getShareConsumer(explicitly(queue))
    const messages = await take(consumer, 3)
    expect(messages.map(({ deliveryCount }) => deliveryCount)).toEqual([3, 3, 3])
    messages[0]!.accept()
    for (const message of messages.slice(1)) message.release()
    await consumer.flush()
    expect(await lagOf(client, queue)).toBe(0)
    await writeNumbers(client, queue.topic, 1, { first: 3 })
    expect(numberOf(await nextOf(consumer))).toBe(3)
    await consumer.close()
  })

  it('obeys an isolation level that changes while it is in use', async () => {
    const queue = await newQueue(client, 1, { 'share.isolation.level': 'read_committed' })
    await using producer = await client.getTransactionalProducer({ transactionalId: queue.topic })
    const { got, close } = running(await client.getShareConsumer(optionsOf(queue)))
    const write = async (first: number) => {
      // Committed, and every third one aborted.
      for (let number = first; number < first + 6; number++) {
        const transaction = await producer.begin()
        await transaction.produce(queue.topic, String(number))
        if (number % 3 === 2) await transaction.abort()
        else await transaction.commit()
      }
      await drained(queue)
    }
    await write(0)
    expect(got.map(numberOf)).toEqual([0, 1, 3, 4])
    await configure(queue, { 'share.isolation.level': 'read_uncommitted' })
    await write(6)
    expect(got.map(numberOf).slice(4)).toEqual(upTo(6, 6))
    await configure(queue, { 'share.isolation.level': 'read_committed' })
    await write(12)
    expect(got.map(numberOf).slice(10)).toEqual([12, 13, 15, 16])
    await close()
  })

  it('reads what several producers commit in interleaved transactions, and what others write without one', async () => {
    const queue = await newQueue(client, 3, { 'share.isolation.level': 'read_committed' })
    const { got, close } = running(await client.getShareConsumer(optionsOf(queue)))
    const ids = ['one', 'two'].map((name) => `${queue.topic}-${name}`)
    const producers = await Promise.all(
      ids.map((transactionalId) => client.getTransactionalProducer({ transactionalId })),
    )
    const [one, two] = await Promise.all(producers.map((producer) => producer.begin()))
    for (let number = 0; number < 12; number++) {
      const transaction = number % 2 === 0 ? one! : two!
      const message = { value: String(number), partition: number % 3 }
      await transaction.produce(queue.topic, message)
    }
    await writeNumbers(client, queue.topic, 6, { first: 12, partitions: 3 })
    await one!.commit()
    await two!.abort()
    await drained(queue)
    await close()
    for (const producer of producers) await producer.close()
    expect(inOrder(got.map(numberOf))).toEqual([0, 2, 4, 6, 8, 10, ...upTo(6, 12)])
  })
})
