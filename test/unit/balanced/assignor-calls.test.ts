import { describe, expect, it } from '@jest/globals'
import type { Assignor, GroupMember } from '../../../src/balanced/assignors/assignor.ts'
import { assignmentBy, userDataBy } from '../../../src/balanced/classic/assignor-calls.ts'
import { computeAssignment } from '../../../src/balanced/classic/compute-assignment.ts'
import { KafkaError } from '../../../src/errors.ts'
import { failureOf } from '../../support/settled.ts'
import { keepWarnings } from '../../support/warnings.ts'

const ONE: GroupMember = {
  memberId: 'one',
  topics: ['t'],
  groupInstanceId: undefined,
  ownedPartitions: [],
  generation: -1,
  rack: undefined,
  userData: undefined,
}
const TOPICS = new Map([
  ['t', [0, 1, 2].map((partition) => ({ partition, racks: new Set<string>() }))],
])

/** An assignor as an application without types writes it. */
function mine(assign: () => unknown, more: object = {}): Assignor {
  return { name: 'mine', protocols: ['eager'], assign, ...more } as Assignor
}

const listOf = (...list: readonly unknown[]) => new Map([['one', list]])
const each = 'must return an array of { topic, partition } for each member'

describe('the result of an own assignor', () => {
  it.each([
    [undefined, 'must return a Map by member id, not undefined'],
    [{ one: [] }, 'must return a Map by member id, not an object'],
    [new Map([['one', { t: [0, 1] }]]), `${each}, not an object for 'one'`],
    [listOf(0, 1, 2), `${each}, not an array with 0 for 'one'`],
    [listOf('t:0'), `${each}, not an array with 't:0' for 'one'`],
    [listOf({ topic: 7, partition: 0 }), `${each}: a topic must be a string, not 7`],
    [
      listOf({ topic: 't', partition: '0' }),
      `${each}: a partition of 't' must be a number, not '0'`,
    ],
  ])('is rejected with what it must be: %p', async (result, reason) => {
    const error = await failureOf(
      assignmentBy(
        mine(() => result),
        [ONE],
        TOPICS,
      ),
    )
    expect(error.message).toBe(`the assignor 'mine' ${reason}`)
  })

  it('may be a promise', async () => {
    const result = listOf({ topic: 't', partition: 0 })
    const assignor = mine(() => Promise.resolve(result))
    expect(await assignmentBy(assignor, [ONE], TOPICS)).toBe(result)
  })

  it('is an error that names the assignor if it throws, with the cause', async () => {
    const cause = new TypeError('x is undefined')
    const assignor = mine(() => {
      throw cause
    })
    const error = await failureOf(assignmentBy(assignor, [ONE], TOPICS))
    expect(error.message).toBe("the assignor 'mine' threw: x is undefined")
    expect(error.cause).toBe(cause)
  })

  it('is the error of the client if its request to the cluster fails, so that the member tries again', async () => {
    const error = new KafkaError('COORDINATOR_NOT_AVAILABLE', 'not now', true)
    const assignor = mine(() => Promise.reject(error))
    expect(await failureOf(assignmentBy(assignor, [ONE], TOPICS))).toBe(error)
  })

  async function warningsFor(assignor: Assignor, members: readonly GroupMember[]) {
    const { warnings, logger } = keepWarnings()
    const [protocol] = assignor.protocols
    await computeAssignment({
      groupId: 'g',
      assignor,
      protocol: protocol!,
      members,
      topics: TOPICS,
      logger,
    })
    return warnings
  }

  it('causes a warning that names the partitions that no member reads', async () => {
    const some = mine(() => listOf({ topic: 't', partition: 1 }))
    expect(await warningsFor(some, [ONE])).toEqual([
      "group 'g': the assignor 'mine' left out t-0, t-2: no member reads them",
    ])
    const all = mine(() => listOf(...[0, 1, 2].map((partition) => ({ topic: 't', partition }))))
    expect(await warningsFor(all, [ONE])).toEqual([])
  })

  it('causes no warning for partitions that a cooperative assignor leaves with their owner for a rebalance', async () => {
    const some = mine(() => listOf({ topic: 't', partition: 1 }), { protocols: ['cooperative'] })
    const ownedPartitions = [0, 2].map((partition) => ({ topic: 't', partition }))
    const members = [ONE, { ...ONE, memberId: 'two', ownedPartitions }]
    expect(await warningsFor(some, members)).toEqual([])
  })
})

describe('the user data of an own assignor', () => {
  const last = { partitions: [], generation: -1 }
  const assign = () => new Map()

  it('is a Buffer, or undefined', () => {
    const data = Buffer.from('weight=2')
    expect(userDataBy(mine(assign, { userData: () => data }), last)).toBe(data)
    expect(userDataBy(mine(assign, { userData: () => undefined }), last)).toBeUndefined()
    expect(userDataBy(mine(assign), last)).toBeUndefined()
  })

  it.each([
    ['a string', () => 'text', "must return a Buffer, or undefined for none, not 'text'"],
    ['a promise', () => Promise.resolve(), 'returned a promise: it must return its result'],
    [
      'an error',
      () => {
        throw new Error('no weight')
      },
      'threw: no weight',
    ],
  ])('is rejected with an error that names the assignor if it is %s', (_, userData, reason) => {
    expect(() => userDataBy(mine(assign, { userData }), last)).toThrow(
      `userData of the assignor 'mine' ${reason}`,
    )
  })
})
