import { Meter, peakMemoryBytes, percentiles } from './meter.js'
import { Quota, readValues } from './values.js'

/** How many messages are in a transaction, by mode. Of the short ones each is timed. */
const SIZES = {
  'of 100': 100,
  'of 1,000': 1_000,
  'of 10,000': 10_000,
  idempotent: 10_000,
  empty: 0,
  'of one': 1,
  'of ten': 10,
}
const LONGEST_TIMED = 10
const WARM_UP_TRANSACTIONS = 50

/** Whether the transactions of a mode are timed one by one: then `messages` of the task is how many there are. */
const isTimed = (mode) => SIZES[mode] <= LONGEST_TIMED

/**
 * A way is `async (task) => ({ run, close })`. `run(values, isSpread)` makes one transaction of these messages; where
 * `isSpread`, each is for the partition of its index.
 */
export async function transactionsTask(open, task) {
  const values = readValues(task)
  const size = SIZES[task.mode]
  const { run, close } = await open(task)
  const transaction = (quota) => {
    const taken = size === 0 ? [] : quota.take(size)
    return taken === undefined ? undefined : run(taken, task.mode === 'of ten')
  }
  const warmUp = new Quota(values, WARM_UP_TRANSACTIONS * size, task.warmUpMs)
  for (let i = 0; i < WARM_UP_TRANSACTIONS; i++) await transaction(warmUp)
  const count = isTimed(task.mode) ? task.messages : Math.ceil(task.messages / size)
  const quota = new Quota(values, count * size, task.limitMs * 10)
  const latencies = new Float64Array(count)
  const meter = new Meter()
  meter.start()
  let made = 0
  for (; made < count; made++) {
    const beganAt = performance.now()
    const running = transaction(quota)
    if (running === undefined) break
    await running
    latencies[made] = performance.now() - beganAt
  }
  const measured = meter.stop()
  const memoryBytes = peakMemoryBytes()
  await close()
  const messages = isTimed(task.mode) ? made : quota.given
  return {
    messages,
    bytes: quota.given * task.valueBytes,
    ...measured,
    memoryBytes,
    latencyMs: percentiles(latencies.subarray(0, made)),
  }
}

/** The same way for each mode of a client. */
export const transactionWays = (text, open, idempotent) => ({
  ...Object.fromEntries(
    Object.keys(SIZES)
      .filter((mode) => mode !== 'idempotent')
      .map((mode) => [mode, [text, open]]),
  ),
  ...(idempotent === undefined ? {} : { idempotent }),
})

/** Arguments of the Java tool: how many transactions, and of how many messages. */
export const transactionCounts = ({ mode, messages }) => ({
  size: SIZES[mode],
  count: isTimed(mode) ? messages : Math.ceil(messages / SIZES[mode]),
  warmUp: WARM_UP_TRANSACTIONS,
})
