/**
 * Tracing channels of node:diagnostics_channel around `produce` and the handlers of `run`: what tracers subscribe to.
 * Without subscribers they cost a look at a boolean for each turn of the event loop, or each chunk of messages.
 */
import { tracingChannel } from 'node:diagnostics_channel'
import type { ClientEvent } from './channels.ts'

/** A header of a message that is being produced. */
export interface TracedHeader {
  /** The name of the header. */
  readonly key: string
  /** The bytes or the text of the header. */
  readonly value: string | Uint8Array | null
}

/**
 * What subscribers of `tracing:samsa:produce:*` get, the same object for all events of a message: `start` when it is
 * produced, `end` when `produce` returns, `asyncEnd` when it is delivered or has failed, `error` before that where it
 * has failed.
 */
export interface ProduceTrace extends ClientEvent {
  /** The topic of the message. */
  readonly topic: string
  /** The partition that the application chose; undefined where the producer chooses. */
  readonly partition: number | undefined
  /** The key, serialized. */
  readonly key: string | Uint8Array | null
  /** The value, serialized. */
  readonly value: string | Uint8Array | null
  /** The headers. A subscriber of `start` may add some, such as a trace context, and remove some. */
  readonly headers: TracedHeader[]
  /** Where the message is in the log, once it is delivered; the offset is −1 where that is not known. */
  result?: { readonly partition: number; readonly offset: number }
  /** Why it has failed. */
  error?: unknown
}

/** The message in a `HandleTrace`. */
export interface TracedMessage {
  /** The topic that it was read from. */
  readonly topic: string
  /** The partition that it was read from. */
  readonly partition: number
  /** Its place in the partition. */
  readonly offset: number
  /** The key, deserialized. */
  readonly key: unknown
  /** The value, deserialized. */
  readonly value: unknown
  /** The headers. */
  readonly headers: readonly TracedHeader[]
}

/**
 * What subscribers of `tracing:samsa:handle:*` get, the same object for all events of a message: `start` when the
 * handler is called, `end` when it has returned, `asyncEnd` when it has finished, `error` before that where it failed.
 */
export interface HandleTrace extends ClientEvent {
  /** The consumer's group; undefined without one. */
  readonly group: string | undefined
  /** The message, whose headers may have a trace context. */
  readonly message: TracedMessage
  /** 1, and one more for each time that a handler of this consumer has thrown for the message. */
  readonly attempt: number
  /**
   * A subscriber of `start` may set a function that calls its argument and returns what that returns: for what has to
   * be around the handler, such as an active span. It must not throw itself.
   */
  wrap?: <T>(call: () => T) => T
  /** What the handler threw. */
  error?: unknown
}

export const produceTracing = tracingChannel<unknown, ProduceTrace>('samsa:produce')
export const handleTracing = tracingChannel<unknown, HandleTrace>('samsa:handle')

/** A message was delivered, or has failed. */
export function endProduce(trace: ProduceTrace): void {
  if (trace.error !== undefined) produceTracing.error.publish(trace)
  produceTracing.asyncStart.publish(trace)
  produceTracing.asyncEnd.publish(trace)
}

/** Calls a handler, and publishes what becomes of it. */
export function traceHandler(
  trace: HandleTrace,
  handler: () => void | Promise<void>,
): void | Promise<void> {
  let result: void | Promise<void>
  try {
    result = handleTracing.start.runStores(trace, () =>
      trace.wrap === undefined ? handler() : trace.wrap(handler),
    )
  } catch (error) {
    trace.error = error
    handleTracing.end.publish(trace)
    endHandle(trace)
    throw error
  }
  handleTracing.end.publish(trace)
  if (result === undefined) {
    endHandle(trace)
    return undefined
  }
  return Promise.resolve(result).then(
    () => endHandle(trace),
    (error: unknown) => {
      trace.error = error
      endHandle(trace)
      throw error
    },
  )
}

function endHandle(trace: HandleTrace): void {
  if (trace.error !== undefined) handleTracing.error.publish(trace)
  handleTracing.asyncStart.publish(trace)
  handleTracing.asyncEnd.publish(trace)
}
