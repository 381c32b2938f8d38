import { byPartition, thrownBy, type Step } from './world.ts'

export const ADMINISTERING: readonly Step[] = [
  {
    name: 'creates, lists, describes and deletes topics',
    run: async (world) => {
      const admin = world.admin()
      await admin.connect()
      const topic = world.named('made')
      const configEntries = [{ name: 'cleanup.policy', value: 'compact' }]
      const found: unknown[] = [
        await admin.createTopics({ topics: [{ topic, numPartitions: 2, configEntries }] }),
        await admin.createTopics({ topics: [{ topic }] }),
        await thrownBy(() => admin.createTopics({ topics: [{ topic, numPartitions: -5 }] })),
        await thrownBy(() =>
          admin.createTopics({
            topics: [
              { topic: 'no/name', numPartitions: 1 },
              { topic: world.named('wide'), replicationFactor: 99 },
            ],
          }),
        ),
        await admin.createTopics({
          validateOnly: true,
          waitForLeaders: false,
          topics: [{ topic: world.named('dry'), numPartitions: 1 }],
        }),
        (await admin.listTopics()).includes(topic),
        (await admin.listTopics()).includes(world.named('dry')),
        await admin.fetchTopicMetadata({ topics: [topic] }),
        await admin.createPartitions({ topicPartitions: [{ topic, count: 3 }] }),
        await thrownBy(() => admin.createPartitions({ topicPartitions: [{ topic, count: 1 }] })),
      ]
      await admin.deleteTopics({ topics: [topic] })
      found.push((await admin.listTopics()).includes(topic))
      return found
    },
  },
  {
    name: 'refuses invalid topics',
    run: async (world) => {
      const admin = world.admin()
      const bad = (topics: unknown) => thrownBy(() => admin.createTopics({ topics } as never))
      const topic = 't'
      return [
        await bad(undefined),
        await bad([{ topic: 1 }]),
        await bad([{ topic }, { topic }]),
        await bad([{ topic, configEntries: 'x' }]),
        await bad([{ topic, configEntries: [null] }]),
        await bad([{ topic, configEntries: [{ name: 'a' }] }]),
        await thrownBy(() => admin.deleteTopics({ topics: 'x' } as never)),
        await thrownBy(() => admin.deleteTopics({ topics: [1] } as never)),
        await thrownBy(() => admin.createPartitions({ topicPartitions: [] })),
        await thrownBy(() => admin.createPartitions({ topicPartitions: [{ topic: 1 }] } as never)),
        await thrownBy(() => admin.fetchTopicMetadata({ topics: [''] })),
        await thrownBy(() => admin.on('nonsense' as never, () => undefined)),
      ]
    },
  },
  {
    name: 'reports topics that do not exist',
    run: async (world) => {
      const admin = world.admin()
      await admin.connect()
      const topic = world.named('missing')
      return [
        await thrownBy(() => admin.fetchTopicMetadata({ topics: [topic] })),
        await thrownBy(() => admin.deleteTopics({ topics: [topic] })),
        await thrownBy(() => admin.fetchTopicOffsets(topic)),
        await thrownBy(() => admin.createPartitions({ topicPartitions: [{ topic, count: 3 }] })),
      ]
    },
  },
  {
    name: 'returns offsets by partition and by time',
    run: async (world) => {
      const topic = await world.topic('topic', 2)
      const producer = world.producer()
      await producer.connect()
      const now = Date.now()
      const at = (value: string, agoMs: number) => ({
        value,
        timestamp: String(now - agoMs),
        partition: 0,
      })
      await producer.send({ topic, messages: [at('a', 20_000), at('b', 10_000)] })
      const admin = world.admin()
      await admin.connect()
      return [
        byPartition(await admin.fetchTopicOffsets(topic)),
        byPartition(await admin.fetchTopicOffsetsByTimestamp(topic, now - 15_000)),
        byPartition(await admin.fetchTopicOffsetsByTimestamp(topic, now - 5_000)),
        byPartition(await admin.fetchTopicOffsetsByTimestamp(topic)),
        await thrownBy(() => admin.fetchTopicOffsets('')),
        await thrownBy(() => admin.fetchTopicOffsetsByTimestamp(5 as never)),
      ]
    },
  },
  {
    name: 'sets, resets, resolves and fetches the offsets of a group',
    run: async (world) => {
      const [topic] = await world.filled(['a', 'b', 'c'])
      const admin = world.admin()
      await admin.connect()
      const groupId = world.named('group')
      const offsets = () => admin.fetchOffsets({ groupId, topics: [topic] })
      const found: unknown[] = [await offsets()]
      await admin.setOffsets({ groupId, topic, partitions: [{ partition: 0, offset: '2' }] })
      found.push(await offsets(), await admin.fetchOffsets({ groupId }))
      found.push(await thrownBy(() => admin.setOffsets({ groupId: '', topic, partitions: [] })))
      found.push(await thrownBy(() => admin.setOffsets({ groupId, topic, partitions: [] })))
      found.push(await thrownBy(() => admin.fetchOffsets({ groupId: '' })))
      found.push(await thrownBy(() => admin.resetOffsets({ groupId, topic: '', earliest: true })))
      return found
    },
  },
  {
    name: 'does not set the offsets of a running group',
    run: async (world) => {
      const [topic] = await world.filled(['a'])
      const consumer = world.consumer()
      await consumer.connect()
      await consumer.subscribe({ topics: [topic] })
      await consumer.run({ eachMessage: () => Promise.resolve() })
      const admin = world.admin()
      await admin.connect()
      const groupId = world.named('group')
      const partitions = [{ partition: 0, offset: '1' }]
      return [
        await thrownBy(() => admin.setOffsets({ groupId, topic, partitions })),
        await thrownBy(() => admin.deleteGroups([groupId])),
      ]
    },
  },
  {
    name: 'lists, describes and deletes groups',
    run: async (world) => {
      const [topic] = await world.filled(['a'])
      const groupId = world.named('group')
      const consumer = world.consumer()
      const joined = countdownOf(consumer)
      await consumer.connect()
      await consumer.subscribe({ topics: [topic] })
      await consumer.run({ eachMessage: () => Promise.resolve() })
      await joined
      const admin = world.admin()
      await admin.connect()
      const listed = await admin.listGroups()
      const described = await admin.describeGroups([groupId])
      await consumer.disconnect()
      const found: unknown[] = [
        listed.groups.find((group) => group.groupId === groupId),
        described.groups.map(({ members, ...group }) => [group, members.length]),
        (await admin.describeGroups([world.named('unknown')])).groups.map(({ state }) => state),
        await admin.deleteGroups([groupId]),
        await thrownBy(() => admin.deleteGroups([world.named('unknown')])),
        await thrownBy(() => admin.deleteGroups('x' as never)),
        await thrownBy(() => admin.deleteGroups([5 as never])),
      ]
      return found
    },
  },
  {
    name: 'describes and alters configurations',
    run: async (world) => {
      const topic = await world.topic()
      const admin = world.admin()
      await admin.connect()
      const { ConfigResourceTypes: types } = world.lib
      const describe = async () =>
        admin.describeConfigs({
          includeSynonyms: false,
          resources: [
            { type: types.TOPIC, name: topic, configNames: ['cleanup.policy', 'retention.ms'] },
          ],
        })
      const alter = (configEntries: unknown, type: unknown = types.TOPIC) =>
        admin.alterConfigs({
          validateOnly: false,
          resources: [{ type, name: topic, configEntries }],
        } as never)
      const found: unknown[] = [
        await describe(),
        await alter([{ name: 'cleanup.policy', value: 'compact' }]),
        await describe(),
        await alter([{ name: 'retention.ms', value: '1000' }]),
        await describe(),
        await thrownBy(() => alter([{ name: 'cleanup.policy', value: 'nonsense' }])),
        await thrownBy(() => alter('x')),
        await thrownBy(() => alter([], 99)),
        await thrownBy(() => alter([{ name: 'a', value: 5 }])),
        await thrownBy(() => admin.describeConfigs({ resources: [], includeSynonyms: false })),
      ]
      const broker = await admin.describeConfigs({
        includeSynonyms: true,
        resources: [{ type: types.BROKER, name: '1', configNames: ['log.retention.hours'] }],
      })
      found.push(broker)
      return found
    },
  },
  {
    name: 'describes the cluster',
    run: async (world) => {
      const admin = world.admin()
      const events: unknown[] = []
      admin.on(admin.events.CONNECT, ({ type, payload }) => events.push([type, payload]))
      admin.on(admin.events.DISCONNECT, ({ type, payload }) => events.push([type, payload]))
      await admin.connect()
      const found = await admin.describeCluster()
      await admin.disconnect()
      return [found, events, admin.events]
    },
  },
  {
    name: 'deletes records',
    run: async (world) => {
      const [topic] = await world.filled(['a', 'b', 'c'])
      const admin = world.admin()
      await admin.connect()
      await admin.fetchTopicOffsets(topic)
      const remove = (partition: number, offset: string) =>
        thrownBy(() => admin.deleteTopicRecords({ topic, partitions: [{ partition, offset }] }))
      return [
        await remove(0, '1'),
        await admin.fetchTopicOffsets(topic),
        await remove(0, '99'),
        await remove(7, '1'),
        await remove(0, '-1'),
        await admin.fetchTopicOffsets(topic),
        await thrownBy(() => admin.deleteTopicRecords({ topic: '', partitions: [] })),
        await thrownBy(() => admin.deleteTopicRecords({ topic, partitions: [] })),
      ]
    },
  },
  {
    name: 'refuses invalid ACLs, and reports a cluster without ACLs',
    run: async (world) => {
      const admin = world.admin()
      await admin.connect()
      const entry = {
        resourceType: 2,
        resourceName: world.named('t'),
        resourcePatternType: 3,
        principal: 'User:a',
        host: '*',
        operation: 3,
        permissionType: 3,
      }
      const create = (changed: object) =>
        thrownBy(() => admin.createAcls({ acl: [{ ...entry, ...changed }] }))
      const describe = (changed: object) =>
        thrownBy(() => admin.describeAcls({ ...entry, ...changed }))
      return [
        await create({}),
        await create({ principal: 5 }),
        await create({ host: undefined }),
        await create({ resourceName: null }),
        await create({ operation: 99 }),
        await create({ permissionType: 99 }),
        await create({ resourceType: 99 }),
        await create({ resourcePatternType: 99 }),
        await thrownBy(() => admin.createAcls({ acl: [] })),
        await thrownBy(() => admin.createAcls({ acl: 'x' } as never)),
        await describe({}),
        await describe({ host: 5 }),
        await describe({ operation: 99 }),
        await thrownBy(() => admin.deleteAcls({ filters: [entry] })),
        await thrownBy(() => admin.deleteAcls({ filters: [] })),
        await thrownBy(() => admin.deleteAcls({ filters: [{ ...entry, principal: 5 as never }] })),
      ]
    },
  },
  {
    name: 'alters and lists reassignments',
    run: async (world) => {
      const topic = await world.topic()
      const admin = world.admin()
      await admin.connect()
      const alter = (topics: unknown) =>
        thrownBy(() => admin.alterPartitionReassignments({ topics } as never))
      const list = (topics: unknown) =>
        thrownBy(() => admin.listPartitionReassignments({ topics } as never))
      const to = (partition: unknown, replicas: unknown) => [
        { topic, partitionAssignment: [{ partition, replicas }] },
      ]
      return [
        await alter(to(0, [1])),
        await alter(to(0, [77])),
        await alter(to(9, [1])),
        await alter(to(-1, [1])),
        await alter(to(0, 'x')),
        await alter(to(0, [-1])),
        await alter('x'),
        await alter([{ topic }]),
        await list(undefined),
        await list([{ topic, partitions: [0] }]),
        await list([{ topic, partitions: [-1] }]),
        await list([{ topic }]),
        await list('x'),
      ]
    },
  },
]

function countdownOf(consumer: {
  readonly events: { readonly GROUP_JOIN: 'consumer.group_join' }
  on(name: 'consumer.group_join', listener: () => void): unknown
}): Promise<void> {
  return new Promise((resolve) => {
    consumer.on(consumer.events.GROUP_JOIN, resolve)
  })
}
