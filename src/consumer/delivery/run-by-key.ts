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
/** How many messages of a partition start before other partitions get their turn, if the handlers are that fast. */
const TURN_MESSAGES = 100

interface Task<Value, Key> {
  readonly work: Work<Value, Key>
  readonly message: ConsumedMessage<Value, Key>
  readonly offset: number
  /** Undefined for a message without a key: its order does not matter. */
  readonly key: string | undefined
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
  /** The last message of each key that is running or waits. */
  readonly lanes: Map<string, Task<Value, Key>>
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
 * Hot path: a handler that returns nothing costs no promise and is not registered anywhere.
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
      // The partitions whose messages wait behind handlers that have finished now.
      for (const work of [...this.#works.values()]) this.#break(work)
    }
  }

  #startMore(): void {
    const { feed } = this.#run
    while (this.#run.hasRoom && !this.#run.isOver) {
      const task = this.#ready.shift()
      if (task !== undefined) {
        this.#beginWaiting(task)
        continue
      }
      const state = feed.claim()
      if (state === undefined) return
      this.#take(state)
    }
  }

  /** Starts messages of a claimed partition, and queues those whose key is running. */
  #take(state: PartitionState): void {
    const run = this.#run
    const work = this.#workOn(state)
    work.calls.beginTurn()
    work.clock.resume()
    try {
      for (let taken = 0; taken < TURN_MESSAGES && run.hasRoom && !run.isOver; taken++) {
        if (work.moves !== state.moves) work.isBroken = true
        if (work.isBroken || this.#isFull(work)) {
          this.#full.add(work)
          return
        }
        const next = nextToHandle(run.feed, state.buffer.chunk)
        if (next === undefined) break
        this.#add(work, next)
      }
    } finally {
      work.clock.pause()
      if (!this.#full.has(work)) run.feed.release(state)
      this.#settle(work)
    }
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
    const key = raw.key?.toString('latin1')
    const { offset } = raw
    const task: Task<Value, Key> = {
      work,
      message,
      offset,
      key,
      waitingBytes: 0,
      beganAt: 0,
      next: undefined,
    }
    const before = key === undefined ? undefined : work.lanes.get(key)
    if (key === undefined || before === undefined) {
      this.#begin(task)
      return
    }
    before.next = task
    work.lanes.set(key, task)
    work.unfinished.add(offset)
    task.waitingBytes = raw.value?.length ?? 0
    this.#waitingBytes += task.waitingBytes
    work.waiting++
  }

  #begin(task: Task<Value, Key>): void {
    const { work, offset, key } = task
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
    if (key !== undefined && task.next === undefined) work.lanes.set(key, task)
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
    const run = this.#run
    task.work.clock.finished(task.beganAt, failure)
    task.work.running--
    run.finished()
    this.#freeKey(task)
    this.#settle(task.work)
    try {
      this.#startMore()
    } catch (error) {
      run.fail(error)
    }
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

  #freeKey({ work, key, next }: Task<Value, Key>): void {
    if (key === undefined) return
    if (next !== undefined) this.#ready.push(next)
    else work.lanes.delete(key)
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
    const goesOn = work.waiting > 0 && !work.isBroken && !this.#run.isOver
    if (work.running > 0 || goesOn) return
    if (!this.#works.delete(state)) return
    work.clock.end()
    state.handling = undefined
    state.firstUnfinished = undefined
    this.#dropWaiting(work)
    const [first] = unfinished
    if (first !== undefined && state.isAssigned && state.moves === work.moves) {
      this.#rewind(state, first)
    }
    if (this.#full.delete(work)) this.#run.feed.release(state)
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
