/** Groups by the protocol of KIP-848 on the embedded cluster: topics that are found, created, deleted and created again. */
import { describe, expect, it } from '@jest/globals'
import { until } from '../../support/until.ts'
import { Scene } from '../support/consumer-group-scene.ts'

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

  it('whose names are being looked up do not delay the partitions that others are to get', async () => {
    await using scene = await Scene.open()
    const one = await scene.ofTopics({ pattern: 'x' }, {}, { clientId: 'late' })
    const lookup = scene.kafka.faults.on({ api: 'Metadata', clientId: 'late' }, { hold: true })
    const isAsked = scene.kafka.requests.next({ api: 'Metadata', clientId: 'late' })
    scene.kafka.createTopic('x', { partitions: 4 })
    await isAsked
    const two = await scene.ofTopics({ pattern: 'x' })
    await scene.owned(2, two)
    expect(one.assignment).toEqual([])
    lookup.release()
    await scene.owned(4, one, two)
  })

  it('whose names are being looked up do not delay close()', async () => {
    await using scene = await Scene.open()
    const one = await scene.ofTopics({ pattern: 'x' }, {}, { clientId: 'late' })
    scene.kafka.faults.on({ api: 'Metadata', clientId: 'late' }, { hold: true })
    const isAsked = scene.kafka.requests.next({ api: 'Metadata', clientId: 'late' })
    scene.kafka.createTopic('x', { partitions: 4 })
    await isAsked
    await one.close()
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
