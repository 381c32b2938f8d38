import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { SpanKind, SpanStatusCode } from '@opentelemetry/api'
import type { Instrumentation } from '@opentelemetry/instrumentation'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import { BasicTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { AsyncLocalStorage } from 'node:async_hooks'
import { channel, subscribe, tracingChannel, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { EmbeddedCluster } from '../../src/embedded/index.ts'
import { KafkaClient, withDeadLetters, type HandleTrace } from '../../src/index.ts'
import { instrument, SamsaInstrumentation } from '../../src/opentelemetry/index.ts'
import { CONVENTIONS, unknownInMetric } from '../support/conventions.ts'
import { QUICK } from '../support/fake-cluster.ts'
import { idOf, keepSpansInMemory, parentOf } from '../support/spans-in-memory.ts'
import { take } from '../support/take.ts'
import { until } from '../support/until.ts'

const { provider, tracer, named } = keepSpansInMemory()
const EARLIEST = { autoOffsetReset: 'earliest', stopAtEnd: true } as const

let kafka: EmbeddedCluster
let client: KafkaClient
const ends: (() => void)[] = []

beforeEach(async () => {
  kafka = await EmbeddedCluster.start({ topics: { orders: {}, invoices: {}, dead: {} } })
  client = new KafkaClient({ ...QUICK, clientId: 'traced', hosts: kafka.hosts })
})
afterEach(async () => {
  for (const end of ends.splice(0)) end()
  await client.close().catch(() => undefined)
  await kafka.stop()
})

function instrumented(options: Parameters<typeof instrument>[1] = {}) {
  const begun = instrument(client, { metrics: false, ...options })
  ends.push(() => begun.stop())
  return begun
}

async function headerTexts(topic: string): Promise<Record<string, string>[]> {
  await using consumer = await client.topic(topic).getSimpleConsumer(EARLIEST)
  const found: Record<string, string>[] = []
  for await (const { headers } of consumer) {
    found.push(Object.fromEntries(headers.map(({ key, value }) => [key, String(value)])))
  }
  return found
}

describe('samsa/opentelemetry', () => {
  it('makes one trace of HTTP service → samsa → worker → samsa → worker', async () => {
    instrumented()
    const orders = await client.topic('orders').getProducer()
    const invoices = await client.topic('invoices').getProducer()
    const reading = { autoOffsetReset: 'earliest' } as const
    const first = await client.topic('orders').getSimpleConsumer(reading)
    const second = await client.topic('invoices').getSimpleConsumer(reading)
    let handled = 0
    const runs = [
      first.run(async ({ value }) => {
        await invoices.produce(`invoice of ${String(value)}`)
      }),
      second.run(() => {
        handled++
      }),
    ]
    const server = createServer((_request, response) => {
      void tracer.startActiveSpan('GET /order', { kind: SpanKind.SERVER }, async (span) => {
        await orders.produce('order 1', { key: 'customer 7' })
        span.end()
        response.end('ok')
      })
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    await fetch(`http://127.0.0.1:${port}/order`)
    await until(() => handled === 1 && named('process invoices').length === 1)
    server.close()
    await client.close()
    await Promise.all(runs)

    const chain = [
      'GET /order',
      'send orders',
      'process orders',
      'send invoices',
      'process invoices',
    ].map((name) => named(name)[0])
    const traceIds = new Set(chain.map((span) => span?.spanContext().traceId))
    expect(traceIds.size).toBe(1)
    chain.slice(1).forEach((span, index) => {
      expect({ name: span?.name, parent: parentOf(span) }).toEqual({
        name: span?.name,
        parent: idOf(chain[index]),
      })
    })
    expect(chain.map((span) => span?.kind)).toEqual([
      SpanKind.SERVER,
      SpanKind.PRODUCER,
      SpanKind.CONSUMER,
      SpanKind.PRODUCER,
      SpanKind.CONSUMER,
    ])
    expect(chain[1]?.attributes).toEqual({
      'messaging.system': 'kafka',
      'messaging.operation.name': 'send',
      'messaging.operation.type': 'send',
      'messaging.destination.name': 'orders',
      'messaging.destination.partition.id': '0',
      'messaging.client.id': 'traced',
      'messaging.kafka.cluster.id': kafka.clusterId,
      'messaging.kafka.message.key': 'customer 7',
      'messaging.kafka.offset': 0,
    })
  })

  it('creates a span for each message of produceMany, and writes its context only once', async () => {
    instrumented()
    const producer = await client.topic('orders').getProducer()
    await producer.produceMany(['a', 'b', 'c'])
    expect(named('send orders')).toHaveLength(3)
    const found = await headerTexts('orders')
    const parents = found.map(({ traceparent }) => traceparent?.split('-')[2])
    expect(parents.sort()).toEqual(named('send orders').map(idOf).sort())
  })

  it('replaces the context of a message that is forwarded, and links to it', async () => {
    instrumented()
    const orders = await client.topic('orders').getProducer()
    await orders.produce('x')
    const dead = await client.topic('dead').getProducer()
    const fail = () => {
      throw new Error('never')
    }
    const consumer = await client.topic('orders').getSimpleConsumer(EARLIEST)
    await consumer.run(withDeadLetters(fail, { producer: dead, maxRetries: 0 }))
    const [sent] = named('send orders')
    const [letter] = named('send dead')
    expect(letter?.links.map((link) => link.context.spanId)).toEqual([idOf(sent)])
    const [headers] = await headerTexts('dead')
    expect(headers?.traceparent?.split('-')[2]).toBe(idOf(letter))
    await using reader = await client.topic('dead').getSimpleConsumer(EARLIEST)
    const [read] = await take(reader, 1)
    expect(read?.headers.filter(({ key }) => key === 'traceparent')).toHaveLength(1)
  })

  it('reports messages that fail, with the name of the error', async () => {
    instrumented()
    const producer = await client.topic('orders').getProducer({ maxRetries: 0 })
    kafka.faults.on({ api: 'Produce', times: 1 }, { error: 'INVALID_RECORD' })
    await expect(producer.produce('x')).rejects.toThrow()
    await expect(producer.produce(7 as never)).rejects.toThrow()
    const [broker, refused] = named('send orders')
    expect(broker?.status.code).toBe(SpanStatusCode.ERROR)
    expect(broker?.attributes['error.type']).toBe('INVALID_RECORD')
    expect(refused?.attributes['error.type']).toBe('INVALID_ARGUMENT')
    const exceptions = broker?.events.filter(({ name }) => name === 'exception')
    expect(exceptions).toHaveLength(1)
    expect(exceptions?.[0]?.attributes).toMatchObject({ 'exception.type': 'INVALID_RECORD' })
  })

  it('creates a span for each message that a handler of a share group processes', async () => {
    instrumented()
    const producer = await client.topic('orders').getProducer()
    const consumer = await client.getShareConsumer({ shareGroup: 'sharers', topics: ['orders'] })
    const run = consumer.run(() => tracer.startSpan('inside').end())
    await until(async () => {
      await producer.produce('x')
      return named('process orders').length > 0
    })
    await consumer.close()
    await run
    const [processed] = named('process orders')
    expect(processed?.attributes['messaging.consumer.group.name']).toBe('sharers')
    expect(named('send orders').map(idOf)).toContain(parentOf(processed))
    expect(parentOf(named('inside')[0])).toBe(idOf(processed))
  })

  it('creates spans for batches instead of messages with granularity: batch', async () => {
    const reader = new PeriodicExportingMetricReader({
      exporter: new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE),
      exportIntervalMillis: 60_000,
    })
    const meterProvider = new MeterProvider({ readers: [reader] })
    instrumented({ granularity: 'batch', metrics: true, meterProvider })
    const producer = await client.topic('orders').getProducer({ partitioner: () => 0 })
    await producer.produceMany(['a', 'b', 'c'])
    await using consumer = await client
      .topic('orders')
      .getSimpleConsumer({ ...EARLIEST, consumerGroup: 'billing' })
    let handled = 0
    await consumer.run(() => {
      handled++
    })
    expect(handled).toBe(3)
    const common = {
      'messaging.system': 'kafka',
      'messaging.destination.name': 'orders',
      'messaging.client.id': 'traced',
      'messaging.kafka.cluster.id': kafka.clusterId,
      'messaging.destination.partition.id': '0',
      'messaging.batch.message_count': 3,
    }
    // Handles the events that wait.
    const { resourceMetrics } = await reader.collect()
    const sent = named('send orders')
    expect(sent.map(({ kind, attributes }) => ({ kind, attributes }))).toEqual([
      {
        kind: SpanKind.CLIENT,
        attributes: {
          ...common,
          'messaging.operation.name': 'send',
          'messaging.operation.type': 'send',
          'messaging.kafka.offset': 0,
        },
      },
    ])
    const processed = named('process orders')
    expect(processed.map(({ kind, attributes }) => ({ kind, attributes }))).toEqual([
      {
        kind: SpanKind.CONSUMER,
        attributes: {
          ...common,
          'messaging.operation.name': 'process',
          'messaging.operation.type': 'process',
          'messaging.consumer.group.name': 'billing',
        },
      },
    ])
    expect((await headerTexts('orders')).map((headers) => Object.keys(headers))).toEqual([
      [],
      [],
      [],
    ])
    const duration = resourceMetrics.scopeMetrics
      .flatMap((scope) => scope.metrics)
      .find(({ descriptor }) => descriptor.name === 'messaging.process.duration')
    expect(duration?.dataPoints.map(({ value }) => value)).toEqual([
      expect.objectContaining({ count: 1 }),
    ])
    await meterProvider.shutdown()
  })

  it('subscribes to no channel that has an event for each message, without spans for messages', () => {
    const tracing = () =>
      ['produce', 'handle', 'batch'].filter(
        (name) => tracingChannel(`samsa:${name}`).hasSubscribers,
      )
    instrumented({ granularity: 'batch', metrics: true })
    expect(tracing()).toEqual([])
    instrumented({ traces: false, metrics: true })
    expect(tracing()).toEqual([])
    instrumented()
    expect(tracing()).toEqual(['produce', 'handle', 'batch'])
  })

  it('creates a span for each fetch with records, and for each commit', async () => {
    instrumented()
    const producer = await client.topic('orders').getProducer()
    await producer.produce('x')
    const consumer = await client.topic('orders').getSimpleConsumer({
      ...EARLIEST,
      consumerGroup: 'billing',
    })
    await take(consumer, 1)
    await consumer.commitOffsets()
    const [host, port] = kafka.hosts.split(':')
    const ofGroup = {
      'messaging.system': 'kafka',
      'messaging.destination.name': 'orders',
      'messaging.client.id': 'traced',
      'messaging.kafka.cluster.id': kafka.clusterId,
      'messaging.consumer.group.name': 'billing',
    }
    // What a client did is recorded when it is closed.
    await client.close()
    const [polled] = named('poll orders')
    expect(polled?.kind).toBe(SpanKind.CLIENT)
    expect(polled?.attributes).toEqual({
      ...ofGroup,
      'messaging.operation.name': 'poll',
      'messaging.operation.type': 'receive',
      'server.address': host,
      'server.port': Number(port),
    })
    const [committed] = named('commit orders')
    expect(committed?.kind).toBe(SpanKind.CLIENT)
    expect(committed?.attributes).toEqual({
      ...ofGroup,
      'messaging.operation.name': 'commit',
      'messaging.operation.type': 'settle',
    })
  })

  it('reports handlers that fail, and starts separate traces if configured', async () => {
    instrumented({ processParent: 'none' })
    const producer = await client.topic('orders').getProducer()
    await producer.produce('x')
    const consumer = await client.topic('orders').getSimpleConsumer(EARLIEST)
    const fail = () => Promise.reject(new TypeError('no'))
    await expect(consumer.run(fail)).rejects.toThrow('no')
    const [sent] = named('send orders')
    const [processed] = named('process orders')
    expect(processed?.attributes['error.type']).toBe('TypeError')
    expect(parentOf(processed)).toBeUndefined()
    expect(processed?.links.map((link) => link.context.spanId)).toEqual([idOf(sent)])
  })

  it('makes its span active around a handler that another tracer wraps too', async () => {
    const other = new AsyncLocalStorage<string>()
    const wrapOf = (name: string) => (message: unknown) => {
      const handled = message as HandleTrace
      const inner = handled.wrap ?? ((call) => call())
      handled.wrap = (call) => other.run(name, () => inner(call))
    }
    const first = wrapOf('first')
    subscribe('tracing:samsa:handle:start', first)
    ends.push(() => unsubscribe('tracing:samsa:handle:start', first))
    instrumented()
    const producer = await client.topic('orders').getProducer()
    await producer.produce('x')
    const consumer = await client.topic('orders').getSimpleConsumer(EARLIEST)
    let seen: string | undefined
    await consumer.run(() => {
      seen = other.getStore()
      tracer.startSpan('inside').end()
    })
    expect(seen).toBe('first')
    expect(parentOf(named('inside')[0])).toBe(idOf(named('process orders')[0]))
  })

  it('links the span of a batch to all of its messages', async () => {
    const { processBatch, processMessage } = instrumented()
    const producer = await client.topic('orders').getProducer()
    await producer.produceMany(['a', 'b', 'c'])
    await using consumer = await client.topic('orders').getSimpleConsumer(EARLIEST)
    for await (const batch of consumer.batches()) {
      await processBatch(batch, () => tracer.startSpan('inside').end())
    }
    const [processed] = named('process orders')
    expect(processed?.attributes).toMatchObject({
      'messaging.batch.message_count': 3,
      'messaging.client.id': 'traced',
      'messaging.kafka.cluster.id': kafka.clusterId,
    })
    const linked = processed?.links.map((link) => link.context.spanId)
    expect(linked?.sort()).toEqual(named('send orders').map(idOf).sort())
    expect(parentOf(named('inside')[0])).toBe(idOf(processed))
    await expect(
      processMessage(
        { topic: 'orders', partition: 0, offset: 1, key: null, value: '', headers: [] },
        () => Promise.reject(new Error('thrown')),
      ),
    ).rejects.toThrow('thrown')
  })

  it('instruments all clients as an Instrumentation of OpenTelemetry', async () => {
    const instrumentation = new SamsaInstrumentation()
    const asInterface: Instrumentation = instrumentation
    ends.push(() => asInterface.disable())
    const reader = new PeriodicExportingMetricReader({
      exporter: new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE),
      exportIntervalMillis: 60_000,
    })
    const meterProvider = new MeterProvider({ readers: [reader] })
    asInterface.setTracerProvider(provider)
    asInterface.setMeterProvider(meterProvider)
    await using other = new KafkaClient({ ...QUICK, clientId: 'automatic', hosts: kafka.hosts })
    const producer = await other.topic('orders').getProducer()
    await producer.produceMany(['a', 'b'])
    await using consumer = await other.topic('orders').getSimpleConsumer(EARLIEST)
    await consumer.run(async () => Promise.resolve())
    expect(named('send orders')).toHaveLength(2)
    expect(named('process orders')).toHaveLength(2)
    const { resourceMetrics } = await reader.collect()
    const found = new Map(
      resourceMetrics.scopeMetrics
        .flatMap((scope) => scope.metrics)
        .map((metric) => [metric.descriptor.name, metric]),
    )
    for (const [name, { unit }] of Object.entries(CONVENTIONS.metrics)) {
      expect({ name, unit: found.get(name)?.descriptor.unit }).toEqual({ name, unit })
    }
    const own = [...found.keys()].filter((name) => !(name in CONVENTIONS.metrics))
    expect(own.filter((name) => !name.startsWith('samsa.'))).toEqual([])
    for (const { dataPoints } of found.values()) {
      for (const { attributes } of dataPoints) expect(unknownInMetric(attributes)).toEqual([])
    }
    const sent = found.get('messaging.client.sent.messages')?.dataPoints[0]
    expect(sent).toMatchObject({
      value: 2,
      attributes: {
        'messaging.client.id': 'automatic',
        'messaging.destination.name': 'orders',
        'messaging.operation.name': 'send',
        'messaging.system': 'kafka',
      },
    })
    expect(found.get('samsa.consumer.lag.messages')?.dataPoints[0]?.value).toBe(0)
    expect(found.get('samsa.producer.bytes')?.descriptor.unit).toBe('By')
    await meterProvider.shutdown()
    instrumentation.disable()
    await producer.produce('c')
    expect(named('send orders')).toHaveLength(2)
    expect(tracingChannel('samsa:produce').hasSubscribers).toBe(false)
    expect(channel('samsa:client').hasSubscribers).toBe(false)
  })

  it('fails no message when a tracer, a propagator or an exporter throws', async () => {
    const broken = () => {
      throw new Error('broken')
    }
    instrumented({
      tracerProvider: { getTracer: () => ({ startSpan: broken, startActiveSpan: broken }) },
    })
    instrumented({
      tracerProvider: provider,
      propagator: { inject: broken, extract: broken, fields: broken },
    })
    const failing = new BasicTracerProvider({
      spanProcessors: [
        { onStart: broken, onEnd: broken, forceFlush: broken, shutdown: () => Promise.resolve() },
      ],
    })
    instrumented({ tracerProvider: failing })
    const producer = await client.topic('orders').getProducer()
    await producer.produceMany(['a', 'b'])
    await producer.produce('c')
    await using consumer = await client.topic('orders').getSimpleConsumer(EARLIEST)
    let handled = 0
    await consumer.run(async () => {
      handled++
      await Promise.resolve()
    })
    expect(handled).toBe(3)
    await using again = await client.topic('orders').getSimpleConsumer(EARLIEST)
    expect(await take(again, 3)).toHaveLength(3)
  })

  it('fails no message when the exporters of spans and metrics throw', async () => {
    let thrown = 0
    const broken = () => {
      thrown++
      throw new Error('broken')
    }
    const done = () => Promise.resolve()
    const spanExporter = { export: broken, forceFlush: done, shutdown: done }
    const metricReader = new PeriodicExportingMetricReader({
      exporter: { export: broken, forceFlush: done, shutdown: done },
      exportIntervalMillis: 10,
      exportTimeoutMillis: 10,
    })
    const meterProvider = new MeterProvider({ readers: [metricReader] })
    const tracerProvider = new BasicTracerProvider({
      spanProcessors: [new SimpleSpanProcessor(spanExporter)],
    })
    instrumented({ tracerProvider, meterProvider, metrics: true })
    const producer = await client.topic('orders').getProducer()
    await producer.produceMany(['a', 'b'])
    await using consumer = await client.topic('orders').getSimpleConsumer(EARLIEST)
    let handled = 0
    await consumer.run(async () => {
      handled++
      await Promise.resolve()
    })
    expect(handled).toBe(2)
    await until(() => thrown > 2)
    expect(client.health()).toMatchObject({ live: true, ready: true })
    await meterProvider.shutdown()
  })
})
