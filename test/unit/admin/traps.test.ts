import { describe, expect, it } from '@jest/globals'
import { consumerGroupDescribe } from '../../../protocol/apis/consumer-group-describe.ts'
import { deleteGroups } from '../../../protocol/apis/delete-groups.ts'
import { describeCluster } from '../../../protocol/apis/describe-cluster.ts'
import { describeGroups } from '../../../protocol/apis/describe-groups.ts'
import { describeQuorum } from '../../../protocol/apis/describe-quorum.ts'
import { listGroups } from '../../../protocol/apis/list-groups.ts'
import { offsetFetch } from '../../../protocol/apis/offset-fetch.ts'
import { ErrorCode } from '../../../protocol/errors.ts'
import { EmbeddedCluster } from '../../../src/embedded/index.ts'
import { KafkaClient } from '../../../src/index.ts'
import { FakeBroker } from '../../support/fake-broker.ts'
import { layoutOf, QUICK, tellCoordinator, tellLayout } from '../../support/fake-cluster.ts'
import { failureOf } from '../../support/settled.ts'

describe('old brokers', () => {
  it.each(['1.1', '2.8'] as const)(
    'of Kafka %s leave types and states of groups unknown, and reject filters by name',
    async (version) => {
      await using kafka = await EmbeddedCluster.start({ version, topics: { orders: {} } })
      await using client = new KafkaClient({ ...QUICK, hosts: kafka.hosts })
      const { admin } = client
      await admin.alterGroupOffsets('old', [{ topic: 'orders', partition: 0, offset: 0 }])
      const { groups } = await admin.listGroups()
      expect(groups[0]).toMatchObject({ group: 'old' })
      expect(groups[0]).not.toHaveProperty('type')
      expect('state' in groups[0]!).toBe(version !== '1.1')
      const byType = await failureOf(admin.listGroups({ types: ['consumer'] }))
      expect(byType).toMatchObject({ code: 'UNSUPPORTED_VERSION' })
      expect(byType.message).toContain('requires Kafka 3.7')
      if (version !== '1.1') return
      const byState = await failureOf(admin.listGroups({ states: ['Stable'] }))
      expect(byState.message).toContain('requires Kafka 2.6')
    },
  )

  it('cause errors that name the release with the missing feature', async () => {
    await using kafka = await EmbeddedCluster.start({ version: '1.1', topics: { orders: {} } })
    await using client = new KafkaClient({ ...QUICK, hosts: kafka.hosts })
    const { admin } = client
    const partition = { topic: 'orders', partition: 0 }
    for (const [call, release] of [
      [() => admin.alterPartitionReassignments([{ ...partition, replicas: [1] }]), '2.4'],
      [() => admin.electLeaders('preferred', [partition]), '2.2'],
      [() => admin.listPartitionReassignments(), '2.4'],
      [() => admin.describeMetadataQuorum(), '3.3'],
      [() => admin.listTransactions(), '3.0'],
      [() => admin.findHangingTransactions(), '2.8'],
      [() => admin.updateFeatures([{ feature: 'a', version: 1 }]), '2.7'],
      [() => admin.deleteShareGroupOffsets('jobs', ['orders']), '4.1'],
      [() => admin.unregisterBroker(1), '3.0'],
    ] as const) {
      const error = await failureOf(call())
      expect(error).toMatchObject({ code: 'UNSUPPORTED_VERSION' })
      expect(error.message).toContain(`Kafka has from ${release} on`)
    }
  })
})

describe('groups', () => {
  it('with live members cause an error when their offsets are set', async () => {
    await using kafka = await EmbeddedCluster.start({ topics: { orders: {} } })
    await using client = new KafkaClient({ ...QUICK, hosts: kafka.hosts })
    await using member = await client
      .topic('orders')
      .getBalancedConsumer({ consumerGroup: 'live', managed: true })
    const offsets = [{ topic: 'orders', partition: 0, offset: 0 }]
    const error = await failureOf(client.admin.alterGroupOffsets('live', offsets))
    expect(error).toMatchObject({ code: 'UNKNOWN_MEMBER_ID' })
    expect(error.message).toContain('stop or remove them first')
    expect(member.assignment).toBeDefined()
  })

  it('return their lag one by one, and an error at the end for a silent broker', async () => {
    await using kafka = await EmbeddedCluster.start({ brokers: 3, topics: { orders: {} } })
    await using client = new KafkaClient({ ...QUICK, hosts: kafka.hosts })
    const { admin } = client
    const names = Array.from({ length: 12 }, (_, index) => `group-${index}`).sort()
    const offsets = [{ topic: 'orders', partition: 0, offset: 0 }]
    for (const name of names) await admin.alterGroupOffsets(name, offsets)
    const found: string[] = []
    for await (const { group, lag } of admin.eachLag()) {
      expect(lag).toBe(0)
      found.push(group)
    }
    expect(found).toEqual(names)
    const fault = kafka.faults.on({ api: 'ListGroups', broker: 2 }, { close: true })
    const seen: string[] = []
    const partial = failureOf(
      (async () => {
        for await (const { group } of admin.eachLag({ timeoutMs: 2_000 })) seen.push(group)
      })(),
    )
    expect((await partial).message).toContain('did not respond (2)')
    fault.remove()
    expect(seen.length).toBeLessThan(names.length)
    expect(names).toEqual(expect.arrayContaining(seen))
  })
})

describe('groups of another type', () => {
  const found = {
    errorCode: 0,
    groupState: 'Stable',
    groupEpoch: 3,
    assignmentEpoch: 3,
    assignorName: 'uniform',
  }

  async function brokerWith(listed: () => string | undefined): Promise<FakeBroker> {
    const broker = await FakeBroker.start()
    tellLayout(layoutOf([broker]), broker)
    tellCoordinator(broker)
    broker.handle(listGroups, () => {
      const groupType = listed()
      return groupType === undefined
        ? { errorCode: ErrorCode.UNKNOWN_SERVER_ERROR, groups: [] }
        : {
            errorCode: 0,
            groups: [{ groupId: 'g', protocolType: 'consumer', groupState: 'Stable', groupType }],
          }
    })
    broker.handle(describeGroups, ({ groups }) => ({
      groups: groups.map((groupId) => ({
        errorCode: ErrorCode.GROUP_ID_NOT_FOUND,
        groupId,
        groupState: 'Dead',
        protocolType: '',
        protocolData: '',
        members: [],
      })),
    }))
    broker.handle(consumerGroupDescribe, ({ groupIds }) => ({
      throttleTimeMs: 0,
      groups: groupIds.map((groupId) => ({ ...found, groupId, members: [] })),
    }))
    return broker
  }

  it('are described by the API of their type, which the list returns', async () => {
    await using broker = await brokerWith(() => 'consumer')
    await using client = new KafkaClient({ ...QUICK, hosts: broker.name })
    const described = await client.admin.describeGroups(['g'])
    expect(described).toMatchObject([{ group: 'g', type: 'consumer', state: 'Stable' }])
    expect(broker.received(describeGroups)).toHaveLength(0)
  })

  it('are found when a classic group becomes a consumer group between the list and the lookup', async () => {
    let lists = 0
    await using broker = await brokerWith(() => (lists++ === 0 ? 'classic' : 'consumer'))
    await using client = new KafkaClient({ ...QUICK, hosts: broker.name })
    const described = await client.admin.describeGroups(['g'])
    expect(described).toMatchObject([{ group: 'g', type: 'consumer', state: 'Stable' }])
    expect(lists).toBe(2)
  })

  it('are not reported as missing while the broker that may have them does not list its groups', async () => {
    await using broker = await brokerWith(() => undefined)
    await using client = new KafkaClient({ ...QUICK, hosts: broker.name })
    const [described] = await client.admin.describeGroups(['g'])
    expect(described?.error).toMatchObject({ code: 'UNKNOWN_SERVER_ERROR' })
    expect(described?.error?.message).toContain(
      'brokers that may have it (1) did not list their groups',
    )
  })
})

it('deleted groups have an error message each, also when the deletion failed in the brokers', async () => {
  await using broker = await FakeBroker.start()
  tellLayout(layoutOf([broker]), broker)
  tellCoordinator(broker)
  const errors: Record<string, [number, string | null]> = {
    gone: [0, null],
    stuck: [ErrorCode.GROUP_DELETION_FAILED, 'the share state could not be deleted'],
    busy: [ErrorCode.NON_EMPTY_GROUP, 'The group is not empty.'],
  }
  broker.handle(deleteGroups, ({ groupsNames }) => ({
    throttleTimeMs: 0,
    results: groupsNames.map((groupId) => ({
      groupId,
      errorCode: errors[groupId]![0],
      errorMessage: errors[groupId]![1],
    })),
  }))
  await using client = new KafkaClient({ ...QUICK, hosts: broker.name })
  const results = await client.admin.deleteGroups(Object.keys(errors), { settle: true })
  expect(results.map(({ group, error }) => [group, error?.code])).toEqual([
    ['gone', undefined],
    ['stuck', 'GROUP_DELETION_FAILED'],
    ['busy', 'NON_EMPTY_GROUP'],
  ])
  expect(results[1]?.error?.message).toContain('the share state could not be deleted')
  expect(results[2]?.error?.message).toContain('The group is not empty.')
  expect(broker.received(deleteGroups)[0]?.version).toBe(3)
})

describe('topics by id in the offsets of groups', () => {
  const partition = { topic: 'orders', partition: 0 }

  it('are referred to by id only if each has one', async () => {
    await using kafka = await EmbeddedCluster.start({ topics: { orders: {} } })
    await using client = new KafkaClient({ ...QUICK, hosts: kafka.hosts })
    const { admin } = client
    const [{ topicId } = {}] = await admin.listTopics()
    await admin.alterGroupOffsets('g', [{ ...partition, offset: 0 }])
    await admin.alterGroupOffsets('g', [{ ...partition, offset: 0, topicId: topicId! }])
    const commits = kafka.requests.all({ api: 'OffsetCommit' })
    expect(commits.map(({ version }) => version)).toEqual([9, 10])
    expect((await admin.listGroupOffsets(['g']))[0]?.offsets).toEqual([{ ...partition, offset: 0 }])
    expect(kafka.requests.all({ api: 'OffsetFetch' }).at(-1)?.version).toBe(9)
  })

  it('do not apply to a topic that was created since under the same name', async () => {
    await using kafka = await EmbeddedCluster.start({ topics: { orders: {} } })
    await using client = new KafkaClient({ ...QUICK, hosts: kafka.hosts })
    const { admin } = client
    const [{ topicId } = {}] = await admin.listTopics()
    await admin.deleteTopics(['orders'])
    await admin.createTopics([{ topic: 'orders', partitions: 1 }])
    const stale = admin.alterGroupOffsets('g', [{ ...partition, offset: 0, topicId: topicId! }], {
      settle: true,
    })
    expect((await stale)[0]?.error).toMatchObject({ code: 'UNKNOWN_TOPIC_ID' })
    expect(await admin.listGroupOffsets(['g'])).toEqual([{ group: 'g', offsets: [] }])
  })

  it('fall back to names with brokers that support no ids there', async () => {
    await using kafka = await EmbeddedCluster.start({ version: '2.8', topics: { orders: {} } })
    await using client = new KafkaClient({ ...QUICK, hosts: kafka.hosts })
    const offsets = [{ ...partition, offset: 0, topicId: 'AAAAAAAAAAAAAAAAAAAAAQ' }]
    expect(await client.admin.alterGroupOffsets('g', offsets)).toEqual([partition])
    expect(kafka.requests.all({ api: 'OffsetCommit' })[0]?.version).toBe(8)
  })
})

describe('listeners of controllers', () => {
  const ok = { throttleTimeMs: 0, errorCode: 0 }
  const mismatched = { throttleTimeMs: 0, errorCode: ErrorCode.MISMATCHED_ENDPOINT_TYPE }
  const quorum = {
    errorCode: 0,
    topics: [
      {
        topicName: '__cluster_metadata',
        partitions: [
          {
            partitionIndex: 0,
            errorCode: 0,
            leaderId: 2,
            leaderEpoch: 1,
            highWatermark: 9n,
            currentVoters: [],
            observers: [],
          },
        ],
      },
    ],
  }

  it('describe the quorum when the client bootstraps from controllers, through the active one', async () => {
    await using standby = await FakeBroker.start()
    await using active = await FakeBroker.start()
    const brokers = [standby, active].map(({ host, port }, index) => ({
      brokerId: index + 1,
      host,
      port,
    }))
    for (const controller of [standby, active]) {
      controller.handle(describeCluster, ({ endpointType }) =>
        endpointType === 2
          ? { ...ok, endpointType, clusterId: 'c', controllerId: 2, brokers }
          : { ...mismatched, clusterId: '', brokers: [] },
      )
      controller.handle(describeQuorum, () => quorum)
    }
    await using client = new KafkaClient({ ...QUICK, bootstrapControllers: standby.name })
    const { admin } = client
    expect((await admin.describeMetadataQuorum()).leader).toBe(2)
    expect(standby.received(describeQuorum)).toHaveLength(0)
    expect(active.received(describeQuorum)).toHaveLength(1)
    const described = await admin.describeCluster()
    expect(described.controller).toBe(2)
    expect(described.brokers.map(({ broker }) => broker)).toEqual([1, 2])
    const noTopics = await failureOf(client.topic('orders').partitions())
    expect(noTopics.message).toContain('hosts instead of bootstrapControllers')
  })

  it('of brokers reject a client that expects controllers, and both options at once are rejected', async () => {
    await using broker = await FakeBroker.start()
    broker.handle(describeCluster, () => ({
      ...mismatched,
      clusterId: '',
      brokers: [],
    }))
    await using client = new KafkaClient({ ...QUICK, bootstrapControllers: [broker.name] })
    expect(await failureOf(client.admin.describeMetadataQuorum())).toMatchObject({
      code: 'MISMATCHED_ENDPOINT_TYPE',
    })
    const hosts = broker.name
    expect(() => new KafkaClient({ hosts, bootstrapControllers: hosts })).toThrow(
      'use one of the two',
    )
  })
})

describe('offsets of groups', () => {
  const named = { topic: 'orders', partition: 0 }

  it('are those of the requested partitions, with and without an offset', async () => {
    await using kafka = await EmbeddedCluster.start({ topics: { orders: { partitions: 2 } } })
    await using client = new KafkaClient({ ...QUICK, hosts: kafka.hosts })
    const { admin } = client
    const all = [0, 1].map((partition) => ({ topic: 'orders', partition, offset: 0 }))
    await admin.alterGroupOffsets('both', all)
    await admin.alterGroupOffsets('first', all.slice(0, 1))
    const partitions = [named, { topic: 'none', partition: 7 }]
    expect(await admin.listGroupOffsets([{ group: 'both', partitions }, 'first'])).toEqual([
      { group: 'both', offsets: [{ topic: 'none', partition: 7 }, all[0]] },
      { group: 'first', offsets: [all[0]] },
    ])
  })

  it('are listed by partition before Kafka 0.10.2, which has no list of all', async () => {
    await using kafka = await EmbeddedCluster.start({ version: '0.9', topics: { orders: {} } })
    await using client = new KafkaClient({ ...QUICK, hosts: kafka.hosts })
    const { admin } = client
    await admin.alterGroupOffsets('old', [{ ...named, offset: 0 }])
    expect(await admin.listGroupOffsets([{ group: 'old', partitions: [named] }])).toEqual([
      { group: 'old', offsets: [{ ...named, offset: 0 }] },
    ])
    const [unsupported] = await admin.listGroupOffsets(['old'])
    expect(unsupported?.error).toMatchObject({ code: 'UNSUPPORTED_VERSION' })
    expect(unsupported?.error?.message).toContain('0.10.2')
  })

  it('of many groups are requested from old brokers one by one, and one without a response fails no other', async () => {
    await using broker = await FakeBroker.start({ versions: { OffsetFetch: [0, 7] } })
    tellLayout(layoutOf([broker]), broker)
    tellCoordinator(broker)
    broker.handle(offsetFetch, ({ groupId }) =>
      groupId === 'g7' ? undefined : { topics: [], errorCode: 0 },
    )
    await using client = new KafkaClient({ ...QUICK, socketTimeoutMs: 1_000, hosts: broker.name })
    const groups = Array.from({ length: 50 }, (_, index) => `g${index}`)
    const listed = await client.admin.listGroupOffsets(groups, { timeoutMs: 2_500 })
    const failed = listed.flatMap(({ group, error }) => (error === undefined ? [] : [group]))
    expect(failed).toEqual(['g7'])
  })
})
