import { describe, expect, it } from '@jest/globals'
import {
  addOffsetsToTxn,
  addPartitionsToTxn,
  apiVersions,
  endTxn,
  fetch,
  findCoordinator,
  initProducerId,
  offsetFetch,
  produce,
  txnOffsetCommit,
} from '../../protocol/apis/index.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import { EmbeddedCluster } from '../../src/embedded/index.ts'
import { Transaction } from '../../src/embedded/transactions/transaction.ts'
import { TemporaryFolder } from '../support/temporary-folder.ts'
import { until } from '../support/until.ts'
import type { RawClient } from './support/raw-client.ts'
import { batchOf, fetchRequest, rawClientOf, valuesOf } from './support/requests.ts'

interface Producer {
  readonly producerId: bigint
  readonly producerEpoch: number
}

function init(raw: RawClient, transactionTimeoutMs = 60_000) {
  return raw.request(initProducerId, 4, { transactionalId: 'tx', transactionTimeoutMs })
}

/** Produce v12 adds the partition to the transaction, v11 does not. */
async function write(
  raw: RawClient,
  value: string,
  producer: Producer,
  { version = 12, baseSequence = 0 } = {},
) {
  const { producerId, producerEpoch } = producer
  const identity = { producerId, producerEpoch, baseSequence, transactional: true }
  const { responses } = await raw.request(produce, version, {
    transactionalId: 'tx',
    acks: -1,
    timeoutMs: 1_000,
    topicData: [{ name: 't', partitionData: [{ index: 0, records: batchOf([value], identity) }] }],
  })
  return responses[0]!.partitionResponses[0]!.errorCode
}

function end(raw: RawClient, producer: Producer, committed: boolean, version = 5) {
  return raw.request(endTxn, version, { transactionalId: 'tx', ...producer, committed })
}

/** Where read_committed stops, and how many transactions it has to leave out. */
async function stable(raw: RawClient) {
  const { responses } = await raw.request(fetch, 12, {
    ...fetchRequest('t', [0]),
    isolationLevel: 1,
  })
  const { lastStableOffset, abortedTransactions } = responses[0]!.partitions[0]!
  return { lastStableOffset: Number(lastStableOffset), aborted: abortedTransactions?.length }
}

describe('the transaction coordinator', () => {
  it('ends a transaction with a marker in each partition, in the protocol up to Kafka 3.9', async () => {
    await using kafka = await EmbeddedCluster.start({ version: '3.9', topics: { t: {} } })
    using raw = await rawClientOf(kafka)
    const found = await raw.request(findCoordinator, 4, { keyType: 1, coordinatorKeys: ['tx'] })
    expect(found.coordinators[0]).toMatchObject({ errorCode: 0, nodeId: 1 })
    const { producerId, producerEpoch } = await init(raw)
    const producer = { producerId, producerEpoch }
    const add = () =>
      raw.request(addPartitionsToTxn, 3, {
        v3AndBelowTransactionalId: 'tx',
        v3AndBelowProducerId: producerId,
        v3AndBelowProducerEpoch: producerEpoch,
        v3AndBelowTopics: [{ name: 't', partitions: [0] }],
      })
    expect(await write(raw, 'too soon', producer, { version: 11 })).toBe(
      ErrorCode.TRANSACTION_ABORTABLE,
    )
    await add()
    expect(await write(raw, 'committed', producer, { version: 11 })).toBe(0)
    expect(await stable(raw)).toEqual({ lastStableOffset: 0, aborted: 0 })
    expect(await end(raw, producer, true, 4)).toMatchObject({ errorCode: 0 })
    expect(await stable(raw)).toEqual({ lastStableOffset: 2, aborted: 0 })
    // The same epoch continues, and so do its sequences.
    await add()
    expect(await write(raw, 'aborted', producer, { version: 11, baseSequence: 1 })).toBe(0)
    expect(await end(raw, producer, false, 4)).toMatchObject({ errorCode: 0 })
    expect(await stable(raw)).toEqual({ lastStableOffset: 4, aborted: 1 })
  })

  it('assigns a new epoch with each end, in the protocol of transaction.version 2', async () => {
    await using kafka = await EmbeddedCluster.start({ topics: { t: {} } })
    using raw = await rawClientOf(kafka)
    const { producerId, producerEpoch } = await init(raw)
    const first = { producerId, producerEpoch }
    expect(await write(raw, 'a', first)).toBe(0)
    const ended = await end(raw, first, true)
    expect(ended).toMatchObject({ errorCode: 0, producerId, producerEpoch: producerEpoch + 1 })
    // The answer may get lost: the repeated request gets it again.
    expect(await end(raw, first, true)).toEqual(ended)
    expect(await write(raw, 'late', first, { baseSequence: 1 })).toBe(
      ErrorCode.INVALID_PRODUCER_EPOCH,
    )
    expect(await write(raw, 'b', ended)).toBe(0)
    expect(await stable(raw)).toEqual({ lastStableOffset: 2, aborted: 0 })
  })

  it('reports the finalized transaction.version', async () => {
    const featuresOf = async (kafka: EmbeddedCluster) => {
      using raw = await rawClientOf(kafka)
      const client = { clientSoftwareName: 'x', clientSoftwareVersion: '1' }
      const { finalizedFeatures } = await raw.request(apiVersions, 3, client)
      return finalizedFeatures.filter(({ name }) => name === 'transaction.version')
    }
    await using newest = await EmbeddedCluster.start()
    expect(await featuresOf(newest)).toMatchObject([{ minVersionLevel: 2, maxVersionLevel: 2 }])
    await using upgraded = await EmbeddedCluster.start({ transactionVersion: 1 })
    expect(await featuresOf(upgraded)).toMatchObject([{ minVersionLevel: 1, maxVersionLevel: 1 }])
    await using older = await EmbeddedCluster.start({ version: '3.9' })
    expect(await featuresOf(older)).toEqual([])
    const wrong = EmbeddedCluster.start({ version: '3.9', transactionVersion: 1 })
    await expect(wrong).rejects.toThrow(/'transactionVersion' requires version 4.4/)
  })

  it('aborts a transaction at its timeout, and fences its producer up to Kafka 3.9', async () => {
    await using kafka = await EmbeddedCluster.start({ topics: { t: {} }, version: '3.9' })
    using raw = await rawClientOf(kafka)
    const producer = await init(raw, 100)
    await raw.request(addPartitionsToTxn, 3, {
      v3AndBelowTransactionalId: 'tx',
      v3AndBelowProducerId: producer.producerId,
      v3AndBelowProducerEpoch: producer.producerEpoch,
      v3AndBelowTopics: [{ name: 't', partitions: [0] }],
    })
    expect(await write(raw, 'abandoned', producer, { version: 11 })).toBe(0)
    await until(() => kafka.offsetsOf('t', 0).end === 2)
    expect(await stable(raw)).toEqual({ lastStableOffset: 2, aborted: 1 })
    expect(await write(raw, 'late', producer, { baseSequence: 1, version: 11 })).toBe(
      ErrorCode.INVALID_PRODUCER_EPOCH,
    )
    for (const isCommit of [true, false]) {
      expect(await end(raw, producer, isCommit, 4)).toMatchObject({
        errorCode: ErrorCode.PRODUCER_FENCED,
      })
    }
  })

  it('assigns the next epoch to the producer of a timed-out transaction, with transaction.version 2', async () => {
    await using kafka = await EmbeddedCluster.start({ topics: { t: {} } })
    using raw = await rawClientOf(kafka)
    const producer = await init(raw, 100)
    expect(await write(raw, 'abandoned', producer)).toBe(0)
    await until(() => kafka.offsetsOf('t', 0).end === 2)
    expect(await write(raw, 'late', producer, { baseSequence: 1 })).toBe(
      ErrorCode.INVALID_PRODUCER_EPOCH,
    )
    expect(await end(raw, producer, true)).toMatchObject({ errorCode: ErrorCode.INVALID_TXN_STATE })
    const { errorCode, producerId, producerEpoch } = await end(raw, producer, false)
    expect({ errorCode, producerId }).toEqual({ errorCode: 0, producerId: producer.producerId })
    expect(producerEpoch).toBeGreaterThan(producer.producerEpoch)
    const next = { producerId, producerEpoch }
    expect(await write(raw, 'next', next)).toBe(0)
    expect(await end(raw, next, true)).toMatchObject({ errorCode: 0 })
  })

  it('commits offsets with the transaction, and clients that require stable offsets wait', async () => {
    await using kafka = await EmbeddedCluster.start({ topics: { t: {} } })
    using raw = await rawClientOf(kafka)
    const committed = async (requireStable: boolean) => {
      const topics = [{ name: 't', partitionIndexes: [0] }]
      const groups = [{ groupId: 'g', topics }]
      const answer = await raw.request(offsetFetch, 8, { groups, requireStable })
      const { errorCode, committedOffset } = answer.groups[0]!.topics[0]!.partitions[0]!
      return errorCode === 0 ? Number(committedOffset) : errorCode
    }
    const commit = (producer: Producer, offset: bigint) =>
      raw.request(txnOffsetCommit, 3, {
        transactionalId: 'tx',
        groupId: 'g',
        producerId: producer.producerId,
        producerEpoch: producer.producerEpoch,
        memberId: '',
        topics: [
          {
            name: 't',
            partitions: [{ partitionIndex: 0, committedOffset: offset, committedMetadata: null }],
          },
        ],
      })
    let producer: Producer = await init(raw)
    for (const [offset, isCommitted, seen] of [
      [5n, true, 5],
      [9n, false, 5],
    ] as const) {
      const { producerId, producerEpoch } = producer
      await raw.request(addOffsetsToTxn, 3, {
        transactionalId: 'tx',
        producerId,
        producerEpoch,
        groupId: 'g',
      })
      await commit(producer, offset)
      expect(await committed(true)).toBe(ErrorCode.UNSTABLE_OFFSET_COMMIT)
      producer = await end(raw, producer, isCommitted)
      expect(await committed(true)).toBe(seen)
    }
  })

  it('aborts at its start what was open when the cluster stopped, and keeps ids and epochs', async () => {
    using folder = new TemporaryFolder()
    const options = { dataDir: folder.path, topics: { t: {} } }
    const before = await (async () => {
      await using kafka = await EmbeddedCluster.start(options)
      using raw = await rawClientOf(kafka)
      const producer = await init(raw)
      expect(await write(raw, 'open', producer)).toBe(0)
      return producer
    })()
    await using kafka = await EmbeddedCluster.start(options)
    using raw = await rawClientOf(kafka)
    expect(await stable(raw)).toEqual({ lastStableOffset: 2, aborted: 1 })
    expect(await write(raw, 'late', before, { baseSequence: 1 })).toBe(
      ErrorCode.INVALID_PRODUCER_EPOCH,
    )
    const after = await init(raw)
    expect(after.producerId).toBe(before.producerId)
    expect(after.producerEpoch).toBe(before.producerEpoch + 2)
    expect(await write(raw, 'again', after)).toBe(0)
    await end(raw, after, true)
    const { responses } = await raw.request(fetch, 12, fetchRequest('t', [0]))
    expect(valuesOf(responses[0]!.partitions[0]!.records)).toContain('again')
  })

  it('returns injected errors on demand', async () => {
    await using kafka = await EmbeddedCluster.start({ topics: { t: {} } })
    using raw = await rawClientOf(kafka)
    const producer = await init(raw)
    kafka.faults.on({ api: 'EndTxn', times: 1 }, { error: 'CONCURRENT_TRANSACTIONS' })
    const refused = await end(raw, producer, false)
    expect(refused).toMatchObject({ errorCode: ErrorCode.CONCURRENT_TRANSACTIONS })
    expect(await end(raw, producer, false)).toMatchObject({ errorCode: 0 })
  })
})

describe('a transactional id', () => {
  it('gets a new producer id when the epochs of the old one are exhausted', () => {
    const transaction = new Transaction('tx', { producerId: 1n, producerEpoch: 0 }, 1_000)
    for (let count = 0; count < 32_766; count++) transaction.bump(-1, () => 2n)
    expect(transaction.identity).toEqual({ producerId: 1n, producerEpoch: 32_766 })
    transaction.bump(32_766, () => 2n)
    expect(transaction.identity).toEqual({ producerId: 2n, producerEpoch: 0 })
    expect(transaction.wasBumpedFrom({ producerId: 1n, producerEpoch: 32_766 })).toBe(true)
  })
})
