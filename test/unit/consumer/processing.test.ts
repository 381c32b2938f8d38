/** What the application is processing is not committed, and is waited for. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { deferred } from '../../../src/async/deferred.ts'
import type { AssignedConsumer } from '../../../src/consumer/assigned-consumer.ts'
import { failureOf, settled } from '../../support/settled.ts'
import { until } from '../../support/until.ts'
import { Bed } from './support/embedded.ts'

/** More than a test may take: a close() that waits for what it should not wait for fails the test. */
const LONG_MS = 600_000

const A0 = { topic: 'a', partition: 0 }
let bed: Bed

beforeEach(async () => {
  bed = await Bed.start({ topics: { a: { partitions: 1 } } })
})
afterEach(() => bed[Symbol.asyncDispose]())

async function reader(more: object = {}): Promise<AssignedConsumer> {
  const consumer = bed.consumer({ consumerGroup: 'g', ...more })
  await consumer.assign([A0])
  return consumer
}

async function committed(): Promise<number | undefined> {
  const other = bed.consumer({ consumerGroup: 'g' })
  await other.assign([A0])
  const [found] = await other.commits.fetch()
  return found?.offset
}

/** How closing a consumer ends what reads it: `run` resolves. */
const CLOSED = { code: 'CLOSED' }

async function endOf(reading: Promise<void>): Promise<object> {
  const { error } = await settled(reading)
  return error ?? CLOSED
}

/** The ways of which the body of a loop is running; each calls `work` for what it reads, one after the other. */
const LOOPS: Record<
  string,
  (from: AssignedConsumer, work: (of?: unknown) => Promise<void>) => Promise<void>
> = {
  async 'for await'(from, work) {
    for await (const one of from.reader.messages()) await work(one)
  },
  async 'batches()'(from, work) {
    for await (const one of from.reader.batches()) await work(one)
  },
  async 'stream()'(from, work) {
    for await (const one of from.reader.stream()) await work(one)
  },
  'run()': (from, work) => from.reader.run(work),
  async 'run() by key'(from, work) {
    await from.reader.run(work, { orderBy: 'key' })
  },
}
const NAMES = Object.keys(LOOPS)
const OF_A_LOOP = NAMES.filter((name) => !name.startsWith('run'))

/** Reads until the second message or batch is running. */
async function atWork(consumer: AssignedConsumer, way: string) {
  const begun = deferred()
  const work = deferred()
  let count = 0
  const reading = endOf(
    LOOPS[way]!(consumer, async () => {
      if (++count !== 2) return
      begun.resolve()
      await work.promise
    }),
  )
  await bed.write('a', 0, 1)
  await until(() => count === 1)
  await bed.write('a', 0, 1)
  await begun.promise
  return { finish: () => work.resolve(), reading }
}

describe.each(NAMES)('a message or batch that %s is processing', (way) => {
  it('is not committed at an interval', async () => {
    const consumer = await reader({ autoCommitEnable: true, autoCommitIntervalMs: 10 })
    const { finish } = await atWork(consumer, way)
    const commits = () => bed.kafka.requests.all({ api: 'OffsetCommit' }).length
    await until(() => commits() > 0)
    for (let i = 0; i < 20; i++) await nextTurn()
    expect(await committed()).toBe(1)
    finish()
    const before = commits()
    await until(() => commits() > before)
    expect(await committed()).toBe(2)
  })

  it('is waited for by close(), which commits it', async () => {
    const consumer = await reader({ autoCommitEnable: true, autoCommitIntervalMs: 600_000 })
    const { finish, reading } = await atWork(consumer, way)
    let isClosed = false
    const closing = consumer.close().then(() => {
      isClosed = true
    })
    for (let i = 0; i < 20; i++) await nextTurn()
    expect(isClosed).toBe(false)
    finish()
    await closing
    expect(await reading).toMatchObject(CLOSED)
    expect(await committed()).toBe(2)
  })

  it('is not committed by a close() that reaches its timeout', async () => {
    const consumer = await reader({ autoCommitEnable: true, autoCommitIntervalMs: 600_000 })
    await atWork(consumer, way)
    // A quarter of it is for the commit.
    await consumer.close({ timeoutMs: 1_000 })
    expect(await committed()).toBe(1)
  })

  it('is not committed by commitOffsets() of other code, such as a timer', async () => {
    const consumer = await reader()
    await atWork(consumer, way)
    await consumer.commits.commit()
    expect(await committed()).toBe(1)
  })

  it('does not delay a close() that it calls itself', async () => {
    const consumer = await reader({ autoCommitEnable: true })
    await bed.write('a', 0, 1)
    const reading = endOf(
      LOOPS[way]!(consumer, async () => {
        await nextTurn()
        await consumer.close({ timeoutMs: LONG_MS })
      }),
    )
    expect(await reading).toMatchObject(CLOSED)
    // It has not finished with the message.
    expect(await committed()).toBe(0)
  })

  it('does not delay a close() of other code when it calls close(), too', async () => {
    const consumer = await reader({ autoCommitEnable: true })
    await bed.write('a', 0, 1)
    const begun = deferred()
    const resumed = deferred()
    const reading = endOf(
      LOOPS[way]!(consumer, async () => {
        begun.resolve()
        await resumed.promise
        await consumer.close({ timeoutMs: LONG_MS })
      }),
    )
    await begun.promise
    const closing = consumer.close({ timeoutMs: LONG_MS })
    resumed.resolve()
    await closing
    expect(await reading).toBeDefined()
  })
})

describe.each(OF_A_LOOP)('the current message or batch in %s', (way) => {
  it('counts as processed for the loop that commits it explicitly', async () => {
    const consumer = await reader({ autoCommitEnable: true })
    await bed.write('a', 0, 1)
    const reading = endOf(
      LOOPS[way]!(consumer, async () => {
        await nextTurn()
        await consumer.commits.commit()
        await consumer.close()
      }),
    )
    await reading
    expect(await committed()).toBe(1)
  })
})

describe('the current message', () => {
  it('of consume() counts as processed when the application commits', async () => {
    const consumer = await reader()
    await bed.write('a', 0, 2)
    await consumer.reader.consume()
    await consumer.commits.commit()
    expect(await committed()).toBe(1)
  })

  it('does not count as processed after a break or an error in the body of the loop', async () => {
    const consumer = await reader({ autoCommitEnable: true })
    await bed.write('a', 0, 3)
    for await (const { offset } of consumer.reader.messages()) if (offset === 1) break
    const failing = async () => {
      for await (const { offset } of consumer.reader.messages())
        throw new Error(`cannot do ${offset}`)
    }
    expect((await failureOf(failing())).message).toBe('cannot do 2')
    // Nothing tells the end of a loop that was left: close() does not wait for it.
    await consumer.close({ timeoutMs: LONG_MS })
    expect(await committed()).toBe(2)
  })

  it('counts as processed when the loop requests more, although its signal was aborted meanwhile', async () => {
    const consumer = await reader({ autoCommitEnable: true })
    await bed.write('a', 0, 3)
    const abort = new AbortController()
    const aborted = deferred()
    const loop = async () => {
      for await (const { offset } of consumer.reader.messages({ signal: abort.signal })) {
        if (offset < 1) continue
        abort.abort(new Error('enough'))
        aborted.resolve()
        for (let i = 0; i < 20; i++) await nextTurn()
      }
    }
    const looping = failureOf(loop())
    await aborted.promise
    await consumer.close()
    expect((await looping).message).toBe('enough')
    expect(await committed()).toBe(2)
  })

  it('counts as processed after its partition was paused, if the next one is of another partition or missing', async () => {
    const consumer = await reader()
    await bed.write('a', 0, 3)
    await consumer.reader.consume()
    consumer.pause()
    expect(await consumer.reader.consume({ block: false })).toBeUndefined()
    await consumer.commits.commitProcessed([A0])
    expect(await committed()).toBe(1)
    consumer.resume()
    expect((await consumer.reader.consume())?.offset).toBe(1)
    await consumer.commits.commitProcessed([A0])
    expect(await committed()).toBe(1)
  })

  it('does not change a position that was sought meanwhile', async () => {
    const consumer = await reader()
    await bed.write('a', 0, 5)
    await consumer.reader.consume()
    consumer.positions.seek(A0, 3)
    expect((await consumer.reader.consume())?.offset).toBe(3)
    await consumer.commits.commitProcessed([A0])
    expect(await committed()).toBe(3)
  })
})

describe('a revocation', () => {
  it('waits until a running message or batch is committed explicitly, and for nothing after that', async () => {
    const consumer = await reader()
    await bed.write('a', 0, 5)
    const batches = consumer.reader.batches()
    const { value: batch } = await batches.next()
    let isSettled = false
    const settled = consumer.settled([A0]).then(() => {
      isSettled = true
    })
    for (let i = 0; i < 20; i++) await nextTurn()
    expect(isSettled).toBe(false)
    await batch?.commit()
    await settled
  })

  it('aborts the signal of the current batch, which then needs commit() to count as processed', async () => {
    const consumer = await reader()
    await bed.write('a', 0, 5)
    const batches = consumer.reader.batches()
    const { value: batch } = await batches.next()
    const { signal } = batch!
    expect(signal.aborted).toBe(false)
    const settled = consumer.settled([A0])
    expect(signal.reason).toMatchObject({ code: 'PARTITION_REVOKED', topic: 'a', partition: 0 })
    const waiting = batches.next()
    await settled
    await consumer.commits.commitProcessed([A0])
    expect(await committed()).toBe(0)
    await consumer.close()
    expect(await failureOf(waiting)).toMatchObject({ code: 'CLOSED' })
  })

  it('ends its wait when the partition is lost, and aborts the signal of the batch', async () => {
    const consumer = await reader()
    await bed.write('a', 0, 5)
    const { value: batch } = await consumer.reader.batches().next()
    const settled = consumer.settled([A0])
    consumer.unassign([A0])
    await settled
    expect(batch!.signal.aborted).toBe(true)
  })
})
