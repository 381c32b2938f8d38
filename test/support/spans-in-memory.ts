import { afterAll, afterEach, beforeAll, beforeEach, expect } from '@jest/globals'
import { context, metrics, propagation, SpanKind, trace, type Tracer } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
  type ReadableSpan,
} from '@opentelemetry/sdk-trace-base'
import { unknownInSpan } from './conventions.ts'

export interface SpansInMemory {
  readonly provider: BasicTracerProvider
  readonly tracer: Tracer
  /** Returns the finished spans with this name. */
  readonly named: (name: string) => ReadableSpan[]
}

export const parentOf = (span: ReadableSpan | undefined) => span?.parentSpanContext?.spanId
export const idOf = (span: ReadableSpan | undefined) => span?.spanContext().spanId

/**
 * Registers the globals of OpenTelemetry for the tests of a file, with an exporter that keeps the spans of one test.
 * After each test, the spans of samsa must have nothing that the model of the conventions does not have.
 */
export function keepSpansInMemory(): SpansInMemory {
  const exporter = new InMemorySpanExporter()
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })
  beforeAll(() => {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
    trace.setGlobalTracerProvider(provider)
    propagation.setGlobalPropagator(new W3CTraceContextPropagator())
  })
  afterAll(async () => {
    context.disable()
    trace.disable()
    propagation.disable()
    metrics.disable()
    await provider.shutdown()
  })
  beforeEach(() => exporter.reset())
  afterEach(() => {
    const unknown = exporter
      .getFinishedSpans()
      .filter(({ instrumentationScope }) => instrumentationScope.name === 'samsa')
      .flatMap(({ kind, name, attributes }) => unknownInSpan(SpanKind[kind], name, attributes))
    expect(unknown).toEqual([])
  })
  return {
    provider,
    tracer: provider.getTracer('test'),
    named: (name) => exporter.getFinishedSpans().filter((span) => span.name === name),
  }
}
