import { describe, expect, it } from '@jest/globals'
import { apiVersions, metadata, produce } from '../../protocol/apis/index.ts'
import { EmbeddedCluster, type KafkaVersion } from '../../src/embedded/index.ts'
import { KafkaClient } from '../../src/index.ts'
import { batchOf, rawClientOf, topicOf } from './support/requests.ts'

const VERSIONS: readonly KafkaVersion[] = [
  '0.8.2',
  '0.9',
  '0.10',
  '0.11',
  '1.1',
  '2.8',
  '3.9',
  '4.4',
]

const start = (version: KafkaVersion) => EmbeddedCluster.start({ version, topics: { t: {} } })

describe('an embedded cluster that presents another Kafka', () => {
  it.each(VERSIONS)('serves the client of samsa as %s', async (version) => {
    await using kafka = await start(version)
    await using client = new KafkaClient({ hosts: kafka.hosts })
    const topic = client.topic('t')
    const producer = await topic.getProducer({ compression: 'snappy' })
    await producer.produce('one', { key: 'k' })
    const consumer = await topic.getSimpleConsumer({ autoOffsetReset: 'earliest', stopAtEnd: true })
    const seen: string[] = []
    for await (const { key, value } of consumer) seen.push(`${String(key)} ${String(value)}`)
    expect(seen).toEqual(['k one'])
  })

  it('closes the connection at ApiVersions as 0.8.2', async () => {
    await using kafka = await start('0.8.2')
    using raw = await rawClientOf(kafka)
    raw.send(apiVersions, 0, {})
    await raw.closed
  })

  it('leaves unknown requests unanswered, and continues with the next, as 0.9', async () => {
    await using kafka = await start('0.9')
    using raw = await rawClientOf(kafka)
    raw.send(apiVersions, 0, {})
    raw.send(metadata, 1, { topics: [] })
    const correlationId = raw.send(metadata, 0, { topics: [{ name: 't' }] })
    const frame = await raw.nextFrame()
    expect(frame.readInt32BE(0)).toBe(correlationId)
  })

  it.each([
    ['0.10', 0, 2, 3],
    ['1.1', 0, 5, 7],
    ['2.8', 0, 9, 12],
    ['3.9', 0, 11, 17],
    ['4.4', 0, 13, 18],
  ] as const)('reports its API versions as %s', async (version, min, maxProduce, maxFetch) => {
    await using kafka = await start(version)
    using raw = await rawClientOf(kafka)
    const { apiKeys } = await raw.request(apiVersions, 0, {})
    const maxOf = (key: number) => apiKeys.find(({ apiKey }) => apiKey === key)
    expect(maxOf(0)).toMatchObject({ minVersion: min, maxVersion: maxProduce })
    expect(maxOf(1)).toMatchObject({ maxVersion: maxFetch })
  })

  it('rejects versions that the presented Kafka lacks', async () => {
    await using kafka = await start('1.1')
    using raw = await rawClientOf(kafka)
    expect(await topicOf(raw, 't', 5)).toMatchObject({ errorCode: 0 })
    raw.send(metadata, 6, { topics: [] })
    await raw.closed
  })

  it('reports Produce v0 and rejects it as 4.4 (KIP-896)', async () => {
    await using kafka = await start('4.4')
    using raw = await rawClientOf(kafka)
    raw.send(produce, 2, {
      acks: 1,
      timeoutMs: 1_000,
      topicData: [{ name: 't', partitionData: [{ index: 0, records: batchOf(['a']) }] }],
    })
    await raw.closed
  })

  it('refuses a newer ApiVersions with an empty list for 0.10, and with its versions for 2.8 (KIP-511)', async () => {
    const refusalOf = async (version: KafkaVersion) => {
      await using kafka = await start(version)
      using raw = await rawClientOf(kafka)
      return await raw.request(apiVersions, 5, {
        clientSoftwareName: 'x',
        clientSoftwareVersion: '1',
      })
    }
    expect(await refusalOf('0.10')).toMatchObject({ errorCode: 35, apiKeys: [] })
    expect(await refusalOf('2.8')).toMatchObject({
      errorCode: 35,
      apiKeys: [{ apiKey: 18, minVersion: 0, maxVersion: 3 }],
    })
  })
})
