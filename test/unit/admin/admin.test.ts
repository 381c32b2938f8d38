import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { EmbeddedCluster } from '../../../src/embedded/index.ts'
import { ItemsFailedError, KafkaClient, type Admin } from '../../../src/index.ts'
import { QUICK } from '../../support/fake-cluster.ts'
import { failureOf } from '../../support/settled.ts'

let kafka: EmbeddedCluster
let client: KafkaClient
let admin: Admin
beforeAll(async () => {
  kafka = await EmbeddedCluster.start({
    brokers: 3,
    topics: { orders: { partitions: 3 }, invoices: { partitions: 1 } },
  })
  client = new KafkaClient({ ...QUICK, hosts: kafka.hosts })
  admin = client.admin
})
afterAll(async () => {
  await client.close()
  await kafka.stop()
})

async function write(topic: string, partition: number, count: number): Promise<void> {
  await using producer = await client.topic(topic).getProducer({ lingerMs: 0 })
  for (let i = 0; i < count; i++) void producer.produce(`${i}`, { partition })
  await producer.flush()
}

describe('topics', () => {
  it('are listed by name, without internal ones unless requested', async () => {
    await admin.alterGroupOffsets('makes-the-topic', [{ topic: 'orders', partition: 0, offset: 0 }])
    const topics = await admin.listTopics()
    expect(topics.map(({ topic }) => topic)).toEqual(['invoices', 'orders'])
    expect(topics[1]?.partitions).toHaveLength(3)
    expect(topics[1]?.partitions[2]).toMatchObject({ partition: 2, isr: expect.any(Array) })
    expect(topics[1]?.topicId).toMatch(/^[\w-]{22}$/)
  })

  it('are listed by their names alone, with internal ones on request', async () => {
    expect(await admin.listTopicNames()).toEqual(['invoices', 'orders'])
    const all = await admin.listTopics({ includeInternal: true })
    const names = await admin.listTopicNames({ includeInternal: true })
    expect(names).toEqual(all.map(({ topic }) => topic))
  })

  it('are listed identically page by page', async () => {
    const topics = []
    for await (const topic of admin.eachTopic()) topics.push(topic.topic)
    expect(topics).toEqual(['invoices', 'orders'])
  })

  it('are described in the order of the names, a missing one with an error', async () => {
    const [missing, orders] = await admin.describeTopics(['missing', 'orders'])
    expect(missing).toMatchObject({ topic: 'missing', partitions: [] })
    expect(missing?.error).toMatchObject({ code: 'UNKNOWN_TOPIC_OR_PARTITION', topic: 'missing' })
    expect(orders?.error).toBeUndefined()
    expect((await admin.listTopics()).map(({ topic }) => topic)).not.toContain('missing')
  })

  it('can be used as soon as createTopics resolves, and created again once deleteTopics has', async () => {
    for (let round = 0; round < 3; round++) {
      const [created] = await admin.createTopics([
        { topic: 'short-lived', partitions: 4, configs: { 'retention.ms': '1000' } },
      ])
      expect(created).toMatchObject({ topic: 'short-lived', partitions: 4 })
      expect(await client.topic('short-lived').partitions()).toHaveLength(4)
      expect(await admin.deleteTopics(['short-lived'])).toEqual([{ topic: 'short-lived' }])
    }
  })

  it('fail with a result for each when one of them cannot be created', async () => {
    const failed = await failureOf(
      admin.createTopics([
        { topic: 'half-1', partitions: 1 },
        { topic: 'orders', partitions: 1 },
      ]),
    )
    expect(failed).toBeInstanceOf(ItemsFailedError)
    expect(failed).toMatchObject({ code: 'TOPIC_ALREADY_EXISTS', retriable: false })
    if (!(failed instanceof ItemsFailedError)) throw failed
    const { results, failures } = failed
    expect(results[0]).toMatchObject({ topic: 'half-1', partitions: 1 })
    expect(failures).toEqual([{ topic: 'orders', error: expect.anything() }])
    expect((failed as Error).message).toContain(
      "createTopics: 1 of 2 failed: creating topic 'orders'",
    )
    await admin.deleteTopics(['half-1'])
  })

  it('report errors item by item if the caller settles the call', async () => {
    const results = await admin.deleteTopics(['nobody', 'orders-2'], { settle: true })
    expect(results.map(({ topic, error }) => [topic, error?.code])).toEqual([
      ['nobody', 'UNKNOWN_TOPIC_OR_PARTITION'],
      ['orders-2', 'UNKNOWN_TOPIC_OR_PARTITION'],
    ])
  })

  it('are only validated with validateOnly', async () => {
    await admin.createTopics([{ topic: 'not-made', partitions: 1 }], { validateOnly: true })
    expect((await admin.listTopics()).map(({ topic }) => topic)).not.toContain('not-made')
  })

  it('get more partitions, which can be used at once', async () => {
    await admin.createTopics([{ topic: 'growing', partitions: 1 }])
    await admin.createPartitions([{ topic: 'growing', count: 3 }])
    await write('growing', 2, 1)
    const shrunk = await failureOf(admin.createPartitions([{ topic: 'growing', count: 2 }]))
    expect(shrunk).toMatchObject({ code: 'INVALID_PARTITIONS' })
    await admin.deleteTopics(['growing'])
  })

  it('with an invalid name or option are rejected before anything is sent', async () => {
    const before = kafka.requests.all().length
    for (const [call, message] of [
      [() => admin.createTopics([{ topic: '' }]), 'a topic must be a non-empty string'],
      [() => admin.createTopics([{ topic: 'a' }, { topic: 'a' }]), "topic 'a' is given twice"],
      [() => admin.createTopics([{ topic: 'a', partitions: 0 }]), "option 'partitions'"],
      [
        () => admin.createTopics([{ topic: 'a', partitions: 1, assignments: [[1]] }]),
        'either assignments or partitions',
      ],
      [() => admin.listTopics({ internal: true } as object), "listTopics has no option 'internal'"],
      [() => admin.listGroups({ settle: true } as object), "listGroups has no option 'settle'"],
      [
        () => admin.describeAcls({}, { settle: true } as object),
        "describeAcls has no option 'settle'",
      ],
    ] as const) {
      const error = await failureOf(call())
      expect(error).toMatchObject({ code: 'INVALID_ARGUMENT' })
      expect(error.message).toContain(message)
    }
    expect(kafka.requests.all().length).toBe(before)
  })
})

describe('records', () => {
  it('have offsets at positions and timestamps', async () => {
    await write('invoices', 0, 5)
    const at = async (position: Parameters<Admin['listOffsets']>[1]) =>
      (await admin.listOffsets([{ topic: 'invoices', partition: 0 }], position))[0]?.offset
    expect(await at('earliest')).toBe(0)
    expect(await at('latest')).toBe(5)
    expect(await at(new Date(0))).toBe(0)
    expect(await at(new Date('2100-01-01'))).toBeUndefined()
  })

  it('of a partition that does not exist have an error and no offset', async () => {
    const [found, missing] = await admin.listOffsets(
      [
        { topic: 'invoices', partition: 0 },
        { topic: 'invoices', partition: 7 },
      ],
      'latest',
    )
    expect(found).toMatchObject({ offset: 5 })
    expect(missing?.error).toMatchObject({ code: 'UNKNOWN_TOPIC_OR_PARTITION', partition: 7 })
    expect(missing).not.toHaveProperty('offset')
  })

  it('are deleted up to an offset, −1 for the high watermark, and an earlier one changes nothing', async () => {
    await write('orders', 1, 4)
    const to = (beforeOffset: number) =>
      admin.deleteRecords([{ topic: 'orders', partition: 1, beforeOffset }])
    expect(await to(3)).toEqual([{ topic: 'orders', partition: 1, lowWatermark: 3 }])
    expect(await to(1)).toMatchObject([{ lowWatermark: 3 }])
    expect(await failureOf(to(9))).toMatchObject({ code: 'OFFSET_OUT_OF_RANGE' })
    expect(await to(-1)).toMatchObject([{ lowWatermark: 4 }])
  })
})

describe('groups', () => {
  it('are listed and described with members, assignments and lag', async () => {
    await write('orders', 0, 10)
    await using member = await client.topic('orders').getBalancedConsumer({
      consumerGroup: 'readers',
      managed: true,
      autoOffsetReset: 'earliest',
    })
    const { groups, incomplete } = await admin.listGroups()
    expect(incomplete).toEqual([])
    expect(groups).toContainEqual(
      expect.objectContaining({ group: 'readers', state: 'Stable', protocolType: 'consumer' }),
    )
    const [described, missing] = await admin.describeGroups(['readers', 'nobody'])
    expect(described).toMatchObject({
      group: 'readers',
      state: 'Stable',
      assignor: 'range',
      members: [
        {
          memberId: member.memberId,
          subscribedTopics: ['orders'],
          assignment: [0, 1, 2].map((partition) => ({ topic: 'orders', partition })),
        },
      ],
    })
    expect(missing?.error).toMatchObject({ code: 'GROUP_ID_NOT_FOUND' })
    const [lag] = await admin.lag(['readers'])
    expect(lag).toMatchObject({ group: 'readers', state: 'Stable', lag: 10 })
    expect(lag?.partitions[0]).toMatchObject({
      topic: 'orders',
      partition: 0,
      lag: 10,
      endOffset: 10,
      memberId: member.memberId,
    })
    const live = await failureOf(
      admin.alterGroupOffsets('readers', [{ topic: 'orders', partition: 0, offset: 1 }]),
    )
    expect(live).toMatchObject({ code: 'UNKNOWN_MEMBER_ID' })
    expect(live.message).toContain('stop or remove them first')
    expect(await failureOf(admin.deleteGroups(['readers']))).toMatchObject({
      code: 'NON_EMPTY_GROUP',
    })
  })

  it('have offsets that can be set, listed and deleted', async () => {
    await admin.alterGroupOffsets('batch', [
      { topic: 'orders', partition: 2, offset: 0 },
      { topic: 'invoices', partition: 0, offset: 2, metadata: 'by hand' },
    ])
    const [offsets] = await admin.listGroupOffsets(['batch'])
    expect(offsets).toEqual({
      group: 'batch',
      offsets: [
        { topic: 'invoices', partition: 0, offset: 2, metadata: 'by hand' },
        { topic: 'orders', partition: 2, offset: 0 },
      ],
    })
    expect(await admin.lag(['batch'])).toMatchObject([{ group: 'batch', lag: 3, state: 'Empty' }])
    await admin.deleteGroupOffsets('batch', [{ topic: 'orders', partition: 2 }])
    expect((await admin.listGroupOffsets(['batch']))[0]?.offsets).toHaveLength(1)
    await admin.deleteGroups(['batch'])
    expect((await admin.listGroups()).groups.map(({ group }) => group)).not.toContain('batch')
  })

  it('have an unknown lag, never 0, when an end offset cannot be looked up', async () => {
    await admin.alterGroupOffsets('behind', [{ topic: 'invoices', partition: 0, offset: 0 }])
    const fault = kafka.faults.on(
      { api: 'ListOffsets', topic: 'invoices' },
      { error: 'TOPIC_AUTHORIZATION_FAILED' },
    )
    const [lag] = await admin.lag(['behind'])
    fault.remove()
    expect(lag).not.toHaveProperty('lag')
    expect(lag?.partitions[0]).not.toHaveProperty('lag')
    expect(lag?.partitions[0]?.error).toMatchObject({ code: 'TOPIC_AUTHORIZATION_FAILED' })
  })

  it('lose members that are removed', async () => {
    await using member = await client.topic('orders').getBalancedConsumer({
      consumerGroup: 'removing',
      managed: true,
    })
    const removed = await admin.removeMembers('removing', { reason: 'test' })
    expect(removed).toEqual([{ memberId: expect.any(String) }])
    expect(member.assignment).toBeDefined()
  })

  it('are listed with the brokers that did not respond', async () => {
    const fault = kafka.faults.on({ api: 'ListGroups', broker: 2 }, { close: true })
    const { incomplete } = await admin.listGroups({ timeoutMs: 1_500 })
    fault.remove()
    expect(incomplete).toEqual([{ broker: 2, error: expect.objectContaining({ retriable: true }) }])
  })
})

describe('configs', () => {
  const resource = { type: 'topic', name: 'orders' } as const
  const valueOf = async (name: string) =>
    (await admin.describeConfigs([resource], { names: [name] }))[0]?.configs[0]

  it('are changed one by one, and the others stay as they are', async () => {
    await admin.incrementalAlterConfigs([
      { ...resource, set: { 'retention.ms': '1000', 'cleanup.policy': 'delete' } },
    ])
    await admin.incrementalAlterConfigs([
      { ...resource, append: { 'cleanup.policy': 'compact' }, delete: ['retention.ms'] },
    ])
    expect(await valueOf('cleanup.policy')).toMatchObject({
      value: 'delete,compact',
      source: 'topic',
      isDefault: false,
      type: 'list',
    })
    expect(await valueOf('retention.ms')).toMatchObject({ value: '604800000', isDefault: true })
  })

  it('of a resource that does not exist have an error', async () => {
    const [missing] = await admin.describeConfigs([{ type: 'topic', name: 'nobody' }])
    expect(missing).toMatchObject({ type: 'topic', name: 'nobody', configs: [] })
    expect(missing?.error).toMatchObject({ code: 'UNKNOWN_TOPIC_OR_PARTITION' })
  })

  it('of brokers are requested from each broker', async () => {
    const described = await admin.describeConfigs([
      { type: 'broker', name: '1' },
      { type: 'broker', name: '3' },
    ])
    expect(described.map(({ error }) => error)).toEqual([undefined, undefined])
    expect(described[0]?.configs.length).toBeGreaterThan(10)
  })

  it('that cannot be changed as requested are rejected', async () => {
    for (const [changes, message] of [
      [[{ ...resource }], 'is empty'],
      [[{ ...resource, set: { a: '1' }, delete: ['a'] }], "contains 'a' twice"],
      [[{ type: 'topics', name: 'a' }], 'a resource must be { type, name }'],
      [
        [{ type: 'broker', name: 'one', set: { a: '1' } }],
        'the name of a broker must be its node id',
      ],
    ] as const) {
      const call = admin.incrementalAlterConfigs(changes as never)
      expect((await failureOf(call)).message).toContain(message)
    }
  })
})

describe('the cluster', () => {
  it('has an id, a controller and brokers', async () => {
    const { clusterId, controller, brokers } = await admin.describeCluster()
    expect(clusterId).toBe(kafka.clusterId)
    expect([1, 2, 3]).toContain(controller)
    expect(brokers.map(({ broker }) => broker)).toEqual([1, 2, 3])
  })

  it('returns the versions of each API that a broker supports', async () => {
    const versions = await admin.describeApiVersions(2)
    expect(versions[0]).toMatchObject({ key: 0, name: 'Produce' })
  })
})

describe('a result', () => {
  it('is converted by JSON.stringify, errors with code and message', async () => {
    const text = JSON.stringify(await admin.describeTopics(['nobody']))
    expect(JSON.parse(text)).toMatchObject([
      {
        topic: 'nobody',
        error: { code: 'UNKNOWN_TOPIC_OR_PARTITION', message: expect.any(String) },
      },
    ])
  })

  it('is never returned by a closed client', async () => {
    const other = new KafkaClient({ hosts: kafka.hosts })
    const { admin: closed } = other
    await other.close()
    expect(await failureOf(closed.listTopics())).toMatchObject({ code: 'CLOSED' })
  })
})

describe('calls about many groups', () => {
  it('look up the coordinators of all groups in one request', async () => {
    const groups = Array.from({ length: 30 }, (_, index) => `counted-${index}`)
    const from = kafka.requests.all({ api: 'FindCoordinator' }).length
    const described = await admin.describeGroups(groups)
    expect(described).toHaveLength(30)
    expect(kafka.requests.all({ api: 'FindCoordinator' })).toHaveLength(from + 1)
    await admin.deleteGroups(groups, { settle: true })
    expect(kafka.requests.all({ api: 'FindCoordinator' })).toHaveLength(from + 1)
  })
})
