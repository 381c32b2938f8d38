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

/** What is needed of a propagator: the global one of the API, or one of the application's. */
export type Propagator = Pick<TextMapPropagator, 'inject' | 'extract' | 'fields'>

export const GLOBAL_PROPAGATOR: Propagator = {
  inject: (context, carrier, setter) => propagation.inject(context, carrier, setter),
  extract: (context, carrier, getter) => propagation.extract(context, carrier, getter),
  fields: () => propagation.fields(),
}

const GETTER = {
  keys: (headers: readonly TracedHeader[]) => headers.map(({ key }) => key),
  get(headers: readonly TracedHeader[], name: string): string | undefined {
    // The last one: it was added by the last client that sent the message.
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

/** The context that a message was sent in; the root where it has none. */
export function contextIn(headers: readonly TracedHeader[], propagator: Propagator): Context {
  return propagator.extract(ROOT_CONTEXT, headers, GETTER)
}

/** The span that a message was sent in, as far as its headers say. */
export function spanContextIn(
  headers: readonly TracedHeader[],
  propagator: Propagator,
): SpanContext | undefined {
  return trace.getSpanContext(contextIn(headers, propagator))
}

/** Writes the context into the headers, in the place of another one. */
export function inject(context: Context, headers: TracedHeader[], propagator: Propagator): void {
  const fields = new Set(propagator.fields())
  const others = headers.filter(({ key }) => !fields.has(key))
  if (others.length < headers.length) headers.splice(0, headers.length, ...others)
  propagator.inject(context, headers, SETTER)
}
