import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { EmbeddedCluster, type KafkaVersion } from '../../../src/embedded/index.ts'
import { KafkaClient, type KafkaClientOptions } from '../../../src/index.ts'
import { QUICK } from '../../support/fake-cluster.ts'
import { mayNotFire } from '../../support/fault-watch.ts'
import { RetryWaits } from '../../support/retry-waits.ts'
import { until } from '../../support/until.ts'
import { numbers, TOPIC } from './support/embedded.ts'

/** A wait or a timeout of this length would let the test fail. */
const ENDLESS_MS = 900_000
const WITHOUT_RETRIES = { retryBackoffMs: ENDLESS_MS, retryBackoffMaxMs: ENDLESS_MS } as const
const PATIENT = { ...WITHOUT_RETRIES, socketTimeoutMs: ENDLESS_MS } as const
/** The first version of Kafka whose Produce responses name leaders is 3.7. */
const NAMES_NO_LEADERS: KafkaVersion = '2.8'

let kafka: EmbeddedCluster
let writer: KafkaClient | undefined

beforeEach(() => start())
afterEach(async () => {
  kafka.faults.clear()
  // Ends the requests that are never answered, for which the client would wait.
  await kafka.stop()
  // A test that failed may have left messages.
  await writer?.close({ timeoutMs: 100 }).catch(() => undefined)
  writer = undefined
})

async function start(version?: KafkaVersion): Promise<void> {
  const topics = { [TOPIC]: { partitions: 3 } }
  kafka = await EmbeddedCluster.start({ brokers: 2, topics, ...(version && { version }) })
  lead(1)
}

/** All partitions get this leader. */
function lead(broker: number): void {
  for (const partition of [0, 1, 2]) kafka.moveLeader(TOPIC, partition, broker)
}

/** The producer gets no metadata from here on, and needs none. */
const withoutMetadata = () =>
  mayNotFire(kafka.faults.on({ api: 'Metadata', clientId: 'writer' }, { drop: true }))

function producerOf(options: KafkaClientOptions, more: { readonly idempotent?: boolean } = {}) {
  writer = new KafkaClient({ ...QUICK, ...options, hosts: kafka.hosts, clientId: 'writer' })
  const once = { deliveryTimeoutMs: ENDLESS_MS, batchBytes: 1 }
  return writer.topic(TOPIC).getProducer({ ...once, ...more })
}

const requestsOf = (api: 'ApiVersions' | 'Metadata' | 'Produce', broker?: number) =>
  kafka.requests.all({ api, ...(broker === undefined ? {} : { broker }) })

async function values(partition: number): Promise<string[]> {
  await using client = new KafkaClient({ ...QUICK, hosts: kafka.hosts })
  const reading = { autoOffsetReset: 'earliest', stopAtEnd: true, partitions: [partition] } as const
  await using consumer = await client.topic(TOPIC).getSimpleConsumer(reading)
  const found: string[] = []
  for await (const { value } of consumer) found.push(String(value))
  return found
}

describe('a producer whose partitions get another leader', () => {
  it('sends to the leader that the former one names, without a wait and without a request for metadata', async () => {
    const producer = await producerOf(WITHOUT_RETRIES)
    await producer.produce('before', { partition: 0 })
    withoutMetadata()
    lead(2)
    await producer.produce('after', { partition: 0 })
    expect(await values(0)).toEqual(['before', 'after'])
  })

  it('waits no longer for a new leader that fails than for the first one, no matter how often that failed', async () => {
    using waits = new RetryWaits(`producing to ${TOPIC}-0`)
    const producer = await producerOf({ retryBackoffMs: 1, retryBackoffMaxMs: ENDLESS_MS })
    await producer.produce('before', { partition: 0 })
    const refuse = (broker: number, times: number) =>
      kafka.faults.on({ api: 'Produce', broker, times }, { error: 'NOT_LEADER_OR_FOLLOWER' })
    refuse(1, 6)
    refuse(2, 1)
    const sent = producer.produce('after', { partition: 0 })
    await until(() => waits.ms.length === 6)
    lead(2)
    await sent
    expect(waits.ms[5]).toBeGreaterThan(20)
    expect(waits.ms.at(-1)).toBeLessThan(2)
    expect(await values(0)).toEqual(['before', 'after'])
  })

  it('leaves a broker that does not answer as soon as metadata names another leader, and writes each message once and in order', async () => {
    const producer = await producerOf(PATIENT)
    await producer.produce('before', { partition: 0 })
    kafka.faults.on({ broker: 1, clientId: 'writer' }, { drop: true })
    const sent = numbers(8).map((value) => producer.produce(value, { partition: 0 }))
    await until(() => requestsOf('Produce', 1).length > 1)
    lead(2)
    await Promise.all(sent)
    expect(await values(0)).toEqual(['before', ...numbers(8)])
  })

  it('leaves a broker to which it cannot connect as soon as metadata names another leader', async () => {
    // The start of a producer connects it to the leader of partition 0.
    kafka.moveLeader(TOPIC, 0, 2)
    const producer = await producerOf({ ...PATIENT, connectTimeoutMs: ENDLESS_MS })
    const opened = requestsOf('ApiVersions', 1).length
    kafka.faults.on({ broker: 1, clientId: 'writer' }, { drop: true })
    const sent = producer.produce('after', { partition: 1 })
    await until(() => requestsOf('ApiVersions', 1).length > opened)
    lead(2)
    await sent
    expect(await values(1)).toEqual(['after'])
  })

  it('without idempotence waits for the response of the former one, so that nothing is written twice', async () => {
    const producer = await producerOf(PATIENT, { idempotent: false })
    await producer.produce('before', { partition: 0 })
    const held = kafka.faults.on({ broker: 1, api: 'Produce' }, { hold: true })
    const sent = producer.produce('after', { partition: 0 })
    await until(() => requestsOf('Produce', 1).length > 1)
    lead(2)
    const asked = requestsOf('Metadata').length
    // The second lookup shows that the first has changed nothing.
    await until(() => requestsOf('Metadata').length > asked + 1)
    expect(requestsOf('Produce', 2)).toEqual([])
    held.release()
    await sent
    expect(await values(0)).toEqual(['before', 'after'])
  })
})

describe('a producer whose partitions get another leader, which the former one does not name', () => {
  beforeEach(async () => {
    await kafka.stop()
    await start(NAMES_NO_LEADERS)
  })

  it('retries as soon as metadata names the newer leader, no matter how long the backoff', async () => {
    const producer = await producerOf(WITHOUT_RETRIES)
    for (const partition of [0, 1, 2]) await producer.produce('before', { partition })
    lead(2)
    // Each is refused by the former leader, of all partitions in one response.
    await Promise.all([0, 1, 2].map((partition) => producer.produce('after', { partition })))
    for (const partition of [0, 1, 2]) expect(await values(partition)).toEqual(['before', 'after'])
  })

  it('does not wait after a refusal that arrives when the newer leader is known already', async () => {
    // The start of a producer connects it to the leader of partition 0, which begins with a request for metadata.
    kafka.moveLeader(TOPIC, 0, 2)
    const producer = await producerOf(WITHOUT_RETRIES)
    await producer.produce('before', { partition: 1 })
    const held = kafka.faults.on({ broker: 1, api: 'Produce' }, { hold: true })
    const sent = producer.produce('after', { partition: 1 })
    await until(() => requestsOf('Produce', 1).length > 1)
    lead(2)
    await writer?.updateCluster()
    withoutMetadata()
    held.release()
    await sent
    expect(await values(1)).toEqual(['before', 'after'])
  })
})
