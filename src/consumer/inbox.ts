/**
 * The queue of fetched batches, and their delivery to the application: partitions take turns, one chunk at a time,
 * and nothing of a partition is delivered after it was paused or given up.
 *
 * Hot path: `take` is called for every message. It creates no promise and no closure and allocates nothing; checks
 * that are needed only once for each chunk are in `#advance`. benchmarks/consume.ts measures this.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { deferred, type Deferred } from '../async/deferred.ts'
import { onAbort } from '../async/on-abort.ts'
import { Timer } from '../async/timer.ts'
import type { CorruptBatchError } from '../errors.ts'
import { asError } from '../observe/thrown.ts'
import { asTheyAre, type ConsumedMessage, type Converter } from './consumed-message.ts'
import { Decompression } from './decompression.ts'
import type { PeekableFeed } from './message-feed.ts'
import { JOINED_MESSAGES } from './partition-buffer.ts'
import type { Chunk, PartitionState } from './partition-state.ts'

/** Available messages are delivered without I/O in between; after this time other events get a turn. */
const LONGEST_TURN_MS = 4

export interface InboxOptions<Value, Key> {
  readonly convert: Converter<Value, Key>
  readonly stopAtEnd: boolean
  /** The limit of decompressed bytes over all partitions. */
  readonly decompressedBytes: number
  /** Called before anything is delivered, if it is set. */
  readonly mayDeliver?: (() => boolean) | undefined
  readonly states: ReadonlyMap<string, PartitionState>
  /** Called when something was taken out of a partition's queue, so that there may be room to fetch more. */
  readonly onTaken: (state: PartitionState) => void
  readonly isSkipped: (error: CorruptBatchError) => boolean
}

/** A message that may be delivered, and where it is. */
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
  /** The chunk that is being delivered. */
  #chunk: Chunk | undefined
  /** The chunk whose last message, or batch, the application is still processing: it has not requested more. */
  #inProcess: Chunk | undefined
  /** For callers that wait until it is processed. */
  #processed: Deferred<void> | undefined
  #waiting: Deferred<void> | undefined
  /** The error after which nothing more is delivered. */
  #failure: Error | undefined
  /** Errors that concern no partition. Each is thrown once. */
  readonly #errors: Error[] = []
  #turnBegan = performance.now()
  #isTurnOver = false
  /** The number of messages up to which small batches are delivered together; the reader may change it. */
  mostJoined = JOINED_MESSAGES

  constructor(options: InboxOptions<Value, Key>) {
    this.#options = options
    this.#mayDeliver = options.mayDeliver
    this.#decompression = new Decompression(options.decompressedBytes, (state) =>
      this.arrived(state),
    )
  }

  /** Call this when something of a partition was queued, or when the partition may be read again. */
  arrived(state: PartitionState): void {
    // The buffer of this partition may have been dropped, which frees memory.
    this.#decompression.freed()
    if (!state.isReady || this.#inRing.has(state) || this.#chunk?.state === state) return
    if (state.buffer.chunk === undefined && !this.#decompression.prepare(state)) return
    this.#inRing.add(state)
    this.#ring.push(state)
    this.wake()
  }

  /** Stops delivering a partition. The rest of its chunk stays with it. */
  suspend(state: PartitionState): void {
    if (this.#chunk?.state === state) {
      const { index, messages, isInProcess } = this.#chunk
      if (index === messages.length && !isInProcess) state.buffer.finishChunk()
      this.#chunk = undefined
    }
    if (this.#inRing.delete(state)) this.#ring.splice(this.#ring.indexOf(state), 1)
    this.#decompression.drop(state)
    // Releases messages of the partition that wait for a handler.
    this.wake()
  }

  /** Call this when the position of a partition was moved, which frees the memory of its batches. */
  moved(): void {
    this.#decompression.freed()
  }

  /** True if the application is processing something of this partition that it did not get through `run`. */
  isInProcess(state: PartitionState): boolean {
    return this.#inProcess?.state === state
  }

  /** Resolves when the application has processed its current message or batch, or when it no longer needs to. */
  processed(): Promise<void> {
    this.#processed ??= deferred()
    return this.#processed.promise
  }

  /** Call this when waiting callers of `processed` have to check again. */
  lookAgain(): void {
    this.#processed?.resolve()
    this.#processed = undefined
  }

  /** The application requests more, so that the previous message or batch is processed. */
  settle(): void {
    const chunk = this.#inProcess
    if (chunk === undefined) return
    const { state } = chunk
    this.#endProcessing(chunk)
    if (chunk.isInterruptible && state.signal.aborted) {
      // The loop may have stopped in the middle of the batch when it saw the signal.
      if (state.buffer.chunk === chunk) state.moveTo(chunk.start)
    } else if (chunk !== this.#chunk && chunk.index === chunk.messages.length) {
      // The partition was paused or held in the meantime.
      if (state.buffer.chunk === chunk) state.buffer.finishChunk()
      releaseMemoryOf(chunk)
    }
  }

  /**
   * The application has committed this offset, so that what it was processing is processed. Its memory is not reused
   * yet.
   */
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

  /** Reports an error that the next request for a message throws, once. */
  report(error: Error): void {
    this.#errors.push(error)
    this.wake()
  }

  /** Sets an error that all later requests throw, even if messages are available. */
  fail(error: Error): void {
    this.end(this.#failure ?? error)
  }

  /** Like `fail`, but replaces an earlier error. */
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

  /** True if all partitions are at their ends, for a consumer that stops there, or have failed. */
  get isFinished(): boolean {
    if (!this.#options.stopAtEnd) return false
    for (const state of this.#options.states.values()) {
      if (state.fetch.phase === 'starting') return false
      if (!state.isAtEnd && state.buffer.error === undefined) return false
    }
    return true
  }

  /**
   * Returns the next message, if one is available. Throws the error that ended a partition: once while others
   * continue, each time if none does. Also throws the error of the consumer as a whole.
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
   * Returns the next message without delivering it; `give` delivers it. It stays the next message until then.
   * Undefined if none is available.
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

  /**
   * Delivers the message that `peek` returned. False: its partition was paused, moved or given up, so it must not be
   * delivered.
   */
  give({ chunk, index }: Peeked<Value, Key>): boolean {
    const { state } = chunk
    if (!state.isReady || state.buffer.chunk !== chunk || chunk.index !== index) return false
    if (!this.mayDeliver) return false
    chunk.index++
    this.#beginProcessing(chunk)
    return true
  }

  /** Returns the next message of a chunk; undefined if it is skipped. An error that it throws ends the partition. */
  converted(chunk: Chunk): ConsumedMessage<Value, Key> | undefined {
    try {
      return this.#options.convert(chunk.messages[chunk.index++]!)
    } catch (error) {
      chunk.index--
      this.settle()
      chunk.state.buffer.stop(asError(error))
      this.suspend(chunk.state)
      this.#options.onTaken(chunk.state)
      throw error
    }
  }

  /**
   * Returns the rest of a chunk in an array of its own, without messages that are skipped. If a deserializer throws,
   * the messages before are returned, and then the partition ends.
   */
  convertedRest(chunk: Chunk): readonly ConsumedMessage<Value, Key>[] {
    const rest = asTheyAre(chunk.messages, this.#options.convert)
    if (rest !== undefined) {
      const { index } = chunk
      chunk.index = rest.length
      return rest.slice(index)
    }
    const messages: ConsumedMessage<Value, Key>[] = []
    try {
      while (chunk.index < chunk.messages.length) {
        const message = this.converted(chunk)
        if (message !== undefined) messages.push(message)
      }
    } catch (error) {
      if (messages.length === 0) throw error
      // The messages before the error are delivered first.
      this.report(asError(error))
    }
    return messages
  }

  /** Returns the rest of the current chunk, or the next chunk. `markDelivered` then marks all of it as delivered. */
  takeChunk(): Chunk | undefined {
    this.settle()
    const chunk = this.#chunk
    if ((chunk === undefined || chunk.index === chunk.messages.length) && !this.#advance()) {
      return undefined
    }
    return this.mayDeliver ? this.#chunk : undefined
  }

  /** Marks the whole chunk as being processed by the application. */
  markDelivered(chunk: Chunk): void {
    this.#beginProcessing(chunk)
  }

  /** Gives the next ready partition to one reader, until the reader calls `release`. */
  claim(): PartitionState | undefined {
    if (!this.#advance() || !this.mayDeliver) return undefined
    // `#advance` returned true, so that there is a chunk.
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

  /** True if it is certain that the assigned partitions are still this member's. */
  get mayDeliver(): boolean {
    return this.#mayDeliver?.() !== false
  }

  /** True if a reader waits for messages to arrive. */
  get isWaitedFor(): boolean {
    return this.#waiting !== undefined
  }

  wake(): void {
    this.#waiting?.resolve()
    this.#waiting = undefined
  }

  /** Available messages are held back until the event loop has run one turn. `arrival` waits for that turn. */
  get isTurnOver(): boolean {
    return this.#isTurnOver
  }

  /** Makes the available messages deliverable, even if the event loop had no turn yet. */
  ignoreTurn(): void {
    this.#beginTurn()
  }

  #beginTurn(): void {
    this.#turnBegan = performance.now()
    this.#isTurnOver = false
  }

  /** Makes the next chunk with messages the current one. False: none is available. */
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

  /** Returns the next decoded chunk of a partition, if its memory is reserved and it is decompressed. */
  #nextChunk(state: PartitionState): Chunk | undefined {
    const decompression = this.#decompression
    if (!decompression.isPrepared(state)) return undefined
    try {
      return state.buffer.nextChunk(
        this.#options.isSkipped,
        (next) => decompression.reserve(state, next),
        this.mostJoined,
      )
    } catch (error) {
      // The buffer of a failed partition must not delay fetching and decompressing for the others.
      this.#options.onTaken(state)
      decompression.freed()
      throw error
    }
  }

  /** Releases the delivered chunk. If its partition has more, it moves to the end of the ring. */
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
    // The partitions that ended regularly do not keep the failed ones from being finished.
    if (first !== undefined) throw first
  }
}

/** The application has finished with all messages of a chunk: it requested more, or its handler has finished. */
function releaseMemoryOf({ leases }: Chunk): void {
  for (const lease of leases) lease.release()
}
