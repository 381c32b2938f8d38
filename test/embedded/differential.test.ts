import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { apiVersions } from '../../protocol/apis/index.ts'
import { EmbeddedCluster } from '../../src/embedded/index.ts'
import { startKafka, type KafkaCluster } from '../support/kafka/cluster.ts'
import { describeWithBrokers } from '../support/real-brokers.ts'
import { differences, type Difference } from './support/compare.ts'
import { ADMIN_STEPS } from './support/differential/admin-steps.ts'
import { GROUP_STEPS } from './support/differential/group-steps.ts'
import { Side } from './support/differential/step.ts'
import { TRANSACTION_STEPS } from './support/differential/transaction-steps.ts'
import { TOPIC_STEPS } from './support/differential/topic-steps.ts'
import { RawClient } from './support/raw-client.ts'

/** What differs, and why it may. */
const ON_PURPOSE: readonly { readonly path: RegExp; readonly why: string }[] = [
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
  let kafka: KafkaCluster
  let embedded: EmbeddedCluster
  let sides: readonly [Side, Side]

  beforeAll(async () => {
    kafka = await startKafka({
      version: '4.4.0',
      config: { 'transaction.abort.timed.out.transaction.cleanup.interval.ms': '100' },
    })
    embedded = await EmbeddedCluster.start({ version: '4.4' })
    const sideOf = async (port: number) => new Side(await RawClient.open(port), port)
    sides = [await sideOf(kafka.ports[0]!), await sideOf(embedded.ports[0]!)]
  })

  afterAll(async () => {
    for (const { client } of sides) client[Symbol.dispose]()
    await embedded.stop()
    await kafka.stop()
  })

  it('returns the same responses, field by field', async () => {
    const [real, ours] = sides
    const found: Difference[] = []
    for (const asked of [...TOPIC_STEPS, ...GROUP_STEPS, ...TRANSACTION_STEPS, ...ADMIN_STEPS]) {
      const theirAnswer = await asked.ask(real)
      const ourAnswer = await asked.ask(ours)
      found.push(...differences(asked.name, theirAnswer, ourAnswer, real.names, ours.names))
    }
    const isOf = ({ path: known }: (typeof ON_PURPOSE)[number], { request, path }: Difference) =>
      known.test(`${request} ${path}`)
    const unexpected = found.filter((one) => !ON_PURPOSE.some((known) => isOf(known, one)))
    const lines = unexpected.map(
      ({ request, path, real: theirs, embedded: own }) =>
        `${request}: ${path}: ${theirs} became ${own}`,
    )
    expect(lines).toEqual([])
    // What is listed as different must be: the list would outlive its reasons.
    const unneeded = ON_PURPOSE.filter((known) => !found.some((one) => isOf(known, one)))
    expect(unneeded).toEqual([])
  })

  it('presents the same versions of each API as the real one', async () => {
    const [real, ours] = sides
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
