import { expect, it } from '@jest/globals'
import { fetch, produce } from '../../protocol/apis/index.ts'
import { EmbeddedCluster } from '../../src/embedded/index.ts'
import { KafkaClient } from '../../src/index.ts'
import { batchOf, fetchRequest } from '../embedded/support/requests.ts'
import { RawClient } from '../embedded/support/raw-client.ts'
import { startKafka } from '../support/kafka/cluster.ts'
import { describeWithBrokers } from '../support/real-brokers.ts'
import { until } from '../support/until.ts'

const VERSION = '4.4.0'
const TIMEOUT_MS = 300_000
const PRODUCER_RATE = 2_000
const CONSUMER_RATE = 1_000
const BATCH_BYTES = 500
/** The second response of this size exceeds what the rate allows in ten seconds. */
const FETCH_BYTES = 9_000
/** Kafka counts in windows of a second, and takes the beginning of the first one for that of the measurement. */
const WINDOW_MS = 1_000

interface Throttled {
  readonly produce: readonly number[]
  readonly fetch: readonly number[]
  /** Of what each fetch returned. */
  readonly sizes: readonly number[]
  readonly tookMs: number
}

const requestOf = (bytes: number) => ({
  acks: -1,
  timeoutMs: 10_000,
  topicData: [{ name: 't', partitionData: [{ index: 0, records: batchOf(['x'.repeat(bytes)]) }] }],
})

/** Each request has a connection of its own, so that none waits for the throttle of another. */
async function produced(port: number, clientId: string, bytes: number): Promise<number> {
  using client = await RawClient.open(port, clientId)
  return (await client.request(produce, 9, requestOf(bytes))).throttleTimeMs
}

async function throttledBy(port: number, hosts: string): Promise<Throttled> {
  await using client = new KafkaClient({ hosts })
  for (let i = 0; i < 60; i++) await produced(port, 'filler', BATCH_BYTES)
  await client.admin.alterClientQuotas([
    { entity: { clientId: 'producer' }, set: { producer_byte_rate: PRODUCER_RATE } },
    { entity: { clientId: 'consumer' }, set: { consumer_byte_rate: CONSUMER_RATE } },
    { entity: { clientId: 'probe' }, set: { producer_byte_rate: 1 } },
  ])
  // The broker knows all three once it throttles by the last.
  await until(async () => (await produced(port, 'probe', 100)) > 0)
  const startedAt = performance.now()
  const byProduce: number[] = []
  for (const bytes of [15_000, 60_000, 5_000, 40_000]) {
    byProduce.push(await produced(port, 'producer', bytes))
  }
  const byFetch: number[] = []
  const sizes: number[] = []
  for (let i = 0; i < 3; i++) {
    using reader = await RawClient.open(port, 'consumer')
    const wish = { version: 12, offset: 0, maxBytes: FETCH_BYTES }
    const { throttleTimeMs, responses } = await reader.request(
      fetch,
      12,
      fetchRequest('t', [0], wish),
    )
    byFetch.push(throttleTimeMs)
    sizes.push(responses[0]?.partitions[0]?.records?.length ?? 0)
  }
  return { produce: byProduce, fetch: byFetch, sizes, tookMs: performance.now() - startedAt }
}

describeWithBrokers('quotas of the embedded cluster', ['java'], () => {
  it(
    'report the same throttle times as a real broker to producers and consumers',
    async () => {
      await using kafka = await startKafka({ version: VERSION })
      await kafka.createTopic('t')
      await using embedded = await EmbeddedCluster.start({ version: '4.4', topics: { t: {} } })
      const real = await throttledBy(kafka.ports[0]!, kafka.hosts)
      const ours = await throttledBy(embedded.ports[0]!, embedded.hosts)

      expect(real.produce.map((ms) => ms > 0)).toEqual([false, true, true, true])
      expect(real.fetch.map((ms) => ms > 0)).toEqual([false, true, true])
      // A time is the excess at the quota's rate: it shrinks while requests continue.
      const toleranceMs = WINDOW_MS + real.tookMs + ours.tookMs
      for (const [index, ms] of ours.produce.entries()) {
        expect(Math.abs(ms - real.produce[index]!)).toBeLessThan(toleranceMs)
      }
      // The brokers may or may not return the beginning of a batch that does not fit.
      const batchMs = ((2 * BATCH_BYTES) / CONSUMER_RATE) * 1_000
      for (const [index, ms] of ours.fetch.entries()) {
        expect(Math.abs(ms - real.fetch[index]!)).toBeLessThan(toleranceMs + batchMs)
        expect(Math.abs(ours.sizes[index]! - real.sizes[index]!)).toBeLessThan(2 * BATCH_BYTES)
      }
    },
    TIMEOUT_MS,
  )
})
