import type { Inbox } from '../inbox.ts'
import type { PartitionState } from '../partition-state.ts'
import { drivePartitions } from './drive-partitions.ts'
import { nextToHandle, PartitionHandler, type MessageHandler } from './handler.ts'
import { PartitionClock } from './partition-clock.ts'
import type { Run } from './run.ts'

/**
 * Calls the handler for the messages of each partition one after another, and for up to `concurrency` partitions at
 * the same time. An error of a handler ends the run: the failed message is the next one of its partition.
 */
export function runByPartition<Value, Key>(
  run: Run<Inbox<Value, Key>>,
  handler: MessageHandler<Value, Key>,
): Promise<void> {
  return drivePartitions(run, (state) => handleChunk(run, state, handler))
}

async function handleChunk<Value, Key>(
  run: Run<Inbox<Value, Key>>,
  state: PartitionState,
  handler: MessageHandler<Value, Key>,
): Promise<void> {
  const { chunk } = state.buffer
  if (chunk === undefined) return
  const calls = new PartitionHandler(state, handler, run.metrics)
  const clock = new PartitionClock(run.metrics.counted, run.series, state)
  try {
    while (!run.isOver) {
      if (state.buffer.chunk !== chunk) return
      const next = nextToHandle(run.feed, chunk)
      if (next === undefined) return
      const { offset } = next.raw
      try {
        const result = calls.call(next.message)
        const pending = result ?? calls.returned()
        if (pending !== undefined) await pending
        if (result === undefined) clock.returned()
        else clock.settled()
        calls.succeeded(offset)
      } catch (error) {
        const isFailure = calls.failed(offset, error)
        clock.failed(isFailure ? error : undefined)
        // It was not handled, so it is the next message again, unless the application has moved the position in the
        // meantime.
        if (state.buffer.chunk === chunk) chunk.index--
        if (!isFailure) return
        throw error
      }
    }
  } finally {
    clock.end()
  }
}
