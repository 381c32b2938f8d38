import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { EmbeddedSide, withoutNames } from '../../kafka/support/admin-operations/embedded-side.ts'
import { OPERATIONS } from '../../kafka/support/admin-operations/all-operations.ts'
import { mayNotFire } from '../../support/fault-watch.ts'
import type { Fault } from '../../../src/embedded/index.ts'

/** The requests that the admin client sends to the controller. */
const CONTROLLER_APIS = [
  'AlterClientQuotas',
  'AlterPartitionReassignments',
  'AlterUserScramCredentials',
  'CreatePartitions',
  'CreateTopics',
  'DeleteTopics',
  'ElectLeaders',
  'ListPartitionReassignments',
  'UpdateFeatures',
] as const

const OWN = ['samsa', 'java']

describe('while the controller moves', () => {
  let calm: EmbeddedSide
  let moving: EmbeddedSide
  const hits = new Map<string, number>(CONTROLLER_APIS.map((api) => [api, 0]))

  beforeAll(async () => {
    calm = await EmbeddedSide.start(OWN)
    moving = await EmbeddedSide.start(OWN)
  })

  afterAll(async () => {
    await calm.stop()
    await moving.stop()
  })

  // In this order: some operations need what others have created.
  it.each(OPERATIONS.map((operation) => [operation.name ?? operation.java, operation] as const))(
    '%s returns the same as with a controller that stays',
    async (_, operation) => {
      const faults = new Map<string, Fault>()
      for (const api of CONTROLLER_APIS) {
        const fault = moving.faults.on({ api, times: 2 }, { error: 'NOT_CONTROLLER' })
        faults.set(api, mayNotFire(fault))
      }
      const answer = await moving.ask(operation)
      for (const [api, fault] of faults) {
        hits.set(api, hits.get(api)! + fault.hits)
        fault.remove()
      }
      expect(withoutNames(answer)).toEqual(withoutNames(await calm.ask(operation)))
    },
  )

  it('each request to the controller was refused at least twice', () => {
    expect([...hits].filter(([, count]) => count < 2)).toEqual([])
  })
})
