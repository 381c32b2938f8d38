/** Trace contexts in the headers of messages. */
import {
  propagation,
  ROOT_CONTEXT,
  trace,
  type Context,
  type SpanContext,
  type TextMapPropagator,
} from '@opentelemetry/api'
import type { TracedHeader } from '../index.ts'

/** The part of a propagator that the instrumentation needs. */
export type Propagator = Pick<TextMapPropagator, 'inject' | 'extract' | 'fields'>

export const GLOBAL_PROPAGATOR: Propagator = {
  inject: (context, carrier, setter) => propagation.inject(context, carrier, setter),
  extract: (context, carrier, getter) => propagation.extract(context, carrier, getter),
  fields: () => propagation.fields(),
}

const GETTER = {
  keys: (headers: readonly TracedHeader[]) => headers.map(({ key }) => key),
  get(headers: readonly TracedHeader[], name: string): string | undefined {
    // The last header with the name is from the last client that sent the message.
    const value = headers.findLast(({ key }) => key === name)?.value
    if (value === undefined || value === null) return undefined
    return typeof value === 'string' ? value : Buffer.from(value).toString()
  },
}

const SETTER = {
  set(headers: TracedHeader[], key: string, value: string): void {
    headers.push({ key, value })
  },
}

/** Returns the context in which a message was sent; the root context if its headers have none. */
export function contextIn(headers: readonly TracedHeader[], propagator: Propagator): Context {
  return propagator.extract(ROOT_CONTEXT, headers, GETTER)
}

/** Returns the span that sent a message; undefined if its headers have none. */
export function spanContextIn(
  headers: readonly TracedHeader[],
  propagator: Propagator,
): SpanContext | undefined {
  return trace.getSpanContext(contextIn(headers, propagator))
}

/** Writes the context into the headers. Replaces a context that they have already. */
export function inject(context: Context, headers: TracedHeader[], propagator: Propagator): void {
  const fields = new Set(propagator.fields())
  const others = headers.filter(({ key }) => !fields.has(key))
  if (others.length < headers.length) headers.splice(0, headers.length, ...others)
  propagator.inject(context, headers, SETTER)
}
