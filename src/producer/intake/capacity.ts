import { deferred, type Deferred } from '../../async/deferred.ts'
import type { Lifecycle } from '../../async/lifecycle.ts'
import { checkWait, within, type WaitOptions } from '../../async/waiting.ts'
import { ProducerQueueFullError } from '../../errors.ts'
import type { Accumulator } from '../accumulator/accumulator.ts'
import type { ProducerSettings } from '../options.ts'
import type { ReportQueue } from '../results/reports.ts'
import type { TopicLookups } from './topic-lookups.ts'

/**
 * What the use of a result adds to the bytes of a turn: about the size of its promise, reaction and functions, which
 * live until the batch is acknowledged. With 100 bytes and a function for each, a message takes up to a sixth less CPU
 * time than in turns of a whole MiB of messages.
 */
const RESULT_BYTES = 400

/** The room of a producer: the limits of its queue, and of one turn of the event loop. */
export class Capacity {
  readonly #settings: ProducerSettings
  readonly #accumulator: Accumulator
  readonly #lookups: TopicLookups
  readonly #reports: ReportQueue | undefined
  readonly #lifecycle: Lifecycle
  /** The limit at which a message fails: with `blockOnQueueFull` twice the limit of `ready`. */
  readonly #mostBytes: number
  readonly #mostMessages: number
  #turnBytes = 0
  /** How many results the application had used before this turn. */
  #handledBefore = 0
  #turnOver: Deferred<void> | undefined
  #room: Deferred<void> | undefined

  constructor(
    settings: ProducerSettings,
    accumulator: Accumulator,
    lookups: TopicLookups,
    reports: ReportQueue | undefined,
    lifecycle: Lifecycle,
  ) {
    this.#settings = settings
    this.#accumulator = accumulator
    this.#lookups = lookups
    this.#reports = reports
    this.#lifecycle = lifecycle
    const times = settings.blockOnQueueFull ? 2 : 1
    this.#mostBytes = times * settings.maxQueuedBytes
    this.#mostMessages = times * settings.maxQueuedMessages
  }

  get queuedMessages(): number {
    return this.#accumulator.queuedMessages + this.#lookups.waitingMessages
  }

  get queuedBytes(): number {
    return this.#accumulator.queuedBytes + this.#lookups.waitingBytes
  }

  get hasRoom(): boolean {
    const handled = this.#accumulator.failures.handledMessages - this.#handledBefore
    const turnBytes = this.#turnBytes + handled * RESULT_BYTES
    return turnBytes < this.#settings.turnBytes && !this.isFull
  }

  /** Whether the queue has reached the limit of `ready`. */
  get isFull(): boolean {
    const { maxQueuedBytes, maxQueuedMessages } = this.#settings
    return this.#holds(maxQueuedBytes, maxQueuedMessages)
  }

  /** Throws ProducerQueueFullError. */
  throwIfFull(): void {
    if (this.#holds(this.#mostBytes, this.#mostMessages)) throw this.#full()
  }

  /** Counts a queued message of this many bytes. */
  count(bytes: number): void {
    this.#turnBytes += bytes
  }

  endTurn(): void {
    this.#turnBytes = 0
    this.#handledBefore = this.#accumulator.failures.handledMessages
    this.#turnOver?.resolve()
    this.#turnOver = undefined
  }

  /** Ends waits for room, if there is some or the producer has ended. */
  makeRoom(): void {
    if (this.#room === undefined || (this.#lifecycle.isOpen && this.isFull)) return
    this.#room.resolve()
    this.#room = undefined
  }

  /** Resolves when there is room, or the producer is not open any more. */
  async whenRoom(wait: WaitOptions): Promise<void> {
    checkWait(wait)
    wait.signal?.throwIfAborted()
    while (this.#lifecycle.isOpen && !this.hasRoom) {
      const { isFull } = this
      // Batches do not linger while the application waits for room.
      if (isFull) this.#accumulator.flush()
      const over = isFull ? (this.#room ??= deferred()) : (this.#turnOver ??= deferred())
      await within(wait, over.promise, () => this.late('ready()', wait.timeoutMs))
    }
  }

  /** The error of a wait that took too long. */
  late(what: string, timeoutMs: number | undefined): string {
    return `${what} took longer than ${timeoutMs} ms: ${this.queuedMessages} messages are not acknowledged`
  }

  /** Whether this much is queued. Unread reports count as messages. */
  #holds(bytes: number, messages: number): boolean {
    if (this.queuedBytes >= bytes) return true
    const unread = this.#reports === undefined ? 0 : this.#reports.size
    return this.queuedMessages + unread >= messages
  }

  #full(): ProducerQueueFullError {
    const { blockOnQueueFull, maxQueuedBytes, maxQueuedMessages } = this.#settings
    const limit = `${blockOnQueueFull ? 'twice ' : ''}maxQueuedMessages ${maxQueuedMessages} or maxQueuedBytes ${maxQueuedBytes}`
    const unread = this.#reports === undefined ? '' : ` and ${this.#reports.size} reports unread`
    return new ProducerQueueFullError(
      `${this.queuedMessages} messages of ${this.queuedBytes} bytes are queued${unread}, which is ${limit}: await ready() before producing more`,
    )
  }
}
