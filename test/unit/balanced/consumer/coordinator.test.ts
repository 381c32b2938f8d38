import { expect, it } from '@jest/globals'
import { consumerGroupHeartbeat } from '../../../../protocol/apis/consumer-group-heartbeat.ts'
import { metadata } from '../../../../protocol/apis/metadata.ts'
import { consumerProtocol } from '../../../../src/balanced/consumer/protocol.ts'
import type { CoordinatorEvents } from '../../../../src/balanced/coordinator.ts'
import { NamedTopics } from '../../../../src/balanced/subscription.ts'
import { clusterAt } from '../../../support/fake-cluster.ts'
import { fakeGroup } from '../../../support/balanced/fake-group.ts'

const OLD = 'AAAAAAAAAAAAAAAAAAAAEQ'
const NEW = 'AAAAAAAAAAAAAAAAAAAAEg'

it('an assignment with the old and the new id of a topic announces no round that could change nothing', async () => {
  await using group = await fakeGroup([{ topicId: OLD, partitions: [0] }])
  group.broker.handle(metadata, ({ topics }) => ({
    brokers: [{ nodeId: 1, ...group.broker.address }],
    topics: (topics ?? []).map(({ topicId }) => ({
      errorCode: 0,
      name: 't',
      topicId,
      partitions: [],
    })),
  }))
  const cluster = clusterAt([group.broker])
  const reasons: string[] = []
  const events: CoordinatorEvents = {
    changed: (reason) => reasons.push(reason),
    lost: () => undefined,
    renewed: () => undefined,
    failed: () => undefined,
    problem: () => undefined,
  }
  const coordinator = consumerProtocol.coordinate({
    cluster,
    options: { consumerGroup: 'g' },
    subscription: new NamedTopics(cluster, ['t']),
    busyForMs: () => 0,
  })(events)
  const { signal } = new AbortController()
  const old = await coordinator.join([], signal)
  await coordinator.claim(old, signal)
  group.assignment = [
    { topicId: OLD, partitions: [0] },
    { topicId: NEW, partitions: [0] },
  ]
  const before = group.broker.received(consumerGroupHeartbeat).length
  await group.broker.until(() => group.broker.received(consumerGroupHeartbeat).length >= before + 2)
  reasons.length = 0
  expect(await coordinator.join(old, signal)).toMatchObject([{ topic: 't', topicId: OLD }])
  expect(reasons).toEqual([])
  group.assignment = [{ topicId: NEW, partitions: [0] }]
  const then = group.broker.received(consumerGroupHeartbeat).length
  await group.broker.until(() => group.broker.received(consumerGroupHeartbeat).length >= then + 2)
  reasons.length = 0
  expect(await coordinator.join(old, signal)).toEqual([])
  expect(reasons).toEqual(['an assigned topic was deleted and created again'])
  await coordinator.leave()
  await cluster.close(0)
})
