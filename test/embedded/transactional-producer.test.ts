import { describe, expect, it } from '@jest/globals'
import type { ErrorName } from '../../protocol/errors.ts'
import { EmbeddedCluster, type EmbeddedClusterOptions } from '../../src/embedded/index.ts'
import { KafkaClient } from '../../src/index.ts'
import { codeOf } from '../support/settled.ts'
import { committed } from './support/read-committed.ts'
import {
  GROUP,
  TRANSACTIONAL_ID,
  transactionScene,
  type TransactionScene,
} from './support/transaction-scene.ts'

/** The two protocols, and the three ways of finding out which one it is. */
const CLUSTERS: readonly (readonly [string, EmbeddedClusterOptions])[] = [
  ['transaction.version 2', {}],
  ['transaction.version 1', { transactionVersion: 1 }],
  ['Kafka 3.9', { version: '3.9' }],
  ['Kafka 2.8', { version: '2.8' }],
  ['Kafka 0.11', { version: '0.11' }],
]

async function setUp(options: EmbeddedClusterOptions): Promise<TransactionScene> {
  const topics = { a: { partitions: 3 }, b: {} }
  return transactionScene(await EmbeddedCluster.start({ topics, ...options }))
}

describe.each(CLUSTERS)('a transactional producer, %s', (_, options) => {
  it('makes committed messages visible, and no aborted ones', async () => {
    await using setup = await setUp(options)
    const { producer, kafka } = setup
    for (let round = 0; round < 4; round++) {
      const tx = await producer.begin()
      for (let i = 0; i < 10; i++)
        void tx.produce('a', { value: `${round}-${i}`, partition: i % 3 })
      await tx.produce('b', `${round}-b`)
      if (round % 2 === 0) await tx.commit()
      else await tx.abort()
    }
    const expected = [0, 2].flatMap((round) => [
      ...Array.from({ length: 10 }, (_, i) => `${round}-${i}`),
      `${round}-b`,
    ])
    expect(await committed(kafka, 'a', 'b')).toEqual(expected.sort())
  })

  it('aborts a transaction whose block ends without a commit', async () => {
    await using setup = await setUp(options)
    const { producer, kafka } = setup
    {
      await using tx = await producer.begin()
      await tx.produce('a', 'left')
    }
    {
      await using tx = await producer.begin()
      await tx.produce('a', 'kept')
      await tx.commit()
    }
    expect(await committed(kafka, 'a')).toEqual(['kept'])
  })

  it('commits a block that returns, and aborts one that throws', async () => {
    await using setup = await setUp(options)
    const { producer, kafka } = setup
    const result = await producer.transaction((tx) => {
      void tx.produce('a', 'kept')
      return 7
    })
    expect(result).toBe(7)
    const thrown = producer.transaction(async (tx) => {
      await tx.produce('a', 'thrown')
      throw new Error('no')
    })
    await expect(thrown).rejects.toThrow('no')
    expect(await committed(kafka, 'a')).toEqual(['kept'])
  })

  it('produces many messages in a transaction, and sends nothing for an empty one', async () => {
    await using setup = await setUp(options)
    const { producer, kafka } = setup
    const values = Array.from({ length: 5_000 }, (_, i) => String(i).padStart(5, '0'))
    await producer.transaction((tx) =>
      tx.produceMany(values.map((value) => ({ topic: 'a', value, key: value }))),
    )
    // A coordinator would refuse to end what it has not learned of.
    await (await producer.begin()).commit()
    await (await producer.begin()).abort()
    expect(await committed(kafka, 'a')).toEqual(values)
  })

  it('fences the previous producer of its transactional id, whose records never become visible', async () => {
    await using setup = await setUp(options)
    const { producer, kafka } = setup
    const tx = await producer.begin()
    await tx.produce('a', 'zombie')
    await using other = new KafkaClient({ hosts: kafka.hosts })
    const successor = await other.getTransactionalProducer({ transactionalId: TRANSACTIONAL_ID })
    await successor.transaction((one) => void one.produce('a', 'new'))
    await expect(tx.commit()).rejects.toMatchObject({
      code: 'PRODUCER_FENCED',
      recovery: 'recreate',
    })
    expect(await codeOf(producer.begin())).toBe('PRODUCER_FENCED')
    await successor.transaction((one) => void one.produce('a', 'newer'))
    expect(await committed(kafka, 'a')).toEqual(['new', 'newer'])
  })

  it('commits offsets of a group with the transaction', async () => {
    await using setup = await setUp(options)
    const { producer, client } = setup
    const committedOf = () => client.admin.listGroupOffsets(['g'])
    const offsetOf = async () => JSON.stringify(await committedOf())
    const send = async (offset: number, ends: 'commit' | 'abort') => {
      const tx = await producer.begin()
      await tx.sendOffsets({ offsets: [{ topic: 'a', partition: 0, offset }], group: GROUP })
      await tx[ends]()
    }
    await send(3, 'commit')
    expect(await offsetOf()).toContain('"offset":3')
    await send(9, 'abort')
    expect(await offsetOf()).toContain('"offset":3')
  })

  it('can only abort after a message has failed, and continues with the next transaction', async () => {
    await using setup = await setUp(options)
    const { producer, kafka } = setup
    const tx = await producer.begin()
    await tx.produce('a', { value: 'first', partition: 0 })
    kafka.faults.on({ api: 'Produce', times: 1 }, { error: 'INVALID_RECORD' })
    const failed = tx.produce('a', { value: 'second', partition: 1 })
    await expect(failed).rejects.toMatchObject({ code: 'INVALID_RECORD' })
    await expect(tx.commit()).rejects.toMatchObject({
      code: 'TRANSACTION_FAILED',
      recovery: 'abort',
    })
    await tx.abort()
    await producer.transaction((next) => void next.produce('a', 'third'))
    expect(await committed(kafka, 'a')).toEqual(['third'])
  })

  it.each<[string, (kafka: EmbeddedCluster) => unknown]>([
    [
      'the answer is lost',
      (kafka) => kafka.faults.on({ api: 'EndTxn', times: 1 }, { cutAfterBytes: 0 }),
    ],
    [
      'the request is lost',
      (kafka) => kafka.faults.on({ api: 'EndTxn', times: 1 }, { close: true }),
    ],
    [
      'the markers of another are being written',
      (kafka) => kafka.faults.on({ api: 'EndTxn', times: 3 }, { error: 'CONCURRENT_TRANSACTIONS' }),
    ],
    [
      'the coordinator moves',
      (kafka) => kafka.faults.on({ api: 'EndTxn', times: 2 }, { error: 'NOT_COORDINATOR' }),
    ],
  ])('commits once although %s', async (_name, fault) => {
    await using setup = await setUp(options)
    const { producer, kafka } = setup
    fault(kafka)
    await producer.transaction((tx) => void tx.produce('a', 'one'))
    await producer.transaction((tx) => void tx.produce('a', 'two'))
    expect(await committed(kafka, 'a')).toEqual(['one', 'two'])
  })

  it('resolves an end of unknown outcome before the next transaction', async () => {
    await using setup = await setUp(options)
    const { producer, kafka } = setup
    const fault = kafka.faults.on({ api: 'EndTxn' }, { error: 'UNKNOWN_SERVER_ERROR' })
    const tx = await producer.begin()
    await tx.produce('a', 'in doubt')
    expect(await codeOf(tx.commit({ timeoutMs: 500 }))).toBe('TRANSACTION_OUTCOME_UNKNOWN')
    fault.remove()
    await producer.transaction((next) => void next.produce('a', 'next'))
    // It was not committed, and the next one did not commit it either.
    expect(await committed(kafka, 'a')).toEqual(['next'])
  })

  it('can repeat a commit of unknown outcome', async () => {
    await using setup = await setUp(options)
    const { producer, kafka } = setup
    const fault = kafka.faults.on({ api: 'EndTxn' }, { error: 'UNKNOWN_SERVER_ERROR' })
    const tx = await producer.begin()
    await tx.produce('a', 'once')
    expect(await codeOf(tx.commit({ timeoutMs: 500 }))).toBe('TRANSACTION_OUTCOME_UNKNOWN')
    fault.remove()
    await tx.commit()
    expect(await committed(kafka, 'a')).toEqual(['once'])
  })

  it.each<ErrorName>(['TRANSACTION_ABORTABLE', 'TOPIC_AUTHORIZATION_FAILED'])(
    'does not hang when every message fails with %s',
    async (error) => {
      await using setup = await setUp(options)
      const { producer, kafka } = setup
      const fault = kafka.faults.on({ api: 'Produce' }, { error })
      const tx = await producer.begin()
      const failed = Array.from({ length: 20 }, (_, i) =>
        codeOf(tx.produce('a', { value: 'x', partition: i % 3 })),
      )
      expect(await codeOf(tx.commit())).toBe('TRANSACTION_FAILED')
      expect((await Promise.all(failed)).every((code) => code !== undefined)).toBe(true)
      fault.remove()
      await tx.abort()
      await producer.transaction((next) => void next.produce('a', 'next'))
      expect(await committed(kafka, 'a')).toEqual(['next'])
    },
  )
})
