/** Groups by the protocol of KIP-848 on the embedded cluster: members that may see different topics, and refused patterns. */
import { expect, it } from '@jest/globals'
import { until } from '../../support/until.ts'
import { Scene } from '../support/consumer-group-scene.ts'

const ALICE = { mechanism: 'SCRAM-SHA-256', username: 'alice', password: 'alice-secret' } as const

it('members that may see different topics share them without further rebalances', async () => {
  await using scene = await Scene.open({
    topics: { t: { partitions: 2 }, u: { partitions: 2 } },
    authorizer: { superUsers: ['User:ANONYMOUS'] },
    listeners: { LOGIN: { sasl: { users: { alice: ALICE.password } } } },
  })
  const read = { principal: 'User:alice', operation: 'read' } as const
  await scene.client().admin.createAcls([
    { ...read, resourceType: 'group', resourceName: 'g' },
    { ...read, resourceType: 'topic', resourceName: 't' },
  ])
  const alice = { hosts: scene.kafka.hostsOf('LOGIN'), sasl: ALICE }
  const one = await scene.ofTopics(['t', 'u'])
  const two = await scene.ofTopics({ pattern: '.*' }, {}, alice)
  await scene.owned(4, one, two)
  const settled = [...scene.log]
  const before = scene.heartbeats.length
  await until(() => scene.heartbeats.length >= before + 20)
  expect(scene.log).toEqual(settled)
  expect(two.assignment.map(({ topic }) => topic)).not.toContain('u')
})

it('a static member that comes back with an invalid pattern keeps its place', async () => {
  await using scene = await Scene.open()
  const one = await scene.member('one', { groupInstanceId: 'a' })
  await one.close()
  const invalid = scene.ofTopics({ pattern: '[z-a]' }, { groupInstanceId: 'a' })
  await expect(invalid).rejects.toMatchObject({ code: 'INVALID_REGULAR_EXPRESSION' })
  const again = await scene.member('one', { groupInstanceId: 'a' })
  expect(again.partitions).toHaveLength(4)
})
