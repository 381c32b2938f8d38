/** Groups by the protocol of KIP-848 on the embedded cluster: how members divide partitions, and what they send and read. */
import { describe, expect, it } from '@jest/globals'
import { until } from '../../support/until.ts'
import { HEARTBEAT, Scene } from '../support/consumer-group-scene.ts'

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
