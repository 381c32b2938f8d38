/** Mistakes that other clients shipped with transactions: a test for each, named by what must not happen. */
import { describe, expect, it } from '@jest/globals'
import { initProducerId } from '../../protocol/apis/init-producer-id.ts'
import { EmbeddedCluster, type EmbeddedClusterOptions } from '../../src/embedded/index.ts'
import { KafkaClient, type Compression } from '../../src/index.ts'
import { codeOf } from '../support/settled.ts'
import { until } from '../support/until.ts'
import { holdNext } from './support/hold-next.ts'
import { RawClient } from './support/raw-client.ts'
import { committed } from './support/read-committed.ts'
import {
  GROUP,
  TRANSACTIONAL_ID,
  transactionScene,
  type TransactionScene,
} from './support/transaction-scene.ts'

const OFFSETS = [{ topic: 'in', partition: 0, offset: 12 }]
const GENERATIONS: readonly (readonly [string, EmbeddedClusterOptions])[] = [
  ['transaction.version 2', {}],
  ['transaction.version 1', { transactionVersion: 1 }],
]

async function setUp(options: EmbeddedClusterOptions = {}): Promise<TransactionScene> {
  const topics = { a: { partitions: 3 }, in: {} }
  return transactionScene(await EmbeddedCluster.start({ brokers: 3, topics, ...options }))
}

describe.each(GENERATIONS)('transactions, %s', (name, options) => {
  const isSecond = name === 'transaction.version 2'

  it('do not mistake API versions for the feature that selects the protocol (franz-go 1.19.2)', async () => {
    await using setup = await setUp(options)
    const { kafka, producer } = setup
    await producer.transaction(async (tx) => {
      void tx.produce('a', '1')
      await tx.sendOffsets({ offsets: OFFSETS, group: GROUP })
    })
    const versionOf = (api: 'Produce' | 'EndTxn' | 'TxnOffsetCommit') =>
      kafka.requests.all({ api })[0]!.version
    if (isSecond) {
      expect(versionOf('Produce')).toBeGreaterThanOrEqual(12)
      expect(versionOf('EndTxn')).toBe(5)
      expect(versionOf('TxnOffsetCommit')).toBe(5)
    } else {
      expect(versionOf('Produce')).toBe(11)
      expect(versionOf('EndTxn')).toBe(4)
      expect(versionOf('TxnOffsetCommit')).toBe(4)
    }
    const added = kafka.requests.all({ api: 'AddPartitionsToTxn' })
    expect(added.map(({ version }) => version)).toEqual(isSecond ? [] : [3])
  })

  it('do not commit the messages of a failed transaction with the next (franz-go 1.21.6)', async () => {
    await using setup = await setUp(options)
    const { kafka, producer } = setup
    const lost = kafka.faults.on({ api: 'EndTxn' }, { close: true })
    const tx = await producer.begin()
    await tx.produce('a', 'failed')
    expect(await codeOf(tx.abort({ timeoutMs: 1_000 }))).toBe('TRANSACTION_OUTCOME_UNKNOWN')
    lost.remove()
    await producer.transaction((next) => void next.produce('a', 'next'))
    expect(await committed(kafka, 'a')).toEqual(['next'])
  })

  it('do not write the next transaction with an epoch that a late commit may end', async () => {
    await using setup = await setUp(options)
    const { kafka, producer } = setup
    const epochs = () =>
      kafka.requests.all({ api: 'EndTxn' }).map(({ body }) => Number(body['producerEpoch']))
    kafka.faults.on({ api: 'EndTxn', times: 1 }, { cutAfterBytes: 0 })
    await producer.transaction((tx) => void tx.produce('a', '1'))
    await producer.transaction((tx) => void tx.produce('a', '2'))
    const [first, repeated, second] = epochs()
    expect(repeated).toBe(first)
    expect(second).toBeGreaterThan(first!)
    expect(await committed(kafka, 'a')).toEqual(['1', '2'])
  })

  it('do not treat UNKNOWN_SERVER_ERROR as a commit (franz-go 1.21.4)', async () => {
    await using setup = await setUp(options)
    const { kafka, producer } = setup
    kafka.faults.on({ api: 'EndTxn', times: 1 }, { error: 'UNKNOWN_SERVER_ERROR' })
    const tx = await producer.begin()
    await tx.produce('a', '1')
    expect(await codeOf(tx.commit())).toBe('TRANSACTION_OUTCOME_UNKNOWN')
    await tx.abort()
    expect(await committed(kafka, 'a')).toEqual([])
  })

  it('do not begin with the end of another transaction (franz-go 1.19.0)', async () => {
    await using setup = await setUp(options)
    const { kafka, producer } = setup
    const held = holdNext(kafka, 'EndTxn')
    const tx = await producer.begin()
    await tx.produce('a', '1')
    const committing = tx.commit()
    await held.arrived
    expect(await codeOf(producer.begin())).toBe('TRANSACTION_IN_PROGRESS')
    held.release()
    await committing
    await producer.begin()
    expect(kafka.requests.all({ api: 'EndTxn' })).toHaveLength(1)
  })

  it('do not forget partitions that were added before one that failed (franz-go 1.21.4)', async () => {
    await using setup = await setUp(options)
    const { kafka, producer } = setup
    const tx = await producer.begin()
    await tx.produce('a', { value: '1', partition: 0 })
    const api = isSecond ? 'Produce' : 'AddPartitionsToTxn'
    kafka.faults.on({ api, times: 3 }, { error: 'CONCURRENT_TRANSACTIONS' })
    await tx.produce('a', { value: '2', partition: 1 })
    await tx.commit()
    expect(await committed(kafka, 'a')).toEqual(['1', '2'])
  })

  it('do not wait for their timeout when every message has failed (franz-go 1.21.4)', async () => {
    await using setup = await setUp(options)
    const { kafka, producer } = setup
    const fault = kafka.faults.on({ api: 'Produce' }, { error: 'MESSAGE_TOO_LARGE' })
    const tx = await producer.begin()
    const produced = [0, 1, 2].map((partition) =>
      codeOf(tx.produce('a', { value: 'x', partition })),
    )
    expect(await codeOf(tx.commit())).toBe('TRANSACTION_FAILED')
    expect(await Promise.all(produced)).not.toContain(undefined)
    await tx.abort()
    fault.remove()
    await producer.transaction((next) => void next.produce('a', 'next'))
    expect(await committed(kafka, 'a')).toEqual(['next'])
  })

  it('do not restart the sequence of messages in the middle (librdkafka#3575)', async () => {
    await using setup = await setUp(options)
    const { kafka, producer } = setup
    const tx = await producer.begin()
    await tx.produce('a', { value: 'before', partition: 0 })
    kafka.faults.on({ api: 'Produce', times: 1 }, { error: 'OUT_OF_ORDER_SEQUENCE_NUMBER' })
    expect(await codeOf(tx.produce('a', { value: 'gap', partition: 0 }))).toBeDefined()
    expect(await codeOf(tx.produce('a', { value: 'after', partition: 0 }))).toBeDefined()
    expect(await codeOf(tx.commit())).toBe('TRANSACTION_FAILED')
    await tx.abort()
    expect(await committed(kafka, 'a')).toEqual([])
  })

  it('do not commit when all messages expired before a partition was added (librdkafka 1.7)', async () => {
    await using setup = await setUp(options)
    const { kafka } = setup
    // A commit repeats AddPartitionsToTxn until this time is over.
    await using client = new KafkaClient({ hosts: kafka.hosts, operationTimeoutMs: 5_000 })
    const producer = await client.getTransactionalProducer({
      transactionalId: 'late',
      deliveryTimeoutMs: 300,
    })
    const api = isSecond ? 'Produce' : 'AddPartitionsToTxn'
    kafka.faults.on({ api }, { error: 'COORDINATOR_LOAD_IN_PROGRESS' })
    const tx = await producer.begin()
    const produced = codeOf(tx.produce('a', 'late'))
    expect(await codeOf(tx.commit())).toBe('TRANSACTION_FAILED')
    expect(await produced).toBeDefined()
  })

  it('do not hide a commit that a broker refuses (librdkafka 1.6)', async () => {
    await using setup = await setUp(options)
    const { kafka, producer } = setup
    kafka.faults.on({ api: 'EndTxn', times: 1 }, { error: 'TRANSACTION_ABORTABLE' })
    const tx = await producer.begin()
    await tx.produce('a', '1')
    expect(await codeOf(tx.commit())).toBe('TRANSACTION_ABORTABLE')
    await tx.abort()
    expect(await committed(kafka, 'a')).toEqual([])
  })

  it('do not fail a producer when they are empty (librdkafka 1.6.1)', async () => {
    await using setup = await setUp(options)
    const { kafka, producer } = setup
    await (await producer.begin()).commit()
    await (await producer.begin()).abort()
    await producer.transaction(() => undefined)
    await producer.transaction((tx) => void tx.produce('a', '1'))
    expect(await committed(kafka, 'a')).toEqual(['1'])
  })

  it('do not stall when the coordinator moves while offsets are sent (librdkafka#3571)', async () => {
    await using setup = await setUp(options)
    const { kafka, producer, client } = setup
    const tx = await producer.begin()
    await tx.produce('a', '1')
    const held = holdNext(kafka, 'TxnOffsetCommit')
    const sending = tx.sendOffsets({ offsets: OFFSETS, group: GROUP })
    await held.arrived
    for (const id of [TRANSACTIONAL_ID, GROUP.groupId]) {
      kafka.moveCoordinator(id, (kafka.coordinatorOf(id) % 3) + 1)
    }
    held.release()
    await sending
    await tx.commit()
    expect(JSON.stringify(await client.admin.listGroupOffsets(['g']))).toContain('"offset":12')
  })

  it('do not fence themselves by the producer id that they begin with (platformatic)', async () => {
    await using setup = await setUp(options)
    const [first] = setup.kafka.requests.all({ api: 'InitProducerId' })
    expect(first!.body).toMatchObject({ producerId: -1n, producerEpoch: -1 })
  })

  it('do not forget partitions that are added concurrently (platformatic)', async () => {
    await using setup = await setUp(options)
    const { kafka, producer } = setup
    const tx = await producer.begin()
    const produced = [0, 1, 2].map((partition) =>
      tx.produce('a', { value: String(partition), partition }),
    )
    await Promise.resolve()
    produced.push(tx.produce('a', { value: '3', partition: 1 }))
    await Promise.all(produced)
    await tx.commit()
    expect(await committed(kafka, 'a')).toEqual(['0', '1', '2', '3'])
  })

  it('do not confuse several aborted ranges of one response (platformatic)', async () => {
    await using setup = await setUp(options)
    const { kafka, producer, client } = setup
    const other = await client.getTransactionalProducer({ transactionalId: 'other' })
    for (let round = 0; round < 5; round++) {
      const [one, two] = [await producer.begin(), await other.begin()]
      await one.produce('a', { value: `one ${round}`, partition: 0 })
      await two.produce('a', { value: `two ${round}`, partition: 0 })
      await one.produce('a', { value: `one ${round}`, partition: 0 })
      if (round % 2 === 0) await Promise.all([one.abort(), two.commit()])
      else await Promise.all([one.commit(), two.abort()])
    }
    const expected = [0, 1, 2, 3, 4].flatMap((round) =>
      round % 2 === 0 ? [`two ${round}`] : [`one ${round}`, `one ${round}`],
    )
    expect(await committed(kafka, 'a')).toEqual(expected.sort())
  })

  it('do not fail offsets because of CONCURRENT_TRANSACTIONS (kafkajs#430, sarama#2859)', async () => {
    await using setup = await setUp(options)
    const { kafka, producer, client } = setup
    const api = isSecond ? 'TxnOffsetCommit' : 'AddOffsetsToTxn'
    kafka.faults.on({ api, times: 3 }, { error: 'CONCURRENT_TRANSACTIONS' })
    await producer.transaction((tx) => tx.sendOffsets({ offsets: OFFSETS, group: GROUP }))
    expect(JSON.stringify(await client.admin.listGroupOffsets(['g']))).toContain('"offset":12')
  })

  it('do not omit the group member from offset commits (sarama#3592, kafkajs)', async () => {
    await using setup = await setUp(options)
    const { kafka, producer, client } = setup
    const consumer = await client.topic('in').getBalancedConsumer({
      consumerGroup: 'members',
      managed: true,
      groupInstanceId: 'static',
    })
    await producer.transaction((tx) =>
      tx.sendOffsets({ offsets: OFFSETS, group: consumer.groupMetadata() }),
    )
    const [request] = kafka.requests.all({ api: 'TxnOffsetCommit' })
    expect(request!.body).toMatchObject({
      groupId: 'members',
      memberId: consumer.memberId,
      generationIdOrMemberEpoch: consumer.groupMetadata().generationId,
      groupInstanceId: 'static',
    })
    expect(consumer.memberId).not.toBe('')
  })

  it.each(['commit', 'abort'] as const)(
    'do not fail at the last epoch of a producer id, %s (KAFKA-18660, KAFKA-19367)',
    async (end) => {
      await using kafka = await EmbeddedCluster.start({ topics: { a: {} }, ...options })
      using raw = await RawClient.open(kafka.ports[0]!)
      // 32,767 epochs are a producer id's, the last of which fences: all but the last 20 are taken here.
      const body = { transactionalId: TRANSACTIONAL_ID, transactionTimeoutMs: 60_000 }
      const takes = 32_746
      for (let sent = 0; sent < takes; sent++) raw.send(initProducerId, 4, body)
      for (let taken = 0; taken < takes; taken++) await raw.nextFrame()
      await using client = new KafkaClient({ hosts: kafka.hosts, retryBackoffMs: 5 })
      const producer = await client.getTransactionalProducer({ transactionalId: TRANSACTIONAL_ID })
      for (let i = 0; i < 40; i++) {
        const tx = await producer.begin()
        await tx.produce('a', String(i))
        await tx[end]()
      }
      await producer.transaction((tx) => void tx.produce('a', 'last'))
      const numbers = Array.from({ length: 40 }, (_, i) => String(i))
      expect(await committed(kafka, 'a')).toEqual(
        [...(end === 'commit' ? numbers : []), 'last'].sort(),
      )
      const ids = kafka.requests
        .all({ api: 'EndTxn' })
        .map(({ body: { producerId } }) => producerId)
      // In generation 1 the epoch stays after a commit.
      expect(new Set(ids).size).toBe(isSecond || end === 'abort' ? 2 : 1)
    },
  )

  it.each<Compression>(['gzip', 'snappy', 'lz4', 'zstd'])(
    'do not deliver compressed messages that were aborted, %s (librdkafka#3020)',
    async (compression) => {
      await using setup = await setUp(options)
      const { kafka, client } = setup
      const producer = await client.getTransactionalProducer({
        transactionalId: compression,
        compression,
      })
      const write = async (value: string, end: 'commit' | 'abort') => {
        const tx = await producer.begin()
        for (let i = 0; i < 100; i++) void tx.produce('a', { value, partition: 0 })
        await tx[end]()
      }
      await write('aborted', 'abort')
      await write('committed', 'commit')
      await write('aborted', 'abort')
      expect(await committed(kafka, 'a')).toEqual(Array<string>(100).fill('committed'))
    },
  )
})

describe('a consumer of transactions', () => {
  it('does not lose a seek to a response that arrives later (franz-go 1.21.4)', async () => {
    await using setup = await setUp()
    const { kafka, client } = setup
    await using plain = await client.topic('in').getProducer()
    for (let i = 0; i < 5; i++) await plain.produce(String(i))
    await using consumer = await client.topic('in').getSimpleConsumer({
      autoOffsetReset: 'latest',
      partitions: [0],
    })
    const lookingUp = kafka.faults.on({ api: 'ListOffsets' }, { hold: true })
    kafka.faults.on({ api: 'Fetch', times: 1 }, { error: 'OFFSET_OUT_OF_RANGE' })
    // Wakes the fetch that waits, whose error has the end looked up.
    await plain.produce('5')
    await until(() => lookingUp.hits > 0)
    consumer.seek(0, 2)
    lookingUp.remove()
    lookingUp.release()
    expect((await consumer.consume())!.offset).toBe(2)
  })

  it('does not hang at its end when the group was never joined (franz-go 1.21.6)', async () => {
    await using setup = await setUp()
    const { kafka, client, producer } = setup
    const held = kafka.faults.on({ api: 'JoinGroup' }, { hold: true })
    const consumer = await client.topic('in').getBalancedConsumer({
      consumerGroup: 'never',
      managed: true,
      autoStart: false,
    })
    const starting = codeOf(consumer.start())
    await until(() => held.hits > 0)
    const copying = codeOf(consumer.transact(producer, () => undefined))
    await codeOf(consumer.close({ timeoutMs: 1_000 }))
    expect(await copying).toBeUndefined()
    expect(await starting).toBeDefined()
    held.release()
  })
})
