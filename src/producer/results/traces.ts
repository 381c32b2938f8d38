/** Traces of messages, which end with their batches. */
import { endProduce, produceTracing, type ProduceTrace } from '../../observe/tracing.ts'

/** The trace of a message, and its place in a batch. */
export interface MessageTrace {
  readonly trace: ProduceTrace
  readonly index: number
}

/** The part of a batch that traces use. */
export interface TracedBatch {
  readonly count: number
  traces: MessageTrace[] | undefined
}

/** Produces a message within its trace; subscribers may change its headers first. */
export function startProduce<T>(trace: ProduceTrace, produce: () => T): T {
  try {
    return produceTracing.start.runStores(trace, produce)
  } catch (error) {
    trace.error = error
    throw error
  } finally {
    produceTracing.end.publish(trace)
    if (trace.error !== undefined) endProduce(trace)
  }
}

/** Adds the trace of the record that was appended last. */
export function traceLast(batch: TracedBatch, trace: ProduceTrace): void {
  const traces = (batch.traces ??= [])
  traces.push({ trace, index: batch.count - 1 })
}

/**
 * Ends the traces of a batch, which is in the log of a partition from this offset on (−1 if unknown), or has failed.
 */
export function endTraces(
  traces: readonly MessageTrace[],
  partition: number,
  ending: { readonly baseOffset: number } | { readonly error: Error },
): void {
  for (const { trace, index } of traces) {
    if ('error' in ending) {
      trace.error = ending.error
    } else {
      const offset = ending.baseOffset < 0 ? -1 : ending.baseOffset + index
      trace.result = { partition, offset }
    }
    endProduce(trace)
  }
}
