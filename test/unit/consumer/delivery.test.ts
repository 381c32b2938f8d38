import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { deferred } from '../../../src/async/deferred.ts'
import type { ConsumedMessage } from '../../../src/index.ts'
import { failureOf } from '../../support/settled.ts'
import { Bed } from './support/embedded.ts'

const A0 = { topic: 'a', partition: 0 }
const A1 = { topic: 'a', partition: 1 }
let bed: Bed

beforeEach(async () => {
  bed = await Bed.start({ topics: { a: { partitions: 2 } } })
})
afterEach(() => bed[Symbol.asyncDispose]())

const textOf = ({ value }: ConsumedMessage) => String(value)

describe('for await', () => {
  it('loses no undelivered message after a break', async () => {
    await bed.write('a', 0, 10)
    const consumer = bed.consumer({ stopAtEnd: true })
    await consumer.assign([A0])
    const seen: string[] = []
    for (let round = 0; round < 5; round++) {
      for await (const message of consumer.reader.messages()) {
        seen.push(textOf(message))
        if (seen.length % 3 === 0) break
      }
    }
    expect(seen).toEqual(Array.from({ length: 10 }, (_, i) => String(i)))
  })

  it('ends when the signal is aborted, with its reason', async () => {
    await bed.write('a', 0, 3)
    const consumer = bed.consumer()
    await consumer.assign([A0])
    const abort = new AbortController()
    const seen: string[] = []
    const reading = (async () => {
      for await (const message of consumer.reader.messages({ signal: abort.signal })) {
        seen.push(textOf(message))
        if (seen.length === 2) abort.abort(new Error('enough'))
      }
    })()
    expect((await failureOf(reading)).message).toBe('enough')
    expect(seen).toEqual(['0', '1'])
    expect(consumer.positions.of(A0)).toBe(2)
  })

  it('ends while it waits when the signal is aborted', async () => {
    const consumer = bed.consumer()
    await consumer.assign([A0])
    const abort = new AbortController()
    const waiting = failureOf(consumer.reader.messages({ signal: abort.signal }).next())
    await nextTurn()
    abort.abort(new Error('enough'))
    expect((await waiting).message).toBe('enough')
  })

  it('ends by itself after consumerTimeoutMs without a message', async () => {
    await bed.write('a', 0, 1)
    const consumer = bed.consumer({ consumerTimeoutMs: 50 })
    await consumer.assign([A0])
    // No matter how long that takes.
    const seen = [textOf((await consumer.reader.consume({ timeoutMs: 10_000 }))!)]
    for await (const message of consumer.reader.messages()) seen.push(textOf(message))
    expect(seen).toEqual(['0'])
  })

  it('lets other tasks run while messages are available', async () => {
    await bed.write('a', 0, 3)
    const consumer = bed.consumer({ stopAtEnd: true })
    await consumer.assign([A0])
    let turns = 0
    const count = () => {
      turns++
      if (!isDone) setImmediate(count)
    }
    let isDone = false
    count()
    for (let round = 0; round < 3; round++) {
      consumer.positions.seek(A0, 0)
      for await (const message of consumer.reader.messages()) {
        // As long as a turn may last.
        const until = performance.now() + 6
        while (performance.now() < until) expect(message.offset).toBeLessThan(3)
      }
    }
    isDone = true
    expect(turns).toBeGreaterThan(3)
  })
})

describe('a batch of many messages', () => {
  const MESSAGES = 25_000

  it.each(['none', 'gzip', 'lz4'] as const)(
    'is delivered in parts, in every way of reading (%s)',
    async (compression) => {
      await using producer = await bed.client
        .topic('a')
        .getProducer({ compression, maxRequestSize: 4_000_000, lingerMs: 1_000 })
      for (let i = 0; i < MESSAGES; i++) {
        void producer.produce(`${i} ${Math.random()}`, { partition: 0 })
      }
      await producer.flush()
      const consumer = bed.consumer({ stopAtEnd: true, fetchMessageMaxBytes: 8_000_000 })
      await consumer.assign([A0])
      const offsets: number[] = []
      for await (const message of consumer.reader.messages()) {
        offsets.push(message.offset)
        if (offsets.length === 12_000) break
      }
      expect(consumer.positions.of(A0)).toBe(12_000)
      let largest = 0
      for await (const batch of consumer.reader.batches()) {
        largest = Math.max(largest, batch.length)
        offsets.push(...batch.messages.map(({ offset }) => offset))
      }
      expect(largest).toBeLessThanOrEqual(10_000)
      expect(offsets).toEqual(Array.from({ length: MESSAGES }, (_, i) => i))
      consumer.positions.seek(A0, 19_999)
      expect((await consumer.reader.consume())?.offset).toBe(19_999)
    },
  )
})

describe('consume', () => {
  it.each([{ timeoutMs: 0 }, { block: false }])(
    'without waiting (%p) returns what is available, no matter how long a turn has lasted',
    async (options) => {
      await bed.write('a', 0, 1)
      await bed.write('a', 1, 1)
      const consumer = bed.consumer()
      await consumer.assign([A0, A1])
      // One response has both.
      const first = await consumer.reader.consume()
      const until = performance.now() + 20
      while (performance.now() < until) expect(first).toBeDefined()
      const second = await consumer.reader.consume(options)
      expect(second?.partition).toBe(1 - first!.partition)
    },
  )
})

describe('deserializers', () => {
  const parse = (bytes: Buffer | null) => JSON.parse(String(bytes)) as { n: number }

  async function write(...values: string[]): Promise<void> {
    await using producer = await bed.client.topic('a').getProducer()
    for (const value of values) await producer.produce(value, { partition: 0, key: 'k' })
  }

  it('produce what the application receives, with the right types', async () => {
    await write('{"n":1}')
    await using consumer = await bed.client.topic('a').getSimpleConsumer({
      deserializer: parse,
      keyDeserializer: (key) => String(key).length,
    })
    const message = await consumer.consume()
    const n: number = message!.value.n
    const keyLength: number = message!.key
    expect([n, keyLength, message!.offset]).toEqual([1, 1, 0])
  })

  it('that throw stop at the message each time, until a seek past it', async () => {
    await write('{"n":1}', 'no JSON', '{"n":3}')
    await using consumer = await bed.client.topic('a').getSimpleConsumer({
      deserializer: parse,
      partitions: [0],
    })
    expect((await consumer.consume())!.value.n).toBe(1)
    const where = { code: 'DESERIALIZATION_FAILED', topic: 'a', partition: 0, offset: 1 }
    expect(await failureOf(consumer.consume())).toMatchObject(where)
    expect(await failureOf(consumer.consume())).toMatchObject(where)
    expect(consumer.position(0)).toBe(1)
    consumer.seek(0, 2)
    expect((await consumer.consume())!.value.n).toBe(3)
  })

  it('return batches up to the message at which they throw', async () => {
    await write('{"n":1}', '{"n":2}', 'no JSON', '{"n":3}')
    await using consumer = await bed.client.topic('a').getSimpleConsumer({
      deserializer: parse,
      partitions: [0],
    })
    const batches = consumer.batches()
    const seen: number[] = []
    const reading = (async () => {
      for await (const batch of batches) seen.push(...batch.messages.map(({ value }) => value.n))
    })()
    expect(await failureOf(reading)).toMatchObject({ offset: 2 })
    expect(seen).toEqual([1, 2])
    expect(consumer.position(0)).toBe(2)
  })

  it('that throw skip the message or stop at it, as onDeserializationError decides', async () => {
    await write('{"n":1}', 'no JSON', '{"n":3}', 'stop here', '{"n":5}')
    await using consumer = await bed.client.topic('a').getSimpleConsumer({
      deserializer: parse,
      partitions: [0],
      onDeserializationError: (error, { value }) => {
        expect(error).toMatchObject({ partition: 0 })
        return String(value) === 'no JSON' ? 'skip' : 'stop'
      },
    })
    expect((await consumer.consume())!.value.n).toBe(1)
    expect((await consumer.consume())!.value.n).toBe(3)
    expect(await failureOf(consumer.consume())).toMatchObject({ offset: 3 })
  })
})

describe('run', () => {
  it('handles partitions concurrently, and each in order', async () => {
    await bed.write('a', 0, 20, 'x')
    await bed.write('a', 1, 20, 'y')
    const consumer = bed.consumer({ stopAtEnd: true })
    await consumer.assign([A0, A1])
    const seen: string[][] = [[], []]
    let running = 0
    let most = 0
    await consumer.reader.run(
      async (message) => {
        most = Math.max(most, ++running)
        await nextTurn()
        seen[message.partition]!.push(textOf(message))
        running--
      },
      { concurrency: 2 },
    )
    expect(most).toBe(2)
    expect(seen[0]).toEqual(Array.from({ length: 20 }, (_, i) => `x${i}`))
    expect(seen[1]).toEqual(Array.from({ length: 20 }, (_, i) => `y${i}`))
  })

  async function writeKeyed(count: number): Promise<void> {
    await using producer = await bed.client.topic('a').getProducer()
    for (let i = 0; i < count; i++) {
      void producer.produce(String(i), { partition: 0, key: `k${i % 3}` })
    }
    await producer.flush()
  }

  it('by key handles messages of one partition concurrently, those of a key in order', async () => {
    await writeKeyed(30)
    const consumer = bed.consumer({ stopAtEnd: true })
    await consumer.assign([A0])
    const seen = new Map<string, number[]>()
    let running = 0
    let most = 0
    await consumer.reader.run(
      async ({ key, value }) => {
        most = Math.max(most, ++running)
        for (let i = 0; i < Number(value) % 4; i++) await nextTurn()
        const ofKey = seen.get(String(key)) ?? []
        seen.set(String(key), [...ofKey, Number(value)])
        running--
      },
      { concurrency: 6, orderBy: 'key' },
    )
    expect(most).toBeGreaterThan(1)
    expect(most).toBeLessThanOrEqual(3)
    for (let k = 0; k < 3; k++) {
      expect(seen.get(`k${k}`)).toEqual(Array.from({ length: 10 }, (_, i) => 3 * i + k))
    }
  })

  it('by key commits nothing past a message that is not handled yet', async () => {
    await writeKeyed(6)
    const consumer = bed.consumer({ consumerGroup: 'g' })
    await consumer.assign([A0])
    const abort = new AbortController()
    let finish: () => void = () => undefined
    let handled = 0
    const running = consumer.reader.run(
      async ({ value }) => {
        if (String(value) === '1') {
          await new Promise<void>((resolve) => {
            finish = resolve
          })
        }
        handled++
      },
      { concurrency: 6, orderBy: 'key', signal: abort.signal },
    )
    while (handled < 4) await nextTurn() // All but those with the key of 1.
    await consumer.commits.commit()
    expect(await consumer.commits.fetch()).toMatchObject([{ offset: 1 }])
    finish()
    while (handled < 6) await nextTurn()
    await nextTurn()
    await consumer.commits.commit()
    expect(await consumer.commits.fetch()).toMatchObject([{ offset: 6 }])
    abort.abort()
    await failureOf(running)
  })

  it('by key delivers a failed message and those after it again', async () => {
    await writeKeyed(9)
    const consumer = bed.consumer({ stopAtEnd: true })
    await consumer.assign([A0])
    const seen: number[] = []
    const failing = consumer.reader.run(
      ({ value }) => {
        if (String(value) === '4') throw new Error('not this one')
        seen.push(Number(value))
      },
      { concurrency: 3, orderBy: 'key' },
    )
    expect((await failureOf(failing)).message).toBe('not this one')
    expect(consumer.positions.of(A0)).toBe(4)
    await consumer.reader.run(({ value }) => void seen.push(Number(value)), { orderBy: 'key' })
    expect([...new Set(seen)].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8])
    expect(seen.slice(-5)).toEqual([4, 5, 6, 7, 8])
  })
})

describe.each([
  { orderBy: 'partition', concurrency: 1 },
  { orderBy: 'partition', concurrency: 2 },
  { orderBy: 'key', concurrency: 1 },
  { orderBy: 'key', concurrency: 2 },
] as const)('run by $orderBy, $concurrency concurrently,', (options) => {
  /** A run whose handler is running until `settle` is called. */
  async function busyRun() {
    await bed.write('a', 0, 1)
    const consumer = bed.consumer()
    await consumer.assign([A0])
    const abort = new AbortController()
    const work = deferred()
    const begun = deferred()
    const handler = () => {
      begun.resolve()
      return work.promise
    }
    const failure = failureOf(consumer.reader.run(handler, { ...options, signal: abort.signal }))
    await begun.promise
    return { consumer, abort, work, failure }
  }

  it("throws a handler's failure, although the consumer was closed before it", async () => {
    const { consumer, work, failure } = await busyRun()
    const closed = consumer.close()
    await nextTurn()
    work.reject(new Error('not this one'))
    expect((await failure).message).toBe('not this one')
    await closed
  })

  it("throws a handler's failure, although the signal was aborted before it", async () => {
    const { abort, work, failure } = await busyRun()
    abort.abort(new Error('enough'))
    await nextTurn()
    work.reject(new Error('not this one'))
    expect((await failure).message).toBe('not this one')
  })

  it("throws the signal's reason, although the consumer is closed while it waits for handlers", async () => {
    const { consumer, abort, work, failure } = await busyRun()
    abort.abort(new Error('enough'))
    await nextTurn()
    const closed = consumer.close()
    await nextTurn()
    work.resolve()
    expect((await failure).message).toBe('enough')
    await closed
  })

  it("throws the signal's reason, although the consumer was closed before", async () => {
    const { consumer, abort, work, failure } = await busyRun()
    const closed = consumer.close()
    await nextTurn()
    abort.abort(new Error('enough'))
    await nextTurn()
    work.resolve()
    expect((await failure).message).toBe('enough')
    await closed
  })
})

describe('close', () => {
  it('waits for handlers that have begun, and commits what they finished', async () => {
    await bed.write('a', 0, 5)
    const consumer = bed.consumer({ consumerGroup: 'g', autoCommitEnable: true })
    await consumer.assign([A0])
    const handled: number[] = []
    const third = deferred()
    const running = consumer.reader.run(async ({ offset }) => {
      if (offset === 2) third.resolve()
      for (let i = 0; i < 5; i++) await nextTurn()
      handled.push(offset)
    })
    await third.promise
    await consumer.close()
    await running
    expect(handled).toEqual([0, 1, 2])
    const next = bed.consumer({ consumerGroup: 'g' })
    await next.assign([A0])
    expect(next.positions.of(A0)).toBe(3)
  })

  it('ends at its timeout although a handler waits for it', async () => {
    await bed.write('a', 0, 1)
    const consumer = bed.consumer()
    await consumer.assign([A0])
    await consumer.reader.run(() => consumer.close({ timeoutMs: 50 }))
    expect(consumer.isClosed).toBe(true)
  })
})

describe('a stream', () => {
  it('has the messages in order, and ends at the end', async () => {
    await bed.write('a', 0, 100)
    const consumer = bed.consumer({ stopAtEnd: true })
    await consumer.assign([A0])
    const seen: string[] = []
    for await (const message of consumer.reader.stream())
      seen.push(textOf(message as ConsumedMessage))
    expect(seen).toEqual(Array.from({ length: 100 }, (_, i) => String(i)))
  })

  it('delivers messages in flowing mode', async () => {
    await bed.write('a', 0, 10)
    const consumer = bed.consumer({ stopAtEnd: true })
    await consumer.assign([A0])
    const positions: number[] = []
    const stream = consumer.reader.stream()
    await new Promise((resolve, reject) => {
      stream.on('data', () => positions.push(consumer.positions.of(A0)!))
      stream.on('end', resolve)
      stream.on('error', reject)
    })
    expect(positions).toEqual(Array.from({ length: 10 }, (_, i) => i + 1))
  })

  it('counts as delivered only messages that have left it', async () => {
    await bed.write('a', 0, 10)
    const consumer = bed.consumer()
    await consumer.assign([A0])
    const stream = consumer.reader.stream()
    const seen: string[] = []
    for await (const message of stream) {
      seen.push(textOf(message as ConsumedMessage))
      expect(consumer.positions.of(A0)).toBe(seen.length)
      if (seen.length === 4) break
    }
    expect(consumer.positions.of(A0)).toBe(4)
    expect((await consumer.reader.consume())?.offset).toBe(4)
  })

  it('does not deliver messages of a partition that was removed meanwhile', async () => {
    await bed.write('a', 0, 3, 'x')
    const consumer = bed.consumer()
    await consumer.assign([A0])
    const stream = consumer.reader.stream()
    await new Promise((resolve) => stream.once('readable', resolve))
    consumer.unassign([A0])
    expect(stream.read()).toBeNull()
    stream.destroy()
  })

  it('delivers nothing more of a partition that the body of its loop removes', async () => {
    await bed.write('a', 0, 10)
    await bed.write('a', 1, 10)
    const consumer = bed.consumer({ stopAtEnd: true })
    await consumer.assign([A0, A1])
    const partitions: number[] = []
    for await (const message of consumer.reader.stream()) {
      const { partition } = message as ConsumedMessage
      partitions.push(partition)
      if (partition === 0 && partitions.filter((one) => one === 0).length === 3) {
        consumer.unassign([A0])
      }
    }
    expect(partitions.filter((one) => one === 0)).toHaveLength(3)
    expect(partitions.filter((one) => one === 1)).toHaveLength(10)
  })

  it('throws in its loop what the body has aborted it with, after no other message', async () => {
    await bed.write('a', 0, 10)
    const consumer = bed.consumer()
    await consumer.assign([A0])
    const ending = new AbortController()
    const offsets: number[] = []
    const reading = (async () => {
      for await (const message of consumer.reader.stream({ signal: ending.signal })) {
        offsets.push((message as ConsumedMessage).offset)
        if (offsets.length === 3) ending.abort()
      }
    })()
    await expect(reading).rejects.toMatchObject({ name: 'AbortError' })
    expect(offsets).toEqual([0, 1, 2])
    expect(consumer.positions.of(A0)).toBe(3)
  })

  it('throws in its loop the error of a consumer that fails in the body', async () => {
    await bed.write('a', 0, 10)
    const consumer = bed.consumer()
    await consumer.assign([A0])
    const offsets: number[] = []
    const reading = (async () => {
      for await (const message of consumer.reader.stream()) {
        offsets.push((message as ConsumedMessage).offset)
        if (offsets.length === 3) consumer.fail(new Error('fenced'))
      }
    })()
    await expect(reading).rejects.toThrow('fenced')
    expect(offsets).toEqual([0, 1, 2])
  })

  it('fails with the error of a partition, and the consumer keeps reading', async () => {
    await bed.write('a', 0, 2)
    const consumer = bed.consumer()
    await consumer.assign([A0])
    const stream = consumer.reader.stream()
    const failed = new Promise((resolve) => stream.once('error', resolve))
    stream.resume()
    consumer.fail(new Error('fenced'))
    expect(await failed).toMatchObject({ message: 'fenced' })
  })
})
