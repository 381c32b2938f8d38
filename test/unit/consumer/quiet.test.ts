import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { fetch, type FetchResponse } from '../../../protocol/apis/fetch.ts'
import { encodeBatch } from '../../../protocol/records/encode-batch.ts'
import { OutgoingRecord } from '../../../protocol/records/outgoing-record.ts'
import { KafkaClient } from '../../../src/client.ts'
import { FakeBroker } from '../../support/fake-broker.ts'
import { layoutOf, QUICK, tellLayout, tellOffsets } from '../../support/fake-cluster.ts'

const TOPIC = 'orders'
/** Answers in a row that have nothing in them until the polls become longer. */
const EMPTY_ANSWERS = 4
let fake: FakeBroker
let client: KafkaClient
/** What each fetch asked for. */
let asked: { maxWaitMs: number; partitions: number[] }[]

beforeEach(async () => {
  asked = []
  fake = await FakeBroker.start()
  tellLayout(layoutOf([fake], { [TOPIC]: [1, 1] }), fake)
  tellOffsets(fake, 0n)
  client = new KafkaClient({ ...QUICK, hosts: fake.name })
})
afterEach(async () => {
  await client.close()
  await fake.stop()
})

type Partition = FetchResponse['responses'][number]['partitions'][number]

/** Answers fetches one after the other, the last forever; undefined lets one wait. */
function answer(...answers: ((partition: number) => Pick<Partition, 'records'> | undefined)[]) {
  fake.handle(fetch, ({ maxWaitMs, topics }) => {
    const partitions = topics.flatMap((topic) => topic.partitions.map((one) => one.partition))
    asked.push({ maxWaitMs, partitions })
    const now = answers.length > 1 ? answers.shift()! : answers[0]!
    const found = partitions.map((partitionIndex) => {
      const what = now(partitionIndex)
      return what && { partitionIndex, errorCode: 0, highWatermark: 0n, ...what }
    })
    if (found.includes(undefined)) return undefined
    return { responses: [{ topic: TOPIC, partitions: found.flatMap((one) => one ?? []) }] }
  })
}

const nothing = () => ({ records: null })
const neverAnswered = () => undefined

describe('a consumer of an idle topic', () => {
  it('sends fewer fetches, with a longer poll', async () => {
    answer(...Array.from({ length: EMPTY_ANSWERS }, () => nothing), neverAnswered)
    await client.topic(TOPIC).getSimpleConsumer({ fetchWaitMaxMs: 50 })
    await fake.until(() => fake.received(fetch).length === EMPTY_ANSWERS + 1)
    const waits = asked.map(({ maxWaitMs }) => maxWaitMs)
    expect(waits.slice(0, EMPTY_ANSWERS)).toEqual(Array(EMPTY_ANSWERS).fill(50))
    expect(waits[EMPTY_ANSWERS]).toBe(5_000)
  })

  it('keeps to fetchWaitMaxMs if less than fetchMinBytes may be available', async () => {
    const empty = Array.from({ length: EMPTY_ANSWERS + 2 }, () => nothing)
    answer(...empty, neverAnswered)
    await client.topic(TOPIC).getSimpleConsumer({ fetchWaitMaxMs: 50, fetchMinBytes: 1_000 })
    await fake.until(() => fake.received(fetch).length === empty.length + 1)
    expect(new Set(asked.map(({ maxWaitMs }) => maxWaitMs))).toEqual(new Set([50]))
  })

  it('ends the longer poll for a partition that the poll omits', async () => {
    // Partition 0 fills its buffer at once; the other stays empty until its poll is a long one.
    const value = Buffer.alloc(100)
    const full = { records: encodeBatch([new OutgoingRecord(null, value, 0)]) }
    const first = (partition: number) => (partition === 0 ? full : nothing())
    const empty = Array.from({ length: EMPTY_ANSWERS }, () => nothing)
    answer(first, ...empty, neverAnswered)
    const consumer = await client
      .topic(TOPIC)
      .getSimpleConsumer({ fetchWaitMaxMs: 50, fetchMessageMaxBytes: full.records.length })
    await fake.until(() => fake.received(fetch).length === EMPTY_ANSWERS + 2)
    expect(asked.at(-1)).toEqual({ maxWaitMs: 5_000, partitions: [1] })
    // Taking the message makes room: partition 0 is not to wait for the end of the poll.
    expect(await consumer.consume()).toMatchObject({ partition: 0, offset: 0 })
    await fake.until(() => fake.received(fetch).length === EMPTY_ANSWERS + 3)
    // Last in the request, since it had its turn.
    expect(asked.at(-1)).toEqual({ maxWaitMs: 50, partitions: [1, 0] })
    expect(await consumer.consume({ timeoutMs: 1 })).toBeUndefined()
  })
})
