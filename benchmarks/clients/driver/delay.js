import { atHighestRate, atRate } from './latency.js'
import { peakMemoryBytes, percentiles } from './meter.js'

const TICK_MS = 1

/**
 * The event loop's delay in a process that produces and consumes at a share of its highest rate. A way is that of
 * `echo`, in latency.js.
 */
export async function delayTask(open, task) {
  const { client, echo, values, highestRate } = await atHighestRate(open, task)
  const delays = new DelayMeter()
  const [share] = task.shares
  delays.start()
  const step = await atRate(client, echo, values, share * highestRate, task.limitMs)
  delays.stop()
  await client.close()
  const { elapsedMs, userMs, systemMs } = step
  const delayMs = percentiles(Float64Array.from(delays.delaysMs))
  const messages = step.latencyMs.count
  const memoryBytes = peakMemoryBytes()
  return { messages, elapsedMs, userMs, systemMs, highestRate, delayMs, memoryBytes }
}

/**
 * How late the event loop calls a timer that is due every millisecond. A call that the loop skips counts with its
 * delay, so that a long stall shows in each millisecond of it: Node's monitorEventLoopDelay counts one call for it.
 */
export class DelayMeter {
  delaysMs = []
  #dueAt = 0
  #timer

  start() {
    this.begin(performance.now())
    this.#timer = setInterval(() => this.called(performance.now()), TICK_MS)
  }

  stop() {
    clearInterval(this.#timer)
    this.called(performance.now())
  }

  begin(now) {
    this.#dueAt = now + TICK_MS
  }

  /** The loop has come to the timer at last: for all calls that were due. */
  called(now) {
    for (; this.#dueAt <= now; this.#dueAt += TICK_MS) this.delaysMs.push(now - this.#dueAt)
  }
}
