import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { deferred } from '../../../src/async/deferred.ts'
import type { ConsumedMessage } from '../../../src/consumer/consumed-message.ts'
import { failureOf } from '../../support/settled.ts'
import { until } from '../../support/until.ts'
import { Bed } from './support/embedded.ts'

const A0 = { topic: 'a', partition: 0 }
const A1 = { topic: 'a', partition: 1 }
let bed: Bed

beforeEach(async () => {
  bed = await Bed.start({ topics: { a: { partitions: 2 } } })
})
afterEach(() => bed[Symbol.asyncDispose]())

async function write(partition: number, keys: readonly (string | null)[], bytes = 1) {
  await using producer = await bed.client.topic('a').getProducer({ maxRequestSize: 20_000_000 })
  for (const key of keys) {
    await producer.ready()
    void producer.produce('v'.repeat(bytes), { partition, key })
  }
  await producer.flush()
}
const hot = (count: number) => Array.from({ length: count }, () => 'hot')
async function afterTurns(turns: number): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await nextTurn()
}
const distinct = (count: number) => Array.from({ length: count }, (_, i) => `key ${i}`)

describe('run by key', () => {
  it('uses its full concurrency for other keys while many messages of one key wait', async () => {
    await write(0, hot(50))
    await write(1, distinct(50))
    const consumer = bed.consumer({ stopAtEnd: true })
    await consumer.assign([A0, A1])
    const first = deferred()
    let running = 0
    let most = 0
    const handled: number[] = []
    await consumer.reader.run(
      async ({ partition, offset }) => {
        most = Math.max(most, ++running)
        // Nothing with the hot key is done before everything else is.
        if (partition === 0 && offset === 0) await first.promise
        else await nextTurn()
        if (partition === 1) handled.push(offset)
        if (handled.length === 50) first.resolve()
        running--
      },
      { concurrency: 5, orderBy: 'key' },
    )
    expect(most).toBe(5)
    expect(handled).toHaveLength(50)
  })

  it('handles other keys of the partition after messages that wait for their key', async () => {
    await write(0, [...hot(20), ...distinct(20)])
    const consumer = bed.consumer({ stopAtEnd: true })
    await consumer.assign([A0])
    const first = deferred()
    const order: number[] = []
    await consumer.reader.run(
      async ({ offset }) => {
        if (offset === 0) await first.promise
        order.push(offset)
        if (order.length === 20) first.resolve()
      },
      { concurrency: 2, orderBy: 'key' },
    )
    expect(order.slice(0, 20)).toEqual(Array.from({ length: 20 }, (_, i) => 20 + i))
    expect(order.slice(20)).toEqual(Array.from({ length: 20 }, (_, i) => i))
  })

  it.each([
    ['a thousand messages that wait', 1_200, 1, 1_001],
    ['16 MiB of messages that wait', 40, 1_000_000, 18],
  ])('reads no further ahead than %s', async (_what, count, bytes, most) => {
    await write(0, hot(count), bytes)
    const consumer = bed.consumer({ stopAtEnd: true })
    await consumer.assign([A0])
    const first = deferred()
    let handled = 0
    const running = consumer.reader.run(
      async ({ offset }) => {
        if (offset === 0) await first.promise
        handled++
      },
      { concurrency: 4, orderBy: 'key' },
    )
    await until(() => consumer.positions.of(A0) === most)
    for (let turns = 0; turns < 50; turns++) await nextTurn()
    expect(consumer.positions.of(A0)).toBe(most)
    first.resolve()
    await running
    expect(handled).toBe(count)
  })

  it('handles waiting messages again, in order, after their partition was paused', async () => {
    await write(0, [...hot(10), ...distinct(5)])
    const consumer = bed.consumer({ stopAtEnd: true })
    await consumer.assign([A0])
    const first = deferred()
    const ofHot: number[] = []
    const others = new Set<number>()
    const running = consumer.reader.run(
      async ({ offset }) => {
        if (offset === 0) await first.promise
        if (offset < 10) ofHot.push(offset)
        else others.add(offset)
      },
      { concurrency: 3, orderBy: 'key' },
    )
    await until(() => others.size === 5)
    consumer.pause([A0])
    first.resolve()
    await until(() => ofHot.length === 1)
    await until(() => consumer.positions.of(A0) === 1)
    consumer.resume([A0])
    await running
    expect(ofHot).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  })

  it('continues at a seek that the application made while handlers were running', async () => {
    await write(0, [...hot(10), ...distinct(5)])
    const consumer = bed.consumer({ stopAtEnd: true })
    await consumer.assign([A0])
    const first = deferred()
    const seen: number[] = []
    const running = consumer.reader.run(
      async ({ offset }) => {
        seen.push(offset)
        if (offset === 0) await first.promise
      },
      { concurrency: 3, orderBy: 'key' },
    )
    await until(() => seen.includes(14))
    consumer.positions.seek(A0, 13)
    first.resolve()
    await running
    expect(seen.slice(0, 6).sort((a, b) => a - b)).toEqual([0, 10, 11, 12, 13, 14])
    expect(seen.slice(6)).toEqual([13, 14])
  })

  it('handles each message once, and those of a key in order, no matter how long handlers take', async () => {
    const messages = 300
    await write(
      0,
      Array.from({ length: messages }, (_, i) => (i % 10 === 0 ? null : `${i % 23}`)),
    )
    await write(1, distinct(messages))
    // 0 for a handler that returns nothing, otherwise after how many turns of the event loop its promise resolves.
    const turns = fc.infiniteStream(fc.integer({ min: 0, max: 3 }))
    const concurrency = fc.integer({ min: 1, max: 20 })
    await fc.assert(
      fc.asyncProperty(turns, concurrency, async (stream, most) => {
        const consumer = bed.consumer({ stopAtEnd: true })
        await consumer.assign([A0, A1])
        const running = new Set<string>()
        const handled: string[] = []
        const last = new Map<string, number>()
        const handler = ({ partition, offset, key }: ConsumedMessage): void | Promise<void> => {
          const lane = key === null ? `${partition}@${offset}` : `${partition} ${key.toString()}`
          expect(running.has(lane)).toBe(false)
          expect(last.get(lane) ?? -1).toBeLessThan(offset)
          last.set(lane, offset)
          handled.push(`${partition}@${offset}`)
          const left = Number(stream.next().value)
          if (left === 0) return
          running.add(lane)
          expect(running.size).toBeLessThanOrEqual(most)
          return afterTurns(left - 1).then(() => void running.delete(lane))
        }
        await consumer.reader.run(handler, { concurrency: most, orderBy: 'key' })
        expect(new Set(handled).size).toBe(2 * messages)
        expect(handled).toHaveLength(2 * messages)
        await consumer.close()
      }),
      { numRuns: 5 },
    )
  })

  it('stops at a message that cannot be deserialized, and continues after it', async () => {
    await write(0, distinct(4))
    const consumer = bed.consumer({
      stopAtEnd: true,
      deserializer: (_bytes, { offset }) => {
        if (offset === 2) throw new Error('not this one')
        return null
      },
    })
    await consumer.assign([A0])
    const seen: number[] = []
    const options = { concurrency: 2, orderBy: 'key' } as const
    const handle = async ({ offset }: { readonly offset: number }) => {
      await nextTurn()
      seen.push(offset)
    }
    expect(await failureOf(consumer.reader.run(handle, options))).toMatchObject({ offset: 2 })
    expect(consumer.positions.of(A0)).toBe(2)
    consumer.positions.seek(A0, 3)
    await consumer.reader.run(handle, options)
    expect(seen).toEqual([0, 1, 3])
  })
})

describe('handlers that return nothing', () => {
  it.each(['run', 'handleEach'] as const)(
    'let callbacks of promises run while %s has more messages for them',
    async (way) => {
      await write(0, distinct(300))
      const consumer = bed.consumer({ stopAtEnd: true })
      await consumer.assign([A0])
      let handled = 0
      let mostBeforeCallback = 0
      const handle = () => {
        const before = handled++
        void Promise.resolve().then(() => {
          mostBeforeCallback = Math.max(mostBeforeCallback, handled - before)
        })
      }
      if (way === 'run') await consumer.reader.run(handle)
      else await consumer.reader.runBatches((batch) => batch.handleEach(handle))
      expect(handled).toBe(300)
      expect(mostBeforeCallback).toBeLessThanOrEqual(16)
    },
  )
})

describe.each([{ orderBy: 'partition' }, { orderBy: 'key' }] as const)(
  'run by $orderBy',
  (options) => {
    it('resolves when stopSignal is aborted, once started handlers have finished', async () => {
      await write(0, distinct(5))
      const consumer = bed.consumer()
      await consumer.assign([A0])
      const stop = new AbortController()
      const handled: number[] = []
      await consumer.reader.run(
        async ({ offset }) => {
          if (offset === 2) stop.abort()
          await nextTurn()
          handled.push(offset)
        },
        { ...options, stopSignal: stop.signal },
      )
      expect(handled).toEqual([0, 1, 2])
      expect((await consumer.reader.consume())?.offset).toBe(3)
    })

    it('resolves when stopSignal is aborted while it waits for messages', async () => {
      const consumer = bed.consumer()
      await consumer.assign([A0])
      const stop = new AbortController()
      const running = consumer.reader.run(() => undefined, { ...options, stopSignal: stop.signal })
      await nextTurn()
      stop.abort()
      await running
    })

    it('resolves when the consumer is closed, and throws ClosedError when it was closed before', async () => {
      const consumer = bed.consumer()
      await consumer.assign([A0])
      const running = consumer.reader.run(() => undefined, options)
      await nextTurn()
      await consumer.close()
      await running
      const again = consumer.reader.run(() => undefined, options)
      expect(await failureOf(again)).toMatchObject({ code: 'CLOSED' })
    })

    it('reports how often the handler was called with a message', async () => {
      await write(0, distinct(3))
      const consumer = bed.consumer({ stopAtEnd: true })
      await consumer.assign([A0])
      const attempts: string[] = []
      const run = () =>
        consumer.reader.run(({ offset }, { attempt }) => {
          attempts.push(`${offset}: ${attempt}`)
          if (offset === 1 && attempt < 3) throw new Error('again')
        }, options)
      await failureOf(run())
      await failureOf(run())
      await run()
      expect(attempts).toEqual(['0: 1', '1: 1', '1: 2', '1: 3', '2: 1'])
    })

    it("aborts the handler's signal when its partition is revoked, discards the message, and continues", async () => {
      await write(0, distinct(3))
      await write(1, distinct(3))
      const consumer = bed.consumer({ stopAtEnd: true })
      await consumer.assign([A0])
      const begun = deferred()
      const seen: string[] = []
      const reasons: unknown[] = []
      const running = consumer.reader.run(
        async ({ partition, offset }, { signal }) => {
          seen.push(`${partition}-${offset}`)
          if (partition === 1) return
          begun.resolve()
          await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
          reasons.push(signal.reason)
          signal.throwIfAborted()
        },
        { ...options, concurrency: 1 },
      )
      await begun.promise
      await consumer.settled([A0])
      expect(consumer.positions.of(A0)).toBe(0)
      await consumer.assign([A1])
      consumer.unassign([A0])
      await running
      expect(reasons).toMatchObject([{ code: 'PARTITION_REVOKED', ...A0 }])
      expect(seen).toEqual(['0-0', '1-0', '1-1', '1-2'])
    })

    it("aborts the handler's signal when the consumer is closed", async () => {
      await write(0, distinct(2))
      const consumer = bed.consumer({ consumerGroup: 'g', autoCommitEnable: true })
      await consumer.assign([A0])
      const begun = deferred()
      const running = consumer.reader.run(async ({ offset }, { signal }) => {
        if (offset === 0) return
        begun.resolve()
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
        signal.throwIfAborted()
      }, options)
      await begun.promise
      await consumer.close()
      await running
      const next = bed.consumer({ consumerGroup: 'g' })
      await next.assign([A0])
      expect(next.positions.of(A0)).toBe(1)
    })
  },
)
