import { afterAll, beforeAll, it } from '@jest/globals'
import { describeWithBrokers } from '../support/real-brokers.ts'
import { CONSUMER_GROUP_STEPS } from './support/differential/consumer-group-steps.ts'
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
    path: /^an expression that is none: .*errorMessage$/,
    why: 'the reason is that of another library',
  },
]

describeWithBrokers('consumer groups compared with those of a real Kafka 4.4.0', ['java'], () => {
  let both: BothClusters

  beforeAll(async () => {
    // The embedded cluster assigns at once.
    both = await startBoth('4.4.0', { 'group.consumer.assignment.interval.ms': '0' })
  })

  afterAll(() => both.stop())

  it('return the same responses, field by field', async () => {
    expectOnly(await differencesIn(both.sides, CONSUMER_GROUP_STEPS), ON_PURPOSE)
  })
})
