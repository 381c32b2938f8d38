import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { EmbeddedCluster } from '../../src/embedded/index.ts'
import { KafkaClient, type SimpleConsumer } from '../../src/index.ts'
import { failureOf } from '../support/settled.ts'

let kafka: EmbeddedCluster
let client: KafkaClient

beforeAll(async () => {
  kafka = await EmbeddedCluster.start({ topics: { t: { partitions: 1 } } })
  client = new KafkaClient({ hosts: kafka.hosts })
})

afterAll(async () => {
  await client.close()
  await kafka.stop()
})

async function refused(call: () => unknown, text: string): Promise<void> {
  expect(await failureOf(Promise.resolve().then(call))).toMatchObject({
    code: 'INVALID_ARGUMENT',
    message: expect.stringContaining(text),
  })
}

async function last(consumer: SimpleConsumer, count: number) {
  const messages = []
  for (let index = 0; index < count; index++) messages.push((await consumer.consume())!)
  return messages
}

describe('a client called with the arguments of pykafka', () => {
  it('sends the key that is passed in place of the options', async () => {
    const keys: readonly (string | Uint8Array | null)[] = [
      'k',
      Buffer.from('b'),
      Buffer.alloc(0),
      null,
    ]
    await using consumer = await client
      .topic('t')
      .getSimpleConsumer({ autoOffsetReset: 'latest', resetOffsetOnStart: true })
    await using producer = await client.topic('t').getProducer()
    await using several = await client.getProducer()
    for (const key of keys) {
      await producer.produce('v', key)
      await several.produce('t', 'v', key)
      await producer.produceSerialized('v', key)
    }
    const found = (await last(consumer, keys.length * 3)).map(({ key }) => key?.toString() ?? null)
    expect(found).toEqual(['k', 'k', 'k', 'b', 'b', 'b', '', '', '', null, null, null])
  })

  it('rejects unknown fields of a message by name, with their replacement', async () => {
    await using producer = await client.topic('t').getProducer()
    for (const name of ['partitionKey', 'partition_key']) {
      const text = `no field '${name}': use 'key'`
      await refused(() => producer.produce('v', { [name]: 'k' }), text)
      await refused(() => producer.produceSerialized('v', { [name]: 'k' }), text)
      await refused(() => producer.produceMany([{ value: 'v', [name]: 'k' }]), text)
    }
    await refused(() => producer.produce('v', { header: {} } as never), "use 'headers'")
    await refused(() => producer.produce('v', 7 as never), 'must be the key of the message')
  })

  it('accepts Dates as timestamps, and rejects invalid ones', async () => {
    await using consumer = await client
      .topic('t')
      .getSimpleConsumer({ autoOffsetReset: 'latest', resetOffsetOnStart: true })
    await using producer = await client.topic('t').getProducer()
    const timestamp = new Date(1_234_567)
    await producer.produce('v', { timestamp })
    await producer.produceMany([{ value: 'v', timestamp }])
    await producer.produce('v', 'k', timestamp)
    const messages = await last(consumer, 3)
    expect(messages.map((message) => message.timestamp)).toEqual(Array(3).fill(1_234_567))
    const text = 'timestamp must be a valid Date'
    await refused(() => producer.produce('v', { timestamp: new Date('never') }), text)
    await refused(() => producer.produce('v', 'k', new Date('never')), text)
    await refused(() => producer.produceMany([{ value: 'v', timestamp: new Date('never') }]), text)
  })

  it('names the replacement of KafkaClient options without a counterpart', async () => {
    const replacements = {
      offsetsChannelSocketTimeoutMs: 'socketTimeoutMs',
      useGreenlets: 'omit it',
      excludeInternalTopics: 'client.topics.list',
      sourceAddress: 'socketFactory',
      sslConfig: 'use tls',
      brokerVersion: 'omit it',
    }
    for (const [name, replacement] of Object.entries(replacements)) {
      const make = () => new KafkaClient({ [name]: 1 })
      await refused(make, `KafkaClient has no option '${name}': `)
      await refused(make, replacement)
    }
  })

  it("names the replacement of pykafka's options in Python's spelling", async () => {
    await refused(() => new KafkaClient({ broker_version: '2.8' } as never), 'omit it')
    const topic = client.topic('t')
    const group = { consumer_group: 'g' } as never
    await refused(() => topic.getSimpleConsumer(group), "'consumer_group': use consumerGroup")
    await refused(() => topic.getProducer({ linger_ms: 5 } as never), "'linger_ms': use lingerMs")
  })

  it('names the replacement of the numbers of OffsetType and CompressionType', async () => {
    const topic = client.topic('t')
    const names = ['none', 'gzip', 'snappy', 'lz4']
    for (const [compression, name] of names.entries()) {
      const open = () => topic.getProducer({ compression: compression as never })
      await refused(open, `must be '${name}' for pykafka's CompressionType`)
    }
    const types = [
      [-2, "'earliest' for pykafka's OffsetType.EARLIEST"],
      [-1, "'latest' for pykafka's OffsetType.LATEST"],
    ] as const
    await using consumer = await topic.getSimpleConsumer({ consumerGroup: 'numbers' })
    for (const [autoOffsetReset, text] of types) {
      await refused(() => topic.getSimpleConsumer({ autoOffsetReset }), text)
      await refused(() => consumer.resetOffsets(autoOffsetReset), text)
      await refused(() => consumer.resetOffsets(new Map([[0, autoOffsetReset]])), text)
    }
  })

  it('points from membershipProtocol to assignors in a managed consumer', async () => {
    const open = () =>
      client.topic('t').getBalancedConsumer({
        consumerGroup: 'g',
        managed: true,
        membershipProtocol: 'range',
      } as never)
    await refused(
      open,
      "'membershipProtocol' is for groups that ZooKeeper coordinates: use 'assignors'",
    )
  })

  it('commits offsets with a metadata text', async () => {
    await using consumer = await client.topic('t').getSimpleConsumer({ consumerGroup: 'noted' })
    await consumer.commitOffsets(new Map([[0, { offset: 3, metadata: 'by hand' }]]))
    expect(await consumer.fetchOffsets()).toEqual(new Map([[0, 3]]))
    const [group] = await client.admin.listGroupOffsets(['noted'])
    expect(group?.offsets).toMatchObject([{ offset: 3, metadata: 'by hand' }])
    const wrong = { offset: 3, note: 'x' } as never
    await refused(() => consumer.commitOffsets(new Map([[0, wrong]])), "no option 'note'")
  })
})
