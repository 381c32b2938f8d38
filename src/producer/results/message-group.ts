import { deferred } from '../../async/deferred.ts'
import { ProduceManyError, type FailedMessage } from '../../errors.ts'
import type { Failed, UnhandledFailures } from './unhandled-failures.ts'

/** Consecutive messages of a partition. */
export interface OffsetRange {
  /** The topic that the messages were written to. */
  readonly topic: string
  /** The partition that the messages were written to. */
  readonly partition: number
  /** The offset of the first message; −1 if the broker did not report it. */
  readonly baseOffset: number
  /** The number of messages. */
  readonly count: number
  /** Milliseconds since 1970 at which the broker appended them, where the topic has `LogAppendTime`. */
  readonly appendTime?: number
  /** The first offset of the partition's log when they were appended; brokers before Kafka 1.0 do not report it. */
  readonly logStartOffset?: number
}

/** The result of messages that were produced together. */
export interface ProduceManyResult {
  /** The number of messages that were acknowledged. */
  readonly messages: number
  /** The offsets of the messages, in the order in which they were acknowledged. */
  readonly ranges: readonly OffsetRange[]
}

/** Messages that were produced together, and one promise for all of them. */
export class MessageGroup implements Failed {
  readonly #failures: UnhandledFailures
  readonly #done = deferred<ProduceManyResult>()
  readonly #ranges: OffsetRange[] = []
  readonly #failed: FailedMessage[] = []
  #count = 0
  #settled = 0
  #isComplete = false
  #isHandled = false
  error: Error | undefined
  /** Called when some messages have failed. */
  onFailure: ((error: Error) => void) | undefined

  constructor(failures: UnhandledFailures) {
    this.#failures = failures
    // Failures that the application does not handle are kept for the next flush.
    this.#done.promise.catch(() => undefined)
  }

  get unhandledCount(): number {
    return this.#failed.length
  }

  get result(): Promise<ProduceManyResult> {
    return this.#done.promise
  }

  /** Adds a message to the group. */
  add(): void {
    this.#count++
  }

  /** Called when all messages have been added. */
  complete(): void {
    this.#isComplete = true
    this.#settle(0)
  }

  /** Called when the application handles the result. */
  markHandled(): void {
    this.#isHandled = true
    this.#failures.delete(this)
  }

  deliver(range: OffsetRange): void {
    this.#ranges.push(range)
    this.#settle(range.count)
  }

  /** Counts a message that could not be queued, with its error. */
  refuse(message: unknown, error: Error): void {
    this.#count++
    this.fail([message], error)
  }

  fail(messages: readonly unknown[], error: Error): void {
    for (const message of messages) this.#failed.push({ message, error })
    this.onFailure?.(error)
    this.#settle(messages.length)
  }

  #settle(count: number): void {
    this.#settled += count
    if (!this.#isComplete || this.#settled < this.#count) return
    if (this.#failed.length === 0) {
      this.#done.resolve({ messages: this.#count, ranges: this.#ranges })
      return
    }
    this.error = new ProduceManyError(this.#failed, this.#count - this.#failed.length)
    if (!this.#isHandled) this.#failures.add(this)
    this.#done.reject(this.error)
  }
}

/** The promise that `produceMany` returns. It marks the group as handled when the application uses it. */
export class GroupDeliveryPromise implements Promise<ProduceManyResult> {
  readonly #group: MessageGroup

  constructor(group: MessageGroup) {
    this.#group = group
  }

  get [Symbol.toStringTag](): string {
    return 'GroupDeliveryPromise'
  }

  then<Result = ProduceManyResult, Failure = never>(
    onDelivered?: ((result: ProduceManyResult) => Result | PromiseLike<Result>) | null,
    onFailed?: ((error: unknown) => Failure | PromiseLike<Failure>) | null,
  ): Promise<Result | Failure> {
    this.#group.markHandled()
    return this.#group.result.then(onDelivered, onFailed)
  }

  catch<Failure = never>(
    onFailed?: ((error: unknown) => Failure | PromiseLike<Failure>) | null,
  ): Promise<ProduceManyResult | Failure> {
    return this.then(undefined, onFailed)
  }

  finally(onEnded?: (() => void) | null): Promise<ProduceManyResult> {
    return this.then().finally(onEnded)
  }
}
