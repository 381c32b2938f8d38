/** Coordinators that are down, move, or refuse: cases of librdkafka's test 0105. */
import { describe, expect, it } from '@jest/globals'
import { EmbeddedCluster } from '../../../src/embedded/index.ts'
import { KafkaClient } from '../../../src/index.ts'
import { codeOf } from '../../support/settled.ts'
import { until } from '../../support/until.ts'
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
import { GROUP, TRANSACTIONAL_ID } from '../support/transaction-scene.ts'

describe.each(GENERATIONS)("librdkafka's test 0105, %s", (_, options) => {
  it.each(['the coordinator', 'the leader of a partition'] as const)(
    'broker_down_in_txn: a transaction survives %s being down',
    async (what) => {
      await using setup = await setUp(options)
      const { kafka, producer } = setup
      const tx = await producer.begin()
      await tx.produce('a', { value: '1', partition: 0 })
      const id =
        what === 'the coordinator' ? kafka.coordinatorOf(TRANSACTIONAL_ID) : kafka.leaderOf('a', 0)
      await kafka.stopBroker(id)
      const second = tx.produce('a', { value: '2', partition: 0 })
      const committing = tx.commit()
      await kafka.startBroker(id)
      await Promise.all([second, committing])
      await commitNext(setup, '1', '2')
    },
  )

  it.each([1, 2, 3])(
    'switch_coordinator, switch_coordinator_refresh: a transaction continues at its next coordinator (%d)',
    async (round) => {
      await using setup = await setUp(options)
      const { kafka, producer } = setup
      const move = () =>
        kafka.moveCoordinator(TRANSACTIONAL_ID, (kafka.coordinatorOf(TRANSACTIONAL_ID) % 3) + 1)
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

  it.each([false, true])(
    'disconnected_group_coord: offsets wait for a group coordinator that is down (moved meanwhile: %s)',
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

  it('txn_coordinator_null_not_fatal: a coordinator that cannot be found is not an error of the producer', async () => {
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

  it.each<TransactionApi>(['InitProducerId', 'FindCoordinator'])(
    'auth_failure: opening fails when %s is not allowed',
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

  it('resumable_init: opening keeps its time limit, and can be repeated', async () => {
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
    expect(await committed(kafka, 'a')).toEqual(['1'])
  })
})

describe("librdkafka's test 0105, brokers without transactions", () => {
  it('txns_not_supported: opening is refused', async () => {
    await using kafka = await EmbeddedCluster.start({ version: '0.10' })
    await using client = new KafkaClient({ hosts: kafka.hosts })
    const opening = client.getTransactionalProducer({ transactionalId: TRANSACTIONAL_ID })
    expect(await failureOf(opening)).toMatchObject({
      code: 'UNSUPPORTED_VERSION',
      recovery: 'fix-configuration',
    })
    expect(kafka.requests.all({ api: 'InitProducerId' })).toEqual([])
  })
})
