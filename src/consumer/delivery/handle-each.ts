import type { ConsumerMetrics } from '../../observe/metrics/client-metrics.ts'
import type { ConsumedMessage } from '../consumed-message.ts'
import type { PartitionState } from '../partition-state.ts'
import { PartitionHandler, type MessageHandler } from './handler.ts'
import { PartitionClock } from './partition-clock.ts'
import { ProcessSeries } from './process-series.ts'

/** Decides after each message of `handleEach` whether the next one is handled. */
export type ShouldContinue<Value, Key> = (
  message: ConsumedMessage<Value, Key>,
) => boolean | Promise<boolean>

/** Calls the handler for each message of a batch, with the metrics and traces of `run`. */
export async function handleEach<Value, Key>(
  state: PartitionState,
  messages: readonly ConsumedMessage<Value, Key>[],
  handler: MessageHandler<Value, Key>,
  shouldContinue: ShouldContinue<Value, Key>,
  metrics: ConsumerMetrics,
): Promise<void> {
  const calls = new PartitionHandler(state, handler, metrics)
  const series = new ProcessSeries(metrics)
  const clock = new PartitionClock(metrics.counted, series, state)
  try {
    for (const message of messages) {
      try {
        const result = calls.call(message)
        const pending = result ?? calls.returned()
        if (pending !== undefined) await pending
        if (result === undefined) clock.returned()
        else clock.settled()
        calls.succeeded(message.offset)
      } catch (error) {
        const isFailure = calls.failed(message.offset, error)
        clock.failed(isFailure ? error : undefined)
        throw error
      }
      const next = shouldContinue(message)
      if (next === true) continue
      clock.pause()
      if (!(await next)) return
      clock.resume()
    }
  } finally {
    clock.end()
    series.end()
  }
}
