import { describe, expect, it } from '@jest/globals'
import {
  cpSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import {
  createPartitions,
  deleteRecords,
  deleteTopics,
  describeConfigs,
  incrementalAlterConfigs,
  initProducerId,
  offsetCommit,
  offsetDelete,
  offsetFetch,
} from '../../protocol/apis/index.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import { EmbeddedCluster, type EmbeddedClusterOptions } from '../../src/embedded/index.ts'
import { TemporaryFolder } from '../support/temporary-folder.ts'
import {
  batchOf,
  fetchFrom,
  produceTo,
  rawClientOf,
  topicOf,
  valuesOf,
} from './support/requests.ts'

/** A data folder, and clusters that use it one after the other. */
class Kept implements Disposable {
  readonly folder = new TemporaryFolder()
  readonly warnings: string[] = []

  start(options: EmbeddedClusterOptions = {}): Promise<EmbeddedCluster> {
    const onWarning = (message: string) => this.warnings.push(message)
    return EmbeddedCluster.start({ dataDir: this.folder.path, onWarning, ...options })
  }

  logFiles(): readonly string[] {
    return readdirSync(join(this.folder.path, 'logs'), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.log'))
      .sort()
  }

  [Symbol.dispose](): void {
    this.folder[Symbol.dispose]()
  }
}

async function valuesIn(kafka: EmbeddedCluster, topic = 't'): Promise<string[]> {
  using raw = await rawClientOf(kafka)
  const values: string[] = []
  for (let offset = kafka.offsetsOf(topic, 0).start; offset < kafka.offsetsOf(topic, 0).end;) {
    const { responses } = await fetchFrom(raw, topic, [0], { offset })
    const read = valuesOf(responses[0]!.partitions[0]!.records)
    values.push(...read)
    offset += read.length
  }
  return values
}

describe('a data folder', () => {
  it('keeps records, topics with their ids and configs, and the id of the cluster', async () => {
    using kept = new Kept()
    const topics = { t: { partitions: 2, config: { 'max.message.bytes': '5000' } } }
    const before = await (async () => {
      await using kafka = await kept.start({ topics })
      using raw = await rawClientOf(kafka)
      await produceTo(raw, 't', 0, batchOf(['one', 'two']))
      await produceTo(raw, 't', 0, batchOf(['three']))
      return { clusterId: kafka.clusterId, topic: await topicOf(raw, 't') }
    })()
    await using kafka = await kept.start({ topics })
    using raw = await rawClientOf(kafka)
    const topic = await topicOf(raw, 't')
    expect(kafka.clusterId).toBe(before.clusterId)
    expect(topic.topicId).toBe(before.topic.topicId)
    expect(topic.partitions).toHaveLength(2)
    expect(await valuesIn(kafka)).toEqual(['one', 'two', 'three'])
    const resources = [
      { resourceType: 2, resourceName: 't', configurationKeys: ['max.message.bytes'] },
    ]
    const { results } = await raw.request(describeConfigs, 4, { resources })
    expect(results[0]!.configs[0]).toMatchObject({ name: 'max.message.bytes', value: '5000' })
    expect(await produceTo(raw, 't', 0, batchOf(['four']))).toMatchObject({ baseOffset: 3n })
    expect(kept.warnings).toEqual([])
  })

  it('keeps changes of topics', async () => {
    using kept = new Kept()
    {
      await using kafka = await kept.start({ topics: { t: {}, gone: {}, again: {} } })
      using raw = await rawClientOf(kafka)
      await produceTo(raw, 'again', 0, batchOf(['old']))
      await raw.request(createPartitions, 2, {
        topics: [{ name: 't', count: 4, assignments: null }],
        timeoutMs: 1_000,
        validateOnly: false,
      })
      await raw.request(incrementalAlterConfigs, 1, {
        resources: [
          {
            resourceType: 2,
            resourceName: 't',
            configs: [{ name: 'retention.ms', configOperation: 0, value: '77' }],
          },
        ],
        validateOnly: false,
      })
      await raw.request(deleteTopics, 6, {
        topics: [{ name: 'gone' }, { name: 'again' }],
        timeoutMs: 1_000,
      })
      kafka.createTopic('again')
    }
    await using kafka = await kept.start()
    using raw = await rawClientOf(kafka)
    expect([...kafka.topics].sort()).toEqual(['again', 't'])
    expect((await topicOf(raw, 't')).partitions).toHaveLength(4)
    expect(await valuesIn(kafka, 'again')).toEqual([])
    const { results } = await raw.request(describeConfigs, 4, {
      resources: [{ resourceType: 2, resourceName: 't', configurationKeys: ['retention.ms'] }],
    })
    expect(results[0]!.configs[0]).toMatchObject({ value: '77' })
  })

  it('keeps committed offsets, and not those that were deleted', async () => {
    using kept = new Kept()
    const commit = (partition: number, offset: bigint) => ({
      groupId: 'g',
      generationIdOrMemberEpoch: -1,
      memberId: '',
      topics: [
        {
          name: 't',
          partitions: [
            { partitionIndex: partition, committedOffset: offset, committedMetadata: 'note' },
          ],
        },
      ],
    })
    const ask = { groupId: 'g', topics: [{ name: 't', partitionIndexes: [0, 1, 2] }] }
    {
      await using kafka = await kept.start({ topics: { t: { partitions: 3 } } })
      using raw = await rawClientOf(kafka)
      await raw.request(offsetCommit, 8, commit(0, 5n))
      await raw.request(offsetCommit, 8, commit(0, 7n))
      await raw.request(offsetCommit, 8, commit(1, 2n ** 60n))
      await raw.request(offsetCommit, 8, commit(2, 9n))
      const topics = [{ name: 't', partitions: [{ partitionIndex: 2 }] }]
      await raw.request(offsetDelete, 0, { groupId: 'g', topics })
    }
    await using kafka = await kept.start()
    using raw = await rawClientOf(kafka)
    const { topics } = await raw.request(offsetFetch, 7, ask)
    expect(topics[0]!.partitions).toMatchObject([
      { committedOffset: 7n, metadata: 'note' },
      { committedOffset: 2n ** 60n, metadata: 'note' },
      { committedOffset: -1n, metadata: '' },
    ])
  })

  it('keeps the batches of idempotent producers, and assigns no producer id twice', async () => {
    using kept = new Kept()
    const init = { transactionalId: null, transactionTimeoutMs: 0 }
    const numbered = (producerId: bigint, baseSequence: number) =>
      batchOf(['a', 'b'], { producerId, producerEpoch: 0, baseSequence })
    const first = await (async () => {
      await using kafka = await kept.start({ topics: { t: {} } })
      using raw = await rawClientOf(kafka)
      const { producerId } = await raw.request(initProducerId, 1, init)
      await produceTo(raw, 't', 0, numbered(producerId, 0))
      await produceTo(raw, 't', 0, numbered(producerId, 2))
      return producerId
    })()
    await using kafka = await kept.start()
    using raw = await rawClientOf(kafka)
    expect(await produceTo(raw, 't', 0, numbered(first, 2))).toMatchObject({
      errorCode: 0,
      baseOffset: 2n,
    })
    expect(await produceTo(raw, 't', 0, numbered(first, 6))).toMatchObject({
      errorCode: ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER,
    })
    expect(await produceTo(raw, 't', 0, numbered(first, 4))).toMatchObject({ baseOffset: 4n })
    const { producerId } = await raw.request(initProducerId, 1, init)
    expect(producerId).toBeGreaterThan(first)
  })

  it('keeps the start offset of a log, also when the log is empty', async () => {
    const deleteBefore = (offset: bigint) => ({
      topics: [{ name: 't', partitions: [{ partitionIndex: 0, offset }] }],
      timeoutMs: 1_000,
    })
    using kept = new Kept()
    {
      await using kafka = await kept.start({ topics: { t: {} } })
      using raw = await rawClientOf(kafka)
      await produceTo(raw, 't', 0, batchOf(['a', 'b', 'c']))
      await raw.request(deleteRecords, 2, deleteBefore(2n))
    }
    {
      await using kafka = await kept.start()
      expect(kafka.offsetsOf('t', 0)).toEqual({ start: 2, end: 3 })
      using raw = await rawClientOf(kafka)
      await raw.request(deleteRecords, 2, deleteBefore(-1n))
    }
    expect(kept.logFiles()).toEqual([])
    await using kafka = await kept.start()
    expect(kafka.offsetsOf('t', 0)).toEqual({ start: 3, end: 3 })
    using raw = await rawClientOf(kafka)
    expect(await produceTo(raw, 't', 0, batchOf(['d']))).toMatchObject({ baseOffset: 3n })
  })

  it('keeps logs of several segments, and deletes their files with the topic', async () => {
    using kept = new Kept()
    const values = Array.from({ length: 60 }, (_, index) => `${index} ${'x'.repeat(2_000)}`)
    {
      await using kafka = await kept.start({ topics: { t: {} } })
      using raw = await rawClientOf(kafka)
      for (const value of values) await produceTo(raw, 't', 0, batchOf([value]))
      expect(kept.logFiles().length).toBeGreaterThan(1)
      expect(await valuesIn(kafka)).toEqual(values)
    }
    await using kafka = await kept.start()
    expect(await valuesIn(kafka)).toEqual(values)
    using raw = await rawClientOf(kafka)
    expect(await produceTo(raw, 't', 0, batchOf(['more']))).toMatchObject({ baseOffset: 60n })
    expect(await valuesIn(kafka)).toEqual([...values, 'more'])
    expect(kafka.loseTail('t', 0, 55)).toBe(55)
    expect(await valuesIn(kafka)).toEqual(values.slice(0, 6))
    expect(kept.logFiles()).toHaveLength(1)
    await kafka.stop()
    await using again = await kept.start()
    expect(await valuesIn(again)).toEqual(values.slice(0, 6))
    expect(kept.warnings).toEqual([])
  })

  it('continues with larger leader epochs, and with the current number of brokers', async () => {
    using kept = new Kept()
    {
      await using kafka = await kept.start({ brokers: 3, topics: { t: { partitions: 3 } } })
      kafka.moveLeader('t', 0, 2)
    }
    await using kafka = await kept.start({ brokers: 1 })
    using raw = await rawClientOf(kafka)
    const { partitions } = await topicOf(raw, 't')
    expect(partitions[0]).toMatchObject({ leaderId: 1, leaderEpoch: 2, replicaNodes: [1] })
    expect(partitions.map(({ leaderId }) => leaderId)).toEqual([1, 1, 1])
  })

  it('rewrites its journal when most of it is out of date', async () => {
    using kept = new Kept()
    const journal = join(kept.folder.path, 'journal')
    const rounds = 150
    {
      await using kafka = await kept.start({ topics: { t: { partitions: 100 } } })
      using raw = await rawClientOf(kafka)
      for (let round = 0; round < rounds; round++) {
        await raw.request(offsetCommit, 8, {
          groupId: 'g',
          generationIdOrMemberEpoch: -1,
          memberId: '',
          topics: [
            {
              name: 't',
              partitions: Array.from({ length: 100 }, (_, partitionIndex) => ({
                partitionIndex,
                committedOffset: BigInt(round),
                committedMetadata: '',
              })),
            },
          ],
        })
      }
      expect(statSync(journal).size).toBeLessThan(1_100_000)
    }
    const written = rounds * 100 * 100
    expect(written).toBeGreaterThan(1_100_000)
    await using kafka = await kept.start()
    using raw = await rawClientOf(kafka)
    const { topics } = await raw.request(offsetFetch, 7, { groupId: 'g', topics: null })
    const offsets = new Set(topics[0]!.partitions.map(({ committedOffset }) => committedOffset))
    expect([...offsets]).toEqual([BigInt(rounds - 1)])
    expect(statSync(journal).size).toBeLessThan(50_000)
  })

  it('causes KAFKA_STORAGE_ERROR while the disk fails, and works again after that', async () => {
    using kept = new Kept()
    await using kafka = await kept.start({ topics: { t: {} } })
    using raw = await rawClientOf(kafka)
    // A file where a folder has to be: nothing can be written below it.
    const logs = join(kept.folder.path, 'logs')
    rmSync(logs, { recursive: true })
    writeFileSync(logs, '')
    expect(await produceTo(raw, 't', 0, batchOf(['lost']))).toMatchObject({
      errorCode: ErrorCode.KAFKA_STORAGE_ERROR,
    })
    rmSync(logs)
    expect(await produceTo(raw, 't', 0, batchOf(['kept']))).toMatchObject({ baseOffset: 0n })
    expect(await valuesIn(kafka)).toEqual(['kept'])
  })

  it('deletes the records of topics that were deleted before a crash, and of no others', async () => {
    using kept = new Kept()
    const logs = join(kept.folder.path, 'logs')
    {
      await using kafka = await kept.start({ topics: { t: {}, gone: {} } })
      using raw = await rawClientOf(kafka)
      await produceTo(raw, 't', 0, batchOf(['x']))
      await produceTo(raw, 'gone', 0, batchOf(['x']))
    }
    cpSync(logs, `${logs}.kept`, { recursive: true })
    {
      await using kafka = await kept.start()
      kafka.deleteTopic('gone')
    }
    const left = readdirSync(logs)
    expect(left).toHaveLength(1)
    // As if the files had not been deleted yet.
    rmSync(logs, { recursive: true })
    renameSync(`${logs}.kept`, logs)
    mkdirSync(join(logs, 'a-topic-unheard-of', '0'), { recursive: true })
    writeFileSync(join(logs, 'a-topic-unheard-of', '0', `${'0'.repeat(20)}.log`), '')
    // What a crash leaves of a topic that was about to be created.
    mkdirSync(join(logs, 'an-empty-topic', '0'), { recursive: true })
    await using kafka = await kept.start()
    expect(readdirSync(logs).sort()).toEqual([...left, 'a-topic-unheard-of'].sort())
    expect(kept.warnings).toEqual([expect.stringMatching(/a-topic-unheard-of belongs to no topic/)])
    expect(await valuesIn(kafka)).toEqual(['x'])
  })

  it('is refused if it is not a data folder or was written by a newer samsa', async () => {
    using folder = new TemporaryFolder()
    const file = join(folder.path, 'file')
    writeFileSync(file, '')
    await expect(EmbeddedCluster.start({ dataDir: file })).rejects.toMatchObject({
      code: 'DATA_FOLDER_UNUSABLE',
    })
    // The checksum of `{"kind":"future"}`.
    writeFileSync(join(folder.path, 'journal'), `${FUTURE_CHECKSUM} {"kind":"future"}\n`)
    await expect(EmbeddedCluster.start({ dataDir: folder.path })).rejects.toThrow(
      'has an entry of an unknown type',
    )
  })
})

const FUTURE_CHECKSUM = 'a6d98e05'
