import { afterAll, beforeAll, it } from '@jest/globals'
import { KafkaClient } from '../../src/index.ts'
import { describeWithBrokers } from '../support/real-brokers.ts'
import { GROUP_CONFIG_STEPS } from './support/differential/group-config-steps.ts'
import { SHARE_GROUP, SHARE_GROUP_STEPS } from './support/differential/share-group-steps.ts'
import {
  differencesIn,
  expectOnly,
  startBoth,
  type BothClusters,
  type KnownDifference,
} from './support/differential/sides.ts'

/** What differs, and why it may. */
const ON_PURPOSE: readonly KnownDifference[] = [
  {
    path: /^an epoch of the future: .*errorMessage$/,
    why: 'the embedded coordinator assigns in the response to the join, without further epochs',
  },
  {
    path: /^two accepted: .*startOffset$/,
    why: 'a real leader stores the new start offset with a later change',
  },
]

describeWithBrokers('share groups compared with those of a real Kafka 4.4.0', ['java'], () => {
  let both: BothClusters

  beforeAll(async () => {
    both = await startBoth('4.4.0', { 'group.share.assignment.interval.ms': '0' })
  })

  afterAll(() => both.stop())

  it('have the same configs, with the same limits and error messages', async () => {
    expectOnly(await differencesIn(both.sides, GROUP_CONFIG_STEPS), [])
  })

  it('return the same responses, field by field', async () => {
    const set = { 'share.auto.offset.reset': 'earliest' }
    for (const { hosts } of [both.kafka, both.embedded]) {
      await using client = new KafkaClient({ hosts })
      await client.admin.incrementalAlterConfigs([{ type: 'group', name: SHARE_GROUP, set }])
    }
    expectOnly(await differencesIn(both.sides, SHARE_GROUP_STEPS), ON_PURPOSE)
  })
})
