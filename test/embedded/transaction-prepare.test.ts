import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { EmbeddedCluster } from '../../src/embedded/index.ts'
import { BrokerError, type RequestEvent, type RetryEvent } from '../../src/index.ts'
import { TemporaryFolder } from '../support/temporary-folder.ts'
import { until } from '../support/until.ts'
import { readCommitted } from './support/read-committed.ts'
import { GROUP, TRANSACTIONAL_ID, transactionScene } from './support/transaction-scene.ts'
import type { TransactionScene } from './support/transaction-scene.ts'

const MARKER_DELAY_MS = 250
/** Longer than a test. */
const LONG_MS = 60_000

describe.each([1, 2] as const)(
  'transactions whose markers are late, with transaction.version %i',
  (transactionVersion) => {
    let scene: TransactionScene
    let concurrent = 0
    const count = (event: unknown) => {
      const { error } = event as RetryEvent
      if (error instanceof BrokerError && error.code === 'CONCURRENT_TRANSACTIONS') concurrent++
    }

    async function sceneWith(transactionMarkerDelayMs: number): Promise<TransactionScene> {
      const topics = { a: { partitions: 3 }, b: {} }
      const options = { transactionVersion, transactionMarkerDelayMs, topics }
      return transactionScene(await EmbeddedCluster.start(options))
    }

    beforeEach(async () => {
      scene = await sceneWith(MARKER_DELAY_MS)
      concurrent = 0
      subscribe('samsa:retry', count)
    })
    afterEach(async () => {
      unsubscribe('samsa:retry', count)
      await scene[Symbol.asyncDispose]()
    })

    /** Resolves when the markers of the last transaction are written. */
    async function written(): Promise<void> {
      await until(async () => {
        const [found] = await scene.client.admin.describeTransactions([TRANSACTIONAL_ID])
        return found !== undefined && !found.state?.startsWith('Prepare')
      })
    }

    it('follow each other, in pipelined batches, with exactly what was committed', async () => {
      const { kafka, producer } = scene
      const expected: string[] = []
      for (let round = 0; round < 5; round++) {
        const tx = await producer.begin()
        for (let i = 0; i < 30; i++) {
          void tx.produce('a', { value: `${round}-${i}`, partition: i % 3 })
          // Several requests of a partition are in flight together.
          if (i % 10 === 0) await new Promise(setImmediate)
        }
        if (round % 3 === 1) await tx.abort()
        else {
          await tx.commit()
          expected.push(...Array.from({ length: 30 }, (_, i) => `${round}-${i}`))
        }
      }
      await written()
      expect((await readCommitted(kafka, 'a')).sort()).toEqual(expected.sort())
      expect(concurrent).toBeGreaterThan(0)
    })

    it('are asked about before the next transaction sends anything, where a broker would hold it back', async () => {
      const apis: string[] = []
      const record = (event: unknown) => apis.push((event as RequestEvent).api)
      const isAsked = () => apis.includes('DescribeTransactions')
      subscribe('samsa:request', record)
      // The producer asks only within 20 ms after the end of a transaction.
      const clock = jest.spyOn(performance, 'now')
      try {
        if (transactionVersion === 2) clock.mockReturnValue(performance.now())
        await scene.producer.transaction((tx) => void tx.produce('a', 'first'))
        const tx = await scene.producer.begin()
        void tx.produce('a', 'second')
        if (transactionVersion === 2) await until(isAsked)
        clock.mockRestore()
        await tx.commit()
      } finally {
        unsubscribe('samsa:request', record)
        clock.mockRestore()
      }
      expect(isAsked()).toBe(transactionVersion === 2)
      if (isAsked()) {
        const produced = apis.flatMap((api, index) => (api === 'Produce' ? [index] : []))
        expect(produced[1]).toBeGreaterThan(apis.indexOf('DescribeTransactions'))
      }
    })

    it.each([
      ['commit', 'PrepareCommit'],
      ['abort', 'PrepareAbort'],
    ] as const)('are, after the %s, in the state %s, and invisible', async (end, state) => {
      await using waiting = await sceneWith(LONG_MS)
      const { kafka, client, producer } = waiting
      const tx = await producer.begin()
      await tx.produce('a', 'x')
      // In generation 1 an abort also takes a new epoch, which is not there in time.
      await tx[end]({ timeoutMs: 500 })
      const [found] = await client.admin.describeTransactions([TRANSACTIONAL_ID])
      expect(found!.state).toBe(state)
      expect(await readCommitted(kafka, 'a')).toEqual([])
    })

    it('commit offsets of one transaction after the other', async () => {
      const { client, producer } = scene
      for (const offset of [1, 2, 3]) {
        const tx = await producer.begin()
        await tx.sendOffsets({ offsets: [{ topic: 'b', partition: 0, offset }], group: GROUP })
        await tx.commit()
      }
      expect(concurrent).toBeGreaterThan(0)
      await written()
      const [found] = await client.admin.listGroupOffsets([GROUP.groupId], { requireStable: true })
      expect(found!.offsets).toMatchObject([{ topic: 'b', partition: 0, offset: 3 }])
    })

    it('let a successor take over after the markers of what it aborts', async () => {
      const { kafka, client, producer } = scene
      const tx = await producer.begin()
      await tx.produce('a', 'of the predecessor')
      await using successor = await client.getTransactionalProducer({
        transactionalId: TRANSACTIONAL_ID,
      })
      expect(concurrent).toBeGreaterThan(0)
      await successor.transaction((next) => void next.produce('a', 'of the successor'))
      await expect(tx.commit()).rejects.toMatchObject({ recovery: 'recreate' })
      await written()
      expect(await readCommitted(kafka, 'a')).toEqual(['of the successor'])
    })

    it('end as decided when the response to the commit is lost', async () => {
      const { kafka, producer } = scene
      const tx = await producer.begin()
      await tx.produce('a', 'committed')
      const cut = kafka.faults.on({ api: 'EndTxn', times: 1 }, { cutAfterBytes: 0 })
      await tx.commit()
      expect(cut.hits).toBe(1)
      // The repeated request comes while the first one is prepared.
      expect(concurrent).toBeGreaterThan(0)
      await producer.transaction((next) => void next.produce('a', 'next'))
      await written()
      expect((await readCommitted(kafka, 'a')).sort()).toEqual(['committed', 'next'])
    })
  },
)

describe('the delay of markers', () => {
  it('is refused together with a data folder, which keeps no decision without markers', async () => {
    using folder = new TemporaryFolder()
    const starting = EmbeddedCluster.start({ dataDir: folder.path, transactionMarkerDelayMs: 1 })
    await expect(starting).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  })
})
