/** Spans and metrics of OpenTelemetry's instrumentation of kafkajs. */
import { registerInstrumentations } from '@opentelemetry/instrumentation'
import { KafkaJsInstrumentation } from '@opentelemetry/instrumentation-kafkajs'
import { context, propagation, SpanKind } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import * as metrics from '@opentelemetry/sdk-metrics'
import * as tracing from '@opentelemetry/sdk-trace-base'
import { createRequire } from 'node:module'

const exporter = new tracing.InMemorySpanExporter()
const tracerProvider = new tracing.BasicTracerProvider({
  spanProcessors: [new tracing.SimpleSpanProcessor(exporter)],
})
const measured = new metrics.InMemoryMetricExporter(metrics.AggregationTemporality.CUMULATIVE)
const reader = new metrics.PeriodicExportingMetricReader({
  exporter: measured,
  exportIntervalMillis: 3_600_000,
})
const meterProvider = new metrics.MeterProvider({ readers: [reader] })
context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
propagation.setGlobalPropagator(new W3CTraceContextPropagator())
registerInstrumentations({
  instrumentations: [
    new KafkaJsInstrumentation({
      producerHook: (span, { topic }) => span.setAttribute('hook.topic', topic),
      consumerHook: (span, { message }) => span.setAttribute('hook.offset', message.offset),
    }),
  ],
  tracerProvider,
  meterProvider,
})
// The instrumentation watches `require`, so nothing may load kafkajs before.
createRequire(import.meta.url)('kafkajs')
const { countdown, createTopics, newKafka, report, sorted, unique } = await import('./world.mjs')

const topic = unique('traced')
await createTopics([{ topic, numPartitions: 1 }])
const kafka = newKafka()
const producer = kafka.producer()
await producer.connect()
await producer.send({
  topic,
  messages: [
    { key: 'a', value: '1' },
    { value: '2', headers: { own: 'h' } },
  ],
})
await producer.sendBatch({ topicMessages: [{ topic, messages: [{ value: '3' }] }] })
const failed = await producer
  .send({ topic: unique('not valid!'), messages: [{ value: 'x' }] })
  .catch((error) => error.name)

const transactional = kafka.producer({ transactionalId: unique('id'), maxInFlightRequests: 1 })
await transactional.connect()
const transaction = await transactional.transaction()
await transaction.send({ topic, messages: [{ value: '4' }] })
await transaction.commit()
const aborted = await transactional.transaction()
await aborted.send({ topic, messages: [{ value: '5' }] })
await aborted.abort()

async function read(groupId, run, times) {
  const consumer = kafka.consumer({ groupId: unique(groupId), maxWaitTimeInMs: 50 })
  const arrived = countdown(times)
  await consumer.connect()
  await consumer.subscribe({ topics: [topic], fromBeginning: true })
  await consumer.run(run(arrived.count))
  await arrived.done
  await consumer.disconnect()
}

const found = []
const one = (count) => ({
  eachMessage: async ({ message }) => {
    found.push(`${message.value} ${sorted(Object.keys(message.headers))}`)
    count()
  },
})
const all = (count) => ({
  eachBatch: async ({ batch }) => batch.messages.forEach(count),
})
await read('one', one, 4)
await read('batches', all, 4)
await producer.disconnect()
await transactional.disconnect()

const spans = exporter.getFinishedSpans()
const byId = new Map(spans.map((span) => [span.spanContext().spanId, span]))
/** The instrumentation reads it from a private field of kafkajs's own modules. */
const PRIVATE = 'messaging.kafka.cluster.id'
const described = spans.map((span) => ({
  name: span.name,
  kind: SpanKind[span.kind],
  status: span.status.code,
  parent: byId.get(span.parentSpanContext?.spanId)?.name,
  links: span.links.map((link) => byId.get(link.context.spanId)?.name),
  attributes: Object.fromEntries(
    Object.entries(span.attributes).filter(([name]) => name !== PRIVATE),
  ),
}))

await reader.forceFlush()
const { scopeMetrics } = measured.getMetrics().at(-1)
const points = scopeMetrics
  .flatMap((scope) => scope.metrics)
  .flatMap(({ descriptor, dataPoints }) =>
    dataPoints.map(({ attributes, value }) => ({
      name: descriptor.name,
      // How many operations there are depends on time; how many messages does not.
      value: typeof value === 'number' ? value : 'histogram',
      attributes: { ...attributes, 'server.port': undefined },
    })),
  )
const isOfMessages = ({ name }) => /messages/.test(name)
report({
  failed,
  found,
  spans: sorted(described.map((span) => JSON.stringify(span))),
  messages: sorted(points.filter(isOfMessages).map((point) => JSON.stringify(point))),
  names: sorted(new Set(points.map(({ name }) => name))),
})
