import { describe, expect, it } from '@jest/globals'
import { HeartbeatFields } from '../../../../src/balanced/consumer/heartbeat-fields.ts'
import { isSameAssignment, readAssignment } from '../../../../src/balanced/consumer/assignment.ts'
import type { ConsumerGroupSettings } from '../../../../src/balanced/consumer/settings.ts'
import type { Subscription } from '../../../../src/balanced/subscription.ts'
import { ZERO_UUID } from '../../../../protocol/schema/fields.ts'

const subscription: Subscription = {
  name: 'topic t',
  onlyTopic: 't',
  names: ['t'],
  includes: () => true,
  topics: () => Promise.resolve([]),
}

const settings = (more: Partial<ConsumerGroupSettings> = {}): ConsumerGroupSettings => ({
  groupId: 'g',
  subscription,
  remoteAssignor: 'range',
  groupInstanceId: undefined,
  groupInstanceWaitMs: 0,
  clientRack: 'a',
  maxPollIntervalMs: 300,
  busyForMs: () => 0,
  ...more,
})

const NOTHING_OWNED = { topics: ['t'], owned: [] }
const EVERYTHING = {
  instanceId: null,
  rackId: 'a',
  rebalanceTimeoutMs: 300,
  serverAssignor: 'range',
  subscribedTopicNames: ['t'],
  topicPartitions: [],
}

describe('the fields of a heartbeat', () => {
  it('are all present in the first one', () => {
    expect(new HeartbeatFields(settings()).next(NOTHING_OWNED).body).toEqual(EVERYTHING)
  })

  it('are omitted if unchanged since the last response, except the instance id', () => {
    const fields = new HeartbeatFields(settings({ groupInstanceId: 'one' }))
    fields.confirm(fields.next(NOTHING_OWNED).contents)
    expect(fields.next(NOTHING_OWNED).body).toEqual({ instanceId: 'one' })
  })

  it('include what changed: the owned partitions, or the topics', () => {
    const fields = new HeartbeatFields(settings())
    fields.confirm(NOTHING_OWNED)
    const owned = [{ topicId: 'A', partitions: [0, 2] }]
    expect(fields.next({ ...NOTHING_OWNED, owned }).body).toEqual({
      instanceId: null,
      topicPartitions: owned,
    })
    expect(fields.next({ ...NOTHING_OWNED, topics: ['t', 'u'] }).body).toEqual({
      instanceId: null,
      subscribedTopicNames: ['t', 'u'],
    })
  })

  it('are sent again until a response has confirmed them', () => {
    const fields = new HeartbeatFields(settings())
    fields.confirm(NOTHING_OWNED)
    const owned = [{ topicId: 'A', partitions: [0] }]
    fields.next({ ...NOTHING_OWNED, owned })
    expect(fields.next({ ...NOTHING_OWNED, owned }).body).toHaveProperty('topicPartitions')
  })

  it('are all present again after an error or a lost response', () => {
    const fields = new HeartbeatFields(settings())
    fields.confirm(NOTHING_OWNED)
    fields.forget()
    expect(fields.next(NOTHING_OWNED).body).toEqual(EVERYTHING)
  })

  it('have the pattern for the broker without names', () => {
    const pattern = { ...subscription, names: undefined, serverPattern: 'a.*' }
    const fields = new HeartbeatFields(settings({ subscription: pattern }))
    const { body } = fields.next({ topics: [], owned: [] })
    expect(body).toMatchObject({ subscribedTopicRegex: 'a.*', subscribedTopicNames: [] })
  })
})

describe('an assignment', () => {
  it('is read without invalid partitions, and with each partition once', () => {
    expect(
      readAssignment([
        { topicId: 'B', partitions: [2, -1, 0, 2] },
        { topicId: ZERO_UUID, partitions: [1] },
        { topicId: '', partitions: [1] },
        { topicId: 'A', partitions: [-1] },
        { topicId: 'B', partitions: [1] },
      ]),
    ).toEqual([{ topicId: 'B', partitions: [0, 1, 2] }])
  })

  it('is equal in any order', () => {
    const one = readAssignment([
      { topicId: 'B', partitions: [1, 0] },
      { topicId: 'A', partitions: [3] },
    ])
    const other = readAssignment([
      { topicId: 'A', partitions: [3] },
      { topicId: 'B', partitions: [0, 1] },
    ])
    expect(isSameAssignment(one, other)).toBe(true)
    expect(isSameAssignment(one, readAssignment([{ topicId: 'A', partitions: [3] }]))).toBe(false)
    expect(
      isSameAssignment(
        one,
        readAssignment([
          { topicId: 'A', partitions: [3] },
          { topicId: 'B', partitions: [0, 2] },
        ]),
      ),
    ).toBe(false)
  })
})
