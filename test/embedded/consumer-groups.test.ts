/** Groups by the protocol of KIP-848 on the embedded cluster: what members do when answers are late, lost or refused. */
import { describe, expect, it } from '@jest/globals'
import { EmbeddedCluster, type EmbeddedClusterOptions } from '../../src/embedded/index.ts'
import {
  KafkaClient,
  type BalancedConsumer,
  type BalancedConsumerOptions,
  type BalancedTopicsConsumer,
  type BalancedTopicsConsumerOptions,
  type KafkaClientOptions,
  type TopicPartition,
} from '../../src/index.ts'
import { until } from '../support/until.ts'

type Options = Partial<Extract<BalancedConsumerOptions, { readonly groupProtocol: 'consumer' }>>
type TopicsOptions = Partial<
  Extract<BalancedTopicsConsumerOptions, { readonly groupProtocol: 'consumer' }>
>

const HEARTBEAT = { api: 'ConsumerGroupHeartbeat' } as const

class Scene implements AsyncDisposable {
  readonly kafka: EmbeddedCluster
  readonly #clients: KafkaClient[] = []
  /** Of all consumers: `name +t-0`, `name -t-0`, `name !t-0`. */
  readonly log: string[] = []

  private constructor(kafka: EmbeddedCluster) {
    this.kafka = kafka
  }

  static async open(options: EmbeddedClusterOptions = {}): Promise<Scene> {
    const kafka = await EmbeddedCluster.start({
      topics: { t: { partitions: 4 } },
      groupConsumerHeartbeatIntervalMs: 50,
      ...options,
    })
    return new Scene(kafka)
  }

  client(options: KafkaClientOptions = {}): KafkaClient {
    const client = new KafkaClient({ hosts: this.kafka.hosts, retryBackoffMs: 20, ...options })
    this.#clients.push(client)
    return client
  }

  member(name = 'one', options: Options = {}, topic = 't'): Promise<BalancedConsumer> {
    return this.client({ clientId: name })
      .topic(topic)
      .getBalancedConsumer({
        groupProtocol: 'consumer',
        consumerGroup: 'g',
        autoOffsetReset: 'earliest',
        rebalanceBackoffMs: 50,
        ...this.#hooks(name),
        ...options,
      })
  }

  ofTopics(
    topics: BalancedTopicsConsumerOptions['topics'],
    options: TopicsOptions = {},
    client: KafkaClientOptions = {},
  ): Promise<BalancedTopicsConsumer> {
    return this.client(client).getBalancedConsumer({
      groupProtocol: 'consumer',
      consumerGroup: 'g',
      autoOffsetReset: 'earliest',
      ...this.#hooks('topics'),
      ...options,
      topics,
    })
  }

  /** Bodies of the heartbeats so far. */
  get heartbeats(): Record<string, unknown>[] {
    return this.kafka.requests.all(HEARTBEAT).map(({ body }) => ({ ...body }))
  }

  /** Resolves when the members have this many partitions in all. */
  async owned(
    count: number,
    ...members: readonly (BalancedConsumer | BalancedTopicsConsumer)[]
  ): Promise<void> {
    const all = () => members.flatMap(({ assignment }) => assignment)
    await until(() => all().length === count && members.every((one) => one.assignment.length > 0))
  }

  async write(count: number, topic = 't'): Promise<void> {
    await using producer = await this.client().topic(topic).getProducer()
    for (let number = 0; number < count; number++) {
      void producer.produce(`${number}`, { partition: number % 4 })
    }
    await producer.flush()
  }

  #hooks(name: string) {
    const note = (sign: string) => (partitions: readonly TopicPartition[]) => {
      const names = partitions.map(({ topic, partition }) => `${topic}-${partition}`).sort()
      this.log.push(`${name} ${sign}${names.join(' ')}`)
    }
    return {
      onPartitionsAssigned: note('+'),
      onPartitionsRevoked: note('-'),
      onPartitionsLost: note('!'),
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kafka.faults.clear()
    await Promise.allSettled(this.#clients.map((client) => client.close()))
    await this.kafka.stop()
  }
}

const ALL = 't-0 t-1 t-2 t-3'

describe('a member of a consumer group', () => {
  it('has all partitions when it is alone, and its id from the start', async () => {
    await using scene = await Scene.open()
    const one = await scene.member()
    expect(one.partitions).toEqual([0, 1, 2, 3])
    expect(one.memberId).toMatch(/^[0-9a-f-]{36}$/)
    expect(one.groupMetadata()).toEqual({
      groupId: 'g',
      generationId: 2,
      memberId: one.memberId,
      groupInstanceId: undefined,
    })
  })

  it('shares partitions with others as they come and go, and keeps reading the ones it keeps', async () => {
    await using scene = await Scene.open()
    const one = await scene.member('one')
    const two = await scene.member('two')
    await scene.owned(4, one, two)
    expect(one.partitions).toHaveLength(2)
    await two.close()
    await scene.owned(4, one)
    // What one kept was never given up.
    const kept = scene.log.find((entry) => entry.startsWith('one -'))!
    expect(kept.split(' ')).toHaveLength(3)
    expect(scene.log.filter((entry) => entry.includes('!'))).toEqual([])
  })

  it('acknowledges revoked partitions at once, not at the next interval', async () => {
    await using scene = await Scene.open({ groupConsumerHeartbeatIntervalMs: 60_000 })
    const one = await scene.member('one')
    // A heartbeat within the interval tells it of the other member.
    const two = await scene.member('two')
    await scene.owned(4, one, two)
  })

  it('sends all fields at first and after an error, and otherwise only those that changed', async () => {
    await using scene = await Scene.open()
    await scene.member('one', { remoteAssignor: 'range', clientRack: 'a' })
    await until(() => scene.heartbeats.length >= 4)
    const [first, acknowledgement, ...later] = scene.heartbeats
    expect(first).toMatchObject({
      memberEpoch: 0,
      rackId: 'a',
      rebalanceTimeoutMs: 300_000,
      subscribedTopicNames: ['t'],
      serverAssignor: 'range',
      topicPartitions: [],
    })
    expect(acknowledgement).toMatchObject({
      memberEpoch: 2,
      rebalanceTimeoutMs: -1,
      subscribedTopicNames: null,
      topicPartitions: [{ partitions: [0, 1, 2, 3] }],
    })
    for (const heartbeat of later) {
      expect(heartbeat).toMatchObject({ subscribedTopicNames: null, topicPartitions: null })
    }
    scene.kafka.faults.on({ ...HEARTBEAT, times: 1 }, { error: 'COORDINATOR_LOAD_IN_PROGRESS' })
    const before = scene.heartbeats.length
    await until(() => scene.heartbeats.length >= before + 2)
    const again = scene.heartbeats.filter(({ rebalanceTimeoutMs }) => rebalanceTimeoutMs !== -1)
    expect(again).toHaveLength(2)
    expect(again[1]).toMatchObject({
      memberEpoch: 2,
      subscribedTopicNames: ['t'],
      topicPartitions: [{ partitions: [0, 1, 2, 3] }],
    })
  })
})

describe('a heartbeat with an error response', () => {
  it.each(['UNKNOWN_MEMBER_ID', 'FENCED_MEMBER_EPOCH', 'GROUP_ID_NOT_FOUND'] as const)(
    '%s loses the partitions, and the member joins again with its id',
    async (error) => {
      await using scene = await Scene.open()
      const one = await scene.member()
      const { memberId } = one
      await scene.write(4)
      await one.consume()
      await one.commitOffsets()
      const before = scene.heartbeats.length
      const fault = scene.kafka.faults.on({ ...HEARTBEAT, times: 1 }, { error })
      await until(() => scene.log.includes(`one !${ALL}`))
      fault.remove()
      await until(() => scene.log.filter((entry) => entry === `one +${ALL}`).length === 2)
      expect(one.memberId).toBe(memberId)
      const joined = scene.heartbeats.slice(before).find(({ memberEpoch }) => memberEpoch === 0)
      expect(joined).toMatchObject({ memberId, topicPartitions: [], subscribedTopicNames: ['t'] })
      expect(await one.consume()).toBeDefined()
    },
  )

  it.each([
    'FENCED_INSTANCE_ID',
    'GROUP_AUTHORIZATION_FAILED',
    'INVALID_REQUEST',
    'UNSUPPORTED_ASSIGNOR',
    'UNRELEASED_INSTANCE_ID',
  ] as const)('%s ends the consumer', async (error) => {
    await using scene = await Scene.open()
    const one = await scene.member()
    const waiting = one.consume()
    scene.kafka.faults.on(HEARTBEAT, { error })
    await expect(waiting).rejects.toMatchObject({ code: error })
    await expect(one.consume()).rejects.toMatchObject({ code: error })
  })

  it.each([
    'NOT_COORDINATOR',
    'COORDINATOR_NOT_AVAILABLE',
    'COORDINATOR_LOAD_IN_PROGRESS',
    'REQUEST_TIMED_OUT',
  ] as const)(
    '%s is followed by a heartbeat with all fields, and no partition is lost',
    async (error) => {
      await using scene = await Scene.open()
      const one = await scene.member()
      const before = scene.heartbeats.length
      scene.kafka.faults.on({ ...HEARTBEAT, times: 2 }, { error })
      await until(() => scene.heartbeats.length >= before + 4)
      const full = scene.heartbeats
        .slice(before)
        .filter((one) => one['subscribedTopicNames'] !== null)
      expect(full.length).toBeGreaterThanOrEqual(2)
      expect(full[0]).toMatchObject({ topicPartitions: [{ partitions: [0, 1, 2, 3] }] })
      expect(scene.log).toEqual([`one +${ALL}`])
      expect(one.isOwnershipCertain).toBe(true)
    },
  )

  it('TOPIC_AUTHORIZATION_FAILED is reported once, and the member keeps its partitions', async () => {
    await using scene = await Scene.open()
    const one = await scene.member()
    const before = scene.heartbeats.length
    const fault = scene.kafka.faults.on(HEARTBEAT, { error: 'TOPIC_AUTHORIZATION_FAILED' })
    await expect(one.consume()).rejects.toMatchObject({ code: 'TOPIC_AUTHORIZATION_FAILED' })
    await until(() => scene.heartbeats.length >= before + 4)
    fault.remove()
    await scene.write(4)
    expect(await one.consume()).toBeDefined()
    expect(scene.log).toEqual([`one +${ALL}`])
  })
})

describe('joining a consumer group', () => {
  it.each([
    'UNSUPPORTED_ASSIGNOR',
    'INVALID_REGULAR_EXPRESSION',
    'GROUP_MAX_SIZE_REACHED',
    'INVALID_REQUEST',
    'GROUP_AUTHORIZATION_FAILED',
    'GROUP_ID_NOT_FOUND',
    'UNRELEASED_INSTANCE_ID',
    'UNSUPPORTED_VERSION',
  ] as const)('fails at once with %s', async (error) => {
    await using scene = await Scene.open()
    scene.kafka.faults.on(HEARTBEAT, { error })
    await expect(scene.member()).rejects.toMatchObject({ code: error })
    expect(scene.heartbeats.filter(({ memberEpoch }) => memberEpoch === 0)).toHaveLength(1)
  })

  it.each(['COORDINATOR_NOT_AVAILABLE', 'UNKNOWN_MEMBER_ID', 'FENCED_MEMBER_EPOCH'] as const)(
    'is retried after %s',
    async (error) => {
      await using scene = await Scene.open()
      scene.kafka.faults.on({ ...HEARTBEAT, times: 2 }, { error })
      expect((await scene.member()).partitions).toHaveLength(4)
    },
  )

  it('names the Kafka release that has the protocol when the brokers do not', async () => {
    await using scene = await Scene.open({ version: '3.9' })
    await expect(scene.member()).rejects.toMatchObject({
      code: 'UNSUPPORTED_VERSION',
      message: expect.stringContaining("groupProtocol: 'consumer' needs Kafka 4.0 or newer"),
    })
  })

  it('names the feature that is not enabled', async () => {
    await using scene = await Scene.open()
    await disableFeature(scene)
    await expect(scene.member()).rejects.toMatchObject({
      code: 'UNSUPPORTED_VERSION',
      message: expect.stringContaining('needs the feature group.version 1'),
    })
  })

  it("fails with the broker's message for a group of the classic protocol that has members", async () => {
    await using scene = await Scene.open()
    await scene.client().topic('t').getBalancedConsumer({ consumerGroup: 'g', managed: true })
    await expect(scene.member()).rejects.toMatchObject({
      code: 'GROUP_ID_NOT_FOUND',
      message: expect.stringContaining('Group g is not a consumer group.'),
    })
  })

  it('names the supported assignors when the brokers do not have the requested one', async () => {
    await using scene = await Scene.open()
    await expect(scene.member('one', { remoteAssignor: 'mine' })).rejects.toMatchObject({
      code: 'UNSUPPORTED_ASSIGNOR',
      message: expect.stringContaining('Supported assignors: uniform, range.'),
    })
  })

  it('fails for a group that is full', async () => {
    await using scene = await Scene.open({ groupConsumerMaxSize: 1 })
    await scene.member('one')
    await expect(scene.member('two')).rejects.toMatchObject({ code: 'GROUP_MAX_SIZE_REACHED' })
  })
})

describe("groupProtocol: 'auto'", () => {
  const joined = async (scene: Scene) => {
    const options = { groupProtocol: 'auto', consumerGroup: 'g' } as const
    const member = await scene.client().topic('t').getBalancedConsumer(options)
    const {
      groups: [group],
    } = await scene.client().admin.listGroups()
    return { partitions: member.partitions, type: group?.type }
  }

  it('joins by the consumer protocol if the brokers support it', async () => {
    await using scene = await Scene.open()
    expect(await joined(scene)).toEqual({ partitions: [0, 1, 2, 3], type: 'consumer' })
  })

  it('joins by the classic protocol if the brokers are older', async () => {
    await using scene = await Scene.open({ version: '3.9' })
    expect((await joined(scene)).partitions).toEqual([0, 1, 2, 3])
    expect(scene.kafka.requests.all({ api: 'JoinGroup' })).not.toEqual([])
  })

  it('joins by the classic protocol if the feature is not enabled', async () => {
    await using scene = await Scene.open()
    await disableFeature(scene)
    expect(await joined(scene)).toEqual({ partitions: [0, 1, 2, 3], type: 'classic' })
  })

  it('fails if only the consumer protocol can match a pattern', async () => {
    await using scene = await Scene.open({ version: '3.9' })
    const topics = { pattern: 't.*' }
    const joining = scene
      .client()
      .getBalancedConsumer({ groupProtocol: 'auto', consumerGroup: 'g', topics })
    await expect(joining).rejects.toMatchObject({ code: 'UNSUPPORTED_VERSION' })
  })
})

describe('a lost response', () => {
  it('with an assignment is recovered by a heartbeat with all fields', async () => {
    await using scene = await Scene.open()
    const one = await scene.member('one')
    const cut = scene.kafka.faults.on(
      { ...HEARTBEAT, clientId: 'one', times: 1 },
      { cutAfterBytes: 0 },
    )
    const two = await scene.member('two')
    await scene.owned(4, one, two)
    cut.remove()
    expect(scene.log.filter((entry) => entry.includes('!'))).toEqual([])
  })

  it('to the heartbeat that joins is recovered by another with epoch 0', async () => {
    await using scene = await Scene.open()
    scene.kafka.faults.on({ ...HEARTBEAT, times: 1 }, { cutAfterBytes: 0 })
    const one = await scene.member('one')
    expect(one.partitions).toHaveLength(4)
    expect(await scene.client().admin.describeGroups(['g'])).toMatchObject([
      { members: [{ memberId: one.memberId }] },
    ])
  })

  it('that arrives while the member leaves is dropped', async () => {
    await using scene = await Scene.open()
    const one = await scene.member('one')
    const held = scene.kafka.requests.next(HEARTBEAT)
    const fault = scene.kafka.faults.on({ ...HEARTBEAT, times: 1 }, { delayMs: 200 })
    await held
    await one.close()
    fault.remove()
    const last = scene.heartbeats.at(-1)
    expect(last).toMatchObject({ memberEpoch: -1 })
    const [group] = await scene.client().admin.describeGroups(['g'])
    expect(group).toMatchObject({ members: [] })
  })
})

describe('a commit of a consumer group member', () => {
  it('in a stale epoch is repeated in the next one', async () => {
    await using scene = await Scene.open()
    const one = await scene.member()
    await scene.write(4)
    const message = (await one.consume())!
    scene.kafka.faults.on({ api: 'OffsetCommit', times: 1 }, { error: 'STALE_MEMBER_EPOCH' })
    await one.commitOffsets()
    const found = await one.fetchOffsets()
    expect(found.get(message.partition)).toBe(message.offset + 1)
    expect(scene.kafka.requests.all({ api: 'OffsetCommit' })).toHaveLength(2)
  })

  it('that is refused repeatedly fails, after a heartbeat each time', async () => {
    await using scene = await Scene.open()
    const one = await scene.member()
    await scene.write(4)
    await one.consume()
    scene.kafka.faults.on({ api: 'OffsetCommit' }, { error: 'STALE_MEMBER_EPOCH' })
    await expect(one.commitOffsets()).rejects.toMatchObject({ code: 'STALE_MEMBER_EPOCH' })
    expect(scene.kafka.requests.all({ api: 'OffsetCommit' })).toHaveLength(5)
  })

  it('by an unknown member triggers a heartbeat at once', async () => {
    await using scene = await Scene.open({ groupConsumerHeartbeatIntervalMs: 60_000 })
    const one = await scene.member()
    await scene.write(4)
    await one.consume()
    scene.kafka.faults.on({ api: 'OffsetCommit', times: 1 }, { error: 'UNKNOWN_MEMBER_ID' })
    scene.kafka.faults.on({ ...HEARTBEAT, times: 1 }, { error: 'UNKNOWN_MEMBER_ID' })
    await expect(one.commitOffsets()).rejects.toMatchObject({
      code: expect.stringMatching(/MEMBER/),
    })
    await until(() => scene.log.includes(`one !${ALL}`))
    await until(() => one.partitions.length === 4)
  })

  it('names its member, and so does a fetch of offsets', async () => {
    await using scene = await Scene.open()
    const one = await scene.member()
    await scene.write(4)
    await one.consume()
    await one.commitOffsets()
    const { memberId } = one
    const [commit] = scene.kafka.requests.all({ api: 'OffsetCommit' })
    expect(commit).toMatchObject({ version: 10, body: { memberId, generationIdOrMemberEpoch: 2 } })
    const [fetch] = scene.kafka.requests.all({ api: 'OffsetFetch' })
    expect(fetch).toMatchObject({ version: 10, body: { groups: [{ memberId, memberEpoch: 2 }] } })
  })

  it('does not end the membership when its fetch of offsets is stale', async () => {
    await using scene = await Scene.open()
    scene.kafka.faults.on({ api: 'OffsetFetch', times: 2 }, { error: 'STALE_MEMBER_EPOCH' })
    scene.kafka.faults.on({ api: 'OffsetFetch', times: 1 }, { error: 'UNKNOWN_MEMBER_ID' })
    const one = await scene.member()
    expect(one.partitions).toHaveLength(4)
    expect(scene.log).toEqual([`one +${ALL}`])
  })
})

describe('a session of a consumer group member', () => {
  it('that expires gives the partitions to others, and nothing from before is delivered', async () => {
    await using scene = await Scene.open({ groupConsumerSessionTimeoutMs: 400 })
    const one = await scene.member('one')
    const two = await scene.member('two')
    await scene.owned(4, one, two)
    const silent = scene.kafka.faults.on({ ...HEARTBEAT, clientId: 'one' }, { drop: true })
    await until(() => !one.isOwnershipCertain)
    await until(() => two.partitions.length === 4)
    silent.remove()
    await scene.owned(4, one, two)
    expect(scene.log.filter((entry) => entry.startsWith('one !'))).toHaveLength(1)
  })

  it('is as long as the group configures, or 45 s if the group does not report it', async () => {
    await using scene = await Scene.open({ groupConsumerSessionTimeoutMs: 400 })
    scene.kafka.faults.on({ api: 'DescribeConfigs' }, { error: 'GROUP_AUTHORIZATION_FAILED' })
    const one = await scene.member('one')
    const silent = scene.kafka.faults.on({ ...HEARTBEAT, clientId: 'one' }, { drop: true })
    const two = await scene.member('two')
    await until(() => two.partitions.length === 4)
    expect(one.isOwnershipCertain).toBe(true)
    silent.remove()
  })

  it('ends for a member that does not revoke its partitions in time', async () => {
    await using scene = await Scene.open()
    let isStuck = true
    const one = await scene.member('one', {
      maxPollIntervalMs: 300,
      onPartitionsRevoked: () => until(() => !isStuck),
    })
    const two = await scene.member('two')
    await until(() => two.partitions.length === 4)
    isStuck = false
    await scene.owned(4, one, two)
  })
})

describe('a static member', () => {
  it('keeps its partitions while it is away, and no other member receives them', async () => {
    await using scene = await Scene.open()
    const one = await scene.member('one', { groupInstanceId: 'a' })
    const two = await scene.member('two', { groupInstanceId: 'b' })
    await scene.owned(4, one, two)
    const had = one.partitions
    await one.close()
    expect(scene.heartbeats.at(-1)).toBeDefined()
    const again = await scene.member('one', { groupInstanceId: 'a' })
    await scene.owned(4, again, two)
    expect(again.partitions).toEqual(had)
    expect(again.memberId).not.toBe(one.memberId)
    expect(scene.log.filter((entry) => entry.startsWith('two -'))).toEqual([])
    expect(scene.heartbeats.some(({ memberEpoch }) => memberEpoch === -2)).toBe(true)
  })

  it('with an instance id that is in use fails, and the first member continues', async () => {
    await using scene = await Scene.open()
    const one = await scene.member('one', { groupInstanceId: 'a' })
    await expect(scene.member('two', { groupInstanceId: 'a' })).rejects.toMatchObject({
      code: 'UNRELEASED_INSTANCE_ID',
      message: expect.stringContaining("has the groupInstanceId 'a' and has not left"),
    })
    expect(one.partitions).toHaveLength(4)
    expect(one.isOwnershipCertain).toBe(true)
  })

  it('waits for the instance id for as long as configured', async () => {
    await using scene = await Scene.open()
    const one = await scene.member('one', { groupInstanceId: 'a' })
    const two = scene.member('two', { groupInstanceId: 'a', groupInstanceWaitMs: 300_000 })
    const isOfTwo = ({ memberId, memberEpoch }: Record<string, unknown>) =>
      memberId !== one.memberId && memberEpoch === 0
    await until(() => scene.heartbeats.filter(isOfTwo).length >= 2)
    await one.close()
    expect((await two).partitions).toHaveLength(4)
  })
})

describe('topics of a consumer group', () => {
  it('that are created later are read, by names and by a pattern that the broker matches', async () => {
    for (const topics of [/^x-/, { pattern: 'x-.*' }]) {
      await using scene = await Scene.open()
      const one = await scene.ofTopics(topics, {}, { metadataMaxAgeMs: 100 })
      expect(one.assignment).toEqual([])
      scene.kafka.createTopic('x-1', { partitions: 2 })
      scene.kafka.createTopic('other', { partitions: 2 })
      await scene.owned(2, one)
      expect(one.assignment.map(({ topic }) => topic)).toEqual(['x-1', 'x-1'])
      scene.kafka.deleteTopic('x-1')
      await until(() => one.assignment.length === 0)
    }
  })

  it('are matched by a broker pattern as a whole, not in part', async () => {
    await using scene = await Scene.open({ topics: { 'a-1': { partitions: 1 }, 'ba-1': {} } })
    const one = await scene.ofTopics({ pattern: '^a' })
    const two = await scene.ofTopics({ pattern: 'a-.*' }, { consumerGroup: 'h' })
    expect(two.assignment).toEqual([{ topic: 'a-1', partition: 0 }])
    expect(one.assignment).toEqual([])
  })

  it('that match nothing cause no requests but heartbeats', async () => {
    await using scene = await Scene.open({ groupConsumerHeartbeatIntervalMs: 60_000 })
    await scene.ofTopics({ pattern: 'nothing' })
    const before = scene.kafka.requests.all().length
    const start = process.cpuUsage()
    await until(() => scene.heartbeats.length >= 4)
    const { user, system } = process.cpuUsage(start)
    expect(scene.kafka.requests.all().length - before).toBeLessThan(8)
    expect(user + system).toBeLessThan(1_000_000)
  })

  it('that Metadata does not know yet are read once their names are known', async () => {
    await using scene = await Scene.open()
    const one = await scene.ofTopics({ pattern: 'x.*' }, {}, { clientId: 'late' })
    const unknown = scene.kafka.faults.on(
      { api: 'Metadata', clientId: 'late' },
      { error: 'UNKNOWN_TOPIC_ID' },
    )
    scene.kafka.createTopic('x', { partitions: 1 })
    const isById = ({ body }: { readonly body: Readonly<Record<string, unknown>> }) =>
      (body['topics'] as { readonly name: unknown }[] | null)?.some(({ name }) => name === null)
    await until(() => scene.kafka.requests.all({ api: 'Metadata' }).filter(isById).length >= 3)
    expect(one.assignment).toEqual([])
    unknown.remove()
    await scene.owned(1, one)
  })

  it('that are deleted and created again while assigned are released and claimed again', async () => {
    await using scene = await Scene.open()
    const one = await scene.member()
    scene.kafka.deleteTopic('t')
    scene.kafka.createTopic('t', { partitions: 3 })
    await until(() => one.partitions.length === 3)
    await scene.write(3)
    expect(await one.consume()).toBeDefined()
  })
})

it('20 members divide 2,000 partitions, each partition read by one of them', async () => {
  await using scene = await Scene.open({ topics: { t: { partitions: 2_000 } } })
  const members = await Promise.all(
    Array.from({ length: 20 }, (_, index) => scene.member(`member ${index}`)),
  )
  await until(() => members.every(({ partitions }) => partitions.length === 100))
  const all = members.flatMap(({ partitions }) => partitions)
  expect(new Set(all).size).toBe(2_000)
})

it('a member reads, processes and writes in transactions, each message once', async () => {
  await using scene = await Scene.open({ topics: { t: { partitions: 4 }, out: { partitions: 1 } } })
  const one = await scene.member('one')
  const producer = await scene.client().getTransactionalProducer({ transactionalId: 'tx' })
  await scene.write(40)
  let count = 0
  const stop = new AbortController()
  const running = one.transact(
    producer,
    (batch, transaction) => {
      for (const { value } of batch) void transaction.produce('out', value!.toString())
      count += batch.length
      if (count >= 40) stop.abort()
    },
    { signal: stop.signal },
  )
  await running.catch(() => undefined)
  await using reader = await scene
    .client()
    .topic('out')
    .getSimpleConsumer({ isolationLevel: 'read_committed', autoOffsetReset: 'earliest' })
  const seen = new Set<string>()
  while (seen.size < 40) seen.add((await reader.consume())!.value!.toString())
  expect(seen.size).toBe(40)
})

async function disableFeature(scene: Scene): Promise<void> {
  await scene
    .client()
    .admin.updateFeatures([{ feature: 'group.version', version: 0, upgradeType: 'safeDowngrade' }])
}
