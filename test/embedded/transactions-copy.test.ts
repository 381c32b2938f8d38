import { describe, expect, it } from '@jest/globals'
import { EmbeddedCluster } from '../../src/embedded/index.ts'
import type { AssignorName } from '../../src/index.ts'
import { copyWhileKilled } from '../support/transactions/copy-test.ts'

const MESSAGES = 6_000
const SESSION_TIMEOUT_MS = 1_500

function classic(assignor: AssignorName) {
  return { managed: true, assignors: [assignor], sessionTimeoutMs: SESSION_TIMEOUT_MS } as const
}

/** The short form of test/chaos/transactions.test.ts, which has real brokers and more messages. */
describe('a transactional copy while copiers are killed and coordinators move', () => {
  it.each([
    ['cooperative members', 4, 2, classic('cooperative-sticky'), {}],
    ['eager members, Kafka 3.9', 4, 2, classic('range'), { version: '3.9' }],
    ['one partition, in its order', 1, 1, classic('range'), {}],
    ['members of the consumer protocol', 4, 2, { groupProtocol: 'consumer' }, {}],
  ] as const)('equals the original: %s', async (_, partitions, copiers, members, options) => {
    await using kafka = await EmbeddedCluster.start({
      brokers: 3,
      groupMinSessionTimeoutMs: 1,
      groupConsumerSessionTimeoutMs: SESSION_TIMEOUT_MS,
      groupConsumerHeartbeatIntervalMs: 200,
      topics: { from: { partitions }, to: { partitions } },
      ...options,
    })
    const group = 'copiers of from'
    const result = await copyWhileKilled({
      hosts: kafka.hosts,
      from: 'from',
      to: 'to',
      partitions,
      messages: MESSAGES,
      perTransaction: 250,
      copiers,
      members,
      workMs: 30,
      disturb: async (percent) => {
        const coordinator = kafka.coordinatorOf(group)
        if (percent === 40) {
          await kafka.stopBroker(coordinator)
          await kafka.startBroker(coordinator)
        } else {
          kafka.moveCoordinator(group, (coordinator % 3) + 1)
        }
      },
    })
    expect(result.afterwards).toEqual(result.expected)
    expect(result.concurrent).toEqual(result.expected)
  })
})
