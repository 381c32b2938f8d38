import { Meter, peakMemoryBytes, percentiles } from './meter.js'
import { Quota, readValues } from './values.js'

/**
 * A way is `async (task) => ({ send, close })`. `send(quota)` sends what the quota gives and returns when all
 * of it is acknowledged; where one message is awaited after the other, `send(quota, lap)` calls `lap()` when
 * each one is.
 */
export async function produceTask(open, task) {
  const values = readValues(task)
  const producer = await open(task)
  await producer.send(new Quota(values, task.warmUpMessages, task.warmUpMs), () => undefined)
  const quota = new Quota(values, task.messages, task.limitMs)
  const latencies = task.mode === 'awaited' ? new Float64Array(task.messages) : undefined
  const meter = new Meter()
  meter.start()
  let laps = 0
  let lapAt = performance.now()
  const lap = () => {
    const now = performance.now()
    latencies[laps++] = now - lapAt
    lapAt = now
  }
  await producer.send(quota, lap)
  const measured = meter.stop()
  const memoryBytes = peakMemoryBytes()
  await producer.close()
  return {
    messages: quota.given,
    bytes: quota.given * task.valueBytes,
    ...measured,
    memoryBytes,
    ...(latencies === undefined ? {} : { latencyMs: percentiles(latencies.subarray(0, laps)) }),
  }
}
