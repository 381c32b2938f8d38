import type { ConsumerMetrics } from '../../observe/metrics/client-metrics.ts'
import type { ConsumedMessage } from '../consumed-message.ts'
import type { PartitionState } from '../partition-state.ts'
import { HandlerClock } from './handler-clock.ts'
import { PartitionHandler, type MessageHandler } from './handler.ts'

/** Decides after each message of `handleEach` if the next one is handled. */
export type GoOn<Value, Key> = (message: ConsumedMessage<Value, Key>) => boolean | Promise<boolean>

/** Calls the handler for each message of a batch, with the metrics and traces of `run`. */
export async function handleEach<Value, Key>(
  state: PartitionState,
  messages: readonly ConsumedMessage<Value, Key>[],
  handler: MessageHandler<Value, Key>,
  goOn: GoOn<Value, Key>,
  metrics: ConsumerMetrics,
): Promise<void> {
  const calls = new PartitionHandler(state, handler, metrics)
  const clock = new HandlerClock(metrics.counted)
  try {
    for (const message of messages) {
      try {
        const result = calls.call(message)
        await result
        if (result === undefined) clock.returned()
        else clock.settled()
        calls.succeeded(message.offset)
      } catch (error) {
        clock.returned()
        if (calls.failed(message.offset, error)) metrics.counted.handlerFailures++
        throw error
      }
      const goesOn = goOn(message)
      if (goesOn === true) continue
      clock.flush()
      if (!(await goesOn)) return
      // The wait is no part of the next message.
      clock.read()
    }
  } finally {
    clock.flush()
  }
}
