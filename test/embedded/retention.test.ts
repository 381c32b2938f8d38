import { describe, expect, it } from '@jest/globals'
import { encodeBatch } from '../../protocol/records/encode-batch.ts'
import { OutgoingRecord } from '../../protocol/records/outgoing-record.ts'
import { EmbeddedCluster } from '../../src/embedded/index.ts'
import { fetchFrom, produceTo, rawClientOf } from './support/requests.ts'

const HOUR_MS = 3_600_000

/** A tenth of the first segment. */
function record(timestamp: number): Buffer {
  return encodeBatch([new OutgoingRecord(null, Buffer.alloc(1_500), timestamp)])
}

async function clusterWith(config: Readonly<Record<string, string>>): Promise<EmbeddedCluster> {
  return EmbeddedCluster.start({ topics: { t: { config } } })
}

describe('retention', () => {
  it('by time deletes records that are too old by the clock of the brokers, and readers detect it', async () => {
    await using kafka = await clusterWith({ 'retention.ms': String(HOUR_MS) })
    using raw = await rawClientOf(kafka)
    for (let i = 0; i < 20; i++) await produceTo(raw, 't', 0, record(Date.now()))
    kafka.skewClock(HOUR_MS - 60_000)
    expect(kafka.offsetsOf('t', 0)).toEqual({ start: 0, end: 20 })
    kafka.skewClock(HOUR_MS + 60_000)
    expect(kafka.offsetsOf('t', 0)).toEqual({ start: 20, end: 20 })
    const { responses } = await fetchFrom(raw, 't', [0], { offset: 3 })
    expect(responses[0]!.partitions[0]).toMatchObject({ errorCode: 1 })
    expect(await produceTo(raw, 't', 0, record(Date.now()))).toMatchObject({ baseOffset: 20n })
  })

  it('by time keeps a segment as long as one of its records is recent enough', async () => {
    await using kafka = await clusterWith({ 'retention.ms': String(HOUR_MS) })
    using raw = await rawClientOf(kafka)
    const now = Date.now()
    // The first segment takes ten of them.
    for (let i = 0; i < 15; i++) await produceTo(raw, 't', 0, record(now))
    for (let i = 0; i < 5; i++) await produceTo(raw, 't', 0, record(now + HOUR_MS / 2))
    kafka.skewClock(HOUR_MS + 60_000)
    expect(kafka.offsetsOf('t', 0)).toEqual({ start: 10, end: 20 })
  })

  it('by time uses the time of the last write if records have no timestamps', async () => {
    await using kafka = await clusterWith({ 'retention.ms': String(HOUR_MS) })
    using raw = await rawClientOf(kafka)
    await produceTo(raw, 't', 0, record(-1))
    kafka.skewClock(HOUR_MS - 60_000)
    expect(kafka.offsetsOf('t', 0).start).toBe(0)
    kafka.skewClock(HOUR_MS + 60_000)
    expect(kafka.offsetsOf('t', 0).start).toBe(1)
  })

  it('by size deletes the oldest segments, and never the newest', async () => {
    await using kafka = await clusterWith({ 'retention.bytes': '20000' })
    using raw = await rawClientOf(kafka)
    for (let i = 0; i < 10; i++) await produceTo(raw, 't', 0, record(Date.now()))
    expect(kafka.offsetsOf('t', 0)).toEqual({ start: 0, end: 10 })
    for (let i = 0; i < 20; i++) await produceTo(raw, 't', 0, record(Date.now()))
    expect(kafka.offsetsOf('t', 0)).toEqual({ start: 10, end: 30 })
  })

  it.each([{ 'cleanup.policy': 'compact' }, { 'retention.ms': '-1' }])(
    'does not touch topics with %j',
    async (config) => {
      await using kafka = await clusterWith({ 'retention.ms': '1', ...config })
      using raw = await rawClientOf(kafka)
      const keyed = encodeBatch([new OutgoingRecord(Buffer.from('k'), null, Date.now())])
      await produceTo(raw, 't', 0, keyed)
      kafka.skewClock(1_000 * HOUR_MS)
      expect(kafka.offsetsOf('t', 0)).toEqual({ start: 0, end: 1 })
    },
  )
})
