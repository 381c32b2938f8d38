/**
 * librdkafka's test 0105 (`transactions_mock`), case by case: what happens to a transaction when its brokers answer with
 * errors, late, or not at all. Each test names its case. Those that do not apply:
 *
 * | Case                     | Why not                                                                                |
 * | ------------------------ | -------------------------------------------------------------------------------------- |
 * | `coord_req_destroy`      | memory of a C object that is used after it was freed                                    |
 * | `coord_req_multi_find`   | the same, of several lookups that share an object                                       |
 * | `no_timeout_crash`       | the same, at the timeout of a request; that time is honoured is tested by other cases   |
 * | `endtxn_errors`, 9 and 10 | codes that no coordinator answers EndTxn with: fatal as in Java, abortable in librdkafka |
 */
import { describe, expect, it } from '@jest/globals'
import type { ErrorName } from '../../protocol/errors.ts'
import { EmbeddedCluster, type EmbeddedClusterOptions } from '../../src/embedded/index.ts'
import {
  KafkaClient,
  KafkaError,
  type Transaction,
  type TransactionalProducer,
} from '../../src/index.ts'
import { until } from '../support/until.ts'

const ID = 'tx'
const GENERATIONS: readonly (readonly [string, EmbeddedClusterOptions])[] = [
  ['transaction.version 2', {}],
  ['Kafka 3.9', { version: '3.9' }],
]
const GROUP = { groupId: 'g', generationId: -1, memberId: '', groupInstanceId: undefined }
const OFFSETS = [
  { topic: 'in', partition: 1, offset: 12 },
  { topic: 'in', partition: 0, offset: 999 },
]

interface Setup extends AsyncDisposable {
  readonly kafka: EmbeddedCluster
  readonly client: KafkaClient
  readonly producer: TransactionalProducer
  /** Answers the next requests of an API with these errors, one after the other. */
  readonly answer: (api: 'Produce' | TransactionApi, ...errors: ErrorName[]) => void
}

type TransactionApi =
  | 'InitProducerId'
  | 'AddPartitionsToTxn'
  | 'AddOffsetsToTxn'
  | 'TxnOffsetCommit'
  | 'EndTxn'
  | 'FindCoordinator'

async function setUp(options: EmbeddedClusterOptions): Promise<Setup> {
  const topics = { a: { partitions: 3, config: { 'retention.ms': '-1' } }, in: { partitions: 2 } }
  const kafka = await EmbeddedCluster.start({ brokers: 3, topics, ...options })
  const client = new KafkaClient({ hosts: kafka.hosts, retryBackoffMs: 5, retryBackoffMaxMs: 50 })
  // The coordinators of the transaction and of the group are two brokers.
  kafka.moveCoordinator(ID, 2)
  kafka.moveCoordinator(GROUP.groupId, 3)
  const producer = await client.getTransactionalProducer({ transactionalId: ID })
  return {
    kafka,
    client,
    producer,
    answer: (api, ...errors) => {
      for (const error of errors) kafka.faults.on({ api, times: 1 }, { error })
    },
    [Symbol.asyncDispose]: async () => {
      await client.close().catch(() => undefined)
      await kafka.stop()
    },
  }
}

async function committed(kafka: EmbeddedCluster): Promise<string[]> {
  await using client = new KafkaClient({ hosts: kafka.hosts })
  await using consumer = await client.topic('a').getSimpleConsumer({
    autoOffsetReset: 'earliest',
    isolationLevel: 'read_committed',
    stopAtEnd: true,
  })
  const values: string[] = []
  for await (const { value } of consumer) values.push(String(value))
  return values.sort()
}

async function codeOf(running: Promise<unknown>): Promise<string | undefined> {
  try {
    await running
    return undefined
  } catch (error) {
    return error instanceof KafkaError ? error.code : String(error)
  }
}

/** The code of what made a transaction fail, and what it says to do. */
async function failureOf(running: Promise<unknown>) {
  try {
    await running
    return undefined
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error
    const cause = error.cause instanceof KafkaError ? error.cause.code : undefined
    return { code: error.code, cause, recovery: error.recovery }
  }
}

async function commitNext({ producer, kafka }: Setup, ...before: string[]): Promise<void> {
  await producer.transaction((tx) => void tx.produce('a', 'next'))
  expect(await committed(kafka)).toEqual([...before, 'next'].sort())
}

function offsetsOf({ client }: Setup): Promise<string> {
  return client.admin.listGroupOffsets([GROUP.groupId]).then((found) => JSON.stringify(found))
}

describe.each(GENERATIONS)("librdkafka's test 0105, %s", (name, options) => {
  const isFirst = name === 'Kafka 3.9'

  it('recoverable_errors: each request gets over errors that pass', async () => {
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
    expect(await committed(kafka)).toEqual(['1', '2'])
    expect(await offsetsOf(setup)).toContain('"offset":999')
  })

  it('fatal_idempo_errors: a producer id that a broker has forgotten makes the transaction abortable', async () => {
    await using setup = await setUp(options)
    const { answer, producer } = setup
    const tx = await producer.begin()
    await tx.produce('a', { value: '1', partition: 0 })
    answer('Produce', 'UNKNOWN_PRODUCER_ID')
    void tx.produce('a', { value: '2', partition: 0 })
    expect(await failureOf(tx.commit())).toMatchObject({
      code: 'TRANSACTION_FAILED',
      recovery: 'abort',
    })
    await tx.abort()
    await commitNext(setup)
  })

  it('slow_reinit: an abort whose next epoch comes late has aborted, and the next begin gets it', async () => {
    await using setup = await setUp(options)
    const { answer, producer, kafka } = setup
    const tx = await producer.begin()
    await tx.produce('a', { value: '1', partition: 0 })
    // Generation 2 has its next epoch from EndTxn.
    const slow = isFirst ? kafka.faults.on({ api: 'InitProducerId' }, { hold: true }) : undefined
    answer('Produce', 'UNKNOWN_PRODUCER_ID')
    void tx.produce('a', { value: '2', partition: 0 })
    expect(await codeOf(tx.commit())).toBe('TRANSACTION_FAILED')
    await tx.abort({ timeoutMs: 2_000 })
    if (isFirst) expect(await codeOf(producer.begin({ timeoutMs: 500 }))).toBe('REQUEST_TIMED_OUT')
    slow?.release()
    slow?.remove()
    await commitNext(setup)
  })

  if (isFirst) {
    it.each<ErrorName>(['INVALID_PRODUCER_EPOCH', 'PRODUCER_FENCED'])(
      'fenced_reinit: a next epoch that is refused with %s fences the producer',
      async (error) => {
        await using setup = await setUp(options)
        const { answer, producer } = setup
        const tx = await producer.begin()
        await tx.produce('a', { value: '1', partition: 0 })
        answer('Produce', 'UNKNOWN_PRODUCER_ID')
        void tx.produce('a', { value: '2', partition: 0 })
        expect(await codeOf(tx.commit())).toBe('TRANSACTION_FAILED')
        answer('InitProducerId', error)
        await tx.abort()
        expect(await failureOf(producer.begin())).toMatchObject({
          code: 'PRODUCER_FENCED',
          recovery: 'recreate',
        })
      },
    )
  }

  it('req_cnt: an abort of what was sent is one EndTxn, an empty transaction none', async () => {
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

  it.each<['Produce' | TransactionApi, ErrorName]>([
    ['Produce', 'TOPIC_AUTHORIZATION_FAILED'],
    ...(isFirst
      ? ([
          ['AddPartitionsToTxn', 'TOPIC_AUTHORIZATION_FAILED'],
          ['AddOffsetsToTxn', 'GROUP_AUTHORIZATION_FAILED'],
        ] as const)
      : ([['TxnOffsetCommit', 'GROUP_AUTHORIZATION_FAILED']] as const)),
  ] as ['Produce' | TransactionApi, ErrorName][])(
    'requires_abort_errors: %s answered with %s leaves only an abort',
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

  const PASSING: readonly ErrorName[][] = [
    ['COORDINATOR_NOT_AVAILABLE', 'COORDINATOR_NOT_AVAILABLE'],
    ['NOT_COORDINATOR', 'NOT_COORDINATOR'],
    ['COORDINATOR_LOAD_IN_PROGRESS'],
    ['CONCURRENT_TRANSACTIONS', 'CONCURRENT_TRANSACTIONS', 'CONCURRENT_TRANSACTIONS'],
  ]
  const ENDS = (['commit', 'abort'] as const).flatMap((end) =>
    [true, false].map((isFlushed) => ({ end, isFlushed })),
  )

  async function begun({ producer }: Setup, isFlushed: boolean): Promise<Transaction> {
    const tx = await producer.begin()
    const produced = codeOf(tx.produce('a', '1'))
    if (isFlushed) await produced
    await tx.sendOffsets({ offsets: OFFSETS, group: GROUP })
    return tx
  }

  it.each(ENDS)(
    'endtxn_errors: $end gets over errors that pass (after a flush: $isFlushed)',
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
    'endtxn_errors: $end that the id may not do ends the producer (after a flush: $isFlushed)',
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
    'endtxn_errors: a commit answered with $error leaves an abort (after a flush: $isFlushed)',
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
    'endtxn_infinite: %s waits for a coordinator that is late',
    async (end) => {
      await using setup = await setUp(options)
      const tx = await begun(setup, true)
      const late = setup.kafka.faults.on({ api: 'EndTxn', times: 1 }, { hold: true })
      const asked = setup.kafka.requests.next({ api: 'EndTxn' })
      const ending = tx[end]()
      await asked
      late.release()
      await ending
      await commitNext(setup, ...(end === 'commit' ? ['1'] : []))
    },
  )

  it.each(['commit', 'abort'] as const)(
    'endtxn_timeout, endtxn_timeout_inflight, resumable_calls_timeout: %s keeps its time, and can be repeated',
    async (end) => {
      await using setup = await setUp(options)
      const tx = await begun(setup, true)
      const late = setup.kafka.faults.on({ api: 'EndTxn', times: 1 }, { hold: true })
      const failure = await failureOf(tx[end]({ timeoutMs: 1_000 }))
      expect(failure).toMatchObject({ code: 'TRANSACTION_OUTCOME_UNKNOWN' })
      late.release()
      await tx[end]()
      await commitNext(setup, ...(end === 'commit' ? ['1'] : []))
    },
  )

  it.each(['commit', 'abort'] as const)(
    'resumable_calls_timeout_error: %s that is repeated after its time tells that the producer is fenced',
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

  it.each(['the coordinator', 'the leader of a partition'] as const)(
    'broker_down_in_txn: a transaction gets over %s being down',
    async (what) => {
      await using setup = await setUp(options)
      const { kafka, producer } = setup
      const tx = await producer.begin()
      await tx.produce('a', { value: '1', partition: 0 })
      const id = what === 'the coordinator' ? kafka.coordinatorOf(ID) : kafka.leaderOf('a', 0)
      await kafka.stopBroker(id)
      const second = tx.produce('a', { value: '2', partition: 0 })
      const committing = tx.commit()
      await kafka.startBroker(id)
      await Promise.all([second, committing])
      await commitNext(setup, '1', '2')
    },
  )

  it('send_offsets_concurrent_is_retried: CONCURRENT_TRANSACTIONS keeps no offsets out', async () => {
    await using setup = await setUp(options)
    const tx = await setup.producer.begin()
    await tx.produce('a', '1')
    const api = isFirst ? 'AddOffsetsToTxn' : 'TxnOffsetCommit'
    setup.answer(api, ...Array<ErrorName>(5).fill('CONCURRENT_TRANSACTIONS'))
    await tx.sendOffsets({ offsets: OFFSETS, group: GROUP })
    await tx.commit()
    expect(await offsetsOf(setup)).toContain('"offset":12')
  })

  it('send_offsets_non_eligible: no offsets are no request', async () => {
    await using setup = await setUp(options)
    const tx = await setup.producer.begin()
    await tx.sendOffsets({ offsets: [], group: GROUP })
    await tx.commit()
    const requests = setup.kafka.requests.all()
    expect(requests.map(({ api }) => api)).not.toContain('TxnOffsetCommit')
    expect(requests.map(({ api }) => api)).not.toContain('EndTxn')
  })

  it('addparts_req_multi: partitions that are added one after the other are each added once', async () => {
    await using setup = await setUp(options)
    const { kafka, producer } = setup
    const tx = await producer.begin()
    await tx.produce('a', { value: '0', partition: 0 })
    const slow = kafka.faults.on(
      { api: isFirst ? 'AddPartitionsToTxn' : 'Produce', times: 1 },
      { hold: true },
    )
    const asked = kafka.requests.next({ api: isFirst ? 'AddPartitionsToTxn' : 'Produce' })
    const produced = [tx.produce('a', { value: '1', partition: 1 })]
    await asked
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

  it.each<TransactionApi>(['InitProducerId', 'FindCoordinator'])(
    'auth_failure: %s that is not allowed fails the opening',
    async (api) => {
      await using setup = await setUp(options)
      await using other = new KafkaClient({ hosts: setup.kafka.hosts })
      setup.kafka.faults.on({ api }, { error: 'CLUSTER_AUTHORIZATION_FAILED' })
      const opening = other.getTransactionalProducer({ transactionalId: 'not allowed' })
      expect(await failureOf(opening)).toMatchObject({
        code: 'CLUSTER_AUTHORIZATION_FAILED',
        recovery: 'fix-configuration',
      })
    },
  )

  it('flush_timeout: a commit whose messages are late keeps its time, and leaves an abort', async () => {
    await using setup = await setUp(options)
    const { kafka, producer } = setup
    const tx = await producer.begin()
    await tx.produce('a', { value: '1', partition: 0 })
    const late = kafka.faults.on({ api: 'Produce', times: 1 }, { hold: true })
    const second = codeOf(tx.produce('a', { value: '2', partition: 0 }))
    expect(await codeOf(tx.commit({ timeoutMs: 1_000 }))).toBe('TRANSACTION_FAILED')
    late.release()
    await second
    await tx.abort()
    await commitNext(setup)
  })

  it('unstable_offset_commit: who asks for stable offsets waits for the transaction', async () => {
    await using setup = await setUp(options)
    const tx = await setup.producer.begin()
    await tx.produce('a', '1')
    await tx.sendOffsets({ offsets: [{ topic: 'in', partition: 0, offset: 5 }], group: GROUP })
    await using other = new KafkaClient({ hosts: setup.kafka.hosts, retryBackoffMs: 5 })
    const asked = setup.kafka.requests.next({ api: 'OffsetFetch' })
    const opening = other
      .topic('in')
      .getSimpleConsumer({ consumerGroup: GROUP.groupId, partitions: [0] })
    await asked
    await tx.commit()
    await using consumer = await opening
    expect([...consumer.positions.values()]).toEqual([5])
  })

  it('commit_after_msg_timeout: messages whose time was over before they were sent fail the commit', async () => {
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
    expect(await committed(kafka)).toEqual(['next'])
  })

  it.each([1, 2, 3])(
    'switch_coordinator, switch_coordinator_refresh: a transaction goes on at its next coordinator (%d)',
    async (round) => {
      await using setup = await setUp(options)
      const { kafka, producer } = setup
      const move = () => kafka.moveCoordinator(ID, (kafka.coordinatorOf(ID) % 3) + 1)
      const tx = await producer.begin()
      if (round === 1) move()
      await tx.produce('a', '1')
      if (round === 2) move()
      await tx.sendOffsets({ offsets: OFFSETS, group: GROUP })
      if (round === 3) move()
      await tx.commit()
      expect(await offsetsOf(setup)).toContain('"offset":999')
      await commitNext(setup, '1')
    },
  )

  it('out_of_order_seq: a gap in the numbers fails the transaction and starts none in its middle', async () => {
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

  it('topic_disappears_for_awhile: a topic that Metadata leaves out for some time loses no message', async () => {
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

  it.each([false, true])(
    'disconnected_group_coord: offsets wait for a coordinator of the group that is down (moved meanwhile: %s)',
    async (isMoved) => {
      await using setup = await setUp(options)
      const { producer, kafka } = setup
      const tx = await producer.begin()
      await tx.produce('a', '1')
      const id = kafka.coordinatorOf(GROUP.groupId)
      await kafka.stopBroker(id)
      const sending = tx.sendOffsets({ offsets: OFFSETS, group: GROUP })
      if (isMoved) kafka.moveCoordinator(GROUP.groupId, (id % 3) + 1)
      else await kafka.startBroker(id)
      await sending
      await tx.commit()
      expect(await offsetsOf(setup)).toContain('"offset":999')
    },
  )

  it('txn_coordinator_null_not_fatal: a coordinator that cannot be found is no error of the producer', async () => {
    await using setup = await setUp(options)
    const { producer, kafka } = setup
    const tx = await producer.begin()
    await tx.produce('a', '1')
    const unknown = kafka.faults.on(
      { api: 'FindCoordinator' },
      { error: 'COORDINATOR_NOT_AVAILABLE' },
    )
    setup.answer('EndTxn', 'NOT_COORDINATOR')
    const committing = tx.commit()
    await until(() => unknown.hits > 1)
    unknown.remove()
    await committing
    await commitNext(setup, '1')
  })

  it('resumable_init: an opening keeps its time, and can be repeated', async () => {
    await using setup = await setUp(options)
    const { client, kafka } = setup
    const late = kafka.faults.on({ api: 'InitProducerId' }, { hold: true })
    const open = (timeoutMs: number) =>
      client.getTransactionalProducer({ transactionalId: 'slow' }, { timeoutMs })
    expect(await codeOf(open(2_000))).toBe('REQUEST_TIMED_OUT')
    late.remove()
    late.release()
    const producer = await open(60_000)
    await producer.transaction((tx) => void tx.produce('a', '1'))
    expect(await committed(kafka)).toEqual(['1'])
  })

  it.each(['commit', 'abort'] as const)(
    'concurrent_operations: %s refuses what is called before it has ended',
    async (end) => {
      await using setup = await setUp(options)
      const tx = await begun(setup, true)
      const late = setup.kafka.faults.on({ api: 'EndTxn', times: 1 }, { hold: true })
      const asked = setup.kafka.requests.next({ api: 'EndTxn' })
      const ending = tx[end]()
      await asked
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
    'fenced_abort: a message that is refused with %s, and the abort too, fence the producer',
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

  it.each([true, false])(
    'offset_commit_doesnt_retry_too_quickly: offsets wait between attempts (time is over: %s)',
    async (isOver) => {
      await using setup = await setUp(options)
      const { producer, kafka } = setup
      const tx = await producer.begin()
      await tx.produce('a', '1')
      const times = isOver ? {} : { times: 4 }
      kafka.faults.on({ api: 'TxnOffsetCommit', ...times }, { error: 'COORDINATOR_NOT_AVAILABLE' })
      const startedAt = performance.now()
      const timeoutMs = isOver ? 500 : 60_000
      const sent = await codeOf(tx.sendOffsets({ offsets: OFFSETS, group: GROUP }, { timeoutMs }))
      const tookMs = performance.now() - startedAt
      expect(sent).toBe(isOver ? 'COORDINATOR_NOT_AVAILABLE' : undefined)
      // Waits of at least 20, 20, 40, 80 ms less their spread.
      const attempts = kafka.requests.all({ api: 'TxnOffsetCommit' }).length
      expect(attempts).toBeLessThan(5 + tookMs / 10)
      if (isOver) await tx.abort()
      else await tx.commit()
    },
  )
})

describe("librdkafka's test 0105, brokers without transactions", () => {
  it('txns_not_supported: the opening is refused', async () => {
    await using kafka = await EmbeddedCluster.start({ version: '0.10' })
    await using client = new KafkaClient({ hosts: kafka.hosts })
    const opening = client.getTransactionalProducer({ transactionalId: ID })
    expect(await failureOf(opening)).toMatchObject({
      code: 'UNSUPPORTED_VERSION',
      recovery: 'fix-configuration',
    })
    await until(() => kafka.requests.all({ api: 'InitProducerId' }).length === 0)
  })
})
