import { deferred, type Deferred } from '../../async/deferred.ts'
import type { ConsumedMessage } from '../consumed-message.ts'
import type { Inbox } from '../inbox.ts'
import type { PartitionState } from '../partition-state.ts'
import { HandlerClock } from './handler-clock.ts'
import { nextToHandle, PartitionHandler, type MessageHandler, type ToHandle } from './handler.ts'
import type { Run } from './run.ts'

/**
 * How far a partition is read ahead of messages that wait for another of their key. They take no slot of
 * `concurrency`, so something has to bound them: each waiting message keeps the memory of its batch, which no longer
 * counts against `queuedMaxBytes`, and is delivered again after a failure or a rebalance. A key that has more than
 * one `concurrency`th of a partition's messages is the bottleneck however far one looks; a thousand messages even out
 * bursts of the others. The bound is a partition's own, so that a hot key never stops another partition.
 */
const MOST_WAITING = 1_000
/** Of all partitions together. A partition whose messages are larger still reads one ahead. */
const MOST_WAITING_BYTES = 16 * 1024 * 1024
/** How many messages of a partition are begun before others get their turn, where handlers are that fast. */
const TURN_MESSAGES = 100

interface Task<Value, Key> {
  readonly work: Work<Value, Key>
  readonly message: ConsumedMessage<Value, Key>
  readonly offset: number
  /** Undefined for a message without a key: its order does not matter. */
  readonly key: string | undefined
  /** Of what waits. */
  waitingBytes: number
  /** When the handler began, if it returned a promise. */
  beganAt: number
  /** The next one with the same key. */
  next: Task<Value, Key> | undefined
}

/** What handlers are processing, and what waits for them, of one partition. */
interface Work<Value, Key> {
  readonly state: PartitionState
  readonly calls: PartitionHandler<Value, Key>
  /** What `state.moves` was: the application may seek while handlers are running. */
  readonly moves: number
  /** Offsets that were begun with or wait for their turn, in the order of the log. */
  readonly unfinished: Set<number>
  /** The last message of each key that is running or waits. */
  readonly lanes: Map<string, Task<Value, Key>>
  readonly idle: Deferred<void>
  running: number
  waiting: number
  /** Nothing of it is begun any more: one of its messages failed, or it is paused, moved or given up. */
  isBroken: boolean
}

/**
 * Hands messages to the handler in the order of their keys: within a partition those with one key are handled one
 * after the other, others at the same time. Only handlers that are running count against `concurrency`.
 *
 * Messages that are begun or wait when the run ends, or when their partition is paused, come again: from the first
 * such message of the partition on, with those that were handled behind it.
 *
 * Hot path: a handler that returns nothing costs no promise and is not registered anywhere.
 */
export class RunByKey<Value, Key> {
  readonly #run: Run<Inbox<Value, Key>>
  readonly #handler: MessageHandler<Value, Key>
  readonly #rewind: (state: PartitionState, offset: number) => void
  readonly #works = new Map<PartitionState, Work<Value, Key>>()
  /** Messages whose key is free again, the first to be begun when there is room. */
  readonly #ready: Task<Value, Key>[] = []
  /** Partitions that were read as far ahead as they may be: they stay claimed. */
  readonly #full = new Set<Work<Value, Key>>()
  readonly #clock: HandlerClock
  #waitingBytes = 0

  constructor(
    run: Run<Inbox<Value, Key>>,
    handler: MessageHandler<Value, Key>,
    rewind: (state: PartitionState, offset: number) => void,
  ) {
    this.#run = run
    this.#clock = new HandlerClock(run.metrics)
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
      // What waits behind handlers that have finished now.
      for (const work of [...this.#works.values()]) this.#break(work)
    }
  }

  #startMore(): void {
    const { feed } = this.#run
    this.#clock.read()
    try {
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
    } finally {
      this.#clock.flush()
    }
  }

  /** Begins messages of a partition that was claimed, and lines up those whose key is running. */
  #take(state: PartitionState): void {
    const run = this.#run
    const work = this.#workOn(state)
    work.calls.beginTurn()
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
      if (!this.#full.has(work)) run.feed.release(state)
      this.#settle(work)
    }
  }

  #workOn(state: PartitionState): Work<Value, Key> {
    const known = this.#works.get(state)
    if (known !== undefined) return known
    const work: Work<Value, Key> = {
      state,
      calls: new PartitionHandler(state, this.#handler, this.#run.metrics),
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
      this.#clock.returned()
      work.unfinished.add(offset)
      this.#failed(task, error)
      this.#freeKey(task)
      return
    }
    if (result === undefined) {
      this.#clock.returned()
      work.unfinished.delete(offset)
      work.calls.succeeded(offset)
      this.#freeKey(task)
      return
    }
    task.beganAt = this.#clock.begin()
    work.unfinished.add(offset)
    if (key !== undefined && task.next === undefined) work.lanes.set(key, task)
    work.running++
    this.#run.began()
    Promise.resolve(result).then(
      () => {
        work.unfinished.delete(offset)
        work.calls.succeeded(offset)
        this.#finished(task)
      },
      (error: unknown) => {
        this.#failed(task, error)
        this.#finished(task)
      },
    )
  }

  /** Begins with a message whose turn has come, unless its partition is not to be delivered any more. */
  #beginWaiting(task: Task<Value, Key>): void {
    const { work } = task
    if (!this.#isCurrent(work)) work.isBroken = true
    if (work.isBroken) {
      this.#drop(task)
    } else {
      this.#waitNoLonger(task)
      this.#begin(task)
    }
    this.#settle(work)
  }

  #finished(task: Task<Value, Key>): void {
    const run = this.#run
    run.metrics.handlerDuration.recordMs(performance.now() - task.beganAt)
    task.work.running--
    run.finished()
    this.#freeKey(task)
    this.#settle(task.work)
    try {
      this.#startMore()
    } catch (error) {
      run.fail(error)
    }
    // Whether all is done, and letting the event loop turn, are up to `drive`.
    if (run.isOver || run.feed.isTurnOver || this.#works.size === 0) run.feed.wake()
  }

  #failed({ work, offset }: Task<Value, Key>, error: unknown): void {
    if (work.calls.failed(offset, error)) {
      this.#run.metrics.handlerFailures++
      this.#run.fail(error)
    }
    work.isBroken = true
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

  /** Whether messages of it that wait may still be delivered. */
  #isCurrent({ state, moves }: Work<Value, Key>): boolean {
    return state.isDeliverable && state.moves === moves && this.#run.feed.mayDeliver
  }

  /** A partition with nothing at work may have messages that wait for room: they hold up no rebalance. */
  #breakWithheld(): void {
    for (const work of [...this.#works.values()]) {
      if (work.waiting > 0 && !this.#isCurrent(work)) this.#break(work)
    }
  }

  #break(work: Work<Value, Key>): void {
    work.isBroken = true
    this.#settle(work)
  }

  /** Releases a partition once nothing of it is running. What was not handled comes again. */
  #settle(work: Work<Value, Key>): void {
    const { state, unfinished } = work
    const goesOn = work.waiting > 0 && !work.isBroken && !this.#run.isOver
    if (work.running > 0 || goesOn) return
    if (!this.#works.delete(state)) return
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

  /** What waits is in `#ready`, or behind a message that is: those that were at work have finished. */
  #dropWaiting(work: Work<Value, Key>): void {
    if (work.waiting === 0) return
    for (const task of this.#ready.filter((one) => one.work === work)) {
      this.#ready.splice(this.#ready.indexOf(task), 1)
      this.#drop(task)
    }
  }

  /** Forgets a message that waits, and those of its key behind it. */
  #drop(first: Task<Value, Key>): void {
    for (let task: Task<Value, Key> | undefined = first; task !== undefined; task = task.next) {
      this.#waitNoLonger(task)
    }
  }
}
