/** Groups by the protocol of KIP-848 on the embedded cluster: how long a member keeps its partitions while it is silent or away. */
import { describe, expect, it } from '@jest/globals'
import { until } from '../../support/until.ts'
import { HEARTBEAT, Scene } from '../support/consumer-group-scene.ts'

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

  it('is in doubt as soon as the coordinator may have fenced the member for a slow revocation', async () => {
    await using scene = await Scene.open()
    let isStuck = true
    const one = await scene.member('one', {
      maxPollIntervalMs: 1_000,
      onPartitionsRevoked: async () => {
        scene.kafka.faults.on({ ...HEARTBEAT, clientId: 'one' }, { hold: true })
        await until(() => !isStuck)
      },
    })
    const two = await scene.member('two')
    await until(() => two.partitions.length === 4)
    expect(one.isOwnershipCertain).toBe(false)
    isStuck = false
    scene.kafka.faults.clear()
    await scene.owned(4, one, two)
  })

  it('is certain again after a revocation that was acknowledged in time', async () => {
    await using scene = await Scene.open()
    const one = await scene.member('one', { maxPollIntervalMs: 1_000 })
    const two = await scene.member('two')
    await scene.owned(4, one, two)
    const since = performance.now()
    await until(() => performance.now() - since > 1_500)
    expect(one.isOwnershipCertain).toBe(true)
    expect(scene.log.filter((entry) => entry.includes('!'))).toEqual([])
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
