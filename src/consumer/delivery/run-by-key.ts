import { murmur2 } from '../../../protocol/buffer/murmur2.ts'
import { deferred, type Deferred } from '../../async/deferred.ts'
import type { ConsumedMessage } from '../consumed-message.ts'
import type { Inbox } from '../inbox.ts'
import type { PartitionState } from '../partition-state.ts'
import { nextToHandle, PartitionHandler, type MessageHandler, type ToHandle } from './handler.ts'
import { PartitionClock } from './partition-clock.ts'
import type { Run } from './run.ts'

/**
 * How many messages of a partition are read ahead while earlier messages of their key are running. These messages use
 * no slot of `concurrency`, so they need a limit: each of them keeps the memory of its batch, which no longer counts
 * against `queuedMaxBytes`, and is delivered again after a failure or a rebalance. A key with more than one
 * `concurrency`th of a partition's messages is the bottleneck at any limit; a thousand messages even out bursts of
 * the other keys. The limit applies to each partition, so that a hot key never stops another partition.
 */
const MOST_WAITING = 1_000
/** The limit over all partitions. A partition with larger messages still reads one ahead. */
const MOST_WAITING_BYTES = 16 * 1024 * 1024
/** How many messages of a partition start before other partitions get their turn, and how long a turn takes at most. */
const TURN_MESSAGES = 100
const TURN_MS = 1

interface Task<Value, Key> {
  readonly work: Work<Value, Key>
  readonly message: ConsumedMessage<Value, Key>
  readonly offset: number
  /**
   * The hash of the key; undefined for a message without a key, whose order does not matter. Two keys of the same hash
   * are handled one after another, too, which is seldom and harmless; a text for each key would cost more.
   */
  readonly lane: number | undefined
  /** The bytes of the messages that wait. */
  waitingBytes: number
  /** When the handler began, if it returned a promise. */
  beganAt: number
  /** The next one with the same key. */
  next: Task<Value, Key> | undefined
}

/** The messages of one partition that handlers are processing, and those that wait. */
interface Work<Value, Key> {
  readonly state: PartitionState
  readonly calls: PartitionHandler<Value, Key>
  readonly clock: PartitionClock
  /** The value of `state.moves`: the application may seek while handlers are running. */
  readonly moves: number
  /** The offsets whose messages have started or wait, in the order of the log. */
  readonly unfinished: Set<number>
  /** The last message of each lane that is running or waits. */
  readonly lanes: Map<number, Task<Value, Key>>
  readonly idle: Deferred<void>
  running: number
  waiting: number
  /** No more of its messages start: one has failed, or the partition was paused, moved or given up. */
  isBroken: boolean
}

/**
 * Calls the handler for messages in the order of their keys: within a partition, messages with the same key are
 * handled one after another, other messages at the same time. Only running handlers count against `concurrency`.
 *
 * Messages that are running or wait when the run ends, or when their partition is paused, are delivered again:
 * delivery continues at the first such message of the partition, and repeats later ones that were already handled.
 *
 * Hot path: a handler that returns nothing costs no promise and is not registered anywhere. Do not claim or release a
 * partition for each message, nor create a text for its key: ten async handlers then take 3.6 times the CPU of one at a
 * time instead of 2.6 times (`npm run bench -- --only options`).
 */
export class RunByKey<Value, Key> {
  readonly #run: Run<Inbox<Value, Key>>
  readonly #handler: MessageHandler<Value, Key>
  readonly #rewind: (state: PartitionState, offset: number) => void
  readonly #works = new Map<PartitionState, Work<Value, Key>>()
  /** Messages whose key is free again, in the order in which they start when there is room. */
  readonly #ready: Task<Value, Key>[] = []
  /** Partitions that have read ahead up to the limit; they stay claimed. */
  readonly #full = new Set<Work<Value, Key>>()
  /** The partition that has its turn. It stays claimed while it waits for room. */
  #turn: Work<Value, Key> | undefined
  /** How many messages it may still start, and the time at which its turn ends. */
  #turnLeft = 0
  #turnEndsAt = 0
  /** Handlers have finished, and `#continue` has not run yet. */
  #isGoingOn = false
  #hasEnded = false
  /** Partitions whose last running handler has finished since `#continue` ran. */
  readonly #idle: Work<Value, Key>[] = []
  #waitingBytes = 0

  constructor(
    run: Run<Inbox<Value, Key>>,
    handler: MessageHandler<Value, Key>,
    rewind: (state: PartitionState, offset: number) => void,
  ) {
    this.#run = run
    this.#handler = handler
    this.#rewind = rewind
  }

  async start(): Promise<void> {
    try {
      await this.#run.drive(() => {
        this.#breakWithheld()
        this.#startMore()
      })
    } finally {
      this.#hasEnded = true
      // The partitions whose messages wait behind handlers that have finished now.
      for (const work of [...this.#works.values()]) this.#break(work)
    }
  }

  #startMore(): void {
    const run = this.#run
    while (run.hasRoom && !run.isOver) {
      const task = this.#ready.shift()
      if (task !== undefined) {
        this.#beginWaiting(task)
        continue
      }
      const work = this.#turn ?? this.#claim()
      if (work === undefined) return
      this.#take(work)
    }
  }

  /** Begins the turn of the next partition. */
  #claim(): Work<Value, Key> | undefined {
    const state = this.#run.feed.claim()
    if (state === undefined) return undefined
    const work = this.#workOn(state)
    work.calls.beginTurn()
    this.#turnLeft = TURN_MESSAGES
    this.#turnEndsAt = performance.now() + TURN_MS
    return (this.#turn = work)
  }

  /** Starts messages of the partition that has its turn, and queues those whose key is running. */
  #take(work: Work<Value, Key>): void {
    const run = this.#run
    const { state } = work
    let isOver = true
    if (performance.now() > this.#turnEndsAt) this.#turnLeft = 0
    work.clock.resume()
    try {
      for (; run.hasRoom && !run.isOver; this.#turnLeft--) {
        if (work.moves !== state.moves) work.isBroken = true
        if (work.isBroken || this.#isFull(work)) {
          this.#full.add(work)
          return
        }
        if (this.#turnLeft <= 0) return
        const next = nextToHandle(run.feed, state.buffer.chunk)
        if (next === undefined) return
        this.#add(work, next)
      }
      isOver = run.isOver
    } finally {
      work.clock.pause()
      if (isOver) this.#endTurn(work)
      this.#settle(work)
    }
  }

  /** Other partitions get their turn. One that has read ahead up to the limit stays claimed. */
  #endTurn(work: Work<Value, Key>): void {
    this.#turn = undefined
    if (!this.#full.has(work)) this.#run.feed.release(work.state)
  }

  #workOn(state: PartitionState): Work<Value, Key> {
    const known = this.#works.get(state)
    if (known !== undefined) return known
    const { metrics, series } = this.#run
    const work: Work<Value, Key> = {
      state,
      calls: new PartitionHandler(state, this.#handler, metrics),
      clock: new PartitionClock(metrics.counted, series, state),
      moves: state.moves,
      unfinished: new Set(),
      lanes: new Map(),
      idle: deferred(),
      running: 0,
      waiting: 0,
      isBroken: false,
    }
    this.#works.set(state, work)
    state.handling = work.idle.promise
    state.firstUnfinished = () => work.unfinished.values().next().value
    return work
  }

  #add(work: Work<Value, Key>, { message, raw }: ToHandle<Value, Key>): void {
    const { key, offset } = raw
    const lane = key === null ? undefined : murmur2(key)
    const task: Task<Value, Key> = {
      work,
      message,
      offset,
      lane,
      waitingBytes: 0,
      beganAt: 0,
      next: undefined,
    }
    const before = lane === undefined ? undefined : work.lanes.get(lane)
    if (lane === undefined || before === undefined) {
      this.#begin(task)
      return
    }
    before.next = task
    work.lanes.set(lane, task)
    work.unfinished.add(offset)
    task.waitingBytes = raw.value?.length ?? 0
    this.#waitingBytes += task.waitingBytes
    work.waiting++
  }

  #begin(task: Task<Value, Key>): void {
    const { work, offset, lane } = task
    let result: void | Promise<void>
    try {
      result = work.calls.call(task.message)
    } catch (error) {
      work.unfinished.add(offset)
      work.clock.failed(this.#failed(task, error))
      this.#freeKey(task)
      return
    }
    if (result === undefined) {
      work.clock.returned()
      work.unfinished.delete(offset)
      work.calls.succeeded(offset)
      this.#freeKey(task)
      return
    }
    task.beganAt = work.clock.begin()
    work.unfinished.add(offset)
    if (lane !== undefined && task.next === undefined) work.lanes.set(lane, task)
    work.running++
    this.#run.began()
    Promise.resolve(result).then(
      () => {
        work.unfinished.delete(offset)
        work.calls.succeeded(offset)
        this.#finished(task, undefined)
      },
      (error: unknown) => this.#finished(task, this.#failed(task, error)),
    )
  }

  /** Starts a message whose turn has come, unless its partition may no longer be delivered. */
  #beginWaiting(task: Task<Value, Key>): void {
    const { work } = task
    if (!this.#isCurrent(work)) work.isBroken = true
    if (work.isBroken) {
      this.#drop(task)
    } else {
      this.#waitNoLonger(task)
      work.clock.resume()
      this.#begin(task)
      work.clock.pause()
    }
    this.#settle(work)
  }

  #finished(task: Task<Value, Key>, failure: unknown): void {
    const { work } = task
    work.clock.finished(task.beganAt, failure)
    if (--work.running === 0) this.#idle.push(work)
    this.#run.finished()
    this.#freeKey(task)
    if (this.#isGoingOn) return
    this.#isGoingOn = true
    queueMicrotask(() => this.#continue())
  }

  /** Runs once after all handlers that finish together: they share what does not depend on a message. */
  #continue(): void {
    const run = this.#run
    this.#isGoingOn = false
    if (this.#hasEnded) return
    try {
      this.#startMore()
    } catch (error) {
      run.fail(error)
    }
    for (let work = this.#idle.pop(); work !== undefined; work = this.#idle.pop())
      this.#settle(work)
    // `drive` checks whether everything is done and lets the event loop run.
    if (run.isOver || run.feed.isTurnOver || this.#works.size === 0) run.feed.wake()
  }

  /** Returns the error; undefined if the handler gave its message back. */
  #failed({ work, offset }: Task<Value, Key>, error: unknown): unknown {
    work.isBroken = true
    if (!work.calls.failed(offset, error)) return undefined
    this.#run.fail(error)
    return error
  }

  #freeKey({ work, lane, next }: Task<Value, Key>): void {
    if (lane === undefined) return
    if (next !== undefined) this.#ready.push(next)
    else work.lanes.delete(lane)
  }

  #waitNoLonger(task: Task<Value, Key>): void {
    this.#waitingBytes -= task.waitingBytes
    task.waitingBytes = 0
    task.work.waiting--
    for (const work of this.#full) {
      if (work.isBroken || this.#isFull(work)) continue
      this.#full.delete(work)
      this.#run.feed.release(work.state)
    }
  }

  #isFull({ waiting }: Work<Value, Key>): boolean {
    return waiting >= MOST_WAITING || (waiting > 0 && this.#waitingBytes >= MOST_WAITING_BYTES)
  }

  /** True if its waiting messages may still be delivered. */
  #isCurrent({ state, moves }: Work<Value, Key>): boolean {
    return state.isDeliverable && state.moves === moves && this.#run.feed.mayDeliver
  }

  /** A partition without running handlers may have messages that wait for a slot. They must not delay a rebalance. */
  #breakWithheld(): void {
    for (const work of [...this.#works.values()]) {
      if (work.waiting > 0 && !this.#isCurrent(work)) this.#break(work)
    }
  }

  #break(work: Work<Value, Key>): void {
    work.isBroken = true
    this.#settle(work)
  }

  /**
   * Releases a partition when none of its handlers is running. Messages that were not handled are delivered again.
   */
  #settle(work: Work<Value, Key>): void {
    const { state, unfinished } = work
    const hasWork = work.waiting > 0 && !work.isBroken && !this.#run.isOver
    if (work.running > 0 || hasWork) return
    // It may have been settled before, and its partition claimed again since.
    if (this.#works.get(state) !== work) return
    this.#works.delete(state)
    work.clock.end()
    state.handling = undefined
    state.firstUnfinished = undefined
    this.#dropWaiting(work)
    const [first] = unfinished
    if (first !== undefined && state.isAssigned && state.moves === work.moves) {
      this.#rewind(state, first)
    }
    if (this.#full.delete(work)) this.#run.feed.release(state)
    else if (this.#turn === work) this.#endTurn(work)
    work.idle.resolve()
  }

  /** The waiting messages are in `#ready`, or behind a message in it: all running handlers have finished. */
  #dropWaiting(work: Work<Value, Key>): void {
    if (work.waiting === 0) return
    for (const task of this.#ready.filter((one) => one.work === work)) {
      this.#ready.splice(this.#ready.indexOf(task), 1)
      this.#drop(task)
    }
  }

  /** Drops a waiting message and the later ones of its key. */
  #drop(first: Task<Value, Key>): void {
    for (let task: Task<Value, Key> | undefined = first; task !== undefined; task = task.next) {
      this.#waitNoLonger(task)
    }
  }
}
