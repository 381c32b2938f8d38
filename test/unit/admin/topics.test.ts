import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { createTopics } from '../../../protocol/apis/create-topics.ts'
import { metadata } from '../../../protocol/apis/metadata.ts'
import { ErrorCode } from '../../../protocol/errors.ts'
import { EmbeddedCluster } from '../../../src/embedded/index.ts'
import { KafkaClient, type Admin } from '../../../src/index.ts'
import { FakeBroker } from '../../support/fake-broker.ts'
import { layoutOf, metadataOf, QUICK } from '../../support/fake-cluster.ts'
import { PATIENCE_MS } from '../../support/patience.ts'
import { failureOf } from '../../support/settled.ts'
import { holdNext } from '../../embedded/support/hold-next.ts'

const NO_TOPIC = 'AAAAAAAAAAAAAAAAAAAAAQ'

let kafka: EmbeddedCluster
let client: KafkaClient
let admin: Admin
beforeAll(async () => {
  const topics = { invoices: { partitions: 1 }, orders: { partitions: 5 } }
  kafka = await EmbeddedCluster.start({ brokers: 3, topics })
  client = new KafkaClient({ ...QUICK, hosts: kafka.hosts })
  admin = client.admin
})
afterAll(async () => {
  await client.close()
  await kafka.stop()
})

describe('topics by name', () => {
  it('are identical in pages of any size, and in Metadata', async () => {
    const names = ['orders', 'none', 'invoices']
    const whole = await admin.describeTopics(names)
    expect(whole.map(({ topic, partitions }) => [topic, partitions.length])).toEqual([
      ['orders', 5],
      ['none', 0],
      ['invoices', 1],
    ])
    expect(whole[1]?.error).toMatchObject({ code: 'UNKNOWN_TOPIC_OR_PARTITION' })
    expect(whole[0]).not.toHaveProperty('authorizedOperations')
    for (const responsePartitionLimit of [1, 2, 3]) {
      const paged = await admin.describeTopics(names, { responsePartitionLimit })
      expect(paged).toEqual(whole)
    }
    const requests = kafka.requests.all({ api: 'DescribeTopicPartitions' })
    expect(requests.length).toBeGreaterThan(8)
    const listed = await admin.listTopics()
    const eligible = { eligibleLeaderReplicas: [], lastKnownEligibleLeaderReplicas: [] }
    expect(whole.filter(({ error }) => error === undefined).reverse()).toEqual(
      listed.map((topic) => ({
        ...topic,
        partitions: topic.partitions.map((partition) => ({ ...partition, ...eligible })),
      })),
    )
  })

  it('are returned by Metadata when brokers have no pages', async () => {
    await using old = await EmbeddedCluster.start({ version: '3.9', topics: { orders: {} } })
    await using its = new KafkaClient({ ...QUICK, hosts: old.hosts })
    const [described] = await its.admin.describeTopics(['orders'], {
      includeAuthorizedOperations: true,
    })
    expect(described?.partitions).toHaveLength(1)
    expect(described?.partitions[0]).not.toHaveProperty('eligibleLeaderReplicas')
    expect(described?.authorizedOperations).toContain('read')
    const listed: string[] = []
    for await (const { topic } of its.admin.eachTopic()) listed.push(topic)
    expect(listed).toEqual(['orders'])
  })

  it('that this client may not see are returned once, no matter how many pages there are', async () => {
    const sasl = { users: { admin: 'admin-secret', alice: 'alice-secret' } }
    await using guarded = await EmbeddedCluster.start({
      topics: { hidden: {}, orders: { partitions: 3 } },
      sasl,
      authorizer: { superUsers: ['User:admin'] },
    })
    const as = (username: 'admin' | 'alice') =>
      new KafkaClient({
        ...QUICK,
        hosts: guarded.hosts,
        sasl: { mechanism: 'PLAIN', username, password: sasl.users[username] },
      })
    await using owner = as('admin')
    const right = { principal: 'User:alice', operation: 'describe' } as const
    await owner.admin.createAcls([{ ...right, resourceType: 'topic', resourceName: 'orders' }])
    await using its = as('alice')
    const [hidden, seen] = await its.admin.describeTopics(['hidden', 'orders'], {
      responsePartitionLimit: 1,
      timeoutMs: 1_000,
    })
    expect(hidden?.error).toMatchObject({ code: 'TOPIC_AUTHORIZATION_FAILED' })
    expect(seen?.partitions).toHaveLength(3)
  })
})

describe('topics by id', () => {
  it('are described and deleted, and ids without a topic are named', async () => {
    const [created] = await admin.createTopics([{ topic: 'by-id', partitions: 2 }])
    const topicId = created!.topicId!
    const [found, unknown] = await admin.describeTopicsById([topicId, NO_TOPIC])
    expect(found).toMatchObject({ topicId, topic: 'by-id' })
    expect(found?.partitions).toHaveLength(2)
    expect(unknown).toMatchObject({ topicId: NO_TOPIC, partitions: [] })
    expect(unknown?.error).toMatchObject({ code: 'UNKNOWN_TOPIC_ID' })
    const deleted = await admin.deleteTopicsById([NO_TOPIC, topicId], { settle: true })
    expect(deleted.map((one) => [one.topic, one.error?.code])).toEqual([
      [undefined, 'UNKNOWN_TOPIC_ID'],
      ['by-id', undefined],
    ])
    expect((await admin.describeTopics(['by-id']))[0]?.error?.code).toBe(
      'UNKNOWN_TOPIC_OR_PARTITION',
    )
  })

  it('do not match a topic that was created since under the same name', async () => {
    const [first] = await admin.createTopics([{ topic: 'again', partitions: 1 }])
    await admin.deleteTopics(['again'])
    await admin.createTopics([{ topic: 'again', partitions: 1 }])
    expect(await failureOf(admin.deleteTopicsById([first!.topicId!]))).toMatchObject({
      code: 'UNKNOWN_TOPIC_ID',
    })
    expect((await admin.describeTopics(['again']))[0]?.error).toBeUndefined()
  })

  it('need releases that errors name, and valid ids', async () => {
    await using old = await EmbeddedCluster.start({ version: '1.1' })
    await using its = new KafkaClient({ ...QUICK, hosts: old.hosts })
    const [described] = await its.admin.describeTopicsById([NO_TOPIC])
    expect(described?.error?.message).toContain('Kafka 3.1')
    expect((await failureOf(its.admin.deleteTopicsById([NO_TOPIC]))).message).toContain('Kafka 2.8')
    expect((await failureOf(admin.deleteTopicsById(['orders']))).message).toContain(
      'each id must be a topic id of 22 characters',
    )
  })
})

describe('deleting a topic', () => {
  const topic = 'renewed'

  /** Holds the next request of the wait for the deletion until the topic is created again. */
  async function deletedAndCreated<Result>(
    api: 'Metadata' | 'CreateTopics',
    remove: () => Promise<Result>,
  ): Promise<Result> {
    const deletion = kafka.requests.next({ api: 'DeleteTopics' })
    const deleted = remove()
    await deletion
    const held = holdNext(kafka, api)
    await held.arrived
    kafka.createTopic(topic)
    held.release()
    return deleted
  }

  it.each(['Metadata', 'CreateTopics'] as const)(
    'ends its wait if the topic is created again before %s is answered',
    async (api) => {
      const options = { timeoutMs: PATIENCE_MS }
      kafka.createTopic(topic)
      const [first] = await admin.describeTopics([topic])
      const byName = () => admin.deleteTopics([topic], options)
      expect(await deletedAndCreated(api, byName)).toEqual([{ topic }])
      const [second] = await admin.describeTopics([topic])
      expect(second!.topicId).not.toBe(first!.topicId)
      const topicId = second!.topicId!
      const byId = () => admin.deleteTopicsById([topicId], options)
      expect(await deletedAndCreated(api, byId)).toEqual([{ topicId, topic }])
      expect((await admin.describeTopics([topic]))[0]!.topicId).not.toBe(topicId)
      await admin.deleteTopics([topic])
    },
  )
})

describe('topic changes that exceed the quota of the controller', () => {
  it("are retried until the call's deadline, or fail at once if the caller configures that", async () => {
    await using broker = await FakeBroker.start()
    const layout = layoutOf([broker])
    broker.handle(metadata, () => ({ ...metadataOf(layout, []), controllerId: 1 }))
    let refusals = 0
    broker.handle(createTopics, ({ topics }) => ({
      topics: topics.map(({ name }) => ({
        name,
        errorCode: refusals++ < 2 ? ErrorCode.THROTTLING_QUOTA_EXCEEDED : 0,
      })),
    }))
    await using its = new KafkaClient({ ...QUICK, hosts: broker.name })
    const topic = { topic: 'orders', partitions: 1, replicationFactor: 1 }
    const options = { waitUntilVisible: false } as const
    const refused = its.admin.createTopics([topic], { ...options, retryOnQuotaViolation: false })
    expect(await failureOf(refused)).toMatchObject({ code: 'THROTTLING_QUOTA_EXCEEDED' })
    expect(refusals).toBe(1)
    await its.admin.createTopics([topic], options)
    expect(refusals).toBe(3)
  })
})
