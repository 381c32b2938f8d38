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
  clientAttributes,
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

/** The units of the client's metrics in UCUM's notation, as OpenTelemetry requires. */
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
    const attributes = attributesFor('send', clientId, topic, undefined)
    record(this.#operationDuration, durationMs, error, attributes)
  }

  fetched({ clientId, group, broker, durationMs }: FetchEvent): void {
    const attributes = attributesFor('poll', clientId, undefined, group)
    Object.assign(attributes, serverAttributes(broker))
    record(this.#operationDuration, durationMs, undefined, attributes)
  }

  committed({ clientId, group, durationMs, error }: CommitEvent): void {
    const attributes = attributesFor('commit', clientId, undefined, group)
    record(this.#operationDuration, durationMs, error, attributes)
  }

  acknowledged({ clientId, group, broker, topic, durationMs, error }: AcknowledgeEvent): void {
    const attributes = attributesFor('acknowledge', clientId, topic, group)
    Object.assign(attributes, serverAttributes(broker))
    record(this.#operationDuration, durationMs, error, attributes)
  }

  processed({ clientId, group, topic, durationMs, error }: Processed): void {
    const attributes = attributesFor('process', clientId, topic, group)
    record(this.#processDuration, durationMs, error, attributes)
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

/** Returns the attributes that all values have, to which the caller adds others. */
function attributesFor(
  operation: Operation,
  clientId: string,
  topic: string | undefined,
  group: string | undefined,
): Attributes {
  const attributes = clientAttributes(operation, clientId, group)
  if (topic !== undefined) attributes[ATTRIBUTES.destination] = topic
  return attributes
}

/** Records how long an operation took. `error` is undefined if it succeeded. */
function record(
  histogram: Histogram,
  durationMs: number,
  error: unknown,
  attributes: Attributes,
): void {
  if (error !== undefined) attributes[ATTRIBUTES.errorType] = errorType(error)
  histogram.record(durationMs / 1_000, attributes)
}

/**
 * Observes the metrics of clients whenever the meter collects, after a call of `before`. Returns a function that stops
 * this.
 */
export function observe(
  meter: Meter,
  snapshots: () => readonly ClientMetricsSnapshot[],
  before: () => void,
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
    before()
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
