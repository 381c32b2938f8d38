import type { PartitionState } from '../partition-state.ts'
import type { OffsetToCommit } from './offset-store.ts'

/** All that was given to the application, or without what it is at work on. */
export type UpTo = 'given' | 'finished'

/**
 * What to commit. Where offsets expire, those that have not changed are committed again, as in Java: the brokers count
 * from the last commit.
 */
export function offsetsToCommit(
  states: readonly PartitionState[],
  upTo: UpTo,
  expires: boolean,
): OffsetToCommit[] {
  return states.flatMap((state) => {
    if (state.preparation === 'starting') return []
    const { topic, partition, positionEpoch: leaderEpoch } = state
    const isHandled = upTo === 'finished' || state.handling !== undefined
    const offset = isHandled ? state.finished : state.position
    const isNeeded = expires || offset !== state.committed
    return isNeeded ? [{ topic, partition, offset, leaderEpoch }] : []
  })
}
