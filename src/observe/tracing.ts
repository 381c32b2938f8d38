/**
 * Tracing channels of node:diagnostics_channel for `produce` and the handlers of `run`, to which tracers subscribe.
 * Without subscribers they cost one boolean check for each turn of the event loop, or for each chunk of messages.
 */
import { tracingChannel, type TracingChannel } from 'node:diagnostics_channel'
import type { ClientEvent } from './channels.ts'

/** A header of a message that is being produced. */
export interface TracedHeader {
  /** The name of the header. */
  readonly key: string
  /** The bytes or the text of the header. */
  readonly value: string | Uint8Array | null
}

/**
 * The payload of `tracing:samsa:produce:*`. All events of a message have the same object: `start` when it is produced,
 * `end` when `produce` returns, `error` if it fails, and `asyncEnd` after it is delivered or has failed.
 */
export interface ProduceTrace extends ClientEvent {
  /** The id of the cluster; undefined before Kafka 0.10.1. */
  readonly clusterId: string | undefined
  /** The topic of the message. */
  readonly topic: string
  /** The partition that the application chose; undefined where the producer chooses. */
  readonly partition: number | undefined
  /** The key, serialized. */
  readonly key: string | Uint8Array | null
  /** The value, serialized. */
  readonly value: string | Uint8Array | null
  /** The headers. A subscriber of `start` may add headers, such as a trace context, and remove headers. */
  readonly headers: TracedHeader[]
  /** The place of the message in the log, once it is delivered; the offset is −1 if it is not known. */
  result?: { readonly partition: number; readonly offset: number }
  /** Why the message failed. */
  error?: unknown
}

/** The message in a `HandleTrace`. */
export interface TracedMessage {
  /** The topic that it was read from. */
  readonly topic: string
  /** The partition that it was read from. */
  readonly partition: number
  /** The offset of the message in its partition. */
  readonly offset: number
  /** The key, deserialized. */
  readonly key: unknown
  /** The value, deserialized. */
  readonly value: unknown
  /** The headers. */
  readonly headers: readonly TracedHeader[]
}

/**
 * The payload of `tracing:samsa:handle:*`. All events of a message have the same object: `start` before the handler is
 * called, `end` when it has returned, `error` if it fails, and `asyncEnd` after it has finished or failed.
 */
export interface HandleTrace extends ClientEvent {
  /** The id of the cluster; undefined before Kafka 0.10.1. */
  readonly clusterId: string | undefined
  /** The consumer's group; undefined without one. */
  readonly group: string | undefined
  /** The message, whose headers may have a trace context. */
  readonly message: TracedMessage
  /**
   * 1, and one more for each time that a handler of this consumer has thrown for the message; for a share group, the
   * number of deliveries of the message.
   */
  readonly attempt: number
  /**
   * A subscriber of `start` may set a function that calls its argument and returns the result, to run the handler
   * within something such as an active span. The function itself must not throw.
   */
  wrap?: <T>(call: () => T) => T
  /** What the handler threw. */
  error?: unknown
}

/**
 * The payload of `tracing:samsa:batch:*`. All events of a batch have the same object: `start` before the handler of
 * `runBatches` or `transact` is called, `end` when it has returned, `error` if it fails, and `asyncEnd` after it has
 * finished or failed.
 */
export interface BatchTrace extends ClientEvent {
  /** The id of the cluster; undefined before Kafka 0.10.1. */
  readonly clusterId: string | undefined
  /** The consumer's group; undefined without one. */
  readonly group: string | undefined
  /** The topic of the messages. */
  readonly topic: string
  /** The partition of the messages. */
  readonly partition: number
  /** The messages, whose headers may have trace contexts. */
  readonly messages: readonly TracedMessage[]
  /** Whether the handler has called `handleEach` of the batch: then `tracing:samsa:handle:*` has its messages, too. */
  readonly isByMessage: boolean
  /** As in `HandleTrace`. */
  wrap?: <T>(call: () => T) => T
  /** What the handler threw. */
  error?: unknown
}

export const produceTracing = tracingChannel<unknown, ProduceTrace>('samsa:produce')
export const handleTracing = tracingChannel<unknown, HandleTrace>('samsa:handle')
export const batchTracing = tracingChannel<unknown, BatchTrace>('samsa:batch')

/** Publishes that a message was delivered, or has failed. */
export function endProduce(trace: ProduceTrace): void {
  if (trace.error !== undefined) produceTracing.error.publish(trace)
  produceTracing.asyncStart.publish(trace)
  produceTracing.asyncEnd.publish(trace)
}

/** Calls a handler, and publishes its start and its end. */
export function traceHandler<Trace extends HandleTrace | BatchTrace>(
  tracing: TracingChannel<unknown, Trace>,
  trace: Trace,
  handler: () => void | Promise<void>,
): void | Promise<void> {
  let result: void | Promise<void>
  try {
    result = tracing.start.runStores(trace, () =>
      trace.wrap === undefined ? handler() : trace.wrap(handler),
    )
  } catch (error) {
    trace.error = error
    tracing.end.publish(trace)
    endHandle(tracing, trace)
    throw error
  }
  tracing.end.publish(trace)
  if (result === undefined) {
    endHandle(tracing, trace)
    return undefined
  }
  return Promise.resolve(result).then(
    () => endHandle(tracing, trace),
    (error: unknown) => {
      trace.error = error
      endHandle(tracing, trace)
      throw error
    },
  )
}

function endHandle<Trace extends HandleTrace | BatchTrace>(
  tracing: TracingChannel<unknown, Trace>,
  trace: Trace,
): void {
  if (trace.error !== undefined) tracing.error.publish(trace)
  tracing.asyncStart.publish(trace)
  tracing.asyncEnd.publish(trace)
}
