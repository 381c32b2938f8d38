/** Messages of transactions, and the partitions that they add: cases of librdkafka's test 0105. */
import { describe, expect, it } from '@jest/globals'
import type { ErrorName } from '../../../protocol/errors.ts'
import { codeOf } from '../../support/settled.ts'
import { until } from '../../support/until.ts'
import { holdNext } from '../support/hold-next.ts'
import {
  GENERATIONS,
  OFFSETS,
  commitNext,
  failureOf,
  offsetsOf,
  setUp,
  type TransactionApi,
} from '../support/librdkafka-0105.ts'
import { committed } from '../support/read-committed.ts'
import { GROUP } from '../support/transaction-scene.ts'

describe.each(GENERATIONS)("librdkafka's test 0105, %s", (name, options) => {
  const isFirst = name === 'Kafka 3.9'

  it('recoverable_errors: each request recovers from temporary errors', async () => {
    await using setup = await setUp(options)
    const { answer, kafka, client } = setup
    answer(
      'InitProducerId',
      'COORDINATOR_NOT_AVAILABLE',
      'NOT_COORDINATOR',
      'COORDINATOR_LOAD_IN_PROGRESS',
    )
    const producer = await client.getTransactionalProducer({ transactionalId: 'other' })
    const tx = await producer.begin()
    await tx.produce('a', { value: '1', partition: 0 })
    answer('Produce', 'NOT_ENOUGH_REPLICAS')
    await tx.produce('a', { value: '2', partition: 0 })
    if (isFirst) answer('AddOffsetsToTxn', 'UNKNOWN_TOPIC_OR_PARTITION')
    answer('TxnOffsetCommit', 'NOT_COORDINATOR', 'CONCURRENT_TRANSACTIONS')
    await tx.sendOffsets({ offsets: OFFSETS, group: GROUP })
    answer('EndTxn', 'COORDINATOR_NOT_AVAILABLE', 'NOT_COORDINATOR', 'COORDINATOR_LOAD_IN_PROGRESS')
    await tx.commit()
    expect(await committed(kafka, 'a')).toEqual(['1', '2'])
    expect(await offsetsOf(setup)).toContain('"offset":999')
  })

  it.each<['Produce' | TransactionApi, ErrorName]>([
    ['Produce', 'TOPIC_AUTHORIZATION_FAILED'],
    ...(isFirst
      ? ([
          ['AddPartitionsToTxn', 'TOPIC_AUTHORIZATION_FAILED'],
          ['AddOffsetsToTxn', 'GROUP_AUTHORIZATION_FAILED'],
        ] as const)
      : ([['TxnOffsetCommit', 'GROUP_AUTHORIZATION_FAILED']] as const)),
  ] as ['Produce' | TransactionApi, ErrorName][])(
    'requires_abort_errors: %s answered with %s allows only an abort',
    async (api, error) => {
      await using setup = await setUp(options)
      const { answer, producer } = setup
      const tx = await producer.begin()
      answer(api, error)
      const produced = codeOf(tx.produce('a', '1'))
      if (api === 'Produce' || api === 'AddPartitionsToTxn') expect(await produced).toBeDefined()
      const sending = await failureOf(tx.sendOffsets({ offsets: OFFSETS, group: GROUP }))
      expect(sending).toBeDefined()
      expect([sending!.code, sending!.cause]).toContain(error)
      expect(await failureOf(tx.commit())).toMatchObject({ cause: error, recovery: 'abort' })
      await tx.abort()
      await commitNext(setup)
    },
  )

  it('addparts_req_multi: partitions that are added one after another are each added once', async () => {
    await using setup = await setUp(options)
    const { kafka, producer } = setup
    const tx = await producer.begin()
    await tx.produce('a', { value: '0', partition: 0 })
    const slow = holdNext(kafka, isFirst ? 'AddPartitionsToTxn' : 'Produce')
    const produced = [tx.produce('a', { value: '1', partition: 1 })]
    await slow.arrived
    // These come while the request is under way.
    produced.push(tx.produce('a', { value: '2', partition: 2 }))
    produced.push(tx.produce('a', { value: '3', partition: 1 }))
    slow.release()
    await Promise.all(produced)
    await tx.commit()
    const added = kafka.requests.all({ api: 'AddPartitionsToTxn' }).length
    expect(added).toBe(isFirst ? 3 : 0)
    await commitNext(setup, '0', '1', '2', '3')
  })

  it('flush_timeout: a commit whose messages are late keeps its time limit, and allows only an abort', async () => {
    await using setup = await setUp(options)
    const { kafka, producer } = setup
    const tx = await producer.begin()
    await tx.produce('a', { value: '1', partition: 0 })
    const late = holdNext(kafka, 'Produce')
    const second = codeOf(tx.produce('a', { value: '2', partition: 0 }))
    expect(await codeOf(tx.commit({ timeoutMs: 1_000 }))).toBe('TRANSACTION_FAILED')
    late.release()
    await second
    await tx.abort()
    await commitNext(setup)
  })

  it('commit_after_msg_timeout: messages that expired before they were sent fail the commit', async () => {
    await using setup = await setUp(options)
    const { kafka, client } = setup
    const producer = await client.getTransactionalProducer({
      transactionalId: 'impatient',
      deliveryTimeoutMs: 300,
    })
    const leader = kafka.leaderOf('a', 0)
    const tx = await producer.begin()
    const drop = kafka.faults.on({ api: 'Produce' }, { error: 'NOT_LEADER_OR_FOLLOWER' })
    const late = codeOf(tx.produce('a', { value: '1', partition: 0 }))
    expect(await codeOf(tx.commit())).toBe('TRANSACTION_FAILED')
    expect(await late).toBeDefined()
    drop.remove()
    expect(kafka.leaderOf('a', 0)).toBe(leader)
    await tx.abort()
    await producer.transaction((next) => void next.produce('a', 'next'))
    expect(await committed(kafka, 'a')).toEqual(['next'])
  })

  it('out_of_order_seq: a gap in the sequence fails the transaction, and starts no new sequence in its middle', async () => {
    await using setup = await setUp(options)
    const { producer, answer, kafka } = setup
    const tx = await producer.begin()
    await tx.produce('a', { value: '1', partition: 0 })
    const inits = kafka.requests.all({ api: 'InitProducerId' }).length
    answer('Produce', 'OUT_OF_ORDER_SEQUENCE_NUMBER')
    const second = codeOf(tx.produce('a', { value: '2', partition: 0 }))
    expect(await failureOf(tx.commit())).toMatchObject({
      code: 'TRANSACTION_FAILED',
      cause: 'OUT_OF_ORDER_SEQUENCE_NUMBER',
    })
    expect(await second).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
    expect(kafka.requests.all({ api: 'InitProducerId' })).toHaveLength(inits)
    await tx.abort()
    await commitNext(setup)
  })

  it('topic_disappears_for_awhile: a topic that Metadata omits for some time loses no message', async () => {
    await using setup = await setUp(options)
    const { producer, kafka } = setup
    const tx = await producer.begin()
    await tx.produce('a', { value: '0', partition: 0 })
    const gone = kafka.faults.on(
      { api: 'Metadata', topic: 'a' },
      { error: 'UNKNOWN_TOPIC_OR_PARTITION' },
    )
    kafka.faults.on({ api: 'Produce', times: 1 }, { error: 'NOT_LEADER_OR_FOLLOWER' })
    const produced = Array.from({ length: 10 }, (_, i) =>
      tx.produce('a', { value: String(i + 1), partition: 0 }),
    )
    await until(() => gone.hits > 0)
    gone.remove()
    await Promise.all(produced)
    await tx.commit()
    await commitNext(setup, ...Array.from({ length: 11 }, (_, i) => String(i)))
  })
})
