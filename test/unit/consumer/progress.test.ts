import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { fetch } from '../../../protocol/apis/fetch.ts'
import { ErrorCode } from '../../../protocol/errors.ts'
import { encodeBatch } from '../../../protocol/records/encode-batch.ts'
import { OutgoingRecord } from '../../../protocol/records/outgoing-record.ts'
import { KafkaClient } from '../../../src/client.ts'
import type { SimpleConsumerOptions } from '../../../src/index.ts'
import { FakeBroker } from '../../support/fake-broker.ts'
import { layoutOf, QUICK, tellLayout, tellOffsets } from '../../support/fake-cluster.ts'
import { takeTexts } from '../../support/take.ts'

const TOPIC = 'orders'
let fake: FakeBroker
let client: KafkaClient

beforeEach(async () => {
  fake = await FakeBroker.start()
  tellLayout(layoutOf([fake], { [TOPIC]: [1] }), fake)
  tellOffsets(fake, 0n)
  client = new KafkaClient({ ...QUICK, hosts: fake.name })
})
afterEach(async () => {
  await client.close()
  await fake.stop()
})

function batch(baseOffset: number, value = 'x'): Buffer {
  const record = new OutgoingRecord(null, Buffer.from(value), 0)
  return encodeBatch([record], { baseOffset: BigInt(baseOffset) })
}

const responseWith = (one: { records?: Buffer | null; errorCode?: number }) => ({
  responses: [
    {
      topic: TOPIC,
      partitions: [
        { partitionIndex: 0, errorCode: 0, highWatermark: 1_000n, records: null, ...one },
      ],
    },
  ],
})

/** How long this many fetches take, with waits of 20 ms up to 200 ms after those that fail. */
async function timeOf(fetches: number, options: SimpleConsumerOptions = {}): Promise<number> {
  const began = performance.now()
  await client
    .topic(TOPIC)
    .getSimpleConsumer({ fetchErrorBackoffMs: 20, fetchWaitMaxMs: 5_000, ...options })
  await fake.until(() => fake.received(fetch).length >= fetches)
  return performance.now() - began
}
/** Ten fetches, of which a few need no wait: 20 + 40 + 80 + 160 + 200 ms, less a fifth of jitter. */
const TEN_WITH_WAITS_MS = 400

describe('fetches without progress wait longer and longer', () => {
  it('when the broker repeats an old batch', async () => {
    fake.handle(fetch, ({ topics }) => {
      const { fetchOffset } = topics[0]!.partitions[0]!
      return responseWith({ records: batch(fetchOffset === 0n ? 0 : Number(fetchOffset) - 1) })
    })
    expect(await timeOf(10)).toBeGreaterThan(TEN_WITH_WAITS_MS)
  })

  it('when a batch is cut off, whatever size is requested', async () => {
    fake.handle(fetch, () => responseWith({ records: batch(0).subarray(0, 40) }))
    expect(await timeOf(10)).toBeGreaterThan(TEN_WITH_WAITS_MS)
  })

  it('when each batch has an unknown format, with skipCorrupt', async () => {
    const unknown = batch(0)
    unknown[16] = 9
    fake.handle(fetch, () => responseWith({ records: unknown }))
    expect(await timeOf(10, { skipCorrupt: true })).toBeGreaterThan(TEN_WITH_WAITS_MS)
  })

  it('when the broker answers at once with nothing, although it should wait for messages', async () => {
    fake.handle(fetch, () => responseWith({}))
    expect(await timeOf(10)).toBeGreaterThan(TEN_WITH_WAITS_MS)
  })

  it('when the broker refuses each fetch session', async () => {
    fake.handle(fetch, () => ({ errorCode: ErrorCode.FETCH_SESSION_ID_NOT_FOUND, responses: [] }))
    expect(await timeOf(10)).toBeGreaterThan(TEN_WITH_WAITS_MS)
  })
})

describe('a partition that the broker does not know', () => {
  it('is read again after a broker rejects it once after a long outage', async () => {
    const failures = 30
    let fetches = 0
    fake.handle(fetch, (_, { socket }) => {
      fetches++
      if (fetches <= failures) socket.destroy()
      if (fetches <= failures) return undefined
      if (fetches === failures + 1) {
        return responseWith({ errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION })
      }
      return fetches === failures + 2 ? responseWith({ records: batch(0, 'here') }) : undefined
    })
    const consumer = await client.topic(TOPIC).getSimpleConsumer()
    expect(await takeTexts(consumer, 1)).toEqual(['here'])
  })

  it('is read again after a starting broker rejects it often in a short time', async () => {
    let fetches = 0
    fake.handle(fetch, () => {
      if (++fetches <= 11) return responseWith({ errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION })
      return fetches === 12 ? responseWith({ records: batch(0, 'here') }) : undefined
    })
    // The longest wait is ten seconds, so that these are far from ten of them.
    const slow = new KafkaClient({ ...QUICK, retryBackoffMs: 1, retryBackoffMaxMs: 10_000, hosts: fake.name }) // prettier-ignore
    try {
      const consumer = await slow.topic(TOPIC).getSimpleConsumer()
      expect(await takeTexts(consumer, 1)).toEqual(['here'])
    } finally {
      await slow.close()
    }
  })

  it('ends with an error when it is rejected again and again', async () => {
    fake.handle(fetch, () => responseWith({ errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION }))
    const consumer = await client.topic(TOPIC).getSimpleConsumer()
    await expect(consumer.consume()).rejects.toMatchObject({
      code: 'UNKNOWN_TOPIC_OR_PARTITION',
      partition: 0,
    })
    expect(fake.received(fetch).length).toBeGreaterThan(10)
  })
})
