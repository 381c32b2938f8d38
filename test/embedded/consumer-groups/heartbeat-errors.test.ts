/** Groups by the protocol of KIP-848 on the embedded cluster: what a member does when a heartbeat is refused, or its response is lost or late. */
import { describe, expect, it } from '@jest/globals'
import { until } from '../../support/until.ts'
import { ALL, HEARTBEAT, Scene } from '../support/consumer-group-scene.ts'

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

  it('is followed by further heartbeats of a member that joins again and has no partitions', async () => {
    await using scene = await Scene.open()
    const one = await scene.ofTopics({ pattern: 'x' })
    const joins = () => scene.heartbeats.filter(({ memberEpoch }) => memberEpoch === 0).length
    scene.kafka.faults.on({ ...HEARTBEAT, times: 1 }, { error: 'GROUP_ID_NOT_FOUND' })
    await until(() => joins() === 2)
    scene.kafka.createTopic('x', { partitions: 2 })
    await scene.owned(2, one)
  })

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

it('a member that joins again waits for its topics to be authorized, and reports that once', async () => {
  await using scene = await Scene.open()
  const one = await scene.member()
  const joins = () => scene.heartbeats.filter(({ memberEpoch }) => memberEpoch === 0).length
  scene.kafka.faults.on({ ...HEARTBEAT, times: 1 }, { error: 'UNKNOWN_MEMBER_ID' })
  const denied = scene.kafka.faults.on(HEARTBEAT, { error: 'TOPIC_AUTHORIZATION_FAILED' })
  await expect(one.consume()).rejects.toMatchObject({ code: 'TOPIC_AUTHORIZATION_FAILED' })
  await until(() => joins() >= 4)
  denied.remove()
  await scene.write(4)
  expect(await one.consume()).toBeDefined()
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
