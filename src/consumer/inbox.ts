/**
 * What has arrived for the application, and how it is delivered: partitions take turns, a chunk each, and
 * nothing of a partition is delivered after it was paused or given up.
 *
 * Hot path: `take` is called for every message. It has no promise, no closure and no allocation; whatever
 * can be looked at once a chunk is looked at in `#advance`. Measured by benchmarks/consume.ts.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { deferred, type Deferred } from '../async/deferred.ts'
import { onAbort } from '../async/on-abort.ts'
import { Timer } from '../async/timer.ts'
import type { CorruptBatchError } from '../errors.ts'
import type { ConsumedMessage, Converter } from './consumed-message.ts'
import { Decompression } from './decompression.ts'
import type { PeekableFeed } from './message-feed.ts'
import type { Chunk, PartitionState } from './partition-state.ts'

/**
 * Messages that are available are given out without I/O in between: after so long other events get their turn.
 */
const LONGEST_TURN_MS = 10

export interface InboxOptions<Value, Key> {
  readonly convert: Converter<Value, Key>
  readonly stopAtEnd: boolean
  /** How much may be decompressed of all partitions together. */
  readonly decompressedBytes: number
  /** Asked before anything is delivered, where it is there. */
  readonly mayDeliver?: (() => boolean) | undefined
  readonly states: ReadonlyMap<string, PartitionState>
  /** Something was taken out of a partition's queue: there may be room to fetch more of it. */
  readonly onTaken: (state: PartitionState) => void
  readonly isSkipped: (error: CorruptBatchError) => boolean
}

/** A message that may be delivered, and its place. */
export interface Peeked<Value, Key> {
  readonly message: ConsumedMessage<Value, Key>
  readonly chunk: Chunk
  readonly index: number
}

export class Inbox<Value, Key> implements PeekableFeed<
  ConsumedMessage<Value, Key>,
  Peeked<Value, Key>
> {
  readonly #options: InboxOptions<Value, Key>
  readonly #mayDeliver: (() => boolean) | undefined
  readonly #decompression: Decompression
  /** Partitions with something to deliver, in the order of their turns. */
  readonly #ring: PartitionState[] = []
  readonly #inRing = new Set<PartitionState>()
  /** What is being delivered. */
  #chunk: Chunk | undefined
  /** Whose last message, or batch, the application is processing: it has not asked for more. */
  #inProcess: Chunk | undefined
  /** Of callers that wait until it is processed. */
  #processed: Deferred<void> | undefined
  #waiting: Deferred<void> | undefined
  /** Why nothing more is delivered at all. */
  #failure: Error | undefined
  /** Errors about no partition, thrown once each. */
  readonly #errors: Error[] = []
  #turnBegan = performance.now()
  #isTurnOver = false

  constructor(options: InboxOptions<Value, Key>) {
    this.#options = options
    this.#mayDeliver = options.mayDeliver
    this.#decompression = new Decompression(options.decompressedBytes, (state) =>
      this.arrived(state),
    )
  }

  /** To be called when something of a partition was queued, or it may be read again. */
  arrived(state: PartitionState): void {
    // It may be a partition whose buffer was dropped.
    this.#decompression.freed()
    if (!state.isReady || this.#inRing.has(state) || this.#chunk?.state === state) return
    if (state.buffer.chunk === undefined && !this.#decompression.prepare(state)) return
    this.#inRing.add(state)
    this.#ring.push(state)
    this.wake()
  }

  /** Delivers nothing more of it: what is left of its chunk stays with it. */
  suspend(state: PartitionState): void {
    if (this.#chunk?.state === state) {
      const { index, messages, isInProcess } = this.#chunk
      if (index === messages.length && !isInProcess) state.buffer.finishChunk()
      this.#chunk = undefined
    }
    if (this.#inRing.delete(state)) this.#ring.splice(this.#ring.indexOf(state), 1)
    this.#decompression.drop(state)
    // Messages of it that wait for a handler are released.
    this.wake()
  }

  /** To be called when a partition was moved elsewhere: the memory that its batches took is free. */
  moved(): void {
    this.#decompression.freed()
  }

  /** Whether the application is processing something of this partition, which it asked for by any way but `run`. */
  isInProcess(state: PartitionState): boolean {
    return this.#inProcess?.state === state
  }

  /** Resolves when the application has processed what it is processing, or has no need to any more. */
  processed(): Promise<void> {
    this.#processed ??= deferred()
    return this.#processed.promise
  }

  /** Called when callers that wait for `processed` have to check again. */
  lookAgain(): void {
    this.#processed?.resolve()
    this.#processed = undefined
  }

  /** The application asks for more, so that what it was processing is processed. */
  settle(): void {
    const chunk = this.#inProcess
    if (chunk === undefined) return
    const { state } = chunk
    this.#endProcessing(chunk)
    if (chunk.isInterruptible && state.signal.aborted) {
      // The loop may have left the batch half done when it saw the signal.
      if (state.buffer.chunk === chunk) state.moveTo(chunk.start)
    } else if (chunk !== this.#chunk && chunk.index === chunk.messages.length) {
      // Of a partition that was paused or held meanwhile.
      if (state.buffer.chunk === chunk) state.buffer.finishChunk()
      releaseMemoryOf(chunk)
    }
  }

  /** The application has committed this: what it was processing is processed. Its memory is not used again yet. */
  committed(state: PartitionState, offset: number): void {
    const chunk = this.#inProcess
    if (chunk?.state === state && offset >= state.position) this.#endProcessing(chunk)
  }

  #endProcessing(chunk: Chunk): void {
    this.#inProcess = undefined
    chunk.isInProcess = false
    this.lookAgain()
  }

  #beginProcessing(chunk: Chunk): void {
    this.#inProcess = chunk
    chunk.isInProcess = true
  }

  /** The next request for a message throws it, once. */
  report(error: Error): void {
    this.#errors.push(error)
    this.wake()
  }

  /** Thrown from now on, whatever has arrived. */
  fail(error: Error): void {
    this.end(this.#failure ?? error)
  }

  /** The same, whatever was thrown until now. */
  end(error: Error): void {
    this.#failure = error
    const chunk = this.#chunk
    if (chunk !== undefined) this.suspend(chunk.state)
    this.wake()
  }

  /** Undoes `fail` with this error. */
  recover(error: Error): void {
    if (this.#failure === error) this.#failure = undefined
  }

  get failure(): Error | undefined {
    return this.#failure
  }

  /** All partitions are at their ends, for a consumer that stops there, or have failed. */
  get isFinished(): boolean {
    if (!this.#options.stopAtEnd) return false
    for (const state of this.#options.states.values()) {
      if (state.fetch.phase === 'starting') return false
      if (!state.isAtEnd && state.buffer.error === undefined) return false
    }
    return true
  }

  /**
   * The next message, if one is available. Throws what ended a partition, once while others go on, each time
   * where none does; and why the consumer as a whole failed.
   */
  take(): ConsumedMessage<Value, Key> | undefined {
    for (;;) {
      const chunk = this.#chunk
      if (chunk === undefined || chunk.index === chunk.messages.length) {
        if (!this.#advance()) return undefined
        continue
      }
      if (this.#mayDeliver?.() === false) {
        this.settle()
        return undefined
      }
      const message = this.converted(chunk)
      if (message === undefined) continue
      if (!chunk.isInProcess) this.#beginProcessing(chunk)
      return message
    }
  }

  /**
   * The next message without handing it over: `give` does that. It stays the next one until then. Undefined where
   * none is available.
   */
  peek(): Peeked<Value, Key> | undefined {
    this.settle()
    for (;;) {
      const chunk = this.#chunk
      if (chunk === undefined || chunk.index === chunk.messages.length) {
        if (!this.#advance()) return undefined
        continue
      }
      if (!this.mayDeliver) return undefined
      const message = this.converted(chunk)
      if (message === undefined) continue
      chunk.index--
      return { message, chunk, index: chunk.index }
    }
  }

  /** Delivers what was peeked at. False: it is not to be, since its partition was paused, moved or given up. */
  give({ chunk, index }: Peeked<Value, Key>): boolean {
    const { state } = chunk
    if (!state.isReady || state.buffer.chunk !== chunk || chunk.index !== index) return false
    if (!this.mayDeliver) return false
    chunk.index++
    this.#beginProcessing(chunk)
    return true
  }

  /** The next message of a chunk; undefined where it is to be skipped. What it throws ends the partition. */
  converted(chunk: Chunk): ConsumedMessage<Value, Key> | undefined {
    try {
      return this.#options.convert(chunk.messages[chunk.index++]!)
    } catch (error) {
      chunk.index--
      this.settle()
      chunk.state.buffer.stop(error as Error)
      this.suspend(chunk.state)
      this.#options.onTaken(chunk.state)
      throw error
    }
  }

  /** The rest of the current chunk, or the next one: `markDelivered` says that all of it was taken. */
  takeChunk(): Chunk | undefined {
    this.settle()
    const chunk = this.#chunk
    if ((chunk === undefined || chunk.index === chunk.messages.length) && !this.#advance()) {
      return undefined
    }
    return this.mayDeliver ? this.#chunk : undefined
  }

  /** The application is processing all of it. */
  markDelivered(chunk: Chunk): void {
    this.#beginProcessing(chunk)
  }

  /** Gives the next partition that is ready to a reader of its own, until that calls `release`. */
  claim(): PartitionState | undefined {
    if (!this.#advance() || !this.mayDeliver) return undefined
    const { state } = this.#chunk!
    this.#chunk = undefined
    state.isClaimed = true
    return state
  }

  release(state: PartitionState): void {
    const { chunk } = state.buffer
    if (chunk !== undefined && chunk.index === chunk.messages.length) {
      state.buffer.finishChunk()
      releaseMemoryOf(chunk)
    }
    state.isClaimed = false
    this.arrived(state)
    this.#decompression.freed()
  }

  /** Resolves when something may have changed: a message, an error, the time, or the signal. */
  async arrival(timeoutMs: number | undefined, signal: AbortSignal | undefined): Promise<void> {
    if (this.#isTurnOver) {
      await nextTurn()
      this.#beginTurn()
      return
    }
    this.#waiting ??= deferred()
    const wake = () => this.wake()
    const timer = timeoutMs === undefined ? undefined : new Timer(timeoutMs, wake)
    const stopWatching = signal === undefined ? undefined : onAbort(signal, wake)
    try {
      await this.#waiting.promise
    } finally {
      timer?.cancel()
      stopWatching?.()
    }
    this.#beginTurn()
  }

  /** Whether it is sure that what was assigned still is. */
  get mayDeliver(): boolean {
    return this.#mayDeliver?.() !== false
  }

  /** Whether a reader waits for messages to arrive. */
  get isWaitedFor(): boolean {
    return this.#waiting !== undefined
  }

  wake(): void {
    this.#waiting?.resolve()
    this.#waiting = undefined
  }

  /** What is available is held back until the event loop has turned once: `arrival` sees to that. */
  get isTurnOver(): boolean {
    return this.#isTurnOver
  }

  /** Whatever the event loop has been kept from: what is available may be taken. */
  ignoreTurn(): void {
    this.#beginTurn()
  }

  #beginTurn(): void {
    this.#turnBegan = performance.now()
    this.#isTurnOver = false
  }

  /** Puts a chunk with messages into place. False: none is available. */
  #advance(): boolean {
    this.settle()
    const error = this.#failure ?? this.#errors.shift()
    if (error !== undefined) throw error
    this.#finish()
    if (performance.now() - this.#turnBegan > LONGEST_TURN_MS) {
      // An empty inbox waits anyway.
      this.#isTurnOver = this.#ring.length > 0
      if (this.#isTurnOver) return false
    }
    for (let state = this.#ring.shift(); state !== undefined; state = this.#ring.shift()) {
      this.#inRing.delete(state)
      if (!state.isReady) continue
      const chunk = state.buffer.chunk ?? this.#nextChunk(state)
      this.#options.onTaken(state)
      if (chunk === undefined) {
        this.arrived(state)
        continue
      }
      if (chunk.index < chunk.messages.length) {
        this.#chunk = chunk
        return true
      }
      state.buffer.finishChunk()
      releaseMemoryOf(chunk)
      this.arrived(state)
      this.#decompression.freed()
    }
    this.#throwIfAllEnded()
    return false
  }

  /** What comes next of a partition, decoded, where its memory is set aside and it is decompressed. */
  #nextChunk(state: PartitionState): Chunk | undefined {
    const decompression = this.#decompression
    if (!decompression.isPrepared(state)) return undefined
    try {
      return state.buffer.nextChunk(this.#options.isSkipped, (next) =>
        decompression.reserve(state, next),
      )
    } catch (error) {
      // What the partition had buffered must not keep the others from being fetched, nor from being decompressed.
      this.#options.onTaken(state)
      decompression.freed()
      throw error
    }
  }

  /** Releases the chunk that was delivered; its partition is the last in the ring, if it has more. */
  #finish(): void {
    const chunk = this.#chunk
    if (chunk === undefined) return
    this.#chunk = undefined
    if (chunk.index === chunk.messages.length) {
      chunk.state.buffer.finishChunk()
      releaseMemoryOf(chunk)
    }
    this.arrived(chunk.state)
    this.#decompression.freed()
  }

  #throwIfAllEnded(): void {
    const { states } = this.#options
    let first: Error | undefined
    for (const { buffer } of states.values()) {
      const { error } = buffer
      if (error === undefined) return
      first ??= error
    }
    // Those that ended by themselves do not keep those that stopped at an error from being finished.
    if (first !== undefined) throw first
  }
}

/** The application is done with all messages of a chunk: it asked for more, or its handler has finished. */
function releaseMemoryOf({ leases }: Chunk): void {
  for (const lease of leases) lease.release()
}
