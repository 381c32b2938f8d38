import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import type { AssignedConsumer } from '../../../src/consumer/assigned-consumer.ts'
import type { ConsumerOptions } from '../../../src/consumer/options.ts'
import { Bed } from './support/embedded.ts'

const PARTITIONS = [0, 1].map((partition) => ({ topic: 'a', partition }))
const COUNT = 400
const VALUE_BYTES = 5_000
/** Some twenty responses a partition, of which three or four are there at a time. */
const SMALL_FETCHES: ConsumerOptions = { stopAtEnd: true, fetchMessageMaxBytes: 100_000 }
const REUSING: ConsumerOptions = { ...SMALL_FETCHES, reuseMemory: true }

let bed: Bed
beforeEach(async () => {
  bed = await Bed.start({ topics: { a: { partitions: 2 } } })
})
afterEach(() => bed[Symbol.asyncDispose]())

/** Other bytes for each message, of which a codec makes half. */
function valueOf(partition: number, index: number): Buffer {
  const value = Buffer.allocUnsafe(VALUE_BYTES)
  let state = partition * COUNT + index
  for (let at = 0; at < VALUE_BYTES / 2; at += 4) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0
    value.writeInt32BE(state, at)
  }
  return value.fill(index, VALUE_BYTES / 2)
}

/** Batches of which the compressed and the decompressed ones are large enough to be reused. */
async function fill(partitions: readonly number[], compression: 'none' | 'lz4' = 'none') {
  const batchBytes = compression === 'none' ? 50_000 : 200_000
  await using producer = await bed.client.topic('a').getProducer({ compression, batchBytes })
  for (let index = 0; index < COUNT; index++) {
    for (const partition of partitions) {
      await producer.ready()
      void producer.produce(valueOf(partition, index), { partition })
    }
  }
  await producer.flush()
}

async function reading(partitions: readonly number[], options: ConsumerOptions) {
  const consumer = bed.consumer(options)
  await consumer.assign(partitions.map((partition) => PARTITIONS[partition]!))
  return consumer
}

type Seen = (message: { partition: number; offset: number; value: Buffer | null }) => void
type Read = (consumer: AssignedConsumer, seen: Seen) => Promise<void>

describe.each<[string, Read]>([
  [
    'batches()',
    async (consumer, seen) => {
      for await (const batch of consumer.reader.batches()) {
        // All of it is there until the next one is asked for, whatever comes meanwhile.
        for (let turns = 0; turns < 5; turns++) await new Promise(setImmediate)
        for (const message of batch) seen(message)
      }
    },
  ],
  [
    'for await',
    async (consumer, seen) => {
      for await (const message of consumer.reader.messages()) seen(message)
    },
  ],
  [
    'consume()',
    async (consumer, seen) => {
      for (let left = COUNT * 2; left > 0; left--) seen((await consumer.reader.consume())!)
    },
  ],
  [
    'run()',
    (consumer, seen) =>
      consumer.reader.run(
        async (message) => {
          await new Promise(setImmediate)
          seen(message)
        },
        { concurrency: 2 },
      ),
  ],
])('with reuseMemory, %s', (_way, read) => {
  it.each(['none', 'lz4'] as const)(
    'delivers every message as it was written (compression: %s)',
    async (compression) => {
      await fill([0, 1], compression)
      const next = [0, 0]
      const consumer = await reading([0, 1], REUSING)
      await read(consumer, ({ partition, offset, value }) => {
        expect(offset).toBe(next[partition]!++)
        expect(value?.equals(valueOf(partition, offset))).toBe(true)
      })
      expect(next).toEqual([COUNT, COUNT])
    },
  )
})

describe('the memory of consumed messages', () => {
  async function memories(options: ConsumerOptions): Promise<ReadonlySet<ArrayBufferLike>> {
    const found = new Set<ArrayBufferLike>()
    for await (const { value } of (await reading([0], options)).reader.messages())
      found.add(value!.buffer)
    return found
  }

  it.each(['none', 'lz4'] as const)(
    "is reused with reuseMemory, and otherwise stays the application's (compression: %s)",
    async (compression) => {
      await fill([0], compression)
      const fresh = await memories(SMALL_FETCHES)
      const used = await memories(REUSING)
      expect(used.size).toBeLessThan(fresh.size)
    },
  )
})

describe('a consumer with reuseMemory', () => {
  it('keeps a message that is being processed while its partition is paused', async () => {
    await fill([0, 1])
    const consumer = await reading([0], { ...REUSING, stopAtEnd: false })
    const batches = consumer.reader.batches()
    let { value: batch } = await batches.next()
    while (batch!.lastOffset < COUNT / 2) ({ value: batch } = await batches.next())
    consumer.pause([PARTITIONS[0]!])
    await consumer.assign([PARTITIONS[1]!])
    for (let fetches = 0; fetches < 3; fetches++) {
      // What comes for the other partition needs memory.
      consumer.positions.seek(PARTITIONS[1]!, 0)
      await bed.kafka.requests.next({ api: 'Fetch' })
    }
    for (const { partition, offset, value } of batch!) {
      expect(value?.equals(valueOf(partition, offset))).toBe(true)
    }
  })

  it('rejects ways of reading that keep messages longer, and starts none', async () => {
    await fill([0])
    const consumer = await reading([0], REUSING)
    expect(() => consumer.reader.stream()).toThrow(
      'stream() keeps messages for longer than reuseMemory allows',
    )
    await expect(consumer.reader.run(() => undefined, { orderBy: 'key' })).rejects.toThrow(
      "run() with orderBy: 'key' keeps messages for longer than reuseMemory allows",
    )
    expect((await consumer.reader.consume())?.offset).toBe(0)
  })
})
