/**
 * One run in a process of its own: node --import tsx driver.ts DIST MODE LISTENERS PORT MESSAGES prints the microseconds
 * of CPU for each message: user time, system time.
 */
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { subscribe } from 'node:diagnostics_channel'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { KafkaClient, Producer, SimpleConsumer } from '../../src/index.ts'
import type { instrument } from '../../src/opentelemetry/index.ts'
import type { ApplicationMetrics } from '../../src/observe/telemetry/application-metrics.ts'
import type { TelemetryPusher } from '../../src/observe/telemetry/pusher.ts'
import type { metricsText } from '../../src/prometheus/index.ts'
import type { Listeners, Mode } from './modes.ts'

const [dist = '', mode, listeners, port, count] = process.argv.slice(2)
const MESSAGES = Number(count)
/** How often metrics are exported in each way. */
const EXPORT_MS = 1_000
/** So long that each export has been compiled before the measurement. */
const WARM_UP_MS = 2_500
const TOPIC = 'observed'
const VALUE = Buffer.alloc(100, 'x')
const CHANNELS = [
  ...['connect', 'request', 'close', 'retry', 'position', 'delivery', 'process', 'rebalance'],
  ...['throttle', 'fetch', 'commit', 'heartbeat', 'deadletter', 'group', 'acknowledge'],
]
/** Counted, so that no listener is optimized away. */
let events = 0

const load = async <Module>(file: string): Promise<Module> =>
  (await import(pathToFileURL(join(dist, file)).href)) as Module

async function listen(client: KafkaClient, what: Exclude<Listeners, 'none'>): Promise<void> {
  const text = (await load<{ metricsText: typeof metricsText }>('prometheus/index.js')).metricsText
  setInterval(() => {
    client.metrics()
    events += text(client).length
  }, EXPORT_MS).unref()
  await push(client)
  if (what !== 'metrics') {
    for (const name of CHANNELS) subscribe(`samsa:${name}`, () => events++)
  }
  const otel = await load<{ instrument: typeof instrument }>('opentelemetry/index.js')
  const metricExporter = new InMemoryMetricExporter(AggregationTemporality.DELTA)
  const reader = new PeriodicExportingMetricReader({
    exporter: metricExporter,
    exportIntervalMillis: EXPORT_MS,
  })
  const exporter = {
    export(spans: readonly unknown[], done: (result: { readonly code: number }) => void) {
      events += spans.length
      done({ code: 0 })
    },
    forceFlush: () => Promise.resolve(),
    shutdown: () => Promise.resolve(),
  }
  otel.instrument(client, {
    meterProvider: new MeterProvider({ readers: [reader] }),
    tracerProvider: new BasicTracerProvider({ spanProcessors: [new BatchSpanProcessor(exporter)] }),
    propagator: new W3CTraceContextPropagator(),
    traces: what !== 'metrics',
    granularity: what === 'messages' ? 'message' : 'batch',
  })
}

/** Pushes metrics to a broker that accepts all. */
async function push(client: KafkaClient): Promise<void> {
  const silent = () => undefined
  const folder = 'observe/telemetry'
  const { TelemetryPusher: Pusher } = await load<{ TelemetryPusher: typeof TelemetryPusher }>(
    `${folder}/pusher.js`,
  )
  const { ApplicationMetrics: Application } = await load<{
    ApplicationMetrics: typeof ApplicationMetrics
  }>(`${folder}/application-metrics.js`)
  const answer = { throttleTimeMs: 0, errorCode: 0 }
  const subscription = {
    ...answer,
    clientInstanceId: 'AQIDBAUGBwgJCgsMDQ4PEA',
    subscriptionId: 1,
    acceptedCompressionTypes: [1],
    pushIntervalMs: EXPORT_MS,
    telemetryMaxBytes: 1_000_000,
    deltaTemporality: true,
    requestedMetrics: [''],
  }
  new Pusher({
    requests: {
      subscriptions: () => Promise.resolve(subscription),
      push: () => Promise.resolve(answer),
    },
    snapshot: () => client.metrics(),
    nodeIds: () => new Map(),
    application: new Application(),
    logger: { debug: silent, info: silent, warn: silent, error: silent },
  }).start()
}

async function produce(producer: Producer, messages: number): Promise<void> {
  for (let sent = 0; sent < messages; sent++) {
    if (!producer.hasRoom) await producer.ready()
    void producer.produce(VALUE)
  }
  await producer.flush()
}

let read = 0
const touch = ({ value }: { readonly value: Buffer | null }) => {
  read += value?.length ?? 0
}

async function consume(consumer: SimpleConsumer, how: Mode, messages: number): Promise<void> {
  let seen = 0
  const stop = new Error('all messages are read')
  const untilStop = (reading: Promise<void>) =>
    reading.catch((error: unknown) => {
      if (error !== stop) throw error
    })
  switch (how) {
    case 'iterate':
      for await (const message of consumer) {
        touch(message)
        if (++seen === messages) return
      }
      return
    case 'batches':
      for await (const batch of consumer.batches()) {
        for (const message of batch) touch(message)
        seen += batch.length
        if (seen >= messages) return
      }
      return
    case 'run':
      return untilStop(
        consumer.run((message) => {
          touch(message)
          if (++seen === messages) throw stop
        }),
      )
    case 'runBatches':
      return untilStop(
        consumer.runBatches((batch) => {
          for (const message of batch) touch(message)
          seen += batch.length
          if (seen >= messages) throw stop
        }),
      )
    case 'produce':
      throw new Error('a consumer does not produce')
  }
}

async function workOf(
  client: KafkaClient,
  how: Mode,
): Promise<(messages: number) => Promise<void>> {
  const topic = client.topic(TOPIC)
  if (how === 'produce') {
    const producer = await topic.getProducer()
    return (messages) => produce(producer, messages)
  }
  const consumer = await topic.getSimpleConsumer({ autoOffsetReset: 'earliest' })
  return (messages) => consume(consumer, how, messages)
}

const samsa = await load<{ KafkaClient: typeof KafkaClient }>('index.js')
const client = new samsa.KafkaClient({ hosts: `127.0.0.1:${port}`, clientId: 'cost' })
if (listeners !== 'none') await listen(client, listeners as Exclude<Listeners, 'none'>)
const work = await workOf(client, mode as Mode)
const endOfWarmUp = performance.now() + WARM_UP_MS
while (performance.now() < endOfWarmUp) await work(MESSAGES / 20)
const before = process.cpuUsage()
await work(MESSAGES)
const { user, system } = process.cpuUsage(before)
console.log(`${user / MESSAGES} ${system / MESSAGES}`)
if (listeners !== 'none' && events === 0) throw new Error('nothing was listened to')
if (mode !== 'produce' && read === 0) throw new Error('nothing was read')
process.exit(0)
