import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { SpanKind } from '@opentelemetry/api'
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { EmbeddedCluster } from '../../src/embedded/index.ts'
import {
  KafkaClient,
  type AcknowledgeEvent,
  type BatchTrace,
  type CommitEvent,
  type BalancedConsumer,
  type ProcessEvent,
  type ShareMessage,
} from '../../src/index.ts'
import { Kafka, logLevel } from '../../src/kafkajs/index.ts'
import { instrument, SamsaInstrumentation } from '../../src/opentelemetry/index.ts'
import { QUICK } from '../support/fake-cluster.ts'
import { failureOf } from '../support/settled.ts'
import { idOf, keepSpansInMemory, parentOf } from '../support/spans-in-memory.ts'
import { until } from '../support/until.ts'

const { tracer, named } = keepSpansInMemory()
const READING = { autoOffsetReset: 'earliest', consumerGroup: 'billing' } as const
const EARLIEST = { ...READING, stopAtEnd: true } as const

let kafka: EmbeddedCluster
let client: KafkaClient
const ends: (() => void)[] = []

beforeEach(async () => {
  kafka = await EmbeddedCluster.start({ topics: { orders: {}, invoices: {} } })
  client = new KafkaClient({ ...QUICK, clientId: 'traced', hosts: kafka.hosts })
})
afterEach(async () => {
  for (const end of ends.splice(0)) end()
  await client.close().catch(() => undefined)
  await kafka.stop()
})

function instrumented(options: Parameters<typeof instrument>[1] = {}): void {
  const begun = instrument(client, { metrics: false, ...options })
  ends.push(() => begun.stop())
}

/** Keeps the events of a channel until the end of the test. */
function eventsOf<Event>(name: string): Event[] {
  const events: Event[] = []
  const listen = (event: unknown) => events.push(event as Event)
  subscribe(name, listen)
  ends.push(() => unsubscribe(name, listen))
  return events
}

async function produce(...values: readonly string[]): Promise<void> {
  await using producer = await client.topic('orders').getProducer()
  await producer.produceMany(values)
}

const linksOf = (span: ReadableSpan | undefined) =>
  span?.links.map((link) => link.context.spanId).sort()
const numberIn = ({ attributes }: ReadableSpan) =>
  Number(attributes['messaging.batch.message_count'] ?? 1)
/** The number of values in a data point of a histogram. */
const countIn = (value: unknown): unknown =>
  typeof value === 'object' && value !== null && 'count' in value ? value.count : undefined
const sum = (numbers: readonly number[]) => numbers.reduce((all, one) => all + one, 0)

describe('the spans of batches', () => {
  it('are created for the handler of runBatches, with links to its messages, active in the handler', async () => {
    instrumented()
    await produce('a', 'b', 'c')
    const consumer = await client.topic('orders').getSimpleConsumer(EARLIEST)
    const invoices = await client.topic('invoices').getProducer()
    await consumer.runBatches(async (batch) => {
      await invoices.produce(`${batch.length} orders`)
    })
    const [processed, ...others] = named('process orders')
    expect(others).toEqual([])
    expect(processed?.kind).toBe(SpanKind.CONSUMER)
    expect(processed?.attributes).toEqual({
      'messaging.system': 'kafka',
      'messaging.operation.name': 'process',
      'messaging.operation.type': 'process',
      'messaging.destination.name': 'orders',
      'messaging.destination.partition.id': '0',
      'messaging.client.id': 'traced',
      'messaging.kafka.cluster.id': kafka.clusterId,
      'messaging.consumer.group.name': 'billing',
      'messaging.batch.message_count': 3,
    })
    expect(linksOf(processed)).toEqual(named('send orders').map(idOf).sort())
    expect(named('send invoices').map(parentOf)).toEqual([idOf(processed)])
  })

  it('have the error of the handler, and messages beside them that handleEach processes', async () => {
    instrumented()
    const events = eventsOf<ProcessEvent>('samsa:process')
    await produce('a', 'b')
    const consumer = await client.topic('orders').getSimpleConsumer(EARLIEST)
    const broken = new TypeError('broken')
    const run = consumer.runBatches((batch) =>
      batch.handleEach(({ value }) => {
        if (String(value) === 'b') throw broken
      }),
    )
    expect(await failureOf(run)).toBe(broken)
    const all = named('process orders')
    const whole = all.filter(({ attributes }) => 'messaging.batch.message_count' in attributes)
    const single = all.filter((span) => !whole.includes(span))
    expect(whole.map(({ attributes }) => attributes['error.type'])).toEqual(['TypeError'])
    expect(single.map(({ attributes }) => attributes['error.type'])).toEqual([
      undefined,
      'TypeError',
    ])
    for (const { links } of single) {
      expect(links.map((link) => link.context.spanId)).toEqual([idOf(whole[0])])
    }
    expect(sum(events.map(({ messages }) => messages))).toBe(2)
  })

  it('are not created with traceBy: message', async () => {
    instrumented()
    await produce('a', 'b')
    const consumer = await client.topic('orders').getSimpleConsumer(EARLIEST)
    await consumer.runBatches((batch) => batch.handleEach(() => undefined), { traceBy: 'message' })
    expect(named('process orders').map(numberIn)).toEqual([1, 1])
    const wrong = consumer.runBatches(() => undefined, { traceBy: 'partition' as never })
    expect(await failureOf(wrong)).toMatchObject({ code: 'INVALID_ARGUMENT' })
  })

  it('are created for eachBatch of samsa/kafkajs, and those of messages for eachMessage', async () => {
    const instrumentation = new SamsaInstrumentation({ metrics: false })
    ends.push(() => instrumentation.disable())
    const values = ['a', 'b', 'c']
    await produce(...values)
    const peer = new Kafka({
      clientId: 'peer',
      brokers: kafka.hosts.split(','),
      logLevel: logLevel.NOTHING,
    })
    let handled = 0
    const ways = {
      batches: {
        eachBatch: ({ batch }: { batch: { messages: readonly unknown[] } }) => {
          handled += batch.messages.length
          return Promise.resolve()
        },
      },
      messages: {
        eachMessage: () => {
          handled++
          return Promise.resolve()
        },
      },
    }
    for (const [groupId, handlers] of Object.entries(ways)) {
      handled = 0
      const consumer = peer.consumer({ groupId })
      await consumer.connect()
      await consumer.subscribe({ topic: 'orders', fromBeginning: true })
      await consumer.run(handlers)
      await until(() => handled === values.length)
      await consumer.stop()
      await consumer.disconnect()
    }
    const ofGroup = (group: string) =>
      named('process orders')
        .filter(({ attributes }) => attributes['messaging.consumer.group.name'] === group)
        .map(numberIn)
    expect(sum(ofGroup('batches'))).toBe(3)
    expect(ofGroup('messages')).toEqual([1, 1, 1])
  })

  it('have a value each in messaging.process.duration, unless handleEach reports the messages', async () => {
    const reader = new PeriodicExportingMetricReader({
      exporter: new InMemoryMetricExporter(AggregationTemporality.DELTA),
      exportIntervalMillis: 60_000,
    })
    const meterProvider = new MeterProvider({ readers: [reader] })
    instrumented({ metrics: true, meterProvider })
    const count = async () => {
      const { resourceMetrics } = await reader.collect()
      return resourceMetrics.scopeMetrics
        .flatMap(({ metrics }) => metrics)
        .filter(({ descriptor }) => descriptor.name === 'messaging.process.duration')
        .flatMap(({ dataPoints }) => dataPoints.map(({ value }) => countIn(value)))
    }
    await produce('a', 'b', 'c')
    const open = () => client.topic('orders').getSimpleConsumer(EARLIEST)
    await (await open()).runBatches(() => undefined)
    expect(await count()).toEqual([1])
    await (await open()).runBatches((batch) => batch.handleEach(() => undefined))
    expect(await count()).toEqual([3])
    await meterProvider.shutdown()
  })
})

describe('transact', () => {
  const member = () => client.topic('orders').getBalancedConsumer({ ...READING, managed: true })
  const transactional = () => client.getTransactionalProducer({ transactionalId: 'billing-1' })
  /** Runs until this number of messages is committed. */
  async function transact(handler: Parameters<BalancedConsumer['transact']>[1], count: number) {
    const commits = eventsOf<CommitEvent>('samsa:commit')
    const consumer = await member()
    const run = consumer.transact(await transactional(), handler)
    const isDone = ({ offsets, error }: CommitEvent) =>
      error === undefined && offsets.some(({ offset }) => offset === count)
    await until(() => commits.some(isDone))
    await consumer.close()
    await run
    return commits
  }

  it('has a span for each batch, with the messages of the transaction as its children', async () => {
    instrumented()
    await produce('a', 'b', 'c')
    const events = eventsOf<ProcessEvent>('samsa:process')
    const commits = await transact(async (batch, tx) => {
      await Promise.resolve()
      for (const { value } of batch) void tx.produce('invoices', `invoice of ${String(value)}`)
      tracer.startSpan('inside').end()
    }, 3)
    const batches = named('process orders')
    expect(sum(batches.map(numberIn))).toBe(3)
    for (const { attributes } of batches) {
      expect(attributes).toMatchObject({
        'messaging.consumer.group.name': 'billing',
        'messaging.client.id': 'traced',
        'messaging.kafka.cluster.id': kafka.clusterId,
      })
    }
    const ids = batches.map(idOf)
    const children = [...named('send invoices'), ...named('inside')]
    expect(named('send invoices')).toHaveLength(3)
    expect(children.filter((span) => !ids.includes(parentOf(span)))).toEqual([])
    expect(sum(events.map(({ messages }) => messages))).toBe(3)
    expect(commits.map(({ group, offsets }) => ({ group, offsets }))).toEqual([
      { group: 'billing', offsets: [{ topic: 'orders', partition: 0, offset: 3 }] },
    ])
    expect(named('commit orders')).toHaveLength(1)
  })

  it('reports a handler that fails, and aborts', async () => {
    instrumented()
    await produce('a')
    const events = eventsOf<ProcessEvent>('samsa:process')
    const commits = eventsOf<CommitEvent>('samsa:commit')
    const broken = new RangeError('broken')
    const consumer = await member()
    const run = consumer.transact(await transactional(), () => Promise.reject(broken))
    expect(await failureOf(run)).toBe(broken)
    expect(named('process orders').map(({ attributes }) => attributes['error.type'])).toEqual([
      'RangeError',
    ])
    expect(events.map(({ messages, error }) => ({ messages, error }))).toEqual([
      { messages: 1, error: broken },
    ])
    expect(commits).toEqual([])
    const { metrics } = client.metrics()
    const failures = metrics.find(({ name }) => name === 'samsa_consumer_handler_failures_total')
    expect(failures?.samples).toMatchObject([{ value: 1 }])
  })

  it('reports a commit that the coordinator refuses, and processes the batch again', async () => {
    instrumented()
    await produce('a')
    kafka.faults.on({ api: 'TxnOffsetCommit', times: 1 }, { error: 'ILLEGAL_GENERATION' })
    const commits = await transact(() => undefined, 1)
    expect(commits.map(({ error }) => error === undefined)).toEqual([false, true])
    const codes = named('commit orders').map(({ attributes }) => attributes['error.type'])
    expect(codes).toEqual(['ILLEGAL_GENERATION', undefined])
    expect(named('process orders')).toHaveLength(2)
  })

  it('has its batches as spans with granularity: batch, too', async () => {
    instrumented({ granularity: 'batch' })
    await produce('a', 'b')
    await transact(() => undefined, 2)
    expect(sum(named('process orders').map(numberIn))).toBe(2)
  })
})

describe('samsa:batch', () => {
  it('has the same payload in all events, and the wrap of all tracers around the handler', async () => {
    await produce('a')
    const order: string[] = []
    const payloads = new Set<BatchTrace>()
    for (const name of ['start', 'end', 'asyncEnd']) {
      const listen = (message: unknown) => {
        order.push(name)
        const trace = message as BatchTrace
        payloads.add(trace)
        if (name === 'start') {
          trace.wrap = (call) => {
            order.push('wrap')
            return call()
          }
        }
      }
      subscribe(`tracing:samsa:batch:${name}`, listen)
      ends.push(() => unsubscribe(`tracing:samsa:batch:${name}`, listen))
    }
    const consumer = await client.topic('orders').getSimpleConsumer(EARLIEST)
    await consumer.runBatches(() => {
      order.push('handler')
    })
    expect(order).toEqual(['start', 'wrap', 'handler', 'end', 'asyncEnd'])
    expect([...payloads]).toEqual([
      expect.objectContaining({ clientId: 'traced', group: 'billing', topic: 'orders' }),
    ])
  })
})

describe('acknowledgements of a share group', () => {
  it('have settle spans and events, with the numbers of their kinds', async () => {
    instrumented()
    const events = eventsOf<AcknowledgeEvent>('samsa:acknowledge')
    const seen = new Map<string, number>()
    const sharing = await client.getShareConsumer({ shareGroup: 'sharers', topics: ['orders'] })
    const run = sharing.run((message) => {
      const kind = String(message.value)
      seen.set(kind, (seen.get(kind) ?? 0) + 1)
      if (kind === 'reject') message.reject()
      else if (kind === 'release' && message.deliveryCount === 1) message.release()
      else message.accept()
    })
    await until(async () => {
      await produce('accept', 'release', 'reject')
      return ['accept', 'release', 'reject'].every((kind) => seen.has(kind))
    })
    await sharing.flush()
    const total = (kind: 'accepted' | 'released' | 'rejected') =>
      sum(events.map((event) => event[kind]))
    await until(() => total('released') > 0 && total('rejected') > 0 && total('accepted') > 0)
    await sharing.close()
    await run
    expect(total('rejected')).toBe(seen.get('reject'))
    expect(events[0]).toMatchObject({
      clientId: 'traced',
      clusterId: kafka.clusterId,
      broker: kafka.hosts,
      group: 'sharers',
      topic: 'orders',
      partition: 0,
      error: undefined,
    })
    const spans = named('acknowledge orders')
    expect(spans).toHaveLength(events.length)
    const [host, port] = kafka.hosts.split(':')
    expect(spans[0]?.kind).toBe(SpanKind.CLIENT)
    expect(spans[0]?.attributes).toEqual({
      'messaging.system': 'kafka',
      'messaging.operation.name': 'acknowledge',
      'messaging.operation.type': 'settle',
      'messaging.destination.name': 'orders',
      'messaging.destination.partition.id': '0',
      'messaging.client.id': 'traced',
      'messaging.kafka.cluster.id': kafka.clusterId,
      'messaging.consumer.group.name': 'sharers',
      'messaging.batch.message_count': expect.any(Number),
      'server.address': host,
      'server.port': Number(port),
    })
    const counted = events.map(({ accepted, released, rejected }) => accepted + released + rejected)
    expect(spans.map(numberIn)).toEqual(counted)
  })

  it('have the error of the broker that refuses them', async () => {
    instrumented()
    const events = eventsOf<AcknowledgeEvent>('samsa:acknowledge')
    const sharing = await client.getShareConsumer({ shareGroup: 'sharers', topics: ['orders'] })
    let message: ShareMessage | undefined
    await until(async () => {
      await produce('a')
      message = await sharing.consume({ timeoutMs: 100 })
      return message !== undefined
    })
    kafka.faults.on({ api: 'ShareAcknowledge', times: 1 }, { error: 'INVALID_REQUEST' })
    message?.accept()
    await sharing.flush()
    await sharing.close()
    const failed = events.filter(({ error }) => error !== undefined)
    expect(failed).toMatchObject([{ error: { code: 'INVALID_REQUEST' } }])
    const spans = named('acknowledge orders').map(({ attributes }) => attributes['error.type'])
    expect(spans).toContain('INVALID_REQUEST')
  })
})
