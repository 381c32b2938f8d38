/** Groups by the protocol of KIP-848 on the embedded cluster: the offsets of a member whose epoch may be stale. */
import { describe, expect, it } from '@jest/globals'
import { until } from '../../support/until.ts'
import { ALL, HEARTBEAT, Scene } from '../support/consumer-group-scene.ts'

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
