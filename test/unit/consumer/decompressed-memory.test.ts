import { describe, expect, it } from '@jest/globals'
import { encodeBatch } from '../../../protocol/records/encode-batch.ts'
import { OutgoingRecord } from '../../../protocol/records/outgoing-record.ts'
import { readBatches } from '../../../protocol/records/read-batches.ts'
import { Lease } from '../../../src/consumer/fetch/lease.ts'
import { PartitionBuffer, type DecodedChunk } from '../../../src/consumer/partition-buffer.ts'
import { FrameMemory } from '../../../src/network/frame-memory.ts'
import { Random } from '../../wire/support/random.ts'

/** The memory of decompressed batches, which is reused with `reuseMemory`. */

const KIB = 1024
/** The least that is reused is 64 KiB. */
const VALUE_BYTES = 2 * KIB
const VALUES = 50
const MOST_FREE_BYTES = 1024 * KIB
const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000)

interface State {
  readonly topic: string
  readonly partition: number
  readonly endOffset: number
}

type Chunk = DecodedChunk<State>

/** Other bytes for each batch and message, of which a codec makes a tenth. */
function valueOf(batch: number, index: number, valueBytes = VALUE_BYTES): Buffer {
  return Buffer.alloc(valueBytes, `value ${index} of batch ${batch}; `)
}

/** A partition to which batches come, each in a response of its own. */
class Partition {
  readonly #memory: FrameMemory
  readonly #state: State
  readonly #compression: 'lz4' | 'snappy'
  readonly buffer: PartitionBuffer<State>
  #batches = 0

  constructor(memory: FrameMemory, compression: 'lz4' | 'snappy', partition = 0) {
    this.#memory = memory
    this.#state = { topic: 't', partition, endOffset: Infinity }
    this.#compression = compression
    this.buffer = new PartitionBuffer(this.#state)
  }

  /** Returns the number of the batch. */
  arrive(count = VALUES, valueBytes = VALUE_BYTES): number {
    const number = this.#batches++
    const records = Array.from(
      { length: count },
      (_, index) => new OutgoingRecord(null, valueOf(number, index, valueBytes), 0),
    )
    const data = encodeBatch(records, { compression: this.#compression })
    const { batches } = readBatches(data, this.#state, undefined, this.#memory)
    const lease = new Lease(this.#memory, data.buffer)
    lease.retain()
    this.buffer.enqueue({ kind: 'batch', batch: batches[0]!, from: 0, isLeftOut: false, lease })
    return number
  }

  take(): Chunk {
    return this.buffer.nextChunk(
      () => false,
      () => false,
    )!
  }

  /** The application has finished with the messages of the chunk. */
  finish(chunk: Chunk): void {
    this.buffer.finishChunk()
    for (const lease of chunk.leases) lease.release()
  }
}

function memoryOf({ messages }: Chunk): ArrayBufferLike {
  return messages[0]!.value!.buffer
}

function expectValues({ messages }: Chunk, batch: number): void {
  const values = messages.map(({ value }) => value!)
  const expected = messages.map((_, index) => valueOf(batch, index))
  expect(Buffer.concat(values).equals(Buffer.concat(expected))).toBe(true)
}

describe.each(['lz4', 'snappy'] as const)('memory of batches decompressed from %s', (codec) => {
  it('is used again for later batches, and is as much as one of them takes', () => {
    const memory = new FrameMemory(MOST_FREE_BYTES)
    const partition = new Partition(memory, codec)
    const used = new Set<ArrayBufferLike>()
    for (let round = 0; round < 20; round++) {
      const batch = partition.arrive()
      const chunk = partition.take()
      expectValues(chunk, batch)
      used.add(memoryOf(chunk))
      partition.finish(chunk)
    }
    expect(used.size).toBe(1)
    expect(memory.freeBytes).toBe([...used][0]!.byteLength)
  })

  it('is kept up to the limit of free memory', () => {
    const memory = new FrameMemory(300 * KIB)
    const partitions = [0, 1, 2, 3, 4].map((one) => new Partition(memory, codec, one))
    const chunks = partitions.map((partition) => {
      partition.arrive()
      return partition.take()
    })
    expect(new Set(chunks.map(memoryOf)).size).toBe(partitions.length)
    partitions.forEach((partition, index) => partition.finish(chunks[index]!))
    expect(memory.freeBytes).toBeGreaterThan(200 * KIB)
    expect(memory.freeBytes).toBeLessThanOrEqual(300 * KIB)
  })

  it('is given back after the last part of a batch that is delivered in parts', () => {
    const memory = new FrameMemory(MOST_FREE_BYTES)
    const partition = new Partition(memory, codec)
    partition.arrive(25_000, 5)
    for (let part = 0; part < 3; part++) {
      expect(memory.freeBytes).toBe(0)
      const chunk = partition.take()
      expect(chunk.messages).toHaveLength(part < 2 ? 10_000 : 5_000)
      partition.finish(chunk)
    }
    expect(memory.freeBytes).toBeGreaterThan(0)
  })

  it('is given back once, although a batch is released again', () => {
    const memory = new FrameMemory(MOST_FREE_BYTES)
    const partition = new Partition(memory, codec)
    partition.arrive()
    const first = partition.take()
    partition.finish(first)
    const batch = partition.arrive()
    const second = partition.take()
    expect(memoryOf(second)).toBe(memoryOf(first))
    for (const lease of first.leases.slice(1)) lease.release()
    const other = new Partition(memory, codec, 1)
    other.arrive()
    other.take()
    expectValues(second, batch)
  })

  it('stays with the messages of a batch that is dropped', () => {
    const memory = new FrameMemory(MOST_FREE_BYTES)
    const partition = new Partition(memory, codec)
    const batch = partition.arrive()
    const dropped = partition.take()
    partition.buffer.moveTo(0, -1)
    expect(memory.freeBytes).toBe(0)
    for (let round = 0; round < 3; round++) {
      partition.arrive()
      const chunk = partition.take()
      expect(memoryOf(chunk)).not.toBe(memoryOf(dropped))
      partition.finish(chunk)
    }
    expectValues(dropped, batch)
  })
})

describe('no message of a compressed batch changes before it is released', () => {
  it(`in any order of taking, finishing and dropping (seed ${seed})`, () => {
    const random = new Random(seed)
    const memory = new FrameMemory(MOST_FREE_BYTES)
    const partitions = [0, 1, 2, 3].map(
      (one) => new Partition(memory, one % 2 === 0 ? 'lz4' : 'snappy', one),
    )
    const held = new Map<Partition, { readonly chunk: Chunk; readonly batch: number }>()
    const dropped: { readonly chunk: Chunk; readonly batch: number }[] = []
    const used = new Set<ArrayBufferLike>()
    for (let step = 0; step < 300; step++) {
      const partition = random.pick(partitions)
      const current = held.get(partition)
      if (current === undefined) {
        const batch = partition.arrive()
        const chunk = partition.take()
        held.set(partition, { chunk, batch })
        used.add(memoryOf(chunk))
      } else if (random.chance(20)) {
        partition.buffer.moveTo(0, -1)
        held.delete(partition)
        dropped.push(current)
      } else {
        partition.finish(current.chunk)
        held.delete(partition)
      }
      for (const { chunk, batch } of [...held.values(), ...dropped.slice(-2)])
        expectValues(chunk, batch)
    }
    // Each partition holds one at a time, of two sizes: the headers of lz4 allow for more than those of snappy. Dropped
    // ones do not come back.
    expect(used.size).toBeLessThanOrEqual(2 * partitions.length + dropped.length)
  })
})
