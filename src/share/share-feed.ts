/**
 * The acquired messages that the application has not received yet.
 *
 * Hot path: `take` is called for every message. It creates no promise and no closure.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { deferred, type Deferred } from '../async/deferred.ts'
import { onAbort } from '../async/on-abort.ts'
import { Timer } from '../async/timer.ts'
import type { Converter } from '../consumer/consumed-message.ts'
import type { MessageFeed } from '../consumer/message-feed.ts'
import { asError } from '../observe/thrown.ts'
import { lockLost } from './errors.ts'
import type { HeldRecord } from './held-record.ts'
import { ShareMessage } from './share-message.ts'

/** Available messages are delivered without I/O in between; after this time other events get a turn. */
const LONGEST_TURN_MS = 4

/** A message for the application, and its record. */
export interface Delivered<Value, Key> {
  readonly message: ShareMessage<Value, Key>
  readonly record: HeldRecord
}

export interface ShareFeedOptions<Value, Key> {
  readonly convert: Converter<Value, Key>
  /** True if requesting more accepts delivered messages that are not acknowledged. */
  readonly isImplicit: boolean
  /** Called when a reader waits, so that something may have to be fetched. */
  readonly onWaiting: () => void
  /** Called when a reader no longer waits. */
  readonly onWaited: () => void
}

export class ShareFeed<Value, Key> implements MessageFeed<ShareMessage<Value, Key>> {
  readonly #options: ShareFeedOptions<Value, Key>
  /** The waiting records, in order, from `#next` on. */
  #records: HeldRecord[] = []
  #next = 0
  /** The records that the application is processing: it has not requested more. */
  #inProcess: readonly HeldRecord[] = []
  #processed: Deferred<void> | undefined
  #waiting: Deferred<void> | undefined
  #failure: Error | undefined
  /** Errors that are thrown once each. */
  readonly #errors: Error[] = []
  #turnBegan = performance.now()
  #isTurnOver = false
  /** True after a request for a message that does not wait, until it has led to a fetch. */
  #isRequested = false
  /** When the application last requested a message, by `performance.now()`. */
  #lastRequestedAt = performance.now()

  constructor(options: ShareFeedOptions<Value, Key>) {
    this.#options = options
  }

  /** The number of waiting messages, including lost ones. */
  get buffered(): number {
    return this.#records.length - this.#next
  }

  /** True if a reader waits for messages to arrive. */
  get isWaitedFor(): boolean {
    return this.#waiting !== undefined
  }

  /**
   * Called when the application has requested a message without waiting, and none is available: one has to be fetched
   * for its next request.
   */
  requestLater(): void {
    this.#isRequested = true
    this.#options.onWaiting()
    this.#options.onWaited()
  }

  /** Returns true once for each request that does not wait. */
  takeRequest(): boolean {
    const isRequested = this.#isRequested
    this.#isRequested = false
    return isRequested
  }

  /** True if the application is processing messages that it did not get through `run`. */
  get isInProcess(): boolean {
    return this.#inProcess.length > 0
  }

  /** When the application last requested a message, or was able to for the first time, by `performance.now()`. */
  get lastRequestedAt(): number {
    return this.#lastRequestedAt
  }

  readonly isFinished = false

  get failure(): Error | undefined {
    return this.#failure
  }

  get isTurnOver(): boolean {
    return this.#isTurnOver
  }

  /** Called when the application can request messages. */
  opened(): void {
    this.#lastRequestedAt = performance.now()
  }

  add(records: readonly HeldRecord[]): void {
    if (this.#next > 0) {
      this.#records = this.#records.slice(this.#next)
      this.#next = 0
    }
    for (const record of records) this.#records.push(record)
    this.wake()
  }

  /** Returns the next message. The application has requested more, so that the previous messages are processed. */
  take(): ShareMessage<Value, Key> | undefined {
    this.settle()
    const delivered = this.next()
    if (delivered === undefined) return undefined
    this.#inProcess = [delivered.record]
    return delivered.message
  }

  /** Returns consecutive messages of one partition, up to this many. */
  takeBatch(most: number): readonly Delivered<Value, Key>[] {
    this.settle()
    const first = this.next()
    if (first === undefined) return []
    const batch = [first]
    while (batch.length < most) {
      const following = this.#records[this.#next]
      if (following?.owner !== first.record.owner) break
      try {
        const next = this.next()
        if (next === undefined) break
        batch.push(next)
      } catch (error) {
        this.report(asError(error))
        break
      }
    }
    this.#inProcess = batch.map(({ record }) => record)
    return batch
  }

  /**
   * Returns the next message, which a request for more does not accept. Throws the error of a deserializer, and then
   * releases the message.
   */
  next(): Delivered<Value, Key> | undefined {
    const now = performance.now()
    this.#lastRequestedAt = now
    const error = this.#failure ?? this.#errors.shift()
    if (error !== undefined) throw error
    if (this.#next < this.#records.length && now - this.#turnBegan > LONGEST_TURN_MS) {
      this.#isTurnOver = true
      return undefined
    }
    while (this.#next < this.#records.length) {
      const record = this.#records[this.#next++]!
      if (record.state !== 'waiting') continue
      if (record.lockedUntil <= now) {
        const reason = 'the lock expired before the message was delivered'
        record.owner.lose(record, lockLost(record.message, reason))
        continue
      }
      record.state = 'delivered'
      record.owner.counted.deliveredBefore++
      const message = this.#converted(record)
      if (message === undefined) {
        record.owner.acknowledge(record, 'reject')
        continue
      }
      return { message: new ShareMessage(record, message), record }
    }
    return undefined
  }

  settle(): void {
    const records = this.#inProcess
    if (records.length === 0) return
    if (this.#options.isImplicit) {
      for (const record of records) {
        if (record.state !== 'acknowledged') record.owner.acknowledge(record, 'accept')
      }
    }
    this.#endProcessing()
  }

  /**
   * Releases the messages of a reader that has ended without requesting more, unless they were acknowledged: they are
   * delivered again.
   */
  giveBack(): void {
    const records = this.#inProcess
    if (records.length === 0) return
    if (this.#options.isImplicit) {
      for (const record of records) if (record.isOpen) record.owner.acknowledge(record, 'release')
    }
    this.#endProcessing()
  }

  /** Resolves when the application has requested more, or has ended its reading. */
  processed(): Promise<void> {
    if (!this.isInProcess) return Promise.resolve()
    this.#processed ??= deferred()
    return this.#processed.promise
  }

  async arrival(timeoutMs: number | undefined, signal: AbortSignal | undefined): Promise<void> {
    if (this.#isTurnOver) {
      await nextTurn()
      this.ignoreTurn()
      return
    }
    this.#waiting ??= deferred()
    const waiting = this.#waiting
    const wake = () => this.wake()
    const timer = timeoutMs === undefined ? undefined : new Timer(timeoutMs, wake)
    const stopWatching = signal === undefined ? undefined : onAbort(signal, wake)
    try {
      this.#options.onWaiting()
      await waiting.promise
    } finally {
      timer?.cancel()
      stopWatching?.()
      this.#options.onWaited()
    }
    this.ignoreTurn()
  }

  wake(): void {
    this.#waiting?.resolve()
    this.#waiting = undefined
  }

  ignoreTurn(): void {
    this.#turnBegan = performance.now()
    this.#isTurnOver = false
  }

  /** Reports an error that the next request for a message throws, once. */
  report(error: Error): void {
    this.#errors.push(error)
    this.wake()
  }

  /** Sets an error that all later requests throw. */
  fail(error: Error): void {
    this.#failure ??= error
    this.wake()
  }

  #converted(record: HeldRecord) {
    try {
      return this.#options.convert(record.message)
    } catch (error) {
      record.owner.acknowledge(record, 'release')
      throw error
    }
  }

  #endProcessing(): void {
    this.#inProcess = []
    this.#processed?.resolve()
    this.#processed = undefined
  }
}
