import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { gzipSync } from 'node:zlib'
import { BatchWriter } from '../../../protocol/records/batch-writer.ts'
import { encodeBatch } from '../../../protocol/records/encode-batch.ts'
import { BATCH_HEADER_BYTES } from '../../../protocol/records/format.ts'
import { OutgoingRecord } from '../../../protocol/records/outgoing-record.ts'
import type { AssignedConsumer } from '../../../src/consumer/assigned-consumer.ts'
import { Decompression } from '../../../src/consumer/decompression.ts'
import type { ConsumerOptions } from '../../../src/consumer/options.ts'
import { PartitionState } from '../../../src/consumer/partition-state.ts'
import { readBatches } from '../../../protocol/records/read-batches.ts'
import { produceTo, rawClientOf } from '../../embedded/support/requests.ts'
import { Random } from '../../wire/support/random.ts'
import { Bed } from './support/embedded.ts'

const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
const PARTITIONS = 5
const BATCHES = 12
const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000)

/** Records of bytes that no codec makes smaller: some batches are large enough for another thread. */
function batchOf(random: Random, first: number, count: number, valueBytes: number): Buffer {
  const records = Array.from({ length: count }, (_, index) => {
    const value = Buffer.concat([Buffer.from(`${first + index} `), random.bytes(valueBytes)])
    return new OutgoingRecord(null, value, 0)
  })
  return encodeBatch(records, { compression: CODECS[random.below(CODECS.length)]! })
}

/** Two gzip members, of which the trailer of the last one is all that says how much there is. */
function understatedBatch(values: readonly Buffer[]): Buffer {
  const writer = new BatchWriter(1000)
  for (const value of values)
    writer.append(null, -1, value, value.length, 0, undefined, 0, Infinity)
  const records = writer.records()
  const cut = records.length - 10
  const members = [gzipSync(records.subarray(0, cut)), gzipSync(records.subarray(cut))]
  const batch = Buffer.concat([Buffer.alloc(BATCH_HEADER_BYTES), ...members])
  writer.finishCompressed(batch, 'gzip', {})
  return batch
}

describe('a consumer whose budget is smaller than every batch', () => {
  /** A third of it is less than any batch decompresses to: each is decompressed alone. */
  const TIGHT: ConsumerOptions = { stopAtEnd: true, queuedMaxBytes: 60 }
  let bed: Bed
  let written: number

  beforeEach(async () => {
    bed = await Bed.start({ topics: { t: { partitions: PARTITIONS } } })
    const random = new Random(seed)
    using raw = await rawClientOf(bed.kafka)
    written = 0
    for (let partition = 0; partition < PARTITIONS; partition++) {
      let offset = 0
      for (let i = 0; i < BATCHES; i++) {
        const count = 1 + random.below(30)
        const isUnderstated = random.below(6) === 0
        const batch = isUnderstated
          ? understatedBatch([Buffer.from(`${offset} ${'x'.repeat(50_000)}`)])
          : batchOf(random, offset, count, random.below(3) === 0 ? 4_000 : 20)
        await produceTo(raw, 't', partition, batch)
        offset += isUnderstated ? 1 : count
      }
      written += offset
    }
  })
  afterEach(() => bed[Symbol.asyncDispose]())

  async function assigned(options: ConsumerOptions = TIGHT): Promise<AssignedConsumer> {
    const consumer = bed.consumer(options)
    const partitions = Array.from({ length: PARTITIONS }, (_, partition) => ({
      topic: 't',
      partition,
    }))
    await consumer.assign(partitions)
    return consumer
  }

  /** Each partition's messages must come in order, each once. */
  class InOrder {
    readonly #next = new Map<number, number>()
    count = 0

    take({
      partition,
      offset,
      value,
    }: {
      partition: number
      offset: number
      value: Buffer | null
    }) {
      const expected = this.#next.get(partition) ?? 0
      const text = value!.subarray(0, 20).toString('latin1').split(' ')[0]
      expect({ seed, partition, offset, text }).toEqual({
        seed,
        partition,
        offset: expected,
        text: String(expected),
      })
      this.#next.set(partition, expected + 1)
      this.count++
    }

    sought(partition: number, offset: number): void {
      this.count -= (this.#next.get(partition) ?? 0) - offset
      this.#next.set(partition, offset)
    }
  }

  it(`reads everything in order with for await, through pauses and seeks (seed ${seed})`, async () => {
    const random = new Random(seed + 1)
    const consumer = await assigned()
    const seen = new InOrder()
    let paused: number | undefined
    for await (const message of consumer.reader.messages()) {
      seen.take(message)
      if (paused !== undefined) {
        consumer.resume([{ topic: 't', partition: paused }])
        paused = undefined
      }
      switch (random.below(8)) {
        case 0:
          // The last one that is left must not be paused: nothing would come to resume it at.
          paused = random.below(PARTITIONS)
          if (
            consumer.positions.lag.some(({ partition, lag }) => partition !== paused && lag > 0)
          ) {
            consumer.pause([{ topic: 't', partition: paused }])
          } else paused = undefined
          break
        case 1: {
          if (random.below(10) !== 0) break
          const { partition } = message
          const offset = random.below(message.offset + 1)
          consumer.positions.seek({ topic: 't', partition }, offset)
          seen.sought(partition, offset)
        }
      }
    }
    expect({ seed, count: seen.count }).toEqual({ seed, count: written })
  })

  it(`reads everything in order with batches(), run() and stream() (seed ${seed})`, async () => {
    const inBatches = new InOrder()
    for await (const batch of (await assigned()).reader.batches()) {
      for (const message of batch) inBatches.take(message)
    }
    const run = new InOrder()
    await (await assigned()).reader.run((message) => run.take(message), { concurrency: 3 })
    const streamed = new InOrder()
    for await (const message of (await assigned()).reader.stream()) {
      streamed.take(message as Parameters<InOrder['take']>[0])
    }
    const counts = [inBatches.count, run.count, streamed.count]
    expect({ seed, counts }).toEqual({ seed, counts: [written, written, written] })
  })

  it(`continues with the other partitions when one fails at a batch above its limit (seed ${seed})`, async () => {
    const consumer = await assigned({ ...TIGHT, decompressedBatchMaxBytes: 10_000 })
    const seen = new InOrder()
    const ended = new Set<number | undefined>()
    while (ended.size < PARTITIONS) {
      try {
        for await (const message of consumer.reader.messages()) seen.take(message)
        break
      } catch (error) {
        const { code, partition } = error as { code: string; partition: number }
        expect({ seed, code }).toEqual({ seed, code: 'CORRUPT_MESSAGE' })
        expect(ended.has(partition)).toBe(false)
        ended.add(partition)
      }
    }
    expect({ seed, ended: ended.size > 0 }).toEqual({ seed, ended: true })
  })
})

describe('memory for decompressed batches', () => {
  const BUDGET_BYTES = 100_000
  const ready: string[] = []
  let decompression: Decompression
  beforeEach(() => {
    ready.length = 0
    decompression = new Decompression(BUDGET_BYTES, ({ name }) => ready.push(name))
  })

  /** A partition with one queued batch of lz4, which is decompressed when it is decoded. */
  function partitionWith(partition: number, decompressedBytes: number): PartitionState {
    const state = new PartitionState({ topic: 't', partition }, 1_000_000)
    state.moveTo(0)
    enqueue(state, decompressedBytes)
    return state
  }

  function enqueue(state: PartitionState, decompressedBytes: number): void {
    const record = new OutgoingRecord(null, Buffer.alloc(decompressedBytes - 20), 0)
    const data = encodeBatch([record], { compression: 'lz4' })
    const [batch] = readBatches(data, state).batches
    state.buffer.enqueue({
      kind: 'batch',
      batch: batch!,
      from: 0,
      isLeftOut: false,
      lease: undefined,
    })
  }

  function decode(state: PartitionState): void {
    const chunk = state.buffer.nextChunk(
      () => false,
      (queued) => decompression.reserve(state, queued),
    )
    expect(chunk!.messages).toHaveLength(1)
  }

  it('is reserved up to the budget, over all partitions', () => {
    const states = [0, 1, 2].map((partition) => partitionWith(partition, 40_000))
    expect(states.map((state) => decompression.prepare(state))).toEqual([true, true, false])
    decode(states[0]!)
    expect(decompression.usedBytes).toBeGreaterThan(79_000)
    states[0]!.buffer.finishChunk()
    decompression.freed()
    expect(ready).toEqual(['t-2'])
    expect(decompression.prepare(states[2]!)).toBe(true)
    expect(decompression.usedBytes).toBeLessThanOrEqual(BUDGET_BYTES)
  })

  it('exceeds the budget only for a single batch, which no other overtakes', () => {
    const small = partitionWith(0, 40_000)
    const large = partitionWith(1, 300_000)
    const late = partitionWith(2, 40_000)
    expect(decompression.prepare(small)).toBe(true)
    expect(decompression.prepare(large)).toBe(false)
    expect(decompression.prepare(late)).toBe(false)
    decode(small)
    small.buffer.finishChunk()
    decompression.freed()
    expect(ready).toEqual(['t-1'])
    expect(decompression.prepare(late)).toBe(false)
    decode(large)
    large.buffer.finishChunk()
    decompression.freed()
    expect(ready).toEqual(['t-1', 't-2'])
  })

  it('does not let a paused partition block another', () => {
    const paused = partitionWith(0, 90_000)
    const other = partitionWith(1, 40_000)
    expect(decompression.prepare(paused)).toBe(true)
    expect(decompression.prepare(other)).toBe(false)
    decode(paused)
    paused.isPaused = true
    decompression.drop(paused)
    expect(ready).toEqual(['t-1'])
  })
})
