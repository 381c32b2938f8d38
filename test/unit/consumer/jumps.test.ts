import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { AssignedConsumer } from '../../../src/consumer/assigned-consumer.ts'
import { takeTexts } from '../../support/take.ts'
import { failureOf } from '../../support/settled.ts'
import { until } from '../../support/until.ts'
import { Bed } from './support/embedded.ts'

const A0 = { topic: 'a', partition: 0 }
const GROUP = { consumerGroup: 'readers' }
let bed: Bed

beforeEach(async () => {
  bed = await Bed.start({
    brokers: 2,
    topics: { a: { partitions: 1 }, b: { partitions: 1 }, source: { partitions: 1 } },
  })
})
afterEach(() => bed[Symbol.asyncDispose]())

/** Reads to the end of a consumer with `stopAtEnd`. */
async function readAll(consumer: AssignedConsumer): Promise<number> {
  let count = 0
  for await (const message of consumer.reader.messages()) if (message.offset >= 0) count++
  return count
}

async function commit(offset: number): Promise<void> {
  const consumer = bed.consumer(GROUP)
  await consumer.assign([A0])
  await consumer.commits.commit([{ ...A0, offset }])
  await consumer.close()
}

const committed = async (consumer: AssignedConsumer) => (await consumer.commits.fetch())[0]?.offset

interface FetchBody {
  readonly topics: readonly { readonly partitions: readonly { readonly fetchOffset: bigint }[] }[]
}

const offsetsIn = (body: unknown) =>
  (body as FetchBody).topics.flatMap(({ partitions }) =>
    partitions.map(({ fetchOffset }) => Number(fetchOffset)),
  )

function positionEvent(): Promise<unknown> {
  return new Promise((resolve) => {
    const listen = (event: unknown) => {
      unsubscribe('samsa:position', listen)
      resolve(event)
    }
    subscribe('samsa:position', listen)
  })
}

const damaged = (batch: Buffer) => {
  const copy = Buffer.from(batch)
  copy[copy.length - 2]! ^= 0xff
  return copy
}

describe('a position', () => {
  it('moves past a damaged batch at the end of the log, and is committed there', async () => {
    const good = await bed.batchOf('source', 10)
    bed.kafka.append('a', 0, good)
    bed.kafka.append('a', 0, damaged(good))
    const consumer = bed.consumer({ ...GROUP, skipCorrupt: true })
    await consumer.assign([A0])
    await takeTexts(consumer.reader, 10)
    expect(await consumer.reader.consume({ timeoutMs: 50 })).toBeUndefined()
    expect(consumer.positions.of(A0)).toBe(20)
    expect(consumer.positions.lag).toEqual([{ ...A0, lag: 0 }])
    await consumer.commits.commit()
    expect(await committed(consumer)).toBe(20)
  })

  it('stays before a jump until the messages before it have been delivered', async () => {
    const good = await bed.batchOf('source', 10)
    bed.kafka.append('a', 0, good)
    bed.kafka.append('a', 0, damaged(good))
    bed.kafka.append('a', 0, good)
    const consumer = bed.consumer({ skipCorrupt: true })
    await consumer.assign([A0])
    await takeTexts(consumer.reader, 9)
    expect(consumer.positions.of(A0)).toBe(9)
    await takeTexts(consumer.reader, 1)
    expect(consumer.positions.of(A0)).toBe(10)
    expect(await consumer.reader.consume()).toMatchObject({ offset: 20 })
  })

  it('moves with a reset to the latest offset, so that nothing is lost by a restart', async () => {
    const batch = await bed.batchOf('source', 10)
    bed.kafka.append('a', 0, batch)
    bed.kafka.append('a', 0, batch)
    // The first batch fills the queue, and the second is deleted before it is asked for.
    const limits = { fetchMessageMaxBytes: 1, queuedMaxMessages: 1 }
    const consumer = bed.consumer({ ...GROUP, ...limits, autoOffsetReset: 'latest' })
    const fetched = bed.kafka.requests.next({ api: 'Fetch' })
    await consumer.assign([{ ...A0, offset: 0 }])
    await fetched
    await until(() => consumer.positions.lag.length > 0)
    await bed.deleteRecords('a', 0, 15)
    const moved = positionEvent()
    await takeTexts(consumer.reader, 10)
    expect(await moved).toMatchObject({ from: 10, to: 20 })
    expect(consumer.positions.of(A0)).toBe(10)
    expect(await consumer.reader.consume({ timeoutMs: 100 })).toBeUndefined()
    expect(consumer.positions.of(A0)).toBe(20)
    await consumer.commits.commit()
    await consumer.close()
    await bed.write('a', 0, 5, 'while away ')
    const next = bed.consumer({ ...GROUP, autoOffsetReset: 'latest' })
    await next.assign([A0])
    expect(await takeTexts(next.reader, 1)).toEqual(['while away 0'])
  })
})

describe('a consumer that stops at the end', () => {
  it('ends after a damaged batch that is the last', async () => {
    const good = await bed.batchOf('source', 10)
    bed.kafka.append('a', 0, good)
    bed.kafka.append('a', 0, damaged(good))
    const consumer = bed.consumer({ stopAtEnd: true, skipCorrupt: true })
    await consumer.assign([A0])
    expect(await readAll(consumer)).toBe(10)
    expect(consumer.positions.of(A0)).toBe(20)
  })

  it('reads from the earliest offset when the committed one is beyond the end', async () => {
    await bed.write('a', 0, 20)
    await commit(500)
    const consumer = bed.consumer({ ...GROUP, stopAtEnd: true })
    await consumer.assign([A0])
    expect(await readAll(consumer)).toBe(20)
  })

  it("fails with autoOffsetReset 'none' when the committed offset is beyond the end", async () => {
    await bed.write('a', 0, 20)
    await commit(500)
    const consumer = bed.consumer({ ...GROUP, stopAtEnd: true, autoOffsetReset: 'none' })
    await consumer.assign([A0])
    expect(await failureOf(consumer.reader.consume())).toMatchObject({
      code: 'OFFSET_OUT_OF_RANGE',
    })
  })

  it("ends at the end with autoOffsetReset 'latest' when the committed offset is beyond it", async () => {
    await bed.write('a', 0, 20)
    await commit(500)
    const consumer = bed.consumer({ ...GROUP, stopAtEnd: true, autoOffsetReset: 'latest' })
    await consumer.assign([A0])
    expect(await readAll(consumer)).toBe(0)
    expect(consumer.positions.of(A0)).toBe(20)
  })

  it('ends with run(), too, when the committed offset is beyond the end', async () => {
    await bed.write('a', 0, 20)
    await commit(500)
    const consumer = bed.consumer({ ...GROUP, stopAtEnd: true })
    await consumer.assign([A0])
    let count = 0
    await consumer.reader.run(() => {
      count++
    })
    expect(count).toBe(20)
  })

  it('ends when all records were deleted since the last commit', async () => {
    await bed.write('a', 0, 20)
    await commit(10)
    await bed.deleteRecords('a', 0, 20)
    const consumer = bed.consumer({ ...GROUP, stopAtEnd: true })
    await consumer.assign([A0])
    expect(await readAll(consumer)).toBe(0)
    expect(consumer.positions.of(A0)).toBe(20)
  })

  it('ends at the end of a log that has lost its tail', async () => {
    await bed.write('a', 0, 10, 'x'.repeat(100))
    for (let i = 0; i < 10; i++) await bed.write('a', 0, 1, 'x'.repeat(100))
    const options = { stopAtEnd: true, fetchMessageMaxBytes: 100, queuedMaxMessages: 1 }
    const consumer = bed.consumer(options)
    await consumer.assign([A0])
    await takeTexts(consumer.reader, 3)
    bed.kafka.loseTail('a', 0, 5)
    expect(await readAll(consumer)).toBe(12)
    expect(consumer.positions.of(A0)).toBe(15)
  })
})

describe('skipping a damaged batch', () => {
  it('takes one fetch when the batch arrives alone, whatever its number of offsets', async () => {
    const good = await bed.batchOf('source', 10)
    const large = await bed.batchOf('source', 1_000)
    bed.kafka.append('a', 0, damaged(large))
    bed.kafka.append('a', 0, good)
    const consumer = bed.consumer({ skipCorrupt: true, fetchMessageMaxBytes: 10_000 })
    await consumer.assign([A0])
    expect(await consumer.reader.consume()).toMatchObject({ offset: 1_000 })
    const asked = bed.kafka.requests.all({ api: 'Fetch' }).flatMap(({ body }) => offsetsIn(body))
    expect(asked.slice(0, 2)).toEqual([0, 1_000])
  })

  it('continues with the batches after it in the same response', async () => {
    const good = await bed.batchOf('source', 10)
    for (let i = 0; i < 20; i++) bed.kafka.append('a', 0, i % 2 === 0 ? damaged(good) : good)
    const consumer = bed.consumer({ skipCorrupt: true })
    await consumer.assign([A0])
    expect(await takeTexts(consumer.reader, 100)).toHaveLength(100)
    expect(consumer.positions.of(A0)).toBe(200)
    expect(bed.kafka.requests.all({ api: 'Fetch' }).length).toBeLessThan(5)
  })
})
