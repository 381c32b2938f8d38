import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { EmbeddedCluster } from '../../../src/embedded/index.ts'
import { KafkaClient, type KafkaClientOptions, type SimpleConsumer } from '../../../src/index.ts'
import { QUICK } from '../../support/fake-cluster.ts'
import { RetryWaits } from '../../support/retry-waits.ts'
import { until } from '../../support/until.ts'

/** A wait or a timeout of this length would let the test fail. */
const ENDLESS_MS = 900_000

let kafka: EmbeddedCluster
let writer: KafkaClient
let reader: KafkaClient | undefined

beforeEach(async () => {
  kafka = await EmbeddedCluster.start({ brokers: 2, topics: { t: { partitions: 2 } } })
  kafka.moveLeader('t', 0, 1)
  kafka.moveLeader('t', 1, 2)
  writer = new KafkaClient({ ...QUICK, hosts: kafka.hosts })
})
afterEach(async () => {
  kafka.faults.clear()
  await reader?.close()
  reader = undefined
  await writer.close()
  await kafka.stop()
})

const write = (text: string, partition: number) =>
  writer
    .topic('t')
    .getProducer()
    .then((producer) => producer.produce(text, { partition }))

async function consumerOf(
  options: KafkaClientOptions,
  fetchWaitMaxMs: number,
  partitions?: readonly number[],
): Promise<SimpleConsumer> {
  reader = new KafkaClient({ ...QUICK, ...options, hosts: kafka.hosts, clientId: 'reader' })
  return reader.topic('t').getSimpleConsumer({ fetchWaitMaxMs, ...(partitions && { partitions }) })
}

async function next(consumer: SimpleConsumer): Promise<string> {
  return String((await consumer.consume({ timeoutMs: ENDLESS_MS }))?.value)
}

const requestsOf = (api: 'Metadata' | 'Fetch' | 'OffsetForLeaderEpoch', broker?: number) =>
  kafka.requests
    .all({ api, ...(broker === undefined ? {} : { broker }) })
    .filter(({ clientId }) => clientId === 'reader')

describe('a consumer whose partition gets another leader', () => {
  it('follows the leader that the former one names, without a wait and without a request for metadata', async () => {
    const waits = { retryBackoffMs: ENDLESS_MS, retryBackoffMaxMs: ENDLESS_MS }
    const consumer = await consumerOf(waits, 20)
    await write('before', 0)
    expect(await next(consumer)).toBe('before')
    const asked = requestsOf('Metadata').length
    kafka.moveLeader('t', 0, 2)
    await write('after', 0)
    expect(await next(consumer)).toBe('after')
    expect(requestsOf('Metadata')).toHaveLength(asked)
  })

  it('leaves a broker that does not answer as soon as metadata names another leader', async () => {
    const consumer = await consumerOf({ socketTimeoutMs: ENDLESS_MS }, 20)
    await write('before', 0)
    expect(await next(consumer)).toBe('before')
    kafka.faults.on({ broker: 1, clientId: 'reader' }, { drop: true })
    kafka.moveLeader('t', 0, 2)
    await write('after', 0)
    expect(await next(consumer)).toBe('after')
  })

  it('validates its position while a long poll of the new leader is in flight', async () => {
    const consumer = await consumerOf({}, ENDLESS_MS)
    await write('before', 0)
    expect(await next(consumer)).toBe('before')
    await until(() => requestsOf('Fetch', 2).length > 0)
    kafka.moveLeader('t', 0, 2)
    // The poll of partition 1 has no end of its own.
    await until(() => requestsOf('OffsetForLeaderEpoch', 2).length > 0)
    await write('other', 1)
    await write('after', 0)
    expect([await next(consumer), await next(consumer)].sort()).toEqual(['after', 'other'])
  })

  it('waits after a failure only until a newer leader is known, however it became known', async () => {
    const waits = { retryBackoffMs: ENDLESS_MS, retryBackoffMaxMs: ENDLESS_MS }
    const consumer = await consumerOf(waits, 20)
    await write('before', 0)
    expect(await next(consumer)).toBe('before')
    const asked = requestsOf('Metadata').length
    kafka.faults.on(
      { api: 'Fetch', broker: 1, clientId: 'reader', times: 1 },
      { error: 'NOT_LEADER_OR_FOLLOWER' },
    )
    // The request for metadata after the failure names the same leader: the wait continues.
    await until(() => requestsOf('Metadata').length > asked)
    kafka.moveLeader('t', 0, 2)
    await write('after', 0)
    // Another user of the client asks, as the application or a producer may.
    await reader!.updateCluster()
    expect(await next(consumer)).toBe('after')
  })

  it('waits no longer for a new leader that fails than for the first one, no matter how often that failed', async () => {
    using waits = new RetryWaits('fetching t-0')
    const growing = { retryBackoffMs: 1, retryBackoffMaxMs: ENDLESS_MS }
    const consumer = await consumerOf(growing, 20, [0])
    await write('before', 0)
    expect(await next(consumer)).toBe('before')
    const refuse = (broker: number, times: number) =>
      kafka.faults.on(
        { api: 'Fetch', broker, clientId: 'reader', times },
        { error: 'NOT_LEADER_OR_FOLLOWER' },
      )
    refuse(1, 6)
    await until(() => waits.ms.length === 6)
    refuse(2, 1)
    kafka.moveLeader('t', 0, 2)
    await write('after', 0)
    expect(await next(consumer)).toBe('after')
    expect(waits.ms[5]).toBeGreaterThan(20)
    expect(waits.ms.at(-1)).toBeLessThan(2)
  })
})
