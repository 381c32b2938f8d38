/** How transactions end: cases of librdkafka's test 0105. */
import { describe, expect, it } from '@jest/globals'
import type { ErrorName } from '../../../protocol/errors.ts'
import type { Transaction } from '../../../src/index.ts'
import { codeOf } from '../../support/settled.ts'
import { holdNext } from '../support/hold-next.ts'
import {
  GENERATIONS,
  OFFSETS,
  commitNext,
  failureOf,
  setUp,
  type Setup,
} from '../support/librdkafka-0105.ts'
import { GROUP } from '../support/transaction-scene.ts'

const ENDS = (['commit', 'abort'] as const).flatMap((end) =>
  [true, false].map((isFlushed) => ({ end, isFlushed })),
)
/** Errors of EndTxn that pass, in the order in which they come. */
const PASSING: readonly ErrorName[][] = [
  ['COORDINATOR_NOT_AVAILABLE', 'COORDINATOR_NOT_AVAILABLE'],
  ['NOT_COORDINATOR', 'NOT_COORDINATOR'],
  ['COORDINATOR_LOAD_IN_PROGRESS'],
  ['CONCURRENT_TRANSACTIONS', 'CONCURRENT_TRANSACTIONS', 'CONCURRENT_TRANSACTIONS'],
]

/** A transaction with a message and offsets. */
async function begun({ producer }: Setup, isFlushed: boolean): Promise<Transaction> {
  const tx = await producer.begin()
  const produced = codeOf(tx.produce('a', '1'))
  if (isFlushed) await produced
  await tx.sendOffsets({ offsets: OFFSETS, group: GROUP })
  return tx
}

/** A transaction that can only be aborted: the leader has forgotten the producer id at its second message. */
async function forgotten({ producer, answer }: Setup): Promise<Transaction> {
  const tx = await producer.begin()
  await tx.produce('a', { value: '1', partition: 0 })
  answer('Produce', 'UNKNOWN_PRODUCER_ID')
  void tx.produce('a', { value: '2', partition: 0 })
  expect(await failureOf(tx.commit())).toMatchObject({
    code: 'TRANSACTION_FAILED',
    recovery: 'abort',
  })
  return tx
}

describe.each(GENERATIONS)("librdkafka's test 0105, %s", (name, options) => {
  const isFirst = name === 'Kafka 3.9'

  it('req_cnt: an abort after messages is one EndTxn, an empty transaction none', async () => {
    await using setup = await setUp(options)
    const { producer, kafka } = setup
    const ends = () => kafka.requests.all({ api: 'EndTxn' }).length
    await (await producer.begin()).abort()
    await (await producer.begin()).commit()
    expect(ends()).toBe(0)
    const tx = await producer.begin()
    await tx.produce('a', '1')
    await tx.sendOffsets({ offsets: OFFSETS, group: GROUP })
    await tx.abort()
    expect(ends()).toBe(1)
    await commitNext(setup)
  })

  it.each(ENDS)(
    'endtxn_errors: $end recovers from temporary errors (after a flush: $isFlushed)',
    async ({ end, isFlushed }) => {
      await using setup = await setUp(options)
      for (const errors of PASSING) {
        const tx = await begun(setup, isFlushed)
        setup.answer('EndTxn', ...errors)
        await tx[end]()
      }
      await commitNext(setup, ...(end === 'commit' ? PASSING.map(() => '1') : []))
    },
  )

  it.each(
    ENDS.flatMap((one) =>
      (['INVALID_PRODUCER_EPOCH', 'PRODUCER_FENCED'] as const).map((error) => ({ ...one, error })),
    ),
  )(
    'endtxn_errors: $end answered with $error fences the producer (after a flush: $isFlushed)',
    async ({ end, isFlushed, error }) => {
      await using setup = await setUp(options)
      const tx = await begun(setup, isFlushed)
      setup.answer('EndTxn', error)
      const fenced = { code: 'PRODUCER_FENCED', recovery: 'recreate' }
      expect(await failureOf(tx[end]())).toMatchObject(fenced)
      expect(await failureOf(setup.producer.begin())).toMatchObject(fenced)
    },
  )

  it.each(ENDS)(
    'endtxn_errors: $end without authorization for the id ends the producer (after a flush: $isFlushed)',
    async ({ end, isFlushed }) => {
      await using setup = await setUp(options)
      const tx = await begun(setup, isFlushed)
      setup.answer('EndTxn', 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED')
      const refused = {
        code: 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED',
        recovery: 'fix-configuration',
      }
      expect(await failureOf(tx[end]())).toMatchObject(refused)
      expect(await failureOf(setup.producer.begin())).toMatchObject(refused)
    },
  )

  it.each(
    (isFirst
      ? (['UNKNOWN_PRODUCER_ID', 'INVALID_PRODUCER_ID_MAPPING'] as const)
      : (['UNKNOWN_PRODUCER_ID'] as const)
    ).flatMap((error) => [true, false].map((isFlushed) => ({ isFlushed, error }))),
  )(
    'endtxn_errors: a commit answered with $error allows only an abort (after a flush: $isFlushed)',
    async ({ isFlushed, error }) => {
      await using setup = await setUp(options)
      const tx = await begun(setup, isFlushed)
      setup.answer('EndTxn', error)
      expect(await failureOf(tx.commit())).toMatchObject({ code: error })
      expect(tx.isOpen).toBe(true)
      await tx.abort()
      await commitNext(setup)
    },
  )

  if (isFirst) {
    it('endtxn_errors: an abort after the coordinator has forgotten the id gets another producer id', async () => {
      await using setup = await setUp(options)
      const { producer, kafka } = setup
      await producer.transaction((tx) => void tx.produce('a', '1'))
      // transactional.id.expiration.ms is a week.
      kafka.skewClock(8 * 24 * 3600 * 1000)
      const tx = await producer.begin()
      expect(await codeOf(tx.produce('a', '2'))).toBeDefined()
      expect(await failureOf(tx.commit())).toMatchObject({ cause: 'INVALID_PRODUCER_ID_MAPPING' })
      await tx.abort()
      await commitNext(setup, '1')
    })
  }

  it.each(['commit', 'abort'] as const)(
    'endtxn_infinite: %s waits for a coordinator that responds late',
    async (end) => {
      await using setup = await setUp(options)
      const tx = await begun(setup, true)
      const late = holdNext(setup.kafka, 'EndTxn')
      const ending = tx[end]()
      await late.arrived
      late.release()
      await ending
      await commitNext(setup, ...(end === 'commit' ? ['1'] : []))
    },
  )

  it.each(['commit', 'abort'] as const)(
    'endtxn_timeout, endtxn_timeout_inflight, resumable_calls_timeout: %s keeps its time limit, and can be repeated',
    async (end) => {
      await using setup = await setUp(options)
      const tx = await begun(setup, true)
      const late = holdNext(setup.kafka, 'EndTxn')
      const failure = await failureOf(tx[end]({ timeoutMs: 1_000 }))
      expect(failure).toMatchObject({ code: 'TRANSACTION_OUTCOME_UNKNOWN' })
      late.release()
      await tx[end]()
      await commitNext(setup, ...(end === 'commit' ? ['1'] : []))
    },
  )

  it.each(['commit', 'abort'] as const)(
    'resumable_calls_timeout_error: %s repeated after its time limit reports that the producer is fenced',
    async (end) => {
      await using setup = await setUp(options)
      const tx = await begun(setup, true)
      const lost = setup.kafka.faults.on({ api: 'EndTxn' }, { close: true })
      expect(await codeOf(tx[end]({ timeoutMs: 1_000 }))).toBe('TRANSACTION_OUTCOME_UNKNOWN')
      lost.remove()
      setup.kafka.faults.on({ api: 'EndTxn' }, { error: 'PRODUCER_FENCED' })
      expect(await codeOf(tx[end]())).toBe('PRODUCER_FENCED')
    },
  )

  it.each(['commit', 'abort'] as const)(
    'concurrent_operations: %s rejects other calls before it has ended',
    async (end) => {
      await using setup = await setUp(options)
      const tx = await begun(setup, true)
      const late = holdNext(setup.kafka, 'EndTxn')
      const ending = tx[end]()
      await late.arrived
      expect(await codeOf(tx.commit())).toBe('TRANSACTION_ENDED')
      expect(await codeOf(tx.abort())).toBe('TRANSACTION_ENDED')
      expect(await codeOf(tx.produce('a', 'late'))).toBe('TRANSACTION_ENDED')
      expect(await codeOf(setup.producer.begin())).toBe('TRANSACTION_IN_PROGRESS')
      late.release()
      await ending
      await commitNext(setup, ...(end === 'commit' ? ['1'] : []))
    },
  )

  it.each<ErrorName>(['INVALID_PRODUCER_EPOCH', 'PRODUCER_FENCED'])(
    'fenced_abort: a message refused with %s fences the producer when the abort is refused, too',
    async (error) => {
      await using setup = await setUp(options)
      const { producer, answer } = setup
      const tx = await producer.begin()
      await tx.produce('a', { value: '1', partition: 0 })
      answer('Produce', error)
      const refused = await codeOf(tx.produce('a', { value: '2', partition: 0 }))
      expect(refused).toBe(error)
      // A partition's leader does not tell a later producer from a time that is over: the coordinator does.
      if (error === 'INVALID_PRODUCER_EPOCH') answer('EndTxn', error)
      expect(await failureOf(tx.abort())).toMatchObject({
        code: 'PRODUCER_FENCED',
        recovery: 'recreate',
      })
    },
  )

  it('fatal_idempo_errors: a producer id that a broker has forgotten makes the transaction abortable', async () => {
    await using setup = await setUp(options)
    const tx = await forgotten(setup)
    await tx.abort()
    await commitNext(setup)
  })

  it('slow_reinit: an abort whose next epoch arrives late succeeds, and the next begin uses that epoch', async () => {
    await using setup = await setUp(options)
    const { producer, kafka } = setup
    // Generation 2 has its next epoch from EndTxn.
    const slow = isFirst ? kafka.faults.on({ api: 'InitProducerId' }, { hold: true }) : undefined
    const tx = await forgotten(setup)
    await tx.abort({ timeoutMs: 2_000 })
    if (isFirst) expect(await codeOf(producer.begin({ timeoutMs: 500 }))).toBe('REQUEST_TIMED_OUT')
    slow?.release()
    slow?.remove()
    await commitNext(setup)
  })

  if (isFirst) {
    it.each<ErrorName>(['INVALID_PRODUCER_EPOCH', 'PRODUCER_FENCED'])(
      'fenced_reinit: a next epoch refused with %s fences the producer',
      async (error) => {
        await using setup = await setUp(options)
        const { answer, producer } = setup
        const tx = await forgotten(setup)
        answer('InitProducerId', error)
        await tx.abort()
        expect(await failureOf(producer.begin())).toMatchObject({
          code: 'PRODUCER_FENCED',
          recovery: 'recreate',
        })
      },
    )
  }
})
