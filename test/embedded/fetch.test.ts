import { describe, expect, it } from '@jest/globals'
import { deleteRecords, fetch } from '../../protocol/apis/index.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import { EmbeddedCluster } from '../../src/embedded/index.ts'
import {
  batchOf,
  fetchFrom,
  fetchRequest,
  offsetAt,
  produceTo,
  rawClientOf,
  valuesOf,
} from './support/requests.ts'

const start = (brokers = 1) => EmbeddedCluster.start({ brokers, topics: { t: { partitions: 3 } } })

describe('fetching from an embedded broker', () => {
  describe('a long poll', () => {
    it('returns as soon as there are enough bytes', async () => {
      await using kafka = await start()
      using consumer = await rawClientOf(kafka)
      using producer = await rawClientOf(kafka)
      const waiting = fetchFrom(consumer, 't', [0, 1], { maxWaitMs: 60_000, minBytes: 100 })
      await kafka.requests.next({ api: 'Fetch' })
      await produceTo(producer, 't', 0, batchOf(['a']))
      await produceTo(producer, 't', 1, batchOf(['b']))
      const { responses } = await waiting
      expect(responses[0]!.partitions.map(({ records }) => valuesOf(records))).toEqual([
        ['a'],
        ['b'],
      ])
    })

    it('returns the available records at its timeout', async () => {
      await using kafka = await start()
      using raw = await rawClientOf(kafka)
      await produceTo(raw, 't', 0, batchOf(['a']))
      const startedAt = performance.now()
      const { responses } = await fetchFrom(raw, 't', [0], { maxWaitMs: 30, minBytes: 1_000 })
      expect(performance.now() - startedAt).toBeGreaterThan(25)
      expect(valuesOf(responses[0]!.partitions[0]!.records)).toEqual(['a'])
    })

    it('returns at once when the leader moves, and names the new leader', async () => {
      await using kafka = await start(2)
      const leader = kafka.leaderOf('t', 0)
      const other = leader === 1 ? 2 : 1
      using raw = await rawClientOf(kafka, leader)
      const waiting = fetchFrom(raw, 't', [0], { maxWaitMs: 60_000 })
      await kafka.requests.next({ api: 'Fetch' })
      kafka.moveLeader('t', 0, other)
      const { responses } = await waiting
      expect(responses[0]!.partitions[0]).toMatchObject({
        errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER,
        currentLeader: { leaderId: other, leaderEpoch: 1 },
      })
    })

    it('returns at once when the topic is deleted', async () => {
      await using kafka = await start()
      using raw = await rawClientOf(kafka)
      const waiting = fetchFrom(raw, 't', [0], { maxWaitMs: 60_000 })
      await kafka.requests.next({ api: 'Fetch' })
      kafka.deleteTopic('t')
      const { responses } = await waiting
      expect(responses[0]!.partitions[0]!.errorCode).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    })

    it('does not delay the stop of the cluster', async () => {
      const kafka = await start()
      using raw = await rawClientOf(kafka)
      raw.send(fetch, 12, fetchRequest('t', [0], { maxWaitMs: 60_000 }))
      await kafka.requests.next({ api: 'Fetch' })
      await kafka.stop()
      await raw.closed
    })
  })

  describe('a byte limit (KIP-74)', () => {
    it('lets the first batch through whole, however small the limit', async () => {
      await using kafka = await start()
      using raw = await rawClientOf(kafka)
      await produceTo(raw, 't', 0, batchOf(['a'.repeat(500)]))
      await produceTo(raw, 't', 1, batchOf(['b'.repeat(500)]))
      const { responses } = await fetchFrom(raw, 't', [0, 1], { maxBytes: 1 })
      const sizes = responses[0]!.partitions.map(({ records }) => records?.length)
      expect(sizes).toEqual([batchOf(['a'.repeat(500)]).length, 0])
    })

    it('cuts off what exceeds the limit of a partition', async () => {
      await using kafka = await start()
      using raw = await rawClientOf(kafka)
      const batch = batchOf(['a'])
      for (let i = 0; i < 3; i++) await produceTo(raw, 't', 0, batch)
      const { responses } = await fetchFrom(raw, 't', [0], {
        partitionMaxBytes: batch.length + 10,
      })
      expect(responses[0]!.partitions[0]!.records).toHaveLength(batch.length + 10)
    })

    it('cuts even the first message before Kafka 0.10.1', async () => {
      await using kafka = await EmbeddedCluster.start({ version: '0.9', topics: { t: {} } })
      using raw = await rawClientOf(kafka)
      const { encodeMessageSet } = await import('../../protocol/records/message-set.ts')
      const { OutgoingRecord } = await import('../../protocol/records/outgoing-record.ts')
      const set = encodeMessageSet([new OutgoingRecord(null, 'x'.repeat(500), 0)], 0)
      await produceTo(raw, 't', 0, set, { version: 1 })
      const { responses } = await fetchFrom(raw, 't', [0], { version: 1, partitionMaxBytes: 100 })
      expect(responses[0]!.partitions[0]!.records).toEqual(set.subarray(0, 100))
    })
  })

  describe('a fetch session (KIP-227)', () => {
    const open = async (raw: Parameters<typeof fetchFrom>[0]) => {
      const { sessionId } = await fetchFrom(raw, 't', [0, 1, 2], { sessionEpoch: 0 })
      return (sessionEpoch: number, partitions: readonly number[] = [], more = {}) =>
        fetchFrom(raw, 't', partitions, { sessionId, sessionEpoch, ...more })
    }
    const partitionsOf = ({ responses }: Awaited<ReturnType<typeof fetchFrom>>) =>
      responses.flatMap(({ partitions }) => partitions.map((one) => one.partitionIndex))

    it('returns only what is new', async () => {
      await using kafka = await start()
      using raw = await rawClientOf(kafka)
      const next = await open(raw)
      expect(partitionsOf(await next(1))).toEqual([])
      await produceTo(raw, 't', 1, batchOf(['a']))
      expect(partitionsOf(await next(2))).toEqual([1])
      expect(partitionsOf(await next(3, [1], { offset: 1 }))).toEqual([])
    })

    it('reports a new start offset of the log, too', async () => {
      await using kafka = await start()
      using raw = await rawClientOf(kafka)
      await produceTo(raw, 't', 0, batchOf(['a']))
      const next = await open(raw)
      await next(1, [0], { offset: 1 })
      await raw.request(deleteRecords, 2, {
        topics: [{ name: 't', partitions: [{ partitionIndex: 0, offset: -1n }] }],
        timeoutMs: 1_000,
      })
      const { responses } = await next(2)
      expect(responses[0]!.partitions[0]).toMatchObject({ partitionIndex: 0, logStartOffset: 1n })
    })

    it('forgets partitions that the client removes', async () => {
      await using kafka = await start()
      using raw = await rawClientOf(kafka)
      const next = await open(raw)
      await next(1, [], { forget: [1] })
      await produceTo(raw, 't', 1, batchOf(['a']))
      expect(partitionsOf(await next(2))).toEqual([])
    })

    it('serves partitions in turn when a response cannot hold all of them', async () => {
      await using kafka = await start()
      using raw = await rawClientOf(kafka)
      for (const partition of [0, 1, 2]) await produceTo(raw, 't', partition, batchOf(['a']))
      const next = await open(raw)
      // The full fetch gave all three: as they came, so they are queued.
      expect(partitionsOf(await next(1, [], { maxBytes: 1 }))).toEqual([0])
      expect(partitionsOf(await next(2, [], { maxBytes: 1 }))).toEqual([1])
      expect(partitionsOf(await next(3, [], { maxBytes: 1 }))).toEqual([2])
    })

    it('is refused with a wrong epoch or an unknown id', async () => {
      await using kafka = await start()
      using raw = await rawClientOf(kafka)
      const next = await open(raw)
      expect(await next(7)).toMatchObject({ errorCode: ErrorCode.INVALID_FETCH_SESSION_EPOCH })
      kafka.dropFetchSessions()
      expect(await next(1)).toMatchObject({ errorCode: ErrorCode.FETCH_SESSION_ID_NOT_FOUND })
    })
  })

  describe('the lookup of offsets by time', () => {
    it('finds the ends, the first record at a time, and the latest one', async () => {
      await using kafka = await start()
      using raw = await rawClientOf(kafka)
      const { encodeBatch } = await import('../../protocol/records/encode-batch.ts')
      const { OutgoingRecord } = await import('../../protocol/records/outgoing-record.ts')
      for (const times of [[10, 30], [20], [25]]) {
        const records = times.map((time) => new OutgoingRecord(null, 'x', time))
        await produceTo(raw, 't', 0, encodeBatch(records))
      }
      expect(await offsetAt(raw, 't', -2)).toMatchObject({ offset: 0n, timestamp: -1n })
      expect(await offsetAt(raw, 't', -1)).toMatchObject({ offset: 4n, timestamp: -1n })
      expect(await offsetAt(raw, 't', -3)).toMatchObject({ offset: 1n, timestamp: 30n })
      expect(await offsetAt(raw, 't', 11)).toMatchObject({ offset: 1n, timestamp: 30n })
      expect(await offsetAt(raw, 't', 31)).toMatchObject({ offset: -1n, timestamp: -1n })
    })

    it('lists offsets as brokers before 0.10.1 do', async () => {
      await using kafka = await EmbeddedCluster.start({ version: '0.9', topics: { t: {} } })
      using raw = await rawClientOf(kafka)
      expect(await offsetAt(raw, 't', -1, 0)).toMatchObject({ oldStyleOffsets: [0n] })
    })
  })
})
