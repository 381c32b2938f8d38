import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { listOffsets as listOffsetsApi } from '../../../protocol/apis/list-offsets.ts'
import { metadata } from '../../../protocol/apis/metadata.ts'
import { ErrorCode } from '../../../protocol/errors.ts'
import { Deadline } from '../../../src/async/deadline.ts'
import { lookUpOffsets } from '../../../src/consumer/list-offsets.ts'
import { FakeBroker } from '../../support/fake-broker.ts'
import {
  clusterAt,
  layoutOf,
  tellLayout,
  tellOffsets,
  type Layout,
} from '../../support/fake-cluster.ts'
import { PATIENCE_MS } from '../../support/patience.ts'
import { failureOf, settled } from '../../support/settled.ts'
import { until } from '../../support/until.ts'

const TOPIC = 'orders'
let one: FakeBroker
let two: FakeBroker
let layout: Layout

beforeEach(async () => {
  one = await FakeBroker.start()
  two = await FakeBroker.start()
  layout = layoutOf([one, two], { [TOPIC]: [1] })
  tellLayout(layout, one, two)
})
afterEach(async () => {
  await one.stop()
  await two.stop()
})

const lookUp = () => ({ create: false, deadline: new Deadline(PATIENCE_MS) })
const latest = (cluster: ReturnType<typeof clusterAt>) =>
  lookUpOffsets(cluster, [{ topic: TOPIC, partition: 0 }], 'latest', new Deadline(PATIENCE_MS))
const askedFor = (broker: FakeBroker) => broker.received(metadata).length

describe('metadata', () => {
  it('is requested once for any number of concurrent callers', async () => {
    const cluster = clusterAt([one])
    await Promise.all(Array.from({ length: 100 }, () => cluster.refresh(TOPIC)))
    expect(askedFor(one)).toBe(1)
    await cluster.close(0)
  })

  it('is requested once more for all callers that arrive during a request', async () => {
    const cluster = clusterAt([one])
    const first = cluster.refresh(TOPIC)
    await one.until(() => askedFor(one) === 1)
    await Promise.all([first, ...Array.from({ length: 100 }, () => cluster.refresh(TOPIC))])
    expect(askedFor(one) + askedFor(two)).toBe(2)
    await cluster.close(0)
  })

  it('is requested from another broker when one does not answer, which is then asked last', async () => {
    const cluster = clusterAt([one, two], { socketTimeoutMs: 900_000 })
    await cluster.refresh(TOPIC)
    // Which of the two is asked is random, and then stays.
    const before = [askedFor(one), askedFor(two)]
    await cluster.refresh(TOPIC)
    const asked = askedFor(one) > before[0]! ? one : two
    const silentAfter = askedFor(asked)
    asked.handle(metadata, () => undefined)
    for (let time = 0; time < 10; time++) await cluster.refresh(TOPIC)
    expect(askedFor(asked)).toBe(silentAfter + 1)
    await cluster.close(0)
  })

  it('is requested over the connection that is open', async () => {
    const cluster = clusterAt([one])
    await cluster.refresh(TOPIC)
    await cluster.refresh(TOPIC)
    const before = [askedFor(one), askedFor(two)]
    for (let time = 0; time < 20; time++) await cluster.refresh(TOPIC)
    const grown = [askedFor(one) - before[0]!, askedFor(two) - before[1]!]
    expect(grown.sort()).toEqual([0, 20])
    await cluster.close(0)
  })

  it('is requested last from a broker that has closed a connection for another purpose', async () => {
    const cluster = clusterAt([one])
    await cluster.refresh(TOPIC)
    // Lookups go to one broker, which then closes the connection of a producer.
    await cluster.brokers.get(1)!.versions('general')
    await cluster.brokers.get(1)!.versions('produce')
    one.dropConnections()
    await until(() => cluster.brokers.get(1)!.hasLostConnection)
    const before = askedFor(one)
    for (let time = 0; time < 20; time++) await cluster.refresh(TOPIC)
    expect(askedFor(one)).toBe(before)
    await cluster.close(0)
  })

  it('lets brokers create only the topics that may be created', async () => {
    const cluster = clusterAt([one])
    await Promise.all([cluster.refresh('created', true), cluster.refresh('looked-at')])
    const asked = [...one.received(metadata), ...two.received(metadata)].map(({ body }) => body)
    expect(asked).toHaveLength(2)
    expect(asked).toContainEqual(
      expect.objectContaining({
        topics: [expect.objectContaining({ name: 'created' })],
        allowAutoTopicCreation: true,
      }),
    )
    expect(asked).toContainEqual(
      expect.objectContaining({
        topics: [expect.objectContaining({ name: 'looked-at' })],
        allowAutoTopicCreation: false,
      }),
    )
    await cluster.close(0)
  })

  it('is refreshed at its maximum age, for topics in use only', async () => {
    layout.topics = { used: [1], unused: [1] }
    layout.brokers = layout.brokers.slice(0, 1)
    const cluster = clusterAt([one], { metadataMaxAgeMs: 50 })
    await cluster.refresh('used')
    await cluster.refresh('unused')
    cluster.known('used')
    await one.until(() => askedFor(one) >= 3)
    cluster.known('used')
    await one.until(() => askedFor(one) >= 4)
    for (const { body } of one.received(metadata).slice(2)) {
      expect(body).toMatchObject({ topics: [{ name: 'used' }] })
    }
    await cluster.close(0)
  })

  it('is requested again when a broker responds that it is no longer the leader', async () => {
    tellOffsets(one, 1n, () => ErrorCode.NOT_LEADER_OR_FOLLOWER)
    tellOffsets(two, 2n)
    const cluster = clusterAt([one])
    await cluster.topic(TOPIC, lookUp())
    layout.topics = { [TOPIC]: [2] }
    expect(await latest(cluster)).toEqual(new Map([[`${TOPIC}-0`, 2]]))
    await cluster.close(0)
  })

  it('is requested again until there is a leader', async () => {
    tellOffsets(one, 7n)
    layout.topics = { [TOPIC]: [-1] }
    const cluster = clusterAt([two])
    await cluster.topic(TOPIC, lookUp())
    const found = latest(cluster)
    await two.until(() => askedFor(one) + askedFor(two) >= 4)
    layout.topics = { [TOPIC]: [1] }
    expect(await found).toEqual(new Map([[`${TOPIC}-0`, 7]]))
    await cluster.close(0)
  })

  it('finds a broker at its new address, and lets requests to the old one be retried', async () => {
    tellOffsets(two, 5n)
    one.handle(listOffsetsApi, () => undefined)
    const cluster = clusterAt([one])
    await cluster.topic(TOPIC, lookUp())
    const before = cluster.brokers.get(1)!
    // Broker 1 now is where broker 2 was; requests that wait at the old address are rejected.
    const waiting = settled(latest(cluster))
    await one.until(() => one.received(listOffsetsApi).length === 1)
    layout.brokers = [{ nodeId: 1, ...two.address }]
    await cluster.refresh(TOPIC)
    expect((await waiting).value).toEqual(new Map([[`${TOPIC}-0`, 5]]))
    expect(cluster.brokers.get(1)).not.toBe(before)
    expect(await failureOf(before.versions())).toMatchObject({
      code: 'CONNECTION_CLOSED',
      retriable: true,
    })
    await cluster.close(0)
  })

  it('removes a broker that is gone, and closes its connections', async () => {
    const cluster = clusterAt([one])
    await cluster.topic(TOPIC, lookUp())
    await cluster.brokers.get(2)!.versions()
    expect(two.openConnections).toBe(1)
    layout.brokers = layout.brokers.slice(0, 1)
    await cluster.refresh(TOPIC)
    expect([...cluster.brokers.keys()]).toEqual([1])
    await two.until(() => two.openConnections === 0)
    await cluster.close(0)
  })

  it('keeps the connections of brokers that are unchanged', async () => {
    layout.brokers = layout.brokers.map((broker) => ({ ...broker, rack: 'a' }))
    const cluster = clusterAt([one])
    for (let round = 0; round < 5; round++) await cluster.refresh(TOPIC)
    // One to the bootstrap address and one to the broker that is there, as far as they were used.
    expect(one.connectionCount + two.connectionCount).toBeLessThanOrEqual(3)
    await cluster.close(0)
  })
})

describe('a metadata lookup', () => {
  it('ends at its timeout when no broker responds', async () => {
    one.handle(metadata, () => undefined)
    const cluster = clusterAt([one], { operationTimeoutMs: 300 })
    const deadline = new Deadline(300)
    const error = await failureOf(cluster.topic(TOPIC, { create: false, deadline }))
    expect(error).toMatchObject({ code: 'REQUEST_TIMED_OUT' })
    expect(error.message).toBe(`looking up topic '${TOPIC}' took longer than 300 ms`)
    await cluster.close(0)
  })

  it('ends at once when it is aborted', async () => {
    one.handle(metadata, () => undefined)
    const cluster = clusterAt([one])
    const abort = new AbortController()
    const deadline = new Deadline(30_000, abort.signal)
    const waiting = settled(cluster.topic(TOPIC, { create: false, deadline }))
    await one.until(() => askedFor(one) === 1)
    abort.abort(new Error('changed my mind'))
    expect((await waiting).error?.message).toBe('changed my mind')
    await cluster.close(0)
  })

  it('fails early for a topic that does not exist', async () => {
    const cluster = clusterAt([one])
    expect(await failureOf(cluster.topic('nothing', lookUp()))).toMatchObject({
      name: 'UnknownTopicError',
      code: 'UNKNOWN_TOPIC_OR_PARTITION',
      topic: 'nothing',
    })
    await cluster.close(0)
  })
})
