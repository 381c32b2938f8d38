import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import type { Compression } from '../../../protocol/compression/index.ts'
import { BatchWriter } from '../../../protocol/records/batch-writer.ts'
import { codecOf } from '../../../protocol/compression/index.ts'
import { BufferPool } from '../../../src/producer/accumulator/buffer-pool.ts'
import { jsonLines } from '../compression/samples.ts'
import { ProducerBench } from './support/embedded.ts'

/** Memory of batches that is used again. */

const KIB = 1024
const CODECS: readonly Compression[] = ['gzip', 'snappy', 'lz4', 'zstd']

afterEach(() => {
  jest.restoreAllMocks()
})

describe('the pool', () => {
  it('keeps at most its maximum', () => {
    const pool = new BufferPool(64 * KIB)
    const buffers = Array.from({ length: 10 }, () => pool.take(16 * KIB))
    for (const buffer of buffers) pool.give(buffer)
    const again = Array.from({ length: 10 }, () => pool.take(16 * KIB))
    expect(again.filter((buffer) => buffers.includes(buffer))).toHaveLength(4)
  })

  it.each(CODECS)('gets back the records of a batch and what %s made of them', async (name) => {
    const pool = new BufferPool(1024 * KIB)
    const value = Buffer.from(jsonLines(20 * KIB))
    const write = () => {
      const writer = new BatchWriter(32 * KIB, pool)
      writer.append(null, -1, value, value.length, 0, undefined, 0, Infinity)
      return writer
    }
    const memoryOf = async (writer: BatchWriter) => {
      const codec = codecOf(name)
      const batch = (await writer.compressElsewhere(codec)) ?? writer.compress(codec)
      return [writer.records().buffer, batch.buffer]
    }
    const writer = write()
    const memory = await memoryOf(writer)
    writer.release()
    expect(await memoryOf(write())).toEqual(memory)
    expect(new Set(memory).size).toBe(2)
  })

  it('gets back only the last result of a batch that is compressed again', () => {
    const pool = new BufferPool(1024 * KIB)
    const give = jest.spyOn(pool, 'give')
    const writer = new BatchWriter(4 * KIB, pool)
    writer.append(null, -1, 'value', 5, 0, undefined, 0, Infinity)
    writer.compress(codecOf('lz4'))
    const last = writer.compress(codecOf('lz4'))
    writer.release()
    expect(give.mock.calls.map(([{ buffer }]) => buffer)).toEqual([
      writer.records().buffer,
      last.buffer,
    ])
  })
})

describe.each(CODECS)('a producer with %s', (compression) => {
  let bench: ProducerBench
  beforeEach(async () => {
    bench = await ProducerBench.start()
  })
  afterEach(() => bench[Symbol.asyncDispose]())

  const text = Buffer.from(jsonLines(60 * KIB)).toString('latin1')
  const valueOf = (index: number) => text.slice(index * 100, index * 100 + 15 * KIB)

  it('uses the same memory for one batch after the other', async () => {
    const take = jest.spyOn(BufferPool.prototype, 'take')
    const producer = await bench.topic.getProducer({ compression })
    for (let index = 0; index < 20; index++) await producer.produce(valueOf(index))
    const taken = take.mock.results.map(({ value }) => value)
    expect(taken.length).toBeGreaterThanOrEqual(40)
    expect(new Set(taken).size).toBeLessThan(10)
  })

  it('does not use memory that it has released, with failures and repeats', async () => {
    const give = jest
      .spyOn(BufferPool.prototype, 'give')
      .mockImplementation((buffer) => void buffer.fill(0xa5))
    const producer = await bench.topic.getProducer({ compression, batchBytes: 40 * KIB })
    const values = Array.from({ length: 40 }, (_, index) => valueOf(index))
    const send = async (from: number, to: number) => {
      for (const value of values.slice(from, to)) void producer.produce(value)
      await producer.flush()
    }
    await send(0, 10)
    bench.kafka.faults.on({ api: 'Produce', times: 2 }, { error: 'NOT_LEADER_OR_FOLLOWER' })
    await send(10, 20)
    bench.kafka.faults.on({ api: 'Produce', times: 2 }, { close: true })
    await send(20, 30)
    await send(30, 40)
    expect(await bench.values()).toEqual(values)
    expect(give.mock.calls.length).toBeGreaterThan(10)
  })
})
