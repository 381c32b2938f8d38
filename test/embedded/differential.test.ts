import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { apiVersions } from '../../protocol/apis/index.ts'
import { describeWithBrokers } from '../support/real-brokers.ts'
import { ADMIN_STEPS } from './support/differential/admin-steps.ts'
import { GROUP_STEPS } from './support/differential/group-steps.ts'
import {
  differencesIn,
  expectOnly,
  startBoth,
  type BothClusters,
  type KnownDifference,
} from './support/differential/sides.ts'
import type { Side } from './support/differential/step.ts'
import { TRANSACTION_STEPS } from './support/differential/transaction-steps.ts'
import { TOPIC_STEPS } from './support/differential/topic-steps.ts'

/** What differs, and why it may. */
const ON_PURPOSE: readonly KnownDifference[] = [
  {
    path: /logAppendTimeMs$/,
    why: 'one was asked after the other',
  },
  {
    path: /^from the future .*batchIndexErrorMessage$/,
    why: 'the message names the time of the request',
  },
  {
    path: /^what the broker compressed .*records$/,
    why: 'gzip of Java and of Node are different bytes for the same',
  },
]

describeWithBrokers('the embedded cluster compared with a real Kafka 4.4.0', ['java'], () => {
  let both: BothClusters

  beforeAll(async () => {
    both = await startBoth('4.4.0', {
      'transaction.abort.timed.out.transaction.cleanup.interval.ms': '100',
    })
  })

  afterAll(() => both.stop())

  it('returns the same responses, field by field', async () => {
    const steps = [...TOPIC_STEPS, ...GROUP_STEPS, ...TRANSACTION_STEPS, ...ADMIN_STEPS]
    expectOnly(await differencesIn(both.sides, steps), ON_PURPOSE)
  })

  it('presents the same versions of each API as the real one', async () => {
    const [real, ours] = both.sides
    const rangesOf = async ({ client }: Side) => {
      const { apiKeys } = await client.request(apiVersions, 0, {})
      return new Map(apiKeys.map((api) => [api.apiKey, `${api.minVersion}-${api.maxVersion}`]))
    }
    const theirRanges = await rangesOf(real)
    for (const [key, range] of await rangesOf(ours)) {
      expect({ key, range }).toEqual({ key, range: theirRanges.get(key) })
    }
  })
})
