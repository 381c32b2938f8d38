/** Spans for messages that are sent and processed, for fetches, commits and acknowledgements. */
import {
  context,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type Attributes,
  type Context,
  type Link,
  type Span,
  type Tracer,
} from '@opentelemetry/api'
import type {
  AcknowledgeEvent,
  BatchTrace,
  CommitEvent,
  DeliveryEvent,
  FetchEvent,
  HandleTrace,
  ProcessEvent,
  ProduceTrace,
  TracedMessage,
} from '../index.ts'
import { guarded } from './channels.ts'
import {
  ATTRIBUTES,
  errorType,
  clientAttributes,
  serverAttributes,
  type Operation,
} from './conventions.ts'
import { contextIn, inject, spanContextIn, type Propagator } from './propagation.ts'

export interface SpanSettings {
  readonly tracer: Tracer
  readonly propagator: Propagator
  readonly processParent: 'message' | 'none'
}

/** The maximum number of links of a batch's span: the default limit of OpenTelemetry's SDKs. */
const MOST_LINKS = 128

/** The properties of a processed message that its span needs. */
export type ProcessedMessage = Pick<
  TracedMessage,
  'topic' | 'partition' | 'offset' | 'key' | 'value' | 'headers'
>

/** The consumer of a processed message, if known. */
export interface Consumer {
  readonly clientId: string | undefined
  readonly clusterId?: string | undefined
  readonly group?: string | undefined
}

/** How an operation has ended. */
interface Finished {
  readonly durationMs: number
  /** In milliseconds since 1970. */
  readonly endedAt: number
  /** Undefined if it has succeeded. */
  readonly error: unknown
  /** Default: none. */
  readonly parent?: Context
  /** Default: CLIENT. */
  readonly kind?: SpanKind
}

export class Spans {
  readonly #settings: SpanSettings
  /** The spans by the payload of the tracing channel, which all events of a message share. */
  readonly #spans = new WeakMap<object, Span>()

  constructor(settings: SpanSettings) {
    this.#settings = settings
  }

  startSend(message: ProduceTrace): void {
    const { tracer, propagator } = this.#settings
    const { clientId, clusterId, topic, partition, key, value, headers } = message
    const attributes = attributesOf('send', clientId, clusterId, undefined)
    attributes[ATTRIBUTES.destination] = topic
    addKey(attributes, key, value)
    if (partition !== undefined) attributes[ATTRIBUTES.partition] = String(partition)
    // A message that is forwarded, such as a dead letter, links to the span that sent it before.
    const links = linksOf([headers], propagator)
    const active = context.active()
    const options = { kind: SpanKind.PRODUCER, attributes, links }
    const span = tracer.startSpan(`send ${topic}`, options, active)
    this.#spans.set(message, span)
    inject(trace.setSpan(active, span), headers, propagator)
  }

  endSend(message: ProduceTrace): void {
    const span = this.#spans.get(message)
    if (span === undefined) return
    const { result, error } = message
    if (result !== undefined) {
      span.setAttribute(ATTRIBUTES.partition, String(result.partition))
      if (result.offset >= 0) span.setAttribute(ATTRIBUTES.offset, result.offset)
    }
    endSpan(span, error)
  }

  startHandle(handled: HandleTrace): void {
    this.#startWithin(handled, [handled.message])
  }

  startBatch(handled: BatchTrace): void {
    this.#startWithin(handled, handled.messages)
  }

  #startWithin(handled: HandleTrace | BatchTrace, messages: readonly ProcessedMessage[]): void {
    const [first] = messages
    if (first === undefined) return
    const { span, active } = this.#startProcess(first.topic, messages, handled)
    this.#spans.set(handled, span)
    // Other tracers may have set a wrapper too: both are active around the handler.
    const outer = handled.wrap ?? ((call) => call())
    handled.wrap = (call) => outer(() => context.with(active, call))
  }

  endProcess(handled: HandleTrace | BatchTrace): void {
    const span = this.#spans.get(handled)
    if (span !== undefined) endSpan(span, handled.error)
  }

  /** Calls a function within a span for the processing of messages. */
  async process<T>(
    messages: readonly ProcessedMessage[],
    by: Consumer,
    work: () => T | Promise<T>,
  ): Promise<T> {
    const [first] = messages
    let begun: { span: Span; active: Context } | undefined
    guarded(() => {
      if (first !== undefined) begun = this.#startProcess(first.topic, messages, by)
    })
    const started = begun
    if (started === undefined) return work()
    try {
      const result = await context.with(started.active, work)
      guarded(() => endSpan(started.span, undefined))
      return result
    } catch (error) {
      guarded(() => endSpan(started.span, error))
      throw error
    }
  }

  /** Creates the span of a finished commit: a child of the active span, if there is one. */
  commit({ clientId, clusterId, group, offsets, durationMs, error }: CommitEvent): void {
    const topics = [...new Set(offsets.map(({ topic }) => topic))]
    const attributes = attributesOf('commit', clientId, clusterId, group)
    const parent = context.active()
    const endedAt = Date.now()
    this.#finished('commit', topics, attributes, { durationMs, endedAt, error, parent })
  }

  /**
   * Creates the span of acknowledgements of a share consumer. They are sent after the handlers, together or with the
   * next fetch, so that the span starts a trace of its own.
   */
  acknowledge(settled: AcknowledgeEvent, endedAt: number): void {
    const { clientId, clusterId, broker, group, topic, partition, durationMs, error } = settled
    const attributes = attributesOf('acknowledge', clientId, clusterId, group)
    attributes[ATTRIBUTES.partition] = String(partition)
    attributes[ATTRIBUTES.batchCount] = settled.accepted + settled.released + settled.rejected
    Object.assign(attributes, serverAttributes(broker))
    this.#finished('acknowledge', [topic], attributes, { durationMs, endedAt, error })
  }

  /**
   * Creates the span of a fetch whose response had records. The client fetches ahead, in no operation of the
   * application: the span starts a trace of its own.
   */
  poll(fetched: FetchEvent, endedAt: number): void {
    const { clientId, clusterId, broker, group, topics, durationMs } = fetched
    const attributes = attributesOf('poll', clientId, clusterId, group)
    Object.assign(attributes, serverAttributes(broker))
    this.#finished('poll', topics, attributes, { durationMs, endedAt, error: undefined })
  }

  /** Creates the span of a batch that was sent. Its kind is CLIENT, because its messages do not have its context. */
  sendBatch(sent: DeliveryEvent, endedAt: number): void {
    const { durationMs, error } = sent
    const attributes = attributesOf('send', sent.clientId, sent.clusterId, undefined)
    attributes[ATTRIBUTES.partition] = String(sent.partition)
    attributes[ATTRIBUTES.batchCount] = sent.messages
    if (sent.offset >= 0) attributes[ATTRIBUTES.offset] = sent.offset
    this.#finished('send', [sent.topic], attributes, { durationMs, endedAt, error })
  }

  /** Creates the span of messages that handlers have processed. */
  processSeries(processed: ProcessEvent, endedAt: number): void {
    const { clientId, clusterId, group, topic, durationMs, error } = processed
    const attributes = attributesOf('process', clientId, clusterId, group)
    attributes[ATTRIBUTES.partition] = String(processed.partition)
    attributes[ATTRIBUTES.batchCount] = processed.messages
    const kind = SpanKind.CONSUMER
    this.#finished('process', [topic], attributes, { durationMs, endedAt, error, kind })
  }

  /**
   * Creates the span of an operation that has ended. Its name has the topic if there is only one. Adds to the
   * attributes.
   */
  #finished(
    operation: Operation,
    topics: readonly string[],
    attributes: Attributes,
    { durationMs, endedAt, error, parent = ROOT_CONTEXT, kind = SpanKind.CLIENT }: Finished,
  ): void {
    const [topic] = topics
    const isOne = topic !== undefined && topics.length === 1
    if (isOne) attributes[ATTRIBUTES.destination] = topic
    const options = { kind, attributes, startTime: endedAt - durationMs }
    const name = isOne ? `${operation} ${topic}` : operation
    endSpan(this.#settings.tracer.startSpan(name, options, parent), error, endedAt)
  }

  #startProcess(
    topic: string,
    messages: readonly ProcessedMessage[],
    { clientId, clusterId, group }: Consumer,
  ): { readonly span: Span; readonly active: Context } {
    const { tracer, propagator, processParent } = this.#settings
    const [message] = messages
    const isSingle = messages.length === 1
    const attributes = attributesOf('process', clientId, clusterId, group)
    attributes[ATTRIBUTES.destination] = topic
    if (message !== undefined) attributes[ATTRIBUTES.partition] = String(message.partition)
    if (message !== undefined && isSingle) {
      attributes[ATTRIBUTES.offset] = message.offset
      addKey(attributes, message.key, message.value)
    } else {
      attributes[ATTRIBUTES.batchCount] = messages.length
    }
    const ambient = context.active()
    const isChild = isSingle && processParent === 'message' && message !== undefined
    const sent = isChild ? contextIn(message.headers, propagator) : ROOT_CONTEXT
    const parent = trace.getSpanContext(sent) === undefined ? ambientOf(isChild) : sent
    const links = isChild
      ? []
      : linksOf(
          messages.map(({ headers }) => headers),
          propagator,
        )
    const around = trace.getSpanContext(ambient)
    if (around !== undefined && parent !== ambient) links.push({ context: around })
    const span = tracer.startSpan(
      `process ${topic}`,
      { kind: SpanKind.CONSUMER, attributes, links },
      parent,
    )
    return { span, active: trace.setSpan(parent === ROOT_CONTEXT ? ambient : parent, span) }
  }
}

/** Returns the parent of a span whose message has no context: the active span, or none if it starts its own trace. */
function ambientOf(isChild: boolean): Context {
  return isChild ? context.active() : ROOT_CONTEXT
}

function linksOf(all: readonly ProcessedMessage['headers'][], propagator: Propagator): Link[] {
  const links: Link[] = []
  for (const headers of all) {
    if (links.length === MOST_LINKS) break
    const sent = headers.length === 0 ? undefined : spanContextIn(headers, propagator)
    if (sent !== undefined) links.push({ context: sent })
  }
  return links
}

/** Returns the attributes that all spans have, to which the caller adds others. */
function attributesOf(
  operation: Operation,
  clientId: string | undefined,
  clusterId: string | undefined,
  group: string | undefined,
): Attributes {
  const attributes = clientAttributes(operation, clientId, group)
  if (clusterId !== undefined) attributes[ATTRIBUTES.clusterId] = clusterId
  return attributes
}

/** Adds the attributes of key and value. A key that is not a string is left out: it has no canonical form. */
function addKey(attributes: Attributes, key: unknown, value: unknown): void {
  if (typeof key === 'string') attributes[ATTRIBUTES.key] = key
  if (value === null) attributes[ATTRIBUTES.tombstone] = true
}

/** `endedAt`, in milliseconds since 1970, is now by default. */
function endSpan(span: Span, error: unknown, endedAt?: number): void {
  if (error !== undefined) {
    span.setAttribute(ATTRIBUTES.errorType, errorType(error))
    const message = error instanceof Error ? error.message : typeof error
    // The `exception` event of the tracing API: the log-based events of the conventions need another API package.
    if (error instanceof Error) span.recordException(error)
    span.setStatus({ code: SpanStatusCode.ERROR, message })
  }
  span.end(endedAt)
}
