import type { PartitionState } from '../partition-state.ts'
import { nextToHandle, type MessageHandler, type Run } from './run.ts'

/**
 * Hands the messages of each partition to the handler one after the other, of so many partitions at the same
 * time. A handler's error ends it: the message that failed is the next of its partition to be handed over.
 */
export function runByPartition<Value, Key>(
  run: Run<Value, Key>,
  handler: MessageHandler<Value, Key>,
): Promise<void> {
  return run.claimEach((state) => {
    state.handling = run.begin(handleChunk(run, state, handler), () => {
      state.handling = undefined
      run.inbox.release(state)
    })
  })
}

async function handleChunk<Value, Key>(
  run: Run<Value, Key>,
  state: PartitionState,
  handler: MessageHandler<Value, Key>,
): Promise<void> {
  const { chunk } = state
  if (chunk === undefined) return
  while (!run.isOver) {
    const next = nextToHandle(run.inbox, state)
    if (next === undefined || state.chunk !== chunk) return
    try {
      await handler(next.message)
    } catch (error) {
      // It was not handled: it is the next one again, unless the application went elsewhere meanwhile.
      if (state.chunk === chunk) chunk.index--
      throw error
    }
  }
}
