import { afterAll, beforeAll, it } from '@jest/globals'
import { describeWithBrokers } from '../support/real-brokers.ts'
import {
  differencesIn,
  expectOnly,
  learnVersions,
  startBoth,
  type BothClusters,
  type KnownDifference,
} from './support/differential/sides.ts'
import { OLD_TRANSACTION_STEPS } from './support/differential/transaction-steps.ts'

/**
 * Kafka 2.8 accepts records of an epoch to come, and can then neither commit nor abort the transaction: the marker has
 * the older epoch. The embedded cluster refuses such records in each version.
 */
const LEFT_OUT = /^records of an epoch to come/

const ON_PURPOSE: readonly KnownDifference[] = [
  {
    path: /configs/,
    why: 'the embedded cluster has the topic configs of Kafka 4.4 in each version',
  },
  { path: /logAppendTimeMs$/, why: 'Kafka gives the time of the first batch to a repeated one' },
]

describeWithBrokers(
  'transactions of the embedded cluster compared with Kafka 2.8.2',
  ['java'],
  () => {
    let both: BothClusters

    beforeAll(async () => {
      both = await startBoth('2.8.2')
      await learnVersions(both.sides)
    })

    afterAll(() => both.stop())

    it('return the same responses, field by field', async () => {
      const steps = OLD_TRANSACTION_STEPS.filter(({ name }) => !LEFT_OUT.test(name))
      expectOnly(await differencesIn(both.sides, steps), ON_PURPOSE)
    })
  },
)
