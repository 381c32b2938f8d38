/** Groups by the protocol of KIP-848 on the embedded cluster: when joining fails or is retried, and which protocol `auto` chooses. */
import { describe, expect, it } from '@jest/globals'
import { until } from '../../support/until.ts'
import { disableFeature, HEARTBEAT, Scene } from '../support/consumer-group-scene.ts'

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

describe('close() of a member that is joining', () => {
  it('leaves no member behind if the connection to the coordinator opens afterwards', async () => {
    await using scene = await Scene.open()
    const client = scene.client({ clientId: 'late' })
    await client.admin.listTopics()
    const lookup = scene.kafka.requests.next({ api: 'FindCoordinator', clientId: 'late' })
    const options = { groupProtocol: 'consumer', consumerGroup: 'g' } as const
    const member = await client.topic('t').getBalancedConsumer({ ...options, autoStart: false })
    const started = member.start().catch((error: unknown) => error)
    await lookup
    const isOpening = scene.kafka.requests.next({ api: 'ApiVersions', clientId: 'late' })
    const opening = scene.kafka.faults.on({ api: 'ApiVersions', clientId: 'late' }, { hold: true })
    await isOpening
    const closed = member.close()
    await started
    opening.release()
    await closed
    await client.admin.listTopics()
    expect(scene.heartbeats.filter(({ memberEpoch }) => memberEpoch === 0)).toEqual([])
  })

  it('leaves also if the response to the join was lost and no attempt is running', async () => {
    await using scene = await Scene.open()
    await scene.member('one')
    const lines: string[] = []
    const note = (line: string) => void lines.push(line)
    const logger = { debug: note, info: note, warn: note, error: note }
    const lost = scene.kafka.faults.on({ ...HEARTBEAT, clientId: 'late' }, { cutAfterBytes: 0 })
    const member = await scene
      .client({ clientId: 'late', operationTimeoutMs: 200, logger })
      .topic('t')
      .getBalancedConsumer({
        groupProtocol: 'consumer',
        consumerGroup: 'g',
        rebalanceBackoffMs: 600_000,
        autoStart: false,
      })
    const started = member.start({ timeoutMs: 500_000 }).catch((error: unknown) => error)
    await until(() => lines.some((line) => line.includes('tries again in 600000 ms')))
    lost.remove()
    await member.close()
    await started
    const [group] = await scene.client().admin.describeGroups(['g'])
    expect(group!.members).toHaveLength(1)
  })
})
