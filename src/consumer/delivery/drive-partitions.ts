import type { Inbox } from '../inbox.ts'
import type { PartitionState } from '../partition-state.ts'
import type { Run } from './run.ts'

/**
 * Calls `handleChunk` for the chunks of each partition one after another, and for up to `concurrency` partitions at the
 * same time. An error that it throws ends the run.
 */
export function drivePartitions<Value, Key>(
  run: Run<Inbox<Value, Key>>,
  handleChunk: (state: PartitionState) => Promise<void>,
): Promise<void> {
  const handle = async (state: PartitionState) => {
    run.began()
    try {
      await handleChunk(state)
    } catch (error) {
      run.fail(error)
    } finally {
      run.finished()
      state.handling = undefined
      run.feed.release(state)
      run.feed.wake()
    }
  }
  return run.drive(() => {
    while (run.hasRoom) {
      const state = run.feed.claim()
      if (state === undefined) return
      state.handling = handle(state)
    }
  })
}
