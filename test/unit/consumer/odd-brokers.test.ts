/** Brokers whose responses lack something, contradict themselves, or are behind. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { fetch } from '../../../protocol/apis/fetch.ts'
import { findCoordinator } from '../../../protocol/apis/find-coordinator.ts'
import { listOffsets } from '../../../protocol/apis/list-offsets.ts'
import { metadata } from '../../../protocol/apis/metadata.ts'
import { offsetCommit } from '../../../protocol/apis/offset-commit.ts'
import { offsetFetch } from '../../../protocol/apis/offset-fetch.ts'
import { ErrorCode } from '../../../protocol/errors.ts'
import { KafkaClient } from '../../../src/client.ts'
import { FakeBroker, type FakeBrokerOptions } from '../../support/fake-broker.ts'
import { layoutOf, metadataOf, QUICK, tellLayout, tellOffsets } from '../../support/fake-cluster.ts'
import { failureOf } from '../../support/settled.ts'
import { takeTexts } from '../../support/take.ts'
import { Bed } from './support/embedded.ts'

const TOPIC = 'orders'
const GROUP = { consumerGroup: 'g' }
let fake: FakeBroker
let client: KafkaClient

async function start(options: FakeBrokerOptions = {}): Promise<void> {
  fake = await FakeBroker.start(options)
  tellLayout(layoutOf([fake], { [TOPIC]: [1, 1] }), fake)
  tellOffsets(fake, 0n)
  fake.handle(fetch, () => undefined)
  fake.handle(findCoordinator, () => ({
    coordinators: [{ key: 'g', nodeId: 1, host: fake.host, port: fake.port, errorCode: 0 }],
  }))
  client = new KafkaClient({ ...QUICK, hosts: fake.name })
}
beforeEach(() => start())
afterEach(async () => {
  await client.close()
  await fake.stop()
})

const offsetOf = (partitionIndex: number) => ({
  partitionIndex,
  committedOffset: 5n,
  metadata: '',
  errorCode: 0,
})
const offsetsOf = (...partitions: number[]) => ({
  groups: [
    { groupId: 'g', errorCode: 0, topics: [{ name: TOPIC, partitions: partitions.map(offsetOf) }] },
  ],
})

describe('committed offsets', () => {
  it('cause an error if the broker leaves a partition out, instead of counting as none', async () => {
    fake.handle(offsetFetch, () => offsetsOf(0))
    const error = await failureOf(client.topic(TOPIC).getSimpleConsumer(GROUP))
    expect(error).toMatchObject({ code: 'UNKNOWN_SERVER_ERROR', topic: TOPIC, partition: 1 })
  })

  it('wait for transactions that are about to commit offsets, whatever the isolation level', async () => {
    fake.handle(offsetFetch, () => offsetsOf(0, 1))
    await client.topic(TOPIC).getSimpleConsumer(GROUP)
    expect(fake.received(offsetFetch)[0]?.body).toMatchObject({ requireStable: true })
  })

  it('name topics when a broker has topic ids in its requests, but returns none (Azure Event Hubs)', async () => {
    await client.close()
    await fake.stop()
    await start({ versions: { Metadata: [0, 9] } })
    fake.handle(offsetFetch, () => offsetsOf(0, 1))
    fake.handle(offsetCommit, ({ topics }) => ({
      topics: topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode: 0 })),
      })),
    }))
    const consumer = await client.topic(TOPIC).getSimpleConsumer(GROUP)
    await consumer.commitOffsets()
    for (const api of [offsetFetch, offsetCommit]) expect(fake.received(api)[0]?.version).toBe(9)
  })
})

describe('a partition', () => {
  it('that metadata of one broker omits temporarily is found', async () => {
    let answers = 0
    fake.handle(metadata, ({ topics }) => {
      const names = topics?.map(({ name }) => name ?? '') ?? [TOPIC]
      const leaders = answers++ < 2 ? [1] : [1, 1]
      return metadataOf(layoutOf([fake], { [TOPIC]: leaders }), names)
    })
    const consumer = await client.topic(TOPIC).getSimpleConsumer({ partitions: [1] })
    expect(consumer.partitions).toEqual([1])
  })

  it('that does not exist causes an error that names the number of partitions', async () => {
    const error = await failureOf(client.topic(TOPIC).getSimpleConsumer({ partitions: [2] }))
    expect(error).toMatchObject({ name: 'UnknownTopicError', partition: 2 })
    expect(error.message).toContain('it has 2')
  })

  it('whose position is refused repeatedly is reset at increasing intervals', async () => {
    fake.handle(fetch, ({ topics }) => ({
      responses: topics.map(({ topic, topicId, partitions }) => ({
        topic,
        topicId,
        partitions: partitions.map(({ partition }) => ({
          partitionIndex: partition,
          errorCode: ErrorCode.OFFSET_OUT_OF_RANGE,
          highWatermark: -1n,
          records: null,
        })),
      })),
    }))
    const began = performance.now()
    const options = { partitions: [0], fetchErrorBackoffMs: 20 }
    await client.topic(TOPIC).getSimpleConsumer(options)
    await fake.until(() => fake.received(fetch).length >= 10)
    // 20 + 40 + 80 + 160 + 200 ms and more, less a fifth of jitter.
    expect(performance.now() - began).toBeGreaterThan(400)
  })

  it('is not read from a negative offset', async () => {
    tellOffsets(fake, -5n)
    const error = await failureOf(client.topic(TOPIC).getSimpleConsumer())
    expect(error).toMatchObject({ code: 'UNKNOWN_SERVER_ERROR', topic: TOPIC })
    expect(fake.received(listOffsets).length).toBeGreaterThan(0)
  })
})

it('a seek is not undone by a reset whose lookup was in flight', async () => {
  await using bed = await Bed.start({ topics: { a: { partitions: 1 } } })
  const A0 = { topic: 'a', partition: 0 }
  await bed.write('a', 0, 10)
  const consumer = bed.consumer()
  const held = bed.kafka.faults.on({ api: 'ListOffsets' }, { hold: true })
  const lookingUp = bed.kafka.requests.next({ api: 'ListOffsets' })
  await consumer.assign([{ ...A0, offset: 500 }])
  await lookingUp
  consumer.positions.seek(A0, 7)
  held.remove()
  expect(await takeTexts(consumer.reader, 3)).toEqual(['7', '8', '9'])
  expect(consumer.positions.of(A0)).toBe(10)
})
