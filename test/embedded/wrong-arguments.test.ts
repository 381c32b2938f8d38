import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { EmbeddedCluster } from '../../src/embedded/index.ts'
import {
  groupHashingPartitioner,
  KafkaClient,
  KafkaError,
  type BalancedTopicsConsumer,
  type Consumer,
  type MultiTopicProducer,
  type Producer,
  type SimpleConsumer,
} from '../../src/index.ts'
import { QUICK } from '../support/fake-cluster.ts'
import { failureOf } from '../support/settled.ts'

const cyclic: Record<string, unknown> = { topic: 7n }
cyclic.self = cyclic

/** What callers without TypeScript may give: some of these throw when they are made to text. */
const WRONG: readonly (readonly [string, unknown])[] = [
  ['undefined', undefined],
  ['null', null],
  ['a symbol', Symbol('wrong')],
  ['an object without a prototype', Object.create(null)],
  ['an object with a cycle', cyclic],
  ['a list with null', [null]],
  ['a list with a cycle', [cyclic]],
]

const wrongTimeout = { timeoutMs: -1 }

interface Opened {
  readonly client: KafkaClient
  readonly producer: Producer
  readonly producerOfAll: MultiTopicProducer
  readonly simple: SimpleConsumer
  readonly consumer: Consumer
  readonly balanced: BalancedTopicsConsumer
}

/** Calls with an argument of any kind, as a program in JavaScript makes them. */
const CALLS: Readonly<Record<string, (opened: Opened, wrong: never) => unknown>> = {
  'client.topic': ({ client }, wrong) => client.topic(wrong),
  describeApiVersions: ({ client }, wrong) => client.admin.describeApiVersions(wrong),
  listOffsets: ({ client }, wrong) => client.admin.listOffsets(wrong, 'latest'),
  'listOffsets at': ({ client }, wrong) =>
    client.admin.listOffsets([{ topic: 'orders', partition: 0 }], wrong),
  deleteRecords: ({ client }, wrong) => client.admin.deleteRecords(wrong),
  'deleteRecords before': ({ client }, wrong) =>
    client.admin.deleteRecords([{ topic: 'orders', partition: 0, beforeOffset: wrong }]),
  describeConfigs: ({ client }, wrong) => client.admin.describeConfigs(wrong),
  'position of one topic': ({ simple }, wrong) => simple.position(wrong),
  'seek of one topic': ({ simple }, wrong) => simple.seek(0, wrong),
  position: ({ consumer }, wrong) => consumer.position(wrong),
  seek: ({ consumer }, wrong) => consumer.seek({ topic: 'orders', partition: 0 }, wrong),
  resetOffsets: ({ consumer }, wrong) => consumer.resetOffsets(wrong),
  'resetOffsets of a balanced consumer': ({ balanced }, wrong) => balanced.resetOffsets(wrong),
  run: ({ consumer }, wrong) => consumer.run(wrong),
  'run of one topic': ({ simple }, wrong) => simple.run(wrong),
  'run of a balanced consumer': ({ balanced }, wrong) => balanced.run(wrong),
}

/** In these, undefined means that nothing is given. */
const FIELDS: Readonly<Record<string, (opened: Opened, wrong: never) => unknown>> = {
  'a timestamp': ({ producer }, wrong) => producer.produce('x', { timestamp: wrong }),
  'a partition': ({ producer }, wrong) => producer.produce('x', { partition: wrong }),
  'a timestamp for many topics': ({ producerOfAll }, wrong) =>
    producerOfAll.produce('orders', 'x', { timestamp: wrong }),
  'a timeout of close': ({ producer }, wrong) => producer.close({ timeoutMs: wrong }),
  groupSize: (_, wrong) => groupHashingPartitioner(() => 0, wrong),
}

/** The code of the KafkaError that a call throws or rejects with; else what it threw. */
async function codeOf(call: () => unknown): Promise<unknown> {
  const error = await failureOf(Promise.resolve().then(call))
  return error instanceof KafkaError ? error.code : error
}

describe('a call with an argument of the wrong type', () => {
  let kafka: EmbeddedCluster
  let opened: Opened
  beforeAll(async () => {
    kafka = await EmbeddedCluster.start({ topics: { orders: {} } })
    const client = new KafkaClient({ ...QUICK, hosts: kafka.hosts })
    const topic = client.topic('orders')
    opened = {
      client,
      producer: await topic.getProducer(),
      producerOfAll: await client.getProducer(),
      simple: await topic.getSimpleConsumer(),
      consumer: await client.getConsumer({ topics: ['orders'] }),
      balanced: await client.getBalancedConsumer({
        topics: ['orders'],
        consumerGroup: 'readers',
        managed: true,
      }),
    }
  })
  afterAll(async () => {
    await opened.client.close()
    await kafka.stop()
  })

  it.each(Object.keys(CALLS))('is rejected with a KafkaError: %s', async (name) => {
    for (const [what, wrong] of WRONG) {
      expect([what, await codeOf(() => CALLS[name]!(opened, wrong as never))]).toEqual([
        what,
        'INVALID_ARGUMENT',
      ])
    }
  })

  it.each(Object.keys(FIELDS))('is rejected with a KafkaError: %s', async (name) => {
    for (const [what, wrong] of WRONG.slice(1)) {
      expect([what, await codeOf(() => FIELDS[name]!(opened, wrong as never))]).toEqual([
        what,
        'INVALID_ARGUMENT',
      ])
    }
  })

  it('leaves a producer open when a close option is wrong, so that a later close closes it', async () => {
    const producer = await opened.client.topic('orders').getProducer()
    expect(await codeOf(() => producer.close(wrongTimeout))).toBe('INVALID_ARGUMENT')
    await producer.produce('still open')
    await producer.close()
    expect(await codeOf(() => producer.produce('late'))).toBe('CLOSED')
  })

  it('is rejected when an array is passed for options', () => {
    expect(() => new KafkaClient([] as never)).toThrow(
      'the options of KafkaClient must be an object',
    )
    expect(() => new KafkaClient({ tls: [] as never })).toThrow("option 'tls'")
  })
})
