import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { EmbeddedCluster, type Fault } from '../../src/embedded/index.ts'
import type { RequestEvent, Transaction } from '../../src/index.ts'
import { until } from '../support/until.ts'
import { readCommitted } from './support/read-committed.ts'
import { GROUP, transactionScene, type TransactionScene } from './support/transaction-scene.ts'

interface Answered {
  readonly api: string
  readonly sentAt: number
  readonly answeredAt: number
}

const OFFSETS = { offsets: [{ topic: 'b', partition: 0, offset: 1 }], group: GROUP }

/** Requests of a transaction that need not wait for each other. */
describe('a transaction that follows another at once', () => {
  let scene: TransactionScene
  let answered: Answered[]
  const record = (event: unknown) => {
    const { api, durationMs } = event as RequestEvent
    const answeredAt = performance.now()
    answered.push({ api, sentAt: answeredAt - durationMs, answeredAt })
  }
  const apis = () => answered.map(({ api }) => api)

  /**
   * A transaction that follows another while the clock stands still, because the producer asks about markers for 20 ms
   * only. The coordinator has received the question, and answers it when the fault is released.
   */
  async function asking(produce: (tx: Transaction) => unknown): Promise<[Transaction, Fault]> {
    const { kafka, producer } = scene
    const clock = jest.spyOn(performance, 'now').mockReturnValue(performance.now())
    try {
      await producer.transaction((tx) => void tx.produce('b', 'before'))
      answered = []
      const asked = kafka.faults.on({ api: 'DescribeTransactions' }, { hold: true })
      const tx = await producer.begin()
      produce(tx)
      await until(() => asked.hits === 1)
      return [tx, asked]
    } finally {
      clock.mockRestore()
    }
  }

  beforeEach(async () => {
    const kafka = await EmbeddedCluster.start({
      transactionVersion: 2,
      topics: { a: {}, b: {}, c: {} },
    })
    scene = await transactionScene(kafka, { batchBytes: 200 })
    await scene.producer.transaction((tx) => void tx.produce('a', 'first'))
    answered = []
    subscribe('samsa:request', record)
  })
  afterEach(async () => {
    unsubscribe('samsa:request', record)
    await scene[Symbol.asyncDispose]()
  })

  it('takes messages before it is known whether the markers of the other are written, and sends them afterwards', async () => {
    const [tx, asked] = await asking((begun) => void begun.produce('a', 'second'))
    const ending = tx.commit()
    asked.release()
    await ending
    expect(apis()).toEqual(['DescribeTransactions', 'Produce', 'EndTxn'])
    expect(await readCommitted(scene.kafka, 'a')).toEqual(['first', 'second'])
  })

  it('sends offsets after the markers of the other, too', async () => {
    let sending: Promise<void> | undefined
    const [tx, asked] = await asking((begun) => (sending = begun.sendOffsets(OFFSETS)))
    asked.release()
    await sending
    await tx.commit()
    const own = ['DescribeTransactions', 'TxnOffsetCommit', 'EndTxn']
    expect(apis().filter((api) => own.includes(api))).toEqual(own)
  })

  it('sends nothing of what was produced if it is aborted before that', async () => {
    const { kafka, producer } = scene
    const failures: Promise<void>[] = []
    const [tx, asked] = await asking((begun) => {
      const lost = expect(begun.produce('a', 'aborted')).rejects
      const unsent = expect(begun.sendOffsets(OFFSETS)).rejects
      failures.push(lost.toMatchObject({ code: 'TRANSACTION_ABORTED' }))
      failures.push(unsent.toMatchObject({ name: 'TransactionError' }))
    })
    const aborting = tx.abort()
    asked.release()
    await Promise.all([aborting, ...failures])
    expect(apis()).not.toContain('TxnOffsetCommit')
    expect(apis()).not.toContain('Produce')
    expect(apis()).not.toContain('EndTxn')
    await producer.transaction((next) => void next.produce('a', 'third'))
    expect(await readCommitted(kafka, 'a')).toEqual(['first', 'third'])
  })

  it('has several batches of a partition in flight before the first is acknowledged, where the broker knows the producer', async () => {
    const { kafka, producer } = scene
    const held = kafka.faults.on({ api: 'Produce', times: 1 }, { hold: true })
    const tx = await producer.begin()
    const values = Array.from({ length: 12 }, (_, index) => `${index} ${'x'.repeat(60)}`)
    for (const value of values) void tx.produce('a', value)
    await until(() => held.hits === 1)
    held.release()
    await tx.commit()
    const [one, two, three] = answered.filter(({ api }) => api === 'Produce')
    expect(two!.sentAt).toBeLessThan(one!.answeredAt)
    expect(three!.sentAt).toBeLessThan(one!.answeredAt)
    expect(await readCommitted(kafka, 'a')).toEqual(['first', ...values])
  })

  it.each(['NOT_LEADER_OR_FOLLOWER', 'CONCURRENT_TRANSACTIONS', 'REQUEST_TIMED_OUT'] as const)(
    'keeps the order where the first of several batches in flight is refused with %s',
    async (error) => {
      const { kafka, producer } = scene
      const refused = kafka.faults.on({ api: 'Produce', times: 1 }, { error })
      const values = Array.from({ length: 12 }, (_, index) => `${index} ${'x'.repeat(60)}`)
      await producer.transaction((tx) => {
        for (const value of values) void tx.produce('a', value)
      })
      expect(refused.hits).toBe(1)
      expect(await readCommitted(kafka, 'a')).toEqual(['first', ...values])
    },
  )

  it('has one batch of a partition in flight until the first of the producer is acknowledged', async () => {
    const { kafka, producer } = scene
    const values = Array.from({ length: 12 }, (_, index) => `${index} ${'x'.repeat(60)}`)
    await producer.transaction((tx) => {
      for (const value of values) void tx.produce('c', value)
    })
    const [one, two] = answered.filter(({ api }) => api === 'Produce')
    expect(two!.sentAt).toBeGreaterThanOrEqual(one!.answeredAt)
    expect(await readCommitted(kafka, 'c')).toEqual(values)
  })
})
