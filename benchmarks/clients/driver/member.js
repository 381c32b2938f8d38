import { Meter, peakMemoryBytes } from './meter.js'

/** What joining left behind is over by then. */
const SETTLE_MS = 2_000

/**
 * A way is `async (task) => ({ close })`: it joins `task.group` as one more member, and returns when it has an
 * assignment. Several join at the same time, in one process; then nothing happens for a while.
 */
export async function memberTask(join, task) {
  const startedAt = performance.now()
  const joining = Array.from({ length: task.members }, () => join(task))
  await Promise.all(joining)
  const joinedMs = performance.now() - startedAt
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS))
  const meter = new Meter()
  meter.start()
  await new Promise((resolve) => setTimeout(resolve, task.limitMs))
  const idle = meter.stop()
  // Leaving one by one, each with a rebalance of all that are left, is not what is measured.
  return { joinedMs, idle, members: task.members, memoryBytes: peakMemoryBytes() }
}
