import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { BUILT_IN } from '../../src/balanced/classic/settings.ts'
import { KafkaClient } from '../../src/client.ts'
import { EmbeddedCluster, EmbeddedZooKeeper } from '../../src/embedded/index.ts'

let zookeeper: EmbeddedZooKeeper
let kafka: EmbeddedCluster

beforeAll(async () => {
  zookeeper = await EmbeddedZooKeeper.start()
  kafka = await EmbeddedCluster.start({
    topics: { t: { partitions: 2 } },
    zookeeper,
    zookeeperChroot: '/kafka',
  })
})

afterAll(async () => {
  await kafka.stop()
  await zookeeper.stop()
})

describe('groupProtocol', () => {
  it.each([
    { groupProtocol: 'classic' },
    { managed: true },
    { groupProtocol: 'classic', managed: true },
  ])('joins a group that Kafka coordinates with %j', async (choice) => {
    await using client = new KafkaClient({ hosts: kafka.hosts })
    const options = { consumerGroup: 'classic', ...choice } as const
    const member = await client
      .topic('t')
      .getBalancedConsumer(options as { consumerGroup: string; managed: true })
    expect(member.partitions).toEqual([0, 1])
    expect(member.groupMetadata()).toEqual({
      groupId: 'classic',
      generationId: expect.any(Number),
      memberId: member.memberId,
      groupInstanceId: undefined,
    })
    expect(member.groupMetadata().generationId).toBeGreaterThan(0)
  })

  it.each([
    [{ groupProtocol: 'streams' }, 'must be one of zookeeper, classic, consumer, auto'],
    [{ groupProtocol: 'consumer', managed: false }, 'contradict each other'],
    [{ groupProtocol: 'consumer', assignors: ['range'] }, "needs groupProtocol: 'classic'"],
    [{ groupProtocol: 'consumer', sessionTimeoutMs: 6_000 }, "needs groupProtocol: 'classic'"],
    [{ groupProtocol: 'classic', remoteAssignor: 'range' }, "needs groupProtocol: 'consumer'"],
    [
      { groupProtocol: 'consumer', groupInstanceWaitMs: 1 },
      "option 'groupInstanceWaitMs' has no effect without a groupInstanceId",
    ],
    [
      { groupProtocol: 'classic', groupInstanceWaitMs: 1 },
      "option 'groupInstanceWaitMs' is for groups of the consumer protocol (KIP-848): it needs groupProtocol: 'consumer'",
    ],
    [
      { managed: true, zookeeperConnect: 'zk:2181', zookeeperHosts: 'zk:2181' },
      "option 'zookeeperConnect' is for groups that ZooKeeper coordinates: it needs groupProtocol: 'zookeeper'",
    ],
    [
      { groupProtocol: 'classic', autoCommitEnable: false, autoCommitIntervalMs: 1 },
      'has no effect with autoCommitEnable: false',
    ],
    [
      { groupProtocol: 'classic', assignors: ['round-robin'] },
      `option 'assignors' must be ${Object.keys(BUILT_IN).join(', ')}, or an assignor, not 'round-robin' (at index 0)`,
    ],
    [{ groupProtocol: 'classic', assignors: [] }, 'must name at least one, not an empty array'],
    [
      {
        groupProtocol: 'classic',
        assignors: [{ name: 'range', protocols: ['eager'], assign: () => new Map() }],
      },
      "must have a name of its own: 'range' is a built-in assignor, not an object (at index 0)",
    ],
    [{ groupProtocol: 'consumer', offsetsStorage: 'zookeeper' }, 'omit offsetsStorage'],
    [{ groupProtocol: 'zookeeper', managed: true }, 'contradict each other'],
    [{ groupProtocol: 'classic', managed: false }, 'contradict each other'],
    [{ groupProtocol: 'zookeeper', assignors: ['range'] }, "needs groupProtocol: 'classic'"],
    [{ groupProtocol: 'classic', membershipProtocol: 'range' }, "needs groupProtocol: 'zookeeper'"],
  ])('rejects %j', async (choice, message) => {
    await using client = new KafkaClient({ hosts: kafka.hosts })
    const options = { consumerGroup: 'g', ...choice } as { consumerGroup: string; managed: true }
    await expect(client.topic('t').getBalancedConsumer(options)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining(message),
    })
    await expect(client.getBalancedConsumer({ ...options, topics: ['t'] })).rejects.toThrow(message)
  })
})

describe('groupMetadata', () => {
  it('names the static member, and follows it through generations', async () => {
    await using client = new KafkaClient({ hosts: kafka.hosts })
    const options = { consumerGroup: 'static', managed: true, heartbeatIntervalMs: 30 } as const
    const one = await client.topic('t').getBalancedConsumer({ ...options, groupInstanceId: 'a' })
    const { generationId } = one.groupMetadata()
    await client.getBalancedConsumer({ ...options, topics: ['t'] })
    expect(one.groupMetadata()).toMatchObject({ groupId: 'static', groupInstanceId: 'a' })
    expect(one.groupMetadata().generationId).toBeGreaterThan(generationId)
  })

  it('names the group alone for consumers that are not members', async () => {
    await using client = new KafkaClient({ zookeeperHosts: kafka.zookeeperHosts! })
    const notMember = { groupId: 'g', generationId: -1, memberId: '', groupInstanceId: undefined }
    const simple = await client
      .topic('t')
      .getSimpleConsumer({ consumerGroup: 'g', autoStart: false })
    expect(simple.groupMetadata()).toEqual(notMember)
    const byZooKeeper = await client
      .topic('t')
      .getBalancedConsumer({ consumerGroup: 'g', autoStart: false })
    expect(byZooKeeper.groupMetadata()).toEqual(notMember)
    const without = await client.topic('t').getSimpleConsumer({ autoStart: false })
    expect(() => without.groupMetadata()).toThrow('consumerGroup')
  })
})

describe('the zookeeperHosts of a client', () => {
  it('are used by its balanced consumers, with the chroot', async () => {
    await using client = new KafkaClient({ zookeeperHosts: kafka.zookeeperHosts! })
    const consumer = await client.topic('t').getBalancedConsumer({ consumerGroup: 'hosts' })
    expect(consumer.partitions).toEqual([0, 1])
    expect(zookeeper.node('/kafka/consumers/hosts/ids')?.children).toEqual([consumer.memberId])
    expect(zookeeper.node('/kafka/consumers/hosts/owners/t')?.children).toHaveLength(2)
    expect(zookeeper.node('/consumers')).toBeUndefined()
  })

  it('are used by its balanced consumers of several topics, with the chroot', async () => {
    await using client = new KafkaClient({ zookeeperHosts: kafka.zookeeperHosts! })
    const consumer = await client.getBalancedConsumer({ consumerGroup: 'several', topics: ['t'] })
    expect(zookeeper.node('/kafka/consumers/several/ids')?.children).toEqual([consumer.memberId])
    expect(zookeeper.node('/kafka/consumers/several/owners/t')?.children).toHaveLength(2)
    expect(zookeeper.node('/consumers')).toBeUndefined()
  })

  it('are overridden by those of the balanced consumer', async () => {
    await using client = new KafkaClient({ zookeeperHosts: kafka.zookeeperHosts! })
    zookeeper.create('/other')
    await client
      .topic('t')
      .getBalancedConsumer({ consumerGroup: 'other', zookeeperHosts: `${zookeeper.hosts}/other` })
    expect(zookeeper.node('/other/consumers/other/owners/t')?.children).toHaveLength(2)
  })
})
