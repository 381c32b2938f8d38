/** What is switched on for some parts of the work, and off for the others. */
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { KafkaClient } from '../../src/index.ts'
import type { instrument } from '../../src/opentelemetry/index.ts'
import type { ApplicationMetrics } from '../../src/observe/telemetry/application-metrics.ts'
import type { TelemetryPusher } from '../../src/observe/telemetry/pusher.ts'
import type { metricsText } from '../../src/prometheus/index.ts'
import { IS_UNCOUNTED } from './counting.ts'
import type { Switched } from './modes.ts'

export interface Switch {
  readonly on: () => Promise<void>
  /** What happens once in each part of the work for which it is on. */
  readonly exported: () => Promise<void>
  readonly off: () => Promise<void>
}

const CHANNELS = [
  ...['connect', 'request', 'close', 'retry', 'position', 'delivery', 'process', 'rebalance'],
  ...['throttle', 'fetch', 'commit', 'heartbeat', 'deadletter', 'group', 'acknowledge'],
]
/** Longer than any run: exports happen only when they are asked for. */
const NEVER_MS = 24 * 60 * 60 * 1_000

const nothing = () => Promise.resolve()

export async function switchFor(
  what: Switched,
  client: KafkaClient,
  dist: string,
): Promise<Switch> {
  switch (what) {
    case 'nothing':
      return { on: nothing, exported: nothing, off: nothing }
    case 'counting': {
      const set = (isOff: boolean) => () =>
        Promise.resolve(void Object.assign(globalThis, { [IS_UNCOUNTED]: isOff }))
      return { on: set(false), exported: nothing, off: set(true) }
    }
    default:
      return listening(what, client, dist)
  }
}

async function listening(
  what: 'metrics' | 'all' | 'messages',
  client: KafkaClient,
  dist: string,
): Promise<Switch> {
  const load = async <Module>(file: string): Promise<Module> =>
    (await import(pathToFileURL(join(dist, file)).href)) as Module
  const text = (await load<{ metricsText: typeof metricsText }>('prometheus/index.js')).metricsText
  const otel = await load<{ instrument: typeof instrument }>('opentelemetry/index.js')
  const newPusher = await pushers(client, load)
  const metricExporter = new InMemoryMetricExporter(AggregationTemporality.DELTA)
  const reader = new PeriodicExportingMetricReader({
    exporter: metricExporter,
    exportIntervalMillis: NEVER_MS,
  })
  /** Counted, so that no listener is optimized away. */
  let events = 0
  const exporter = {
    export(spans: readonly unknown[], done: (result: { readonly code: number }) => void) {
      events += spans.length
      done({ code: 0 })
    },
    forceFlush: nothing,
    shutdown: nothing,
  }
  const meterProvider = new MeterProvider({ readers: [reader] })
  const tracerProvider = new BasicTracerProvider({
    spanProcessors: [new BatchSpanProcessor(exporter)],
  })
  const onEvent = () => {
    events++
  }
  const channels = what === 'metrics' ? [] : CHANNELS.map((name) => `samsa:${name}`)
  let instrumented: ReturnType<typeof instrument> | undefined
  let pusher: TelemetryPusher | undefined
  return {
    on() {
      for (const name of channels) subscribe(name, onEvent)
      instrumented = otel.instrument(client, {
        meterProvider,
        tracerProvider,
        propagator: new W3CTraceContextPropagator(),
        traces: what !== 'metrics',
        granularity: what === 'messages' ? 'message' : 'batch',
      })
      pusher = newPusher()
      pusher.start()
      return Promise.resolve()
    },
    async exported() {
      client.metrics()
      events += text(client).length
      await meterProvider.forceFlush()
      await tracerProvider.forceFlush()
      // Its last push.
      await pusher?.stop()
      if (events === 0) throw new Error('nothing was listened to')
      events = 0
    },
    off() {
      instrumented?.stop()
      for (const name of channels) unsubscribe(name, onEvent)
      metricExporter.reset()
      return Promise.resolve()
    },
  }
}

/** Pushers to a broker that accepts all. */
async function pushers(
  client: KafkaClient,
  load: <Module>(file: string) => Promise<Module>,
): Promise<() => TelemetryPusher> {
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
    pushIntervalMs: NEVER_MS,
    telemetryMaxBytes: 1_000_000,
    deltaTemporality: true,
    requestedMetrics: [''],
  }
  return () =>
    new Pusher({
      requests: {
        subscriptions: () => Promise.resolve(subscription),
        push: () => Promise.resolve(answer),
      },
      snapshot: () => client.metrics(),
      nodeIds: () => new Map(),
      application: new Application(),
      logger: { debug: silent, info: silent, warn: silent, error: silent },
    })
}
