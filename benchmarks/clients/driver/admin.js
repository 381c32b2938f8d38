import { Meter, peakMemoryBytes, percentiles } from './meter.js'

/** Of slow calls too there are enough for a median. */
const LEAST_CALLS = 5

/**
 * A way is `async (task) => ({ ask, close })`: `ask` does the call once, and resolves with how many topics, groups,
 * partitions or resources it returned.
 */
export async function adminTask(open, task) {
  const client = await open(task)
  const until = performance.now() + task.warmUpMs
  do await checked(client, task)
  while (performance.now() < until)
  const latencies = []
  const meter = new Meter()
  meter.start()
  const end = performance.now() + task.limitMs
  let before = performance.now()
  while (before < end || latencies.length < LEAST_CALLS) {
    await checked(client, task)
    const now = performance.now()
    latencies.push(now - before)
    before = now
  }
  const measured = meter.stop()
  await client.close()
  return {
    messages: latencies.length,
    ...measured,
    latencyMs: percentiles(Float64Array.from(latencies)),
    memoryBytes: peakMemoryBytes(),
  }
}

/** A call that tells less than there is is no answer. */
async function checked({ ask }, { mode, topics, partitions, groups }) {
  const expected = {
    topics: topics.length,
    partitions: topics.length * partitions,
    groups: groups.length,
    configs: topics.length,
    lag: groups.length * partitions,
  }[mode]
  const told = await ask()
  if (told < expected) throw new Error(`${mode}: it returned ${told} instead of ${expected}`)
}
