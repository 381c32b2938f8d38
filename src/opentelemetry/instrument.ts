import { metrics, trace, type MeterProvider, type TracerProvider } from '@opentelemetry/api'
import type {
  AcknowledgeEvent,
  BatchTrace,
  ClientMetricsSnapshot,
  CommitEvent,
  ConsumerBatch,
  DeliveryEvent,
  FetchEvent,
  HandleTrace,
  KafkaClient,
  ProcessEvent,
  ProduceTrace,
} from '../index.ts'
import { readOptions, type OptionTable } from '../option-table.ts'
import { aBoolean, anObject, oneOf } from '../options.ts'
import { VERSION } from '../version.ts'
import { listen } from './channels.ts'
import { DeferredEvents } from './deferred-events.ts'
import { Instruments, observe } from './instruments.ts'
import { GLOBAL_PROPAGATOR, type Propagator } from './propagation.ts'
import { Spans, type Consumer, type ProcessedMessage } from './spans.ts'

/** The options of `instrument()` and of `SamsaInstrumentation`. */
export interface InstrumentOptions {
  /** The provider of the tracer for the spans. Default: the global tracer provider. */
  readonly tracerProvider?: TracerProvider
  /** The provider of the meter for the metrics. Default: the global meter provider. */
  readonly meterProvider?: MeterProvider
  /** Writes trace contexts into headers and reads them. Default: the global propagator. */
  readonly propagator?: Propagator
  /**
   * The parent of a handler's span. `message`: the span that sent the message, so that both are in one trace. `none`:
   * the span starts a new trace, with a link to the span that sent the message. Default: `message`.
   */
  readonly processParent?: 'message' | 'none'
  /**
   * The unit of an operation, for spans and for the durations of processing. `message`: each message has a span of its
   * own when it is produced and when a handler processes it, and its headers have the trace context. `batch`: these
   * spans are for batches: those that are sent, and messages of a partition that handlers process within 10 ms. This
   * costs little even for small messages, but the messages have no trace context. Default: `message`; `batch` if
   * `traces` is false.
   */
  readonly granularity?: 'message' | 'batch'
  /** Whether to create spans. Default: true. */
  readonly traces?: boolean
  /** Whether to record metrics. Default: true. */
  readonly metrics?: boolean
}

/** The checks and defaults of `InstrumentOptions`. */
export const INSTRUMENT_OPTIONS = {
  tracerProvider: { check: anObject, defaultText: 'the global tracer provider' },
  meterProvider: { check: anObject, defaultText: 'the global meter provider' },
  propagator: { check: anObject, defaultText: 'the global propagator' },
  processParent: { check: oneOf('message', 'none'), default: 'message' },
  granularity: {
    check: oneOf('message', 'batch'),
    defaultText: '`message`; `batch` if `traces` is false',
  },
  traces: { check: aBoolean, default: true },
  metrics: { check: aBoolean, default: true },
} as const satisfies OptionTable<InstrumentOptions>

/** What `instrument()` returns. */
export interface InstrumentedClient {
  /**
   * Calls a function within a span for the processing of a message. For loops and `consume()`: samsa knows when a
   * handler of `run`, `runBatches` or `transact` has finished, but not when the body of a loop has. Returns the
   * function's result; throws its error.
   */
  readonly processMessage: <T>(message: ProcessedMessage, work: () => T | Promise<T>) => Promise<T>
  /** The same for a batch. The span has links to the spans that sent the messages, up to 128. */
  readonly processBatch: <T>(
    batch: ConsumerBatch<unknown, unknown> | readonly ProcessedMessage[],
    work: () => T | Promise<T>,
  ) => Promise<T>
  /** Ends the instrumentation. */
  stop(): void
}

const NAME = 'samsa'

/**
 * Creates spans and metrics of a client that follow the semantic conventions 1.44: a span for each message that is
 * produced, with its context in the message's headers, and a span for each message or batch that a handler processes.
 * Clients are identified by their `clientId`: this covers all clients with the same `clientId`. Throws
 * InvalidArgumentError for an unknown option or an invalid value.
 */
export function instrument(
  client: Pick<KafkaClient, 'metrics'>,
  options: InstrumentOptions = {},
): InstrumentedClient {
  const settings = readOptions<InstrumentOptions, typeof INSTRUMENT_OPTIONS>(
    'instrument',
    options,
    INSTRUMENT_OPTIONS,
  )
  const { clientId } = client.metrics()
  return instrumentClients(
    settings,
    (id) => id === clientId,
    () => [client.metrics()],
    client,
  )
}

/** Instruments the clients whose `clientId` passes `isWanted`. */
export function instrumentClients(
  options: InstrumentOptions,
  isWanted: (clientId: string) => boolean,
  snapshots: () => readonly ClientMetricsSnapshot[],
  client?: Pick<KafkaClient, 'metrics'>,
): InstrumentedClient {
  const spans = new Spans({
    tracer: (options.tracerProvider ?? trace).getTracer(NAME, VERSION),
    propagator: options.propagator ?? GLOBAL_PROPAGATOR,
    processParent: options.processParent ?? INSTRUMENT_OPTIONS.processParent.default,
  })
  const { traces = true, granularity = traces ? 'message' : 'batch' } = options
  const deferred = new DeferredEvents()
  const flush = () => deferred.flush()
  // A client that closes ends its connections: what it did before is recorded by then.
  const ends = [listen({ 'samsa:close': flush }, isWanted)]
  if (traces) {
    ends.push(listen(clientSpanListeners(spans, deferred), isWanted))
    const listeners =
      granularity === 'message' ? messageSpanListeners(spans) : batchSpanListeners(spans, deferred)
    ends.push(listen(listeners, isWanted))
  }
  if (options.metrics !== false) {
    const meter = (options.meterProvider ?? metrics).getMeter(NAME, VERSION)
    const instruments = new Instruments(meter)
    ends.push(listen(instrumentListeners(instruments, deferred), isWanted))
    ends.push(listen(processListeners(instruments, granularity, deferred), isWanted))
    // Meters collect what is observed before the other values.
    ends.push(observe(meter, snapshots, flush))
  }
  let consumer: Consumer | undefined
  // A client that has messages knows its cluster: its snapshot is taken for the first of them, and not again.
  const consumerOf = () => (consumer ??= identityOf(client))
  return {
    processMessage: (message, work) => spans.process([message], consumerOf(), work),
    processBatch: (batch, work) => spans.process([...batch], consumerOf(), work),
    stop: () => {
      for (const end of ends.splice(0)) end()
      deferred.flush()
    },
  }
}

function identityOf(client: Pick<KafkaClient, 'metrics'> | undefined): Consumer {
  if (client === undefined) return { clientId: undefined }
  const { clientId, clusterId } = client.metrics()
  return { clientId, clusterId }
}

function messageSpanListeners(spans: Spans) {
  return {
    'tracing:samsa:produce:start': (event: ProduceTrace) => spans.startSend(event),
    'tracing:samsa:produce:asyncEnd': (event: ProduceTrace) => spans.endSend(event),
    'tracing:samsa:handle:start': (event: HandleTrace) => spans.startHandle(event),
    'tracing:samsa:handle:asyncEnd': (event: HandleTrace) => spans.endProcess(event),
    'tracing:samsa:batch:start': (event: BatchTrace) => spans.startBatch(event),
    'tracing:samsa:batch:asyncEnd': (event: BatchTrace) => spans.endProcess(event),
  }
}

function batchSpanListeners(spans: Spans, deferred: DeferredEvents) {
  return {
    'samsa:delivery': deferred.listener((event: DeliveryEvent, at) => spans.sendBatch(event, at)),
    'samsa:process': deferred.listener((event: ProcessEvent, at) => spans.processSeries(event, at)),
  }
}

function clientSpanListeners(spans: Spans, deferred: DeferredEvents) {
  return {
    'samsa:fetch': deferred.listener((event: FetchEvent, at) => spans.poll(event, at)),
    // Its parent is the span that is active now.
    'samsa:commit': (event: CommitEvent) => spans.commit(event),
    'samsa:acknowledge': deferred.listener((event: AcknowledgeEvent, at) =>
      spans.acknowledge(event, at),
    ),
  }
}

function instrumentListeners(instruments: Instruments, deferred: DeferredEvents) {
  return {
    'samsa:delivery': deferred.listener((event: DeliveryEvent) => instruments.delivered(event)),
    'samsa:fetch': deferred.listener((event: FetchEvent) => instruments.fetched(event)),
    'samsa:commit': (event: CommitEvent) => instruments.committed(event),
    'samsa:acknowledge': deferred.listener((event: AcknowledgeEvent) =>
      instruments.acknowledged(event),
    ),
  }
}

function processListeners(
  instruments: Instruments,
  granularity: 'message' | 'batch',
  deferred: DeferredEvents,
): Readonly<Record<string, (event: never) => void>> {
  if (granularity === 'batch') {
    return {
      'samsa:process': deferred.listener((event: ProcessEvent) => instruments.processed(event)),
    }
  }
  return {
    'tracing:samsa:handle:start': (event: HandleTrace) => instruments.begin(event),
    'tracing:samsa:handle:asyncEnd': (event: HandleTrace) => instruments.endHandle(event),
    'tracing:samsa:batch:start': (event: BatchTrace) => instruments.begin(event),
    'tracing:samsa:batch:asyncEnd': (event: BatchTrace) => instruments.endBatch(event),
  }
}
