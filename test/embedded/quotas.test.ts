import { afterEach, beforeEach, expect, it } from '@jest/globals'
import { alterClientQuotas, fetch, produce } from '../../protocol/apis/index.ts'
import { EmbeddedCluster } from '../../src/embedded/index.ts'
import { batchOf, fetchRequest } from './support/requests.ts'
import { RawClient } from './support/raw-client.ts'

let kafka: EmbeddedCluster
beforeEach(async () => {
  kafka = await EmbeddedCluster.start({ topics: { t: {} } })
})
afterEach(() => kafka.stop())

async function limit(entity: string | null, key: string, value: number): Promise<void> {
  using admin = await RawClient.open(kafka.ports[0]!)
  await admin.request(alterClientQuotas, 1, {
    entries: [
      {
        entity: [{ entityType: 'client-id', entityName: entity }],
        ops: [{ key, value, remove: false }],
      },
    ],
    validateOnly: false,
  })
}

const request = (bytes: number) => ({
  acks: -1,
  timeoutMs: 1_000,
  topicData: [{ name: 't', partitionData: [{ index: 0, records: batchOf(['x'.repeat(bytes)]) }] }],
})

it('a quota throttles a producer over its rate: the response is immediate, the next one comes after the throttle time', async () => {
  await limit('greedy', 'producer_byte_rate', 2_000)
  using client = await RawClient.open(kafka.ports[0]!, 'greedy')
  const within = await client.request(produce, 9, request(10_000))
  expect(within.throttleTimeMs).toBe(0)
  const over = await client.request(produce, 9, request(12_000))
  // 22,150 bytes or so over 10 seconds, where 20,000 are allowed: a tenth of the window to wait.
  expect(over.throttleTimeMs).toBeGreaterThan(900)
  const answeredAt = performance.now()
  const next = await client.request(produce, 9, request(1))
  expect(performance.now() - answeredAt).toBeGreaterThan(over.throttleTimeMs - 50)
  expect(next.responses[0]?.partitionResponses[0]?.errorCode).toBe(0)
})

it('a default quota throttles each client separately, and no others', async () => {
  await limit(null, 'producer_byte_rate', 1_000)
  await limit('free', 'producer_byte_rate', 1_000_000)
  const throttleOf = async (clientId: string) => {
    using client = await RawClient.open(kafka.ports[0]!, clientId)
    return (await client.request(produce, 9, request(9_000))).throttleTimeMs
  }
  expect(await throttleOf('a')).toBe(0)
  expect(await throttleOf('b')).toBe(0)
  expect(await throttleOf('a')).toBeGreaterThan(0)
  expect(await throttleOf('free')).toBe(0)
  expect(await throttleOf('free')).toBe(0)
})

it('a quota answers a consumer over its rate with an empty response and a throttle time', async () => {
  using client = await RawClient.open(kafka.ports[0]!, 'greedy')
  for (let i = 0; i < 4; i++) await client.request(produce, 9, request(4_000))
  await limit('greedy', 'consumer_byte_rate', 1_000)
  const wish = { version: 12, offset: 0 }
  const first = await client.request(fetch, 12, fetchRequest('t', [0], wish))
  expect(first.throttleTimeMs).toBe(0)
  const size = first.responses[0]?.partitions[0]?.records?.length ?? 0
  expect(size).toBeGreaterThan(8_000)
  // No more than the rate allows in its window of 10 s.
  expect(size).toBeLessThanOrEqual(10_000)
  const over = await client.request(fetch, 12, fetchRequest('t', [0], wish))
  expect(over.throttleTimeMs).toBeGreaterThan(0)
  expect(over.responses).toEqual([])
})
