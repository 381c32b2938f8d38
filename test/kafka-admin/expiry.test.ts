import { afterAll, beforeAll, describe, it } from '@jest/globals'
import {
  EXPIRED_PRODUCER_IDS,
  EXPIRED_TRANSACTIONAL_IDS,
  PRODUCER_IDS,
  TRANSACTIONAL_IDS,
} from '../embedded/support/differential/expiry-steps.ts'
import {
  differencesIn,
  expectOnly,
  learnVersions,
  startBoth,
  type BothClusters,
  type KnownDifference,
} from '../embedded/support/differential/sides.ts'
import { describeWithBrokers } from '../support/real-brokers.ts'

const DAY_MS = 24 * 3_600_000

/** Long enough that an id does not expire between two requests before it is meant to. */
const EXPIRATION_MS = '10000'
const CHECK_INTERVAL_MS = '200'

const CONFIG = {
  'transactional.id.expiration.ms': EXPIRATION_MS,
  'transaction.remove.expired.transaction.cleanup.interval.ms': CHECK_INTERVAL_MS,
}
/** Kafka 2.8 has no config for the interval, which is ten minutes. */
const CONFIG_OF_PRODUCER_IDS = {
  'producer.id.expiration.ms': EXPIRATION_MS,
  'producer.id.expiration.check.interval.ms': CHECK_INTERVAL_MS,
}

const ON_PURPOSE_BEFORE_4: readonly KnownDifference[] = [
  {
    path: /configs/,
    why: 'the embedded cluster has the topic configs of Kafka 4.4 in each version',
  },
]

/**
 * The embedded cluster has Kafka's default times, and its clock is moved; the real one gets short times. Producer ids
 * expire after a day and transactional ids after seven, so that the embedded clock has to be moved twice.
 */
describeWithBrokers('ids that expire in the embedded cluster', ['java'], () => {
  describe.each(['2.8.2', '4.4.0'] as const)('compared with Kafka %s', (version) => {
    let both: BothClusters
    const isNew = version === '4.4.0'

    beforeAll(async () => {
      both = await startBoth(version, isNew ? { ...CONFIG, ...CONFIG_OF_PRODUCER_IDS } : CONFIG)
      await learnVersions(both.sides)
    })
    afterAll(() => both.stop())

    it('return the same responses, field by field', async () => {
      const { sides, embedded } = both
      const found = await differencesIn(sides, TRANSACTIONAL_IDS)
      if (isNew) {
        found.push(...(await differencesIn(sides, PRODUCER_IDS)))
        embedded.skewClock(DAY_MS + 60_000)
        found.push(...(await differencesIn(sides, EXPIRED_PRODUCER_IDS)))
      }
      embedded.skewClock(8 * DAY_MS)
      found.push(...(await differencesIn(sides, EXPIRED_TRANSACTIONAL_IDS)))
      expectOnly(found, isNew ? [] : ON_PURPOSE_BEFORE_4)
    })
  })
})
