import { describe, expect, it } from '@jest/globals'
import { produce } from '../../protocol/apis/index.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import { encodeMessageSet } from '../../protocol/records/message-set.ts'
import { OutgoingRecord } from '../../protocol/records/outgoing-record.ts'
import { readBatches } from '../../protocol/records/read-batches.ts'
import { EmbeddedCluster } from '../../src/embedded/index.ts'
import { batchOf, fetchFrom, produceTo, rawClientOf, valuesOf } from './support/requests.ts'

const start = (config: Readonly<Record<string, string>> = {}, version: '0.10' | '4.4' = '4.4') =>
  EmbeddedCluster.start({ version, topics: { t: { config } } })

async function stored(client: Parameters<typeof fetchFrom>[0], version = 12) {
  const { responses } = await fetchFrom(client, 't', [0], { version })
  return Buffer.from(responses[0]!.partitions[0]!.records ?? [])
}

describe('producing to an embedded broker', () => {
  it('assigns offsets to each batch', async () => {
    await using kafka = await start()
    using raw = await rawClientOf(kafka)
    expect(await produceTo(raw, 't', 0, batchOf(['a', 'b']))).toMatchObject({ baseOffset: 0n })
    expect(await produceTo(raw, 't', 0, batchOf(['c']))).toMatchObject({
      errorCode: 0,
      baseOffset: 2n,
      logAppendTimeMs: -1n,
      logStartOffset: 0n,
    })
    expect(valuesOf(await stored(raw))).toEqual(['a', 'b', 'c'])
    expect(kafka.offsetsOf('t', 0)).toEqual({ start: 0, end: 3 })
  })

  it('sends no response with acks 0, and closes the connection after an error', async () => {
    await using kafka = await start()
    using raw = await rawClientOf(kafka)
    const send = (name: string) =>
      raw.send(produce, 9, {
        acks: 0,
        timeoutMs: 1_000,
        topicData: [{ name, partitionData: [{ index: 0, records: batchOf(['a']) }] }],
      })
    send('t')
    expect(valuesOf(await stored(raw))).toEqual(['a'])
    send('unknown')
    await raw.closed
  })

  it('rejects a damaged batch, and stores none of it', async () => {
    await using kafka = await start()
    using raw = await rawClientOf(kafka)
    const damaged = batchOf(['a'])
    damaged[damaged.length - 2]! ^= 0x40
    const { errorCode } = await produceTo(raw, 't', 0, damaged)
    expect(errorCode).toBe(ErrorCode.CORRUPT_MESSAGE)
    expect(kafka.offsetsOf('t', 0).end).toBe(0)
  })

  it('rejects batches larger than max.message.bytes', async () => {
    await using kafka = await start({ 'max.message.bytes': '100' })
    using raw = await rawClientOf(kafka)
    const { errorCode } = await produceTo(raw, 't', 0, batchOf(['a'.repeat(100)]))
    expect(errorCode).toBe(ErrorCode.MESSAGE_TOO_LARGE)
  })

  it('rejects records without keys in a compacted topic, and names them', async () => {
    await using kafka = await start({ 'cleanup.policy': 'compact' })
    using raw = await rawClientOf(kafka)
    const { errorCode, recordErrors } = await produceTo(raw, 't', 0, batchOf(['a', 'b']))
    expect(errorCode).toBe(ErrorCode.INVALID_RECORD)
    expect(recordErrors.map(({ batchIndex }) => batchIndex)).toEqual([0, 1])
  })

  it('rejects a batch for too few replicas with acks -1, and accepts it with acks 1', async () => {
    await using kafka = await start({ 'min.insync.replicas': '2' })
    using raw = await rawClientOf(kafka)
    const all = await produceTo(raw, 't', 0, batchOf(['a']))
    expect(all.errorCode).toBe(ErrorCode.NOT_ENOUGH_REPLICAS)
    const one = await produceTo(raw, 't', 0, batchOf(['a']), { acks: 1 })
    expect(one.errorCode).toBe(0)
  })

  it('sets its own timestamp if the topic is configured so, with a matching checksum', async () => {
    await using kafka = await start({ 'message.timestamp.type': 'LogAppendTime' })
    kafka.skewClock(86_400_000)
    using raw = await rawClientOf(kafka)
    const { logAppendTimeMs } = await produceTo(raw, 't', 0, batchOf(['a']))
    expect(Number(logAppendTimeMs)).toBeGreaterThan(Date.now() + 86_000_000)
    const { batches, error } = readBatches(await stored(raw), { topic: 't', partition: 0 })
    expect(error).toBeUndefined()
    expect(batches[0]!.messages()[0]).toMatchObject({
      timestamp: Number(logAppendTimeMs),
      timestampType: 'log-append-time',
    })
  })

  it('stores with the compression of the topic', async () => {
    await using kafka = await start({ 'compression.type': 'zstd' })
    using raw = await rawClientOf(kafka)
    await produceTo(raw, 't', 0, batchOf(['a', 'b'], { compression: 'lz4' }))
    const { batches } = readBatches(await stored(raw), { topic: 't', partition: 0 })
    expect(batches[0]).toMatchObject({ compression: 'zstd', count: 2 })
  })

  it('deletes the oldest segments when a log exceeds retention.bytes', async () => {
    await using kafka = await start({ 'retention.bytes': '20000' })
    using raw = await rawClientOf(kafka)
    for (let i = 0; i < 30; i++) await produceTo(raw, 't', 0, batchOf(['x'.repeat(5_000)]))
    const { start: first, end } = kafka.offsetsOf('t', 0)
    expect(end).toBe(30)
    expect(first).toBeGreaterThan(0)
    const { responses } = await fetchFrom(raw, 't', [0], { offset: 0 })
    expect(responses[0]!.partitions[0]!.errorCode).toBe(ErrorCode.OFFSET_OUT_OF_RANGE)
  })

  describe('a message set of an older producer', () => {
    const set = (magic: 0 | 1, compression: 'none' | 'gzip' | 'snappy' | 'lz4') =>
      encodeMessageSet(
        ['a', 'b', 'c'].map((value, index) => new OutgoingRecord('k', value, 1_000 + index)),
        magic,
        compression,
      )

    it.each([
      [0, 'none'],
      [0, 'gzip'],
      [0, 'lz4'],
      [1, 'none'],
      [1, 'snappy'],
    ] as const)('is accepted in format v%i, %s, and returned', async (magic, compression) => {
      await using kafka = await start({}, '0.10')
      using raw = await rawClientOf(kafka)
      await produceTo(raw, 't', 0, set(magic, compression), { version: magic === 0 ? 1 : 2 })
      const second = await produceTo(raw, 't', 0, set(magic, compression), {
        version: magic === 0 ? 1 : 2,
      })
      expect(second).toMatchObject({ errorCode: 0, baseOffset: 3n })
      for (const version of [1, 2, 3]) {
        const { batches, error } = readBatches(await stored(raw, version), {
          topic: 't',
          partition: 0,
        })
        expect(error).toBeUndefined()
        const messages = batches.flatMap((batch) => batch.messages())
        expect(messages.map(({ offset, value }) => `${offset}${String(value)}`)).toEqual([
          '0a',
          '1b',
          '2c',
          '3a',
          '4b',
          '5c',
        ])
        expect(batches[0]).toMatchObject({ magic: version === 1 ? 0 : 1, compression })
        const timestamps = messages.slice(0, 3).map(({ timestamp }) => timestamp)
        expect(timestamps).toEqual(
          magic === 0 || version === 1 ? [-1, -1, -1] : [1_000, 1_001, 1_002],
        )
      }
    })
  })
})
