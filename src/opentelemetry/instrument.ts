import { metrics, trace, type MeterProvider, type TracerProvider } from '@opentelemetry/api'
import type {
  ClientMetricsSnapshot,
  CommitEvent,
  ConsumerBatch,
  DeliveryEvent,
  FetchEvent,
  HandleTrace,
  KafkaClient,
  ProduceTrace,
} from '../index.ts'
import { VERSION } from '../version.ts'
import { listen } from './channels.ts'
import { Instruments, observe } from './instruments.ts'
import { GLOBAL_PROPAGATOR, type Propagator } from './propagation.ts'
import { Spans, type ProcessedMessage } from './spans.ts'

/** The options of `instrument()` and of `SamsaInstrumentation`. */
export interface InstrumentOptions {
  /** Where spans go. Default: the global tracer provider. */
  readonly tracerProvider?: TracerProvider
  /** Where metrics go. Default: the global meter provider. */
  readonly meterProvider?: MeterProvider
  /** How trace contexts are written into headers. Default: the global propagator. */
  readonly propagator?: Propagator
  /**
   * Whether the span of a handler is a child of the span that sent the message (`message`), so that both are one trace,
   * or begins a trace of its own with a link to it (`none`). Default: `message`.
   */
  readonly processParent?: 'message' | 'none'
  /** Whether there are spans. Default: true. */
  readonly traces?: boolean
  /** Whether there are metrics. Default: true. */
  readonly metrics?: boolean
}

/** What `instrument()` returns. */
export interface InstrumentedClient {
  /**
   * Calls a function within a span that processes a message, for loops and `consume()`: samsa knows when a handler of
   * `run` has finished, but not when a loop's body has. Returns what it returns, and throws what it throws.
   */
  readonly processMessage: <T>(message: ProcessedMessage, work: () => T | Promise<T>) => Promise<T>
  /** The same for a batch: the span has a link to each message's. */
  readonly processBatch: <T>(
    batch: ConsumerBatch<unknown, unknown> | readonly ProcessedMessage[],
    work: () => T | Promise<T>,
  ) => Promise<T>
  /** Ends the instrumentation. */
  stop(): void
}

const NAME = 'samsa'

/**
 * Spans and metrics of a client by the semantic conventions 1.44: messages that are produced have a span, whose context
 * goes into their headers, and so have those that handlers of `run` process. Clients are told apart by their
 * `clientId`: it covers all clients with that of this client.
 */
export function instrument(
  client: Pick<KafkaClient, 'metrics'>,
  options: InstrumentOptions = {},
): InstrumentedClient {
  const { clientId } = client.metrics()
  return begin(
    options,
    (id) => id === clientId,
    () => [client.metrics()],
    clientId,
  )
}

/** Instruments the clients that `isWanted` accepts. */
export function begin(
  options: InstrumentOptions,
  isWanted: (clientId: string) => boolean,
  snapshots: () => readonly ClientMetricsSnapshot[],
  clientId?: string,
): InstrumentedClient {
  const spans = new Spans({
    tracer: (options.tracerProvider ?? trace).getTracer(NAME, VERSION),
    propagator: options.propagator ?? GLOBAL_PROPAGATOR,
    processParent: options.processParent ?? 'message',
  })
  const ends: (() => void)[] = []
  if (options.traces !== false) ends.push(listen(spanListeners(spans), isWanted))
  if (options.metrics !== false) {
    const meter = (options.meterProvider ?? metrics).getMeter(NAME, VERSION)
    ends.push(listen(instrumentListeners(new Instruments(meter)), isWanted))
    ends.push(observe(meter, snapshots))
  }
  return {
    processMessage: (message, work) => spans.process([message], clientId, undefined, work),
    processBatch: (batch, work) => spans.process([...batch], clientId, undefined, work),
    stop: () => {
      for (const end of ends.splice(0)) end()
    },
  }
}

function spanListeners(spans: Spans) {
  return {
    'tracing:samsa:produce:start': (event: ProduceTrace) => spans.startSend(event),
    'tracing:samsa:produce:asyncEnd': (event: ProduceTrace) => spans.endSend(event),
    'tracing:samsa:handle:start': (event: HandleTrace) => spans.startHandle(event),
    'tracing:samsa:handle:asyncEnd': (event: HandleTrace) => spans.endHandle(event),
    'samsa:commit': (event: CommitEvent) => spans.commit(event),
  }
}

function instrumentListeners(instruments: Instruments) {
  return {
    'samsa:delivery': (event: DeliveryEvent) => instruments.delivered(event),
    'samsa:fetch': (event: FetchEvent) => instruments.fetched(event),
    'samsa:commit': (event: CommitEvent) => instruments.committed(event),
    'tracing:samsa:handle:start': (event: HandleTrace) => instruments.beginHandle(event),
    'tracing:samsa:handle:asyncEnd': (event: HandleTrace) => instruments.endHandle(event),
  }
}
