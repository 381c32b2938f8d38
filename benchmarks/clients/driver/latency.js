import { Meter, peakMemoryBytes, percentiles } from './meter.js'
import { readValues } from './values.js'

/** How far the sender may be ahead of the receiver while the highest rate is looked for. */
const MOST_AHEAD = 5_000
const DRAIN_MS = 10_000

/**
 * A way is `async (task, receive) => ({ send, close })`, for one process that produces and consumes, set for
 * low latency. It returns when the consumer is in place. `send(value)` may return a promise, which is for
 * backpressure only; `receive(value)` gets each value that came back.
 *
 * First the highest rate is looked for, then each share of it is kept up for a while. Messages leave every
 * millisecond as many as are due; latency counts from when a message was due, not from when a busy sender
 * got round to it.
 */
export async function echoTask(open, task) {
  const { client, echo, values, highestRate } = await atHighestRate(open, task)
  const steps = []
  for (const share of task.shares) {
    const rate = share * highestRate
    steps.push({ share, rate, ...(await atRate(client, echo, values, rate, task.limitMs)) })
  }
  await client.close()
  return { highestRate, steps, memoryBytes: peakMemoryBytes() }
}

/** Opens the client, warms it up, and looks for the highest rate. */
export async function atHighestRate(open, task) {
  const values = readValues(task)
  const echo = new Echo()
  const client = await open(task, (value) => echo.received(value))
  await firstEcho(client, echo, values)
  await asManyAsGo(client, echo, values, task.limitMs / 2)
  const highestRate = await asManyAsGo(client, echo, values, task.limitMs)
  return { client, echo, values, highestRate }
}

/** From the start of the process (`task.startedAt`) to the first acknowledged and the first received message. */
export async function startTask(open, task) {
  const sinceStart = () => Date.now() - task.startedAt
  const loadedMs = sinceStart()
  const values = readValues(task)
  const echo = new Echo()
  const client = await open(task, (value) => echo.received(value))
  const openMs = sinceStart()
  await firstEcho(client, echo, values)
  const receivedMs = sinceStart()
  const { user, system } = process.cpuUsage()
  const memoryBytes = peakMemoryBytes()
  await client.close()
  return { loadedMs, openMs, receivedMs, userMs: user / 1000, systemMs: system / 1000, memoryBytes }
}

/** When each message was due, by the number that it carries in its first eight characters. */
class Echo {
  sent = 0
  receivedCount = 0
  latencies = []
  #dueAt = []
  #waiting
  #isMeasured = false

  /** A value with a number in it. */
  numbered(value, dueAt) {
    const copy = Buffer.from(value)
    copy.write(String(this.sent++).padStart(8, '0'), 0, 'latin1')
    this.#dueAt.push(dueAt)
    return copy
  }

  received(value) {
    const number = Number(value.latin1Slice(0, 8))
    if (this.#isMeasured) this.latencies.push(performance.now() - this.#dueAt[number])
    this.receivedCount++
    if (this.receivedCount === this.sent) this.#waiting?.()
  }

  measure() {
    this.latencies = []
    this.#isMeasured = true
  }

  ignore() {
    this.#isMeasured = false
  }

  /** Resolves when all that was sent is back. */
  async allReceived() {
    if (this.receivedCount >= this.sent) return
    let timer
    const late = new Promise((_, reject) => {
      const missing = () =>
        new Error(`${this.sent - this.receivedCount} of ${this.sent} messages never came back`)
      timer = setTimeout(() => reject(missing()), DRAIN_MS)
    })
    await Promise.race([new Promise((resolve) => (this.#waiting = resolve)), late])
    clearTimeout(timer)
  }
}

async function firstEcho(client, echo, values) {
  await client.send(echo.numbered(values[0], performance.now()))
  await echo.allReceived()
}

async function asManyAsGo(client, echo, values, limitMs) {
  const before = echo.receivedCount
  const startedAt = performance.now()
  const inFlight = new Set()
  while (performance.now() - startedAt < limitMs) {
    for (let burst = 0; burst < 100; burst++) {
      const sending = client.send(echo.numbered(values[echo.sent % values.length], 0))
      if (sending === undefined) continue
      inFlight.add(sending)
      void sending.finally(() => inFlight.delete(sending)).catch(() => undefined)
    }
    do await new Promise((resolve) => setImmediate(resolve))
    while (echo.sent - echo.receivedCount > MOST_AHEAD)
  }
  await Promise.all(inFlight)
  await echo.allReceived()
  return ((echo.receivedCount - before) * 1000) / (performance.now() - startedAt)
}

export async function atRate(client, echo, values, rate, limitMs) {
  const startedAt = performance.now()
  const first = echo.sent
  const meter = new Meter()
  echo.measure()
  meter.start()
  await new Promise((resolve, reject) => {
    const timer = setInterval(() => {
      const now = performance.now()
      const elapsedMs = now - startedAt
      if (elapsedMs > limitMs) {
        clearInterval(timer)
        resolve()
        return
      }
      const due = Math.floor((elapsedMs * rate) / 1000)
      while (echo.sent - first < due) {
        const dueAt = startedAt + ((echo.sent - first) * 1000) / rate
        // A millisecond's messages are due together, at its end.
        const value = echo.numbered(
          values[echo.sent % values.length],
          Math.min(now, Math.ceil(dueAt)),
        )
        const sending = client.send(value)
        sending?.catch(reject)
      }
    }, 1)
  })
  await echo.allReceived()
  const measured = meter.stop()
  echo.ignore()
  return { ...measured, latencyMs: percentiles(Float64Array.from(echo.latencies)) }
}
