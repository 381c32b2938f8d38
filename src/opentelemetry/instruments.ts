/** The metrics of the conventions, and all of the client's own metrics. */
import type { Attributes, Histogram, Meter, Observable } from '@opentelemetry/api'
import {
  METRICS,
  type AcknowledgeEvent,
  type BatchTrace,
  type ClientMetricsSnapshot,
  type CommitEvent,
  type DeliveryEvent,
  type FetchEvent,
  type HandleTrace,
  type MetricDeclaration,
  type MetricLabels,
  type ProcessEvent,
} from '../index.ts'
import { guarded } from './channels.ts'
import {
  ATTRIBUTES,
  DURATION_BUCKETS,
  errorType,
  INSTRUMENTS,
  operationAttributes,
  serverAttributes,
  type Operation,
} from './conventions.ts'

/** Labels of the client's metrics that have a name in the conventions. */
const LABEL_ATTRIBUTES: Readonly<Record<string, string>> = {
  client_id: ATTRIBUTES.clientId,
  topic: ATTRIBUTES.destination,
  group: ATTRIBUTES.group,
  partition: ATTRIBUTES.partition,
  broker: 'samsa.broker',
  api: 'samsa.api',
  error: ATTRIBUTES.errorType,
}

/** The units of the client's metrics in UCUM's notation, as OpenTelemetry wants them. */
const UNITS: Readonly<Record<string, string>> = {
  seconds: 's',
  bytes: 'By',
  ratio: '1',
  messages: '{message}',
  batches: '{batch}',
  requests: '{request}',
  connections: '{connection}',
  partitions: '{partition}',
  events: '{event}',
}

/** The counters of the client that the conventions have a name for. */
const SENT = 'samsa_producer_messages_total'
const CONSUMED = 'samsa_consumer_messages_total'

type Processed = Pick<ProcessEvent, 'clientId' | 'group' | 'topic' | 'durationMs' | 'error'>

export class Instruments {
  readonly #operationDuration: Histogram
  readonly #processDuration: Histogram
  readonly #began = new WeakMap<object, number>()

  constructor(meter: Meter) {
    const advice = { explicitBucketBoundaries: DURATION_BUCKETS }
    this.#operationDuration = meter.createHistogram(INSTRUMENTS.operationDuration, {
      unit: 's',
      description: 'Duration of messaging operation initiated by a producer or consumer client.',
      advice,
    })
    this.#processDuration = meter.createHistogram(INSTRUMENTS.processDuration, {
      unit: 's',
      description: 'Duration of processing operation.',
      advice,
    })
  }

  delivered({ clientId, topic, durationMs, error }: DeliveryEvent): void {
    record(this.#operationDuration, 'send', durationMs, error, {
      [ATTRIBUTES.clientId]: clientId,
      [ATTRIBUTES.destination]: topic,
    })
  }

  fetched({ clientId, group, broker, durationMs }: FetchEvent): void {
    record(this.#operationDuration, 'poll', durationMs, undefined, {
      [ATTRIBUTES.clientId]: clientId,
      ...(group === undefined ? {} : { [ATTRIBUTES.group]: group }),
      ...serverAttributes(broker),
    })
  }

  committed({ clientId, group, durationMs, error }: CommitEvent): void {
    record(this.#operationDuration, 'commit', durationMs, error, {
      [ATTRIBUTES.clientId]: clientId,
      [ATTRIBUTES.group]: group,
    })
  }

  acknowledged({ clientId, group, broker, topic, durationMs, error }: AcknowledgeEvent): void {
    record(this.#operationDuration, 'acknowledge', durationMs, error, {
      [ATTRIBUTES.clientId]: clientId,
      [ATTRIBUTES.destination]: topic,
      [ATTRIBUTES.group]: group,
      ...serverAttributes(broker),
    })
  }

  processed({ clientId, group, topic, durationMs, error }: Processed): void {
    record(this.#processDuration, 'process', durationMs, error, {
      [ATTRIBUTES.destination]: topic,
      [ATTRIBUTES.clientId]: clientId,
      ...(group === undefined ? {} : { [ATTRIBUTES.group]: group }),
    })
  }

  begin(handled: HandleTrace | BatchTrace): void {
    this.#began.set(handled, performance.now())
  }

  endHandle(handled: HandleTrace): void {
    this.#end(handled, handled.message.topic)
  }

  endBatch(handled: BatchTrace): void {
    // Otherwise its messages are counted one by one.
    if (!handled.isByMessage) this.#end(handled, handled.topic)
  }

  #end(handled: HandleTrace | BatchTrace, topic: string): void {
    const began = this.#began.get(handled)
    if (began === undefined) return
    const { clientId, group, error } = handled
    this.processed({ clientId, group, topic, durationMs: performance.now() - began, error })
  }
}

/** Records how long an operation took. `error` is undefined if it succeeded. */
function record(
  histogram: Histogram,
  operation: Operation,
  durationMs: number,
  error: unknown,
  attributes: Attributes,
): void {
  histogram.record(durationMs / 1_000, {
    ...operationAttributes(operation),
    ...attributes,
    ...(error === undefined ? {} : { [ATTRIBUTES.errorType]: errorType(error) }),
  })
}

/** Observes the metrics of clients whenever the meter collects. Returns a function that stops this. */
export function observe(
  meter: Meter,
  snapshots: () => readonly ClientMetricsSnapshot[],
): () => void {
  const observables = new Map<string, Observable>()
  for (const [name, declared] of Object.entries<MetricDeclaration>(METRICS)) {
    const options = { unit: UNITS[declared.unit] ?? '1', description: declared.description }
    const own = name.replace(/_total$/, '').replaceAll('_', '.')
    if (declared.kind === 'gauge') {
      observables.set(name, meter.createObservableGauge(own, options))
    } else if (declared.kind === 'counter') {
      observables.set(name, meter.createObservableCounter(counterName(name, own), options))
    } else {
      const { description } = declared
      observables.set(`${name}_sum`, meter.createObservableCounter(`${own}.sum`, options))
      const count = { unit: '{value}', description: `${description} The number of values.` }
      observables.set(`${name}_count`, meter.createObservableCounter(`${own}.count`, count))
    }
  }
  const all = [...observables.values()]
  const collect = (result: BatchResult) => {
    guarded(() => {
      for (const snapshot of snapshots()) report(snapshot, observables, result)
    })
  }
  meter.addBatchObservableCallback(collect, all)
  return () => meter.removeBatchObservableCallback(collect, all)
}

interface BatchResult {
  observe(observable: Observable, value: number, attributes?: Attributes): void
}

function counterName(name: string, own: string): string {
  if (name === SENT) return INSTRUMENTS.sentMessages
  return name === CONSUMED ? INSTRUMENTS.consumedMessages : own
}

function report(
  { metrics }: ClientMetricsSnapshot,
  observables: ReadonlyMap<string, Observable>,
  result: BatchResult,
): void {
  for (const metric of metrics) {
    for (const sample of metric.samples) {
      const attributes = attributesOf(metric.name, sample.labels)
      if ('value' in sample) {
        const observable = observables.get(metric.name)
        if (observable !== undefined) result.observe(observable, sample.value, attributes)
      } else {
        for (const part of ['sum', 'count'] as const) {
          const observable = observables.get(`${metric.name}_${part}`)
          if (observable !== undefined) result.observe(observable, sample[part], attributes)
        }
      }
    }
  }
}

function attributesOf(name: string, labels: MetricLabels): Attributes {
  const attributes: Attributes = {}
  if (name === SENT) Object.assign(attributes, operationAttributes('send'))
  if (name === CONSUMED) Object.assign(attributes, operationAttributes('poll'))
  for (const [label, value] of Object.entries(labels)) {
    attributes[LABEL_ATTRIBUTES[label] ?? label] = value
  }
  return attributes
}
