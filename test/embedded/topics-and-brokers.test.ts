import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { KafkaClient } from '../../src/client.ts'
import { EmbeddedCluster } from '../../src/embedded/index.ts'
import type { CallOptions } from '../../src/index.ts'
import { failureOf } from '../support/settled.ts'

let kafka: EmbeddedCluster
let client: KafkaClient

beforeAll(async () => {
  kafka = await EmbeddedCluster.start({ brokers: 2, topics: { t: { partitions: 2 } } })
  client = new KafkaClient({ hosts: kafka.hosts })
  await using producer = await client.topic('t').getProducer()
  for (let time = 0; time < 5; time++) {
    void producer.produce(`${time}`, { partition: 1, timestamp: 1_000 + time })
  }
  await producer.flush()
  // Makes the internal topic of offsets.
  await using consumer = await client.topic('t').getSimpleConsumer({ consumerGroup: 'g' })
  await consumer.commitOffsets(new Map([[1, 2]]))
})

afterAll(async () => {
  await client.close()
  await kafka.stop()
})

async function names(options = {}): Promise<string[]> {
  return (await client.topics.list(options)).map(({ name }) => name)
}

describe('client.topics', () => {
  it('lists topics, and internal ones only on request', async () => {
    expect(await names()).toContain('t')
    expect(await names()).not.toContain('__consumer_offsets')
    const all = await client.admin.listTopics({ includeInternal: true })
    expect(await names({ excludeInternalTopics: false })).toEqual(all.map(({ topic }) => topic))
  })

  it('shows topics that are created and deleted later', async () => {
    expect(await client.topics.has('later')).toBe(false)
    expect(await client.topic('later').create({ partitions: 3, replicationFactor: 2 })).toBe(true)
    expect(await client.topics.has('later')).toBe(true)
    expect(await names()).toContain('later')
    const topic = await client.topics.get('later')
    expect(topic).toBe(client.topic('later'))
    expect(await topic.partitions()).toHaveLength(3)
    await client.admin.deleteTopics(['later'])
    expect(await client.topics.has('later')).toBe(false)
    expect(await names()).not.toContain('later')
  })

  it('yields topics one by one', async () => {
    const found: string[] = []
    for await (const topic of client.topics) found.push(topic.name)
    expect(found).toEqual(await names())
  })

  it('throws for a topic that does not exist, and creates none', async () => {
    expect(await failureOf(client.topics.get('none'))).toMatchObject({
      name: 'UnknownTopicError',
    })
    expect(await client.topics.has('none')).toBe(false)
  })

  it('rejects invalid options and names', async () => {
    for (const call of [
      () => client.topics.list({ includeInternal: true } as never),
      () => client.topics.has('a b'),
      () => client.topics.get(7 as never),
    ]) {
      expect(await failureOf(call())).toMatchObject({ code: 'INVALID_ARGUMENT' })
    }
  })
})

describe('topic.create', () => {
  it('throws for a topic that exists, unless that is allowed', async () => {
    const topic = client.topic('t')
    expect(await failureOf(topic.create())).toMatchObject({ code: 'TOPIC_ALREADY_EXISTS' })
    expect(await topic.create({ ifNotExists: true })).toBe(false)
    expect(await failureOf(topic.create({ partition: 3 } as never))).toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining("topic.create has no option 'partition'"),
    })
  })

  it('creates the topic with the given configs and replicas', async () => {
    const topic = client.topic('configured')
    const [first, second] = kafka.brokerIds
    await topic.create({
      assignments: [[second!], [first!]],
      configs: { 'cleanup.policy': 'compact' },
    })
    expect((await topic.partitions()).map(({ leader }) => leader)).toEqual([second, first])
    const [described] = await client.admin.describeConfigs([{ type: 'topic', name: 'configured' }])
    expect(described?.configs).toContainEqual(
      expect.objectContaining({ name: 'cleanup.policy', value: 'compact' }),
    )
  })
})

describe('a partition', () => {
  it('has a leader, replicas, an ISR, and its own offsets', async () => {
    const [empty, full] = await client.topic('t').partitions()
    expect(full).toMatchObject({ topic: 't', id: 1, partition: 1, errorCode: 0 })
    expect(full!.replicas).toContain(full!.leader)
    expect(full!.isr).toContain(full!.leader)
    expect(await empty!.latestAvailableOffset()).toBe(0)
    expect(await full!.earliestAvailableOffset()).toBe(0)
    expect(await full!.latestAvailableOffset()).toBe(5)
    expect(await full!.fetchOffset(new Date(1_003))).toBe(3)
    expect(await full!.fetchOffset(1_003)).toBe(3)
    expect(await full!.fetchOffset(2_000)).toBe(5)
  })

  it('has the earliest offset that retention has left', async () => {
    const topic = client.topic('shortened')
    await topic.create({ partitions: 1 })
    await using producer = await topic.getProducer()
    for (let count = 0; count < 4; count++) await producer.produce('x')
    await client.admin.deleteRecords([{ topic: 'shortened', partition: 0, beforeOffset: 3 }])
    const [partition] = await topic.partitions()
    expect(await partition!.earliestAvailableOffset()).toBe(3)
    expect(await topic.earliestAvailableOffsets()).toEqual(new Map([[0, 3]]))
  })

  it("names the replacement of pykafka's argument, and rejects invalid times", async () => {
    const [partition] = await client.topic('t').partitions()
    const topic = client.topic('t')
    const refusals: readonly (readonly [Promise<unknown>, string])[] = [
      [partition!.fetchOffset(-2), "must be 'earliest' for pykafka's OffsetType.EARLIEST"],
      [topic.fetchOffsets(-1), "must be 'latest' for pykafka's OffsetType.LATEST"],
      [topic.fetchOffsets(new Date('never')), 'must be a valid Date'],
      [
        topic.fetchOffsets('latest', { maxOffsets: 5 } as CallOptions),
        "'maxOffsets' is an option of fetchOffsetLimits()",
      ],
    ]
    for (const [call, text] of refusals) {
      expect(await failureOf(call)).toMatchObject({
        code: 'INVALID_ARGUMENT',
        message: expect.stringContaining(text),
      })
    }
  })
})

describe('client.brokers and client.cluster', () => {
  it('have the brokers with their addresses', async () => {
    const brokers = await client.brokers.list()
    expect(brokers.map(({ host, port }) => `${host}:${port}`).join()).toBe(kafka.hosts)
    expect(await client.brokers.has(brokers[0]!.id)).toBe(true)
    expect(await client.brokers.has(77)).toBe(false)
    expect((await client.brokers.get(brokers[1]!.id)).port).toBe(brokers[1]!.port)
    expect(await failureOf(client.brokers.get(77))).toMatchObject({ code: 'INVALID_ARGUMENT' })
    const ids: number[] = []
    for await (const { id } of client.brokers) ids.push(id)
    expect(ids).toEqual(brokers.map(({ id }) => id))
  })

  it('show whether there is a connection to a broker', async () => {
    const fresh = new KafkaClient({ hosts: kafka.hosts })
    const [broker] = await fresh.brokers.list()
    expect(broker!.connected).toBe(false)
    await broker!.apiVersions()
    expect(broker!.connected).toBe(true)
    await fresh.close()
    expect(broker!.connected).toBe(false)
  })

  it('have the id, the controller, coordinators and API versions', async () => {
    const { cluster } = client
    const described = await client.admin.describeCluster()
    expect(await cluster.id()).toBe(described.clusterId)
    expect((await cluster.controller())?.id).toBe(described.controller)
    const coordinator = await cluster.coordinator('g')
    const { groups } = await cluster.listGroups()
    expect(groups).toContainEqual(
      expect.objectContaining({ group: 'g', coordinator: coordinator.id }),
    )
    expect((await client.brokers.get(coordinator.id)).port).toBe(coordinator.port)
    const ofTransactions = await cluster.coordinator('id', { kind: 'transaction' })
    expect(await client.brokers.has(ofTransactions.id)).toBe(true)
    expect(await cluster.apiVersions()).toEqual(await coordinator.apiVersions())
    expect(await cluster.describeGroups(['g'])).toMatchObject([{ group: 'g' }])
    expect(await failureOf(cluster.coordinator(''))).toMatchObject({ code: 'INVALID_ARGUMENT' })
  })

  it('request the known topics once when the cluster is updated', async () => {
    const fresh = new KafkaClient({ hosts: kafka.hosts })
    await fresh.updateCluster()
    await fresh.topic('t').partitions()
    const count = () => kafka.requests.all({ api: 'Metadata' }).length
    const before = count()
    await fresh.updateCluster()
    expect(count()).toBe(before + 1)
    expect(kafka.requests.all({ api: 'Metadata' }).at(-1)?.body).toMatchObject({
      topics: [{ name: 't' }],
    })
    await fresh.close()
    expect(await failureOf(fresh.updateCluster())).toMatchObject({ code: 'CLOSED' })
    expect(await failureOf(fresh.topics.list())).toMatchObject({ code: 'CLOSED' })
  })
})
