import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { deferred } from '../../../src/async/deferred.ts'
import type { AssignedConsumer } from '../../../src/consumer/assigned-consumer.ts'
import type { ConsumerOptions } from '../../../src/consumer/options.ts'
import { failureOf } from '../../support/settled.ts'
import { until } from '../../support/until.ts'
import { keepWarnings } from '../../support/warnings.ts'
import { Bed } from './support/embedded.ts'

const A0 = { topic: 'a', partition: 0 }
const GROUP: ConsumerOptions = { consumerGroup: 'g', stopAtEnd: true }
let warnings: readonly string[]
let bed: Bed

beforeEach(async () => {
  const kept = keepWarnings()
  warnings = kept.warnings
  const topics = { a: { partitions: 1 } }
  bed = await Bed.start({ topics, groupMinSessionTimeoutMs: 100 }, { logger: kept.logger })
  await bed.write('a', 0, 5)
})
afterEach(() => bed[Symbol.asyncDispose]())

async function reading(
  options: ConsumerOptions,
  remindAfterMs?: number,
): Promise<AssignedConsumer> {
  const consumer = bed.consumer(options, remindAfterMs === undefined ? {} : { remindAfterMs })
  await consumer.assign([A0])
  return consumer
}

/** By then a consumer that was opened before has been warned, too. */
async function anotherIsWarned(afterMs: number): Promise<void> {
  const before = warnings.length
  const another = await reading({ consumerGroup: 'another' }, afterMs)
  await another.reader.consume()
  await until(() => warnings.slice(before).some((text) => text.includes("'another'")))
}

/** What a consumer that comes later begins with; undefined where nothing is committed. */
async function committed(): Promise<number | undefined> {
  const [found] = await (await reading(GROUP)).commits.fetch()
  return found?.offset
}

describe.each([{ orderBy: 'partition' }, { orderBy: 'key' }] as const)(
  'run by $orderBy in a group',
  (options) => {
    it('commits what its handlers have finished when the consumer is closed', async () => {
      const consumer = await reading(GROUP)
      await consumer.reader.run(() => undefined, options)
      await consumer.close()
      expect(await committed()).toBe(5)
    })

    /** The handler of the message at 2 is running while commits are made, each handler after `before`. */
    async function expectCommitsUpToRunning(before?: () => Promise<void>): Promise<void> {
      const consumer = await reading({ ...GROUP, autoCommitIntervalMs: 20 })
      const third = deferred()
      const running = consumer.reader.run(async ({ offset }) => {
        if (before !== undefined) await before()
        if (offset === 2) await third.promise
      }, options)
      await until(() => bed.kafka.requests.all({ api: 'OffsetCommit' }).length >= 2)
      expect(await committed()).toBe(2)
      third.resolve()
      await running
    }

    it('commits what its handlers have finished at intervals, and nothing else', async () => {
      await expectCommitsUpToRunning()
    })

    it('commits no message whose handler is running when handlers block the event loop', async () => {
      await expectCommitsUpToRunning(async () => {
        await Promise.resolve()
        // Longer than the turn of a partition.
        const blockedUntil = performance.now() + 5
        while (performance.now() < blockedUntil);
      })
    })

    it('commits nothing at or after the message whose handler failed', async () => {
      const consumer = await reading(GROUP)
      const running = consumer.reader.run(({ offset }) => {
        if (offset === 3) throw new Error('not this one')
      }, options)
      await failureOf(running)
      await consumer.close()
      expect(await committed()).toBe(3)
    })

    it('commits nothing with autoCommitEnable: false', async () => {
      const consumer = await reading({
        ...GROUP,
        autoCommitEnable: false,
        autoCommitIntervalMs: 10,
      })
      await consumer.reader.run(() => nextTurn(), options)
      await consumer.close()
      expect(bed.kafka.requests.all({ api: 'OffsetCommit' })).toEqual([])
    })

    it('commits what its handlers have finished before a partition is given to another member', async () => {
      const member = () =>
        bed.client.topic('a').getBalancedConsumer({
          managed: true,
          consumerGroup: 'g',
          heartbeatIntervalMs: 30,
          assignors: ['roundrobin'],
        })
      const first = await member()
      let handled = 0
      const running = first.run(() => {
        handled++
      }, options)
      await until(() => handled === 5)
      // The partition goes to one of the two: whichever it is begins behind what was handled.
      const second = await member()
      const again: number[] = []
      const runningAgain = second.run(({ offset }) => void again.push(offset), options)
      await first.close()
      await running
      await bed.write('a', 0, 1)
      await until(() => handled + again.length === 6)
      await second.close()
      await runningAgain
      expect(await committed()).toBe(6)
    })
  },
)

const WAYS: readonly (readonly [string, (consumer: AssignedConsumer) => Promise<unknown>])[] = [
  [
    'for await',
    async (consumer) => {
      for await (const message of consumer.reader.messages()) expect(message.partition).toBe(0)
    },
  ],
  [
    'batches()',
    async (consumer) => {
      for await (const batch of consumer.reader.batches()) expect(batch.partition).toBe(0)
    },
  ],
  [
    'consume()',
    async (consumer) => {
      for (let count = 0; count < 5; count++) await consumer.reader.consume()
    },
  ],
  ['stream()', (consumer) => consumer.reader.stream().toArray()],
]

describe.each(WAYS)('a group that is read by %s', (_name, read) => {
  it('commits nothing automatically, and logs one warning about it', async () => {
    const before = warnings.length
    const consumer = await reading(GROUP, 50)
    await read(consumer)
    await until(() => warnings.length > before)
    expect(warnings.slice(before)).toEqual([
      expect.stringMatching(/^group 'g' has consumed for a minute without a commit/),
    ])
    await bed.write('a', 0, 5)
    consumer.positions.seek(A0, 0)
    await read(consumer)
    await anotherIsWarned(50)
    await consumer.close()
    expect(warnings.filter((text) => text.includes("'g'"))).toHaveLength(1)
    expect(bed.kafka.requests.all({ api: 'OffsetCommit' })).toEqual([])
  })
})

describe('the warning that nothing is committed', () => {
  it.each<[string, ConsumerOptions, (consumer: AssignedConsumer) => Promise<unknown>]>([
    ['has consumed nothing', { ...GROUP, autoOffsetReset: 'latest' }, () => nextTurn()],
    [
      'has committed',
      GROUP,
      async (consumer) => {
        // Before it has consumed: from then on the time runs, and a slow commit would be too late.
        await consumer.commits.commit([{ ...A0, offset: 0 }])
        await consumer.reader.consume()
      },
    ],
    ['is read by run', GROUP, (consumer) => consumer.reader.run(() => undefined)],
    [
      'commits by itself',
      { ...GROUP, autoCommitEnable: true },
      (consumer) => consumer.reader.consume(),
    ],
  ])('is not logged when a group %s', async (_what, options, read) => {
    const before = warnings.length
    const consumer = await reading(options, 20)
    await read(consumer)
    await anotherIsWarned(20)
    expect(warnings.slice(before)).toEqual([expect.stringContaining("'another'")])
  })

  it('is logged when run is configured to commit nothing', async () => {
    const before = warnings.length
    const consumer = await reading({ ...GROUP, autoCommitEnable: false }, 20)
    await consumer.reader.run(() => undefined)
    await until(() => warnings.length > before)
  })
})
