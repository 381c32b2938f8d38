import { describe, expect, it } from '@jest/globals'
import { fetch, listOffsets } from '../../protocol/apis/index.ts'
import { EmbeddedCluster } from '../../src/embedded/index.ts'
import { KafkaClient } from '../../src/index.ts'
import { TemporaryFolder } from '../support/temporary-folder.ts'
import { batchOf, fetchRequest, rawClientOf, valuesOf } from './support/requests.ts'

const alice = { producerId: 7n, producerEpoch: 0 }
const bob = { producerId: 8n, producerEpoch: 0 }

function inTransaction(values: readonly string[], producer: typeof alice, baseSequence = 0) {
  return batchOf(values, { ...producer, baseSequence, transactional: true })
}

/** Alice's records 0 and 1, Bob's 2, an abort of Alice's at 3; Bob's is still open. */
function begin(kafka: EmbeddedCluster): void {
  kafka.append('t', 0, inTransaction(['a1', 'a2'], alice))
  kafka.append('t', 0, inTransaction(['b1'], bob))
  kafka.endTransaction('t', 0, alice, 'abort')
}

async function committedFrom(kafka: EmbeddedCluster, offset: number, maxWaitMs = 0) {
  using raw = await rawClientOf(kafka)
  const { responses } = await raw.request(fetch, 12, {
    ...fetchRequest('t', [0], { offset, maxWaitMs }),
    isolationLevel: 1,
  })
  const { lastStableOffset, highWatermark, abortedTransactions, records } =
    responses[0]!.partitions[0]!
  return {
    lastStableOffset,
    highWatermark,
    aborted: abortedTransactions?.map(({ producerId, firstOffset }) => [producerId, firstOffset]),
    bytes: records?.length,
  }
}

describe('transactions in a log', () => {
  it('hide from read_committed what follows the first open one', async () => {
    await using kafka = await EmbeddedCluster.start({ topics: { t: {} } })
    begin(kafka)
    expect(await committedFrom(kafka, 0)).toMatchObject({
      lastStableOffset: 2n,
      highWatermark: 4n,
      aborted: [[7n, 0n]],
      bytes: inTransaction(['a1', 'a2'], alice).length,
    })
    expect(await committedFrom(kafka, 2)).toMatchObject({ bytes: 0 })
    kafka.endTransaction('t', 0, bob, 'commit')
    expect(await committedFrom(kafka, 2)).toMatchObject({
      lastStableOffset: 5n,
      aborted: [[7n, 0n]],
    })
    expect(await committedFrom(kafka, 4)).toMatchObject({ aborted: [] })
  })

  it('end a long poll when they end', async () => {
    await using kafka = await EmbeddedCluster.start({ topics: { t: {} } })
    begin(kafka)
    const seen = kafka.requests.next({ api: 'Fetch' })
    const fetching = committedFrom(kafka, 2, 20_000)
    await seen
    kafka.endTransaction('t', 0, bob, 'commit')
    expect(await fetching).toMatchObject({ lastStableOffset: 5n })
  })

  it('determine where read_committed has the end of the log', async () => {
    await using kafka = await EmbeddedCluster.start({ topics: { t: {} } })
    begin(kafka)
    using raw = await rawClientOf(kafka)
    const endFor = async (isolationLevel: number) => {
      const { topics } = await raw.request(listOffsets, 7, {
        replicaId: -1,
        isolationLevel,
        topics: [{ name: 't', partitions: [{ partitionIndex: 0, timestamp: -1n }] }],
      })
      return topics[0]!.partitions[0]!.offset
    }
    expect([await endFor(0), await endFor(1)]).toEqual([4n, 2n])
  })

  it('are restored after a restart, and after a lost tail', async () => {
    using folder = new TemporaryFolder()
    {
      await using kafka = await EmbeddedCluster.start({ dataDir: folder.path, topics: { t: {} } })
      begin(kafka)
    }
    await using kafka = await EmbeddedCluster.start({ dataDir: folder.path })
    expect(await committedFrom(kafka, 0)).toMatchObject({
      lastStableOffset: 2n,
      aborted: [[7n, 0n]],
    })
    kafka.loseTail('t', 0, 1)
    expect(await committedFrom(kafka, 0)).toMatchObject({ lastStableOffset: 0n, aborted: [] })
  })

  it.each([
    ['read_committed', ['b1']],
    ['read_uncommitted', ['a1', 'a2', 'b1']],
  ] as const)(
    'show a consumer with %s the messages of its isolation level',
    async (isolationLevel, expected) => {
      await using kafka = await EmbeddedCluster.start({ topics: { t: {} } })
      begin(kafka)
      kafka.endTransaction('t', 0, bob, 'commit')
      await using client = new KafkaClient({ hosts: kafka.hosts })
      const consumer = await client
        .topic('t')
        .getSimpleConsumer({ autoOffsetReset: 'earliest', stopAtEnd: true, isolationLevel })
      const values: string[] = []
      for await (const { value } of consumer) values.push(String(value))
      expect(values).toEqual(expected)
    },
  )
})

describe('batches that are appended unchanged', () => {
  it('can be damaged', async () => {
    await using kafka = await EmbeddedCluster.start({ topics: { t: {} } })
    const damaged = batchOf(['x'])
    damaged[damaged.length - 1]! ^= 0xff
    expect(kafka.append('t', 0, Buffer.concat([batchOf(['ok']), damaged]))).toBe(0)
    expect(kafka.offsetsOf('t', 0).end).toBe(2)
    using raw = await rawClientOf(kafka)
    const { responses } = await raw.request(fetch, 12, fetchRequest('t', [0]))
    expect(() => valuesOf(responses[0]!.partitions[0]!.records)).toThrow('CRC')
  })

  it.each([
    ['no batch', Buffer.from('no batch')],
    ['half a batch', batchOf(['x']).subarray(0, 65)],
  ])('are rejected if they are %s', async (_name, bytes) => {
    await using kafka = await EmbeddedCluster.start({ topics: { t: {} } })
    expect(() => kafka.append('t', 0, bytes)).toThrow(
      'the data have no complete record batch v2 at byte 0',
    )
    expect(kafka.offsetsOf('t', 0).end).toBe(0)
  })
})
