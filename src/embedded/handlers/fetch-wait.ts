import { outcomeOf } from '../refused.ts'
import type { RequestContext } from '../api/context.ts'
import { fetchable, knownPartition } from './fetch-read.ts'
import type { FetchPartition } from '../fetch/sessions.ts'

/**
 * Waits until this many bytes can be read, a partition has an error, the time has passed, or the client no longer waits
 * for the response.
 */
export function waitForBytes(
  context: RequestContext,
  wanted: readonly FetchPartition[],
  minBytes: number,
  maxWaitMs: number,
  isReadCommitted: boolean,
): Promise<void> {
  return new Promise((resolve) => {
    const unsubscribe: (() => void)[] = []
    const finish = () => {
      timer.cancel()
      for (const off of unsubscribe) off()
      context.signal.removeEventListener('abort', finish)
      resolve()
    }
    const timer = context.cluster.timers.after(maxWaitMs, finish)
    context.signal.addEventListener('abort', finish)
    if (context.signal.aborted) {
      finish()
      return
    }
    const check = () => {
      if (hasEnough(context, wanted, minBytes, isReadCommitted)) finish()
    }
    for (const one of wanted) {
      const partition = knownPartition(context, one)
      if (partition !== undefined) unsubscribe.push(partition.log.onChange(check))
    }
    // A read ends with its segment: the next segment may contain enough bytes.
    check()
  })
}

function hasEnough(
  context: RequestContext,
  wanted: readonly FetchPartition[],
  minBytes: number,
  isReadCommitted: boolean,
): boolean {
  let bytes = 0
  for (const one of wanted) {
    const outcome = outcomeOf(() => fetchable(context, one))
    if (outcome.refused !== undefined) return true
    const { log, lastStableOffset } = outcome.value
    const toOffset = isReadCommitted ? lastStableOffset : log.endOffset
    bytes += Math.min(log.bytesFrom(one.fetchOffset, toOffset), one.maxBytes)
    if (bytes >= minBytes) return true
  }
  return false
}
