import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { fetch } from '../../../protocol/apis/fetch.ts'
import { listOffsets } from '../../../protocol/apis/list-offsets.ts'
import { ErrorCode } from '../../../protocol/errors.ts'
import { encodeBatch } from '../../../protocol/records/encode-batch.ts'
import { OutgoingRecord } from '../../../protocol/records/outgoing-record.ts'
import { KafkaClient, type SimpleConsumer } from '../../../src/index.ts'
import { crc32c } from '../../../protocol/buffer/crc32c.ts'
import { FakeBroker } from '../../support/fake-broker.ts'
import { layoutOf, QUICK, tellLayout, tellOffsets } from '../../support/fake-cluster.ts'
import { failureOf } from '../../support/settled.ts'

const TOPIC = 'orders'
let brokers: FakeBroker[]
let client: KafkaClient

beforeEach(async () => {
  brokers = [await FakeBroker.start(), await FakeBroker.start()]
  tellLayout(layoutOf(brokers, { [TOPIC]: [1, 1] }), ...brokers)
  for (const broker of brokers) tellOffsets(broker, 0n)
  client = new KafkaClient({ ...QUICK, hosts: brokers[0]!.name })
})
afterEach(async () => {
  await client.close()
  await Promise.all(brokers.map((broker) => broker.stop()))
})

/** Batches of a message each, `values[0]` at offset 0. */
function batches(values: readonly string[]): Buffer[] {
  return values.map((value, offset) =>
    encodeBatch([new OutgoingRecord(null, Buffer.from(value), 0)], { baseOffset: BigInt(offset) }),
  )
}

interface Answer {
  readonly records?: Buffer
  readonly errorCode?: number
  readonly preferredReadReplica?: number
}

/** Answers a fetch of a partition from an offset; nothing at all where no partition has an answer. */
function serve(
  broker: FakeBroker,
  answer: (partition: number, offset: number) => Answer | undefined,
): void {
  broker.handle(fetch, async ({ topics }) => {
    const partitions = topics.flatMap(({ partitions: asked }) =>
      asked.flatMap(({ partition, fetchOffset }) => {
        const found = answer(partition, Number(fetchOffset))
        return found === undefined
          ? []
          : [
              {
                partitionIndex: partition,
                errorCode: 0,
                highWatermark: 100n,
                records: null,
                ...found,
              },
            ]
      }),
    )
    if (partitions.length === 0) await new Promise((resolve) => setTimeout(resolve, 20))
    return { responses: [{ topic: TOPIC, partitions }] }
  })
}

/** A log that is read from the batch with the offset on. */
const from = (log: readonly Buffer[]) => (offset: number) =>
  offset < log.length ? { records: Buffer.concat(log.slice(offset)) } : undefined

async function values(consumer: SimpleConsumer, count: number): Promise<string[]> {
  const found: string[] = []
  while (found.length < count) found.push(String((await consumer.consume())?.value))
  return found
}

describe('damaged data', () => {
  const log = batches(['a', 'b', 'c', 'd'])
  /** The third batch does not match its checksum. */
  const damaged = log.map((batch, index) => {
    const copy = Buffer.from(batch)
    if (index === 2) copy[copy.length - 2]! ^= 1
    return copy
  })

  it('ends its partition with an error that names it, after the intact messages; the other partition is still read', async () => {
    const other = batches(['x'])
    serve(brokers[0]!, (partition, offset) =>
      partition === 0 ? from(damaged)(offset) : from(other)(offset),
    )
    const consumer = await client.topic(TOPIC).getSimpleConsumer({ fetchWaitMaxMs: 20 })
    const found: string[] = []
    let error: Error | undefined
    while (found.length < 3 || error === undefined) {
      try {
        found.push(String((await consumer.consume())?.value))
      } catch (problem) {
        error = problem as Error
      }
    }
    expect(found.sort()).toEqual(['a', 'b', 'x'])
    expect(error).toMatchObject({ code: 'CORRUPT_MESSAGE', topic: TOPIC, partition: 0, offset: 2 })
    expect(error.message).toMatch(/orders-0 at offset 2.*CRC/)
    expect(consumer.positions).toEqual(new Map([[0, 2], [1, 1]])) // prettier-ignore
    consumer.seek(0, 3)
    expect(await values(consumer, 1)).toEqual(['d'])
  })

  it('is skipped with skipCorrupt, and nothing else is', async () => {
    serve(brokers[0]!, (partition, offset) => (partition === 0 ? from(damaged)(offset) : undefined))
    const consumer = await client
      .topic(TOPIC)
      .getSimpleConsumer({ fetchWaitMaxMs: 20, skipCorrupt: true })
    expect(await values(consumer, 3)).toEqual(['a', 'b', 'd'])
  })

  it('is skipped if it is the last in a response', async () => {
    serve(brokers[0]!, (partition, offset) =>
      partition === 0 && offset < log.length
        ? { records: Buffer.concat(damaged.slice(offset, Math.max(offset + 1, 3))) }
        : undefined,
    )
    const consumer = await client
      .topic(TOPIC)
      .getSimpleConsumer({ fetchWaitMaxMs: 20, skipCorrupt: true })
    expect(await values(consumer, 3)).toEqual(['a', 'b', 'd'])
  })

  it('that only decoding detects ends the partition, too, or is skipped', async () => {
    // A record that claims to be longer than its batch, with the right checksum for it.
    const [, , lying] = batches(['a', 'b', 'c'])
    const bad = relied(lying!)
    const whole = [log[0]!, log[1]!, bad, log[3]!]
    serve(brokers[0]!, (partition, offset) => (partition === 0 ? from(whole)(offset) : undefined))
    const topic = client.topic(TOPIC)
    const consumer = await topic.getSimpleConsumer({ fetchWaitMaxMs: 20 })
    expect(await values(consumer, 2)).toEqual(['a', 'b'])
    expect(await failureOf(consumer.consume())).toMatchObject({ offset: 2, partition: 0 })
    expect(consumer.position(0)).toBe(2)
    const lenient = await topic.getSimpleConsumer({ fetchWaitMaxMs: 20, skipCorrupt: true })
    expect(await values(lenient, 3)).toEqual(['a', 'b', 'd'])
  })
})

/** The batch with a record that lies about its length, and the checksum of what it says. */
function relied(batch: Buffer): Buffer {
  const lying = Buffer.from(batch)
  lying[61] = 100
  const computed = crc32c(lying, 21)
  lying.writeUInt32BE(computed, 17)
  return lying
}

describe('the closest replica (KIP-392)', () => {
  beforeEach(() => {
    for (const broker of brokers) {
      tellLayout({ ...layoutOf(brokers, { [TOPIC]: [1] }) }, broker)
    }
  })

  it('is used when the leader names it, and the leader again when the replica lacks the offset', async () => {
    const log = batches(['a', 'b', 'c'])
    const asked: string[] = []
    serve(brokers[0]!, (_, offset) => {
      asked.push(`leader ${offset}`)
      return offset < 2 ? { preferredReadReplica: 2 } : from(log)(offset)
    })
    serve(brokers[1]!, (_, offset) => {
      asked.push(`follower ${offset}`)
      return offset < 2
        ? { records: Buffer.concat(log.slice(offset, 2)) }
        : { errorCode: ErrorCode.OFFSET_OUT_OF_RANGE }
    })
    const consumer = await client
      .topic(TOPIC)
      .getSimpleConsumer({ fetchWaitMaxMs: 20, clientRack: 'here' })
    expect(await values(consumer, 3)).toEqual(['a', 'b', 'c'])
    expect(asked.slice(0, 4)).toEqual(['leader 0', 'follower 0', 'follower 2', 'leader 2'])
    const [first] = brokers[0]!.received(fetch)
    expect(first!.body).toMatchObject({ rackId: 'here' })
    // It was no reason to look for where the log begins.
    expect(brokers[0]!.received(listOffsets)).toHaveLength(1)
  })

  it('is abandoned when it cannot be reached', async () => {
    const log = batches(['a'])
    let isNamed = false
    serve(brokers[0]!, (_, offset) => {
      if (isNamed) return from(log)(offset)
      isNamed = true
      return { preferredReadReplica: 2 }
    })
    const consumer = await client.topic(TOPIC).getSimpleConsumer({ fetchWaitMaxMs: 20 })
    await brokers[1]!.stop()
    expect(await values(consumer, 1)).toEqual(['a'])
  })
})
