import { describe, expect, it } from '@jest/globals'
import { describeProducers, initProducerId } from '../../protocol/apis/index.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import { encodeBatch } from '../../protocol/records/encode-batch.ts'
import { OutgoingRecord } from '../../protocol/records/outgoing-record.ts'
import { EmbeddedCluster } from '../../src/embedded/index.ts'
import type { RawClient } from './support/raw-client.ts'
import { batchOf, produceTo, rawClientOf } from './support/requests.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const OF_T = { topics: [{ name: 't', partitionIndexes: [0] }] }

const start = () => EmbeddedCluster.start({ topics: { t: {} } })

/** A batch of `count` records with this sequence. */
async function send(client: RawClient, baseSequence: number, count = 1, producerEpoch = 0) {
  const values = Array.from({ length: count }, () => 'x')
  const batch = batchOf(values, { producerId: 7n, producerEpoch, baseSequence })
  const { errorCode, baseOffset } = await produceTo(client, 't', 0, batch)
  return errorCode === 0 ? Number(baseOffset) : errorCode
}

describe('an idempotent producer', () => {
  it('gets a producer id of its own', async () => {
    await using kafka = await start()
    using raw = await rawClientOf(kafka)
    const ask = () =>
      raw.request(initProducerId, 4, { transactionalId: null, transactionTimeoutMs: 1_000 })
    const [first, second] = [await ask(), await ask()]
    expect(first).toMatchObject({ errorCode: 0, producerEpoch: 0 })
    expect(second.producerId).not.toBe(first.producerId)
  })

  it('receives the first offset again for a batch that it resends, which is stored once', async () => {
    await using kafka = await start()
    using raw = await rawClientOf(kafka)
    for (let sequence = 0; sequence < 5; sequence++) await send(raw, sequence)
    expect(await Promise.resolve(send(raw, 0))).toBe(0)
    expect(await send(raw, 3)).toBe(3)
    expect(kafka.offsetsOf('t', 0).end).toBe(5)
  })

  it('gets an out-of-order error for a batch that is neither the next nor one of the last five', async () => {
    await using kafka = await start()
    using raw = await rawClientOf(kafka)
    for (let sequence = 0; sequence < 6; sequence++) await send(raw, sequence)
    expect(await send(raw, 0)).toBe(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER)
    expect(await send(raw, 9)).toBe(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER)
    expect(await send(raw, 6)).toBe(6)
  })

  it('starts at sequence 0 with a new epoch, which fences the old one', async () => {
    await using kafka = await start()
    using raw = await rawClientOf(kafka)
    await send(raw, 0, 3)
    expect(await send(raw, 3, 1, 1)).toBe(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER)
    expect(await send(raw, 0, 1, 1)).toBe(3)
    expect(await send(raw, 3, 1, 0)).toBe(ErrorCode.INVALID_PRODUCER_EPOCH)
  })

  it('can wrap its sequence from 2^31 - 1 to 0', async () => {
    await using kafka = await start()
    using raw = await rawClientOf(kafka)
    expect(await send(raw, 2 ** 31 - 2, 2)).toBe(0)
    expect(await send(raw, 0)).toBe(2)
    expect(await send(raw, 2 ** 31 - 2, 2)).toBe(0)
  })

  it('can resend what the leader has lost', async () => {
    await using kafka = await start()
    using raw = await rawClientOf(kafka)
    for (let sequence = 0; sequence < 3; sequence++) await send(raw, sequence)
    expect(kafka.loseTail('t', 0, 1)).toBe(1)
    expect(await send(raw, 1)).toBe(1)
    expect(await send(raw, 2)).toBe(2)
    expect(kafka.offsetsOf('t', 0).end).toBe(3)
  })

  it.each([
    ['4.4', 1],
    ['2.8', 7],
  ] as const)(
    'of Kafka %s is forgotten when its last records are older than %i × 24 hours',
    async (version, days) => {
      await using kafka = await EmbeddedCluster.start({
        version,
        topics: { t: { config: { 'retention.ms': '-1' } } },
      })
      using raw = await rawClientOf(kafka)
      const record = new OutgoingRecord(null, 'x', Date.now())
      const batch = encodeBatch([record], { producerId: 7n, producerEpoch: 0, baseSequence: 0 })
      const sent = () => produceTo(raw, 't', 0, batch)
      expect(await sent()).toMatchObject({ errorCode: 0, baseOffset: 0n })
      kafka.skewClock(days * DAY_MS - HOUR_MS)
      expect(await sent()).toMatchObject({ errorCode: 0, baseOffset: 0n })
      kafka.skewClock(days * DAY_MS + HOUR_MS)
      expect(await sent()).toMatchObject({ errorCode: 0, baseOffset: 1n })
    },
  )

  it('is remembered while a transaction of it is open', async () => {
    await using kafka = await EmbeddedCluster.start({
      version: '2.8',
      topics: { t: { config: { 'retention.ms': '-1' } } },
    })
    using raw = await rawClientOf(kafka)
    const transactionalId = 'tx'
    const { producerId, producerEpoch } = await raw.request(initProducerId, 4, {
      transactionalId,
      transactionTimeoutMs: 900_000,
    })
    const identity = { producerId, producerEpoch, transactional: true }
    kafka.append('t', 0, batchOf(['x'], { ...identity, baseSequence: 0 }))
    kafka.skewClock(8 * DAY_MS)
    const known = async () =>
      (await raw.request(describeProducers, 0, OF_T)).topics[0]!.partitions[0]!
    expect((await known()).activeProducers).toMatchObject([{ producerId, lastSequence: 0 }])
    kafka.endTransaction('t', 0, identity, 'commit')
    kafka.skewClock(16 * DAY_MS)
    expect((await known()).activeProducers).toEqual([])
  })
})
