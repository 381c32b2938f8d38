import type { ConsumerMetrics } from '../../observe/metrics/client-metrics.ts'
import { batchTracing, traceHandler, type BatchTrace } from '../../observe/tracing.ts'
import type { PartitionState } from '../partition-state.ts'
import type { ConsumerBatch } from './consumer-batch.ts'
import { publishProcess } from './process-series.ts'

/** Whether the handler of a batch has called `handleEach`, which reports each message by itself. */
export interface BatchReporting {
  isByMessage: boolean
}

export interface BatchCall<Value, Key> {
  readonly state: PartitionState
  readonly batch: ConsumerBatch<Value, Key>
  readonly reporting: BatchReporting
  readonly metrics: ConsumerMetrics
  /** Whether tracers see the call. */
  readonly isTraced: boolean
}

/**
 * Calls a handler for a batch, with the metrics, events and traces of the batch as a whole. Throws what the handler
 * throws. An error that gives the batch back, because its partition is being taken away, is not a failure.
 */
export async function handleBatch<Value, Key>(
  call: BatchCall<Value, Key>,
  handler: () => void | Promise<void>,
): Promise<void> {
  const { state, batch, reporting, metrics, isTraced } = call
  const { counted } = metrics
  const startedAt = performance.now()
  let failure: unknown
  try {
    if (isTraced && batchTracing.hasSubscribers) await traced(call, handler)
    else await handler()
  } catch (error) {
    if (!state.isEndedBy(error)) {
      failure = error
      if (!reporting.isByMessage) counted.handlerFailures++
    }
    throw error
  } finally {
    if (!reporting.isByMessage) {
      const durationMs = performance.now() - startedAt
      counted.handlerDuration.recordMs(durationMs / batch.length, batch.length)
      publishProcess(metrics, state, batch.length, durationMs, failure)
    }
  }
}

function traced<Value, Key>(
  { batch, reporting, metrics }: BatchCall<Value, Key>,
  handler: () => void | Promise<void>,
): void | Promise<void> {
  const { client, group } = metrics
  const { clientId, clusterId } = client
  const { topic, partition, messages } = batch
  const trace: BatchTrace = {
    clientId,
    clusterId,
    group,
    topic,
    partition,
    messages,
    get isByMessage() {
      return reporting.isByMessage
    },
  }
  return traceHandler(batchTracing, trace, handler)
}
