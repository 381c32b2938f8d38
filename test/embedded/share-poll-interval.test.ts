/**
 * Share consumers whose application takes too long: librdkafka's test 0185, in simulated time.
 */
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises'
import { EmbeddedCluster } from '../../src/embedded/index.ts'
import { KafkaClient, type ShareConsumer, type ShareMessage } from '../../src/index.ts'
import { codeOf } from '../support/settled.ts'
import { lagOf, numberOf, writeNumbers } from '../support/share/queue.ts'

const INTERVAL_MS = 10_000
/** Longer than a test takes, in simulated time: nothing here waits for a lock or for a request that gets no response. */
const FOR_EVER_MS = 3_600_000
/** How much time passes at once. Requests are answered between two steps. */
const STEP_MS = 100

const queue = { topic: 'jobs', group: 'workers', partitions: 2 }
const options = {
  topics: ['jobs'],
  shareGroup: 'workers',
  maxPollIntervalMs: INTERVAL_MS,
} as const
const EXCEEDED = 'MAX_POLL_INTERVAL_EXCEEDED'

/** Lets what was sent arrive and be answered. The pause is one of the real clock. */
async function input(): Promise<void> {
  for (let round = 0; round < 8; round++) await nextTurn()
  await pause(1)
}

/** Lets simulated time pass. */
async function pass(ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= STEP_MS) {
    jest.advanceTimersByTime(STEP_MS)
    await input()
  }
}

/** Lets simulated time pass until the promise has settled. */
async function during<T>(promise: Promise<T>): Promise<T> {
  const settled = promise.then(
    () => true,
    () => true,
  )
  while (!(await Promise.race([settled, input().then(() => false)]))) {
    jest.advanceTimersByTime(STEP_MS)
  }
  return promise
}

describe('a share consumer', () => {
  let kafka: EmbeddedCluster
  let client: KafkaClient

  beforeEach(async () => {
    kafka = await EmbeddedCluster.start({
      topics: { jobs: { partitions: 2 } },
      shareAutoOffsetReset: 'earliest',
      shareRecordLockMs: FOR_EVER_MS,
    })
    client = new KafkaClient({ hosts: kafka.hosts, socketTimeoutMs: FOR_EVER_MS })
    await writeNumbers(client, 'jobs', 10, { partitions: 2 })
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] })
  })

  afterEach(async () => {
    await during(client.close())
    jest.useRealTimers()
    await kafka.stop()
  })

  const open = (more: object = {}): Promise<ShareConsumer> =>
    during(client.getShareConsumer({ ...options, ...more }))

  const next = (consumer: ShareConsumer): Promise<ShareMessage | undefined> =>
    during(consumer.consume())

  async function members(): Promise<readonly string[]> {
    const [group] = await during(client.admin.describeGroups(['workers']))
    return group!.members.map(({ memberId }) => memberId)
  }

  /** The numbers that a consumer reads and accepts until the group has processed all. */
  async function drained(consumer: ShareConsumer): Promise<readonly number[]> {
    const numbers: number[] = []
    const running = consumer.run((message) => {
      numbers.push(numberOf(message))
    })
    while ((await during(lagOf(client, queue))) > 0) await pass(STEP_MS)
    await during(consumer.close())
    await running
    return numbers.sort((a, b) => a - b)
  }

  it('leaves its group when it processes a message for too long, reports it once, and joins again', async () => {
    const consumer = await open()
    await next(consumer)
    await pass(INTERVAL_MS - 1_000)
    expect(await members()).toEqual([consumer.memberId])
    await pass(2_000)
    expect(await members()).toEqual([])
    expect(consumer.assignment).toEqual([])
    expect(await codeOf(next(consumer))).toBe(EXCEEDED)
    // The request that failed has accepted the message before it.
    expect(await drained(consumer)).toHaveLength(9)
  })

  it('leaves its group when it never requests a message', async () => {
    const consumer = await open()
    await pass(INTERVAL_MS + 1_000)
    expect(await members()).toEqual([])
    expect(await codeOf(next(consumer))).toBe(EXCEEDED)
    expect(await drained(consumer)).toHaveLength(10)
  })

  it('stays in its group while it takes messages in time', async () => {
    const consumer = await open()
    for (let taken = 0; taken < 4; taken++) {
      expect(await next(consumer)).toBeDefined()
      await pass(INTERVAL_MS - 1_000)
    }
    expect(await members()).toEqual([consumer.memberId])
  })

  it('stays in its group while it waits for a message for longer', async () => {
    const consumer = await open()
    for (let taken = 0; taken < 10; taken++) await next(consumer)
    const waiting = next(consumer)
    await pass(2 * INTERVAL_MS)
    await during(writeNumbers(client, 'jobs', 1, { first: 10 }))
    expect(numberOf((await waiting)!)).toBe(10)
    expect(await members()).toEqual([consumer.memberId])
  })

  it('counts only requests for messages, and no other calls', async () => {
    const consumer = await open()
    await next(consumer)
    for (let second = 0; second <= INTERVAL_MS / 1_000; second++) {
      await during(consumer.flush())
      await pass(1_000)
    }
    expect(await members()).toEqual([])
    expect(await codeOf(next(consumer))).toBe(EXCEEDED)
  })

  it('leaves its partitions and the messages that it has not delivered to the other member', async () => {
    const stuck = await open({ acknowledgementMode: 'explicit' })
    const held = await next(stuck)
    const other = await open()
    expect(other.assignment.length + stuck.assignment.length).toBeGreaterThan(0)
    const numbers: number[] = []
    const running = other.run((message) => {
      numbers.push(numberOf(message))
    })
    await pass(INTERVAL_MS + 5_000)
    expect(await members()).toEqual([other.memberId])
    expect(other.assignment.map(({ partition }) => partition).sort()).toEqual([0, 1])
    expect(numbers).toHaveLength(9)
    // The message that the application still processes is locked, and can be accepted.
    held!.accept()
    const results = await during(stuck.flush())
    expect(results.every(({ failed }) => failed === 0)).toBe(true)
    expect(numbers).not.toContain(numberOf(held!))
    expect(await during(lagOf(client, queue))).toBe(0)
    await during(other.close())
    await running
  })

  it('ends a run whose handlers take too long, and counts a handler that is idle as waiting', async () => {
    const consumer = await open()
    let finish: () => void = () => undefined
    const numbers: number[] = []
    const handler = async (message: ShareMessage): Promise<void> => {
      numbers.push(numberOf(message))
      if (numbers.length === 1) await new Promise<void>((resolve) => (finish = resolve))
    }
    const two = consumer.run(handler, { concurrency: 2 })
    await pass(2 * INTERVAL_MS)
    expect(numbers).toHaveLength(10)
    expect(await members()).toEqual([consumer.memberId])
    finish()
    await during(consumer.close())
    await two

    numbers.length = 0
    await during(writeNumbers(client, 'jobs', 3))
    const busy = await open()
    const one = codeOf(busy.run(handler))
    await pass(INTERVAL_MS + 5_000)
    expect(numbers).toHaveLength(1)
    expect(await members()).toEqual([])
    finish()
    expect(await during(one)).toBe(EXCEEDED)
    expect(await drained(busy)).toHaveLength(2)
  })

  it('is closed after it has left, without a second request to leave', async () => {
    const consumer = await open()
    await pass(INTERVAL_MS + 1_000)
    const leaving = () =>
      kafka.requests
        .all({ api: 'ShareGroupHeartbeat' })
        .filter(({ body }) => (body as { memberEpoch: number }).memberEpoch === -1)
    expect(leaving()).toHaveLength(1)
    await during(consumer.close())
    expect(leaving()).toHaveLength(1)
  })
})
