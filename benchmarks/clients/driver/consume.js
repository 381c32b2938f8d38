import { Meter, peakMemoryBytes } from './meter.js'

/** Members of a group can't know how many messages fall to them: they end when nothing comes for this long. */
const IDLE_MS = 2_000
/** How long joining a group may take. */
const JOIN_MS = 15_000
const SLOW_MS = 10
/** How often the clock is looked at, in messages: where messages follow each other without a turn, no timer fires. */
const CLOCK_EVERY = 256
/** Figures are there before a client closes: one that hangs then, in the midst of a rebalance, has given them all the same. */
const CLOSING_MS = 5_000

/**
 * Where a consumer puts what it got. Its time runs from `begin`, when the consumer knows its partitions and
 * is about to fetch (joining a group isn't counted, what is fetched ahead is), to the last message.
 */
export class Sink {
  messages = 0
  bytes = 0
  isDone = false
  measured
  firstAt = 0
  lastAt = 0
  /** Resolves when it has all it wants. */
  done
  #meter = new Meter()
  #wanted
  #limitMs
  #endsAt = Infinity
  #timer
  #resolve

  constructor(wanted, limitMs) {
    this.#wanted = wanted
    this.done = new Promise((resolve) => (this.#resolve = resolve))
    this.#limitMs = limitMs
    // It also keeps the process alive, which not every client does.
    this.#timer = setTimeout(() => this.finish(), JOIN_MS + limitMs)
  }

  /** Takes a value, and touches it. Returns true when that was enough. */
  take(value) {
    if (this.isDone) return true
    if (this.messages === 0) {
      this.firstAt = Date.now()
      this.begin()
      // Some decode all that they have fetched first: what that gives is to count.
      if (performance.now() > this.#endsAt) this.#limit()
    }
    this.messages++
    this.bytes += value.length
    if (value.length > 0 && value[0] === 0) throw new Error('this value was never sent')
    if (this.messages >= this.#wanted || this.#isOver()) this.finish()
    return this.isDone
  }

  #isOver() {
    return this.messages % CLOCK_EVERY === 0 && performance.now() > this.#endsAt
  }

  finish() {
    if (this.isDone) return
    this.isDone = true
    this.lastAt = Date.now()
    this.measured = this.#meter.isStarted
      ? this.#meter.stop()
      : { elapsedMs: 0, userMs: 0, systemMs: 0 }
    this.#resolve()
  }

  begin() {
    if (this.#meter.isStarted) return
    this.#limit()
    this.#meter.start()
  }

  #limit() {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#late(), this.#limitMs)
    this.#endsAt = performance.now() + this.#limitMs
  }

  /**
   * A consumer without a message gets `limitMs` again from its first message on. The measured time includes the wait.
   */
  #late() {
    if (this.messages > 0) return this.finish()
    this.#timer = setTimeout(() => this.finish(), JOIN_MS)
  }
}

/** Resolves when the client has read enough and closed, and soon after it has read enough at the latest. */
async function over(reading, sink) {
  const late = sink.done.then(() => new Promise((resolve) => setTimeout(resolve, CLOSING_MS)))
  await Promise.race([reading, late])
}

/**
 * A way is `async (task, sink) => …`: it reads `task.topic` from the beginning, gives each value to
 * `sink.take` until that returns true (or `sink.done` resolves), closes, and returns. A client that reads in
 * groups only is given a new `task.group` each time.
 */
export async function consumeTask(read, task) {
  const warmUp = new Sink(task.warmUpMessages, task.warmUpMs)
  await over(read({ ...task, group: `${task.group}-warm-up` }, warmUp), warmUp)
  const sink = new Sink(task.messages, task.limitMs)
  await over(read(task, sink), sink)
  return resultOf(sink, task.messages)
}

/**
 * One of several members: it reads for `limitMs` from its first message on, or until nothing comes any more.
 * Joining takes as long as it takes.
 */
export async function groupTask(read, task) {
  const sink = new Sink(Infinity, JOIN_MS + task.limitMs)
  const meter = new Meter()
  meter.start()
  let last = { messages: 0, at: 0, measured: { elapsedMs: 0, userMs: 0, systemMs: 0 } }
  const watch = setInterval(() => {
    const now = Date.now()
    const { messages, firstAt } = sink
    if (messages > last.messages) last = { messages, at: now, measured: meter.stop() }
    if (messages > 0 && (now - last.at > IDLE_MS || now - firstAt > task.limitMs)) sink.finish()
  }, 20)
  await over(read(task, sink), sink)
  clearInterval(watch)
  const { messages, bytes, firstAt } = sink
  const memoryBytes = peakMemoryBytes()
  return { messages, bytes, ...last.measured, firstAt, lastAt: last.at, memoryBytes }
}

/** A way is `async (task, sink) => …`: it produces each message's `changed(value)` to `task.output`. */
export async function transformTask(transform, task) {
  const warmUp = new Sink(task.warmUpMessages, task.warmUpMs)
  await over(transform({ ...task, group: `${task.group}-warm-up` }, warmUp), warmUp)
  const sink = new Sink(task.messages, task.limitMs)
  await over(transform(task, sink), sink)
  return resultOf(sink, task.messages)
}

/** What an application might do with a value; it is longer by a byte. */
export function changed(value) {
  const result = Buffer.allocUnsafe(value.length + 1)
  result[0] = 33
  value.copy(result, 1)
  return result
}

/** A way is `async (task, sink, handle) => …`: it awaits `handle(value)` for one message after the other. */
export async function slowTask(read, task) {
  const sink = new Sink(Infinity, task.limitMs)
  const handle = async (value) => {
    await new Promise((resolve) => setTimeout(resolve, SLOW_MS))
    return sink.take(value)
  }
  await over(read(task, sink, handle), sink)
  return resultOf(sink, 1)
}

function resultOf(sink, wanted) {
  const { messages, bytes, measured } = sink
  if (messages === 0) throw new Error(`none of ${wanted} messages came in time`)
  return { messages, bytes, ...measured, memoryBytes: peakMemoryBytes() }
}
