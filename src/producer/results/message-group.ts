import { deferred } from '../../async/deferred.ts'
import { ProduceManyError, type FailedMessage } from '../../errors.ts'
import type { Failed, Failures } from './failures.ts'

/** Messages that follow each other in a partition. */
export interface OffsetRange {
  /** The topic that the messages were written to. */
  readonly topic: string
  /** The partition that the messages were written to. */
  readonly partition: number
  /** Of the first of them; −1 where nobody said. */
  readonly baseOffset: number
  /** The number of messages. */
  readonly count: number
}

/** What became of messages that were produced together. */
export interface ProduceManyResult {
  /** The number of messages that were acknowledged. */
  readonly messages: number
  /** Where they are, in the order in which they were acknowledged. */
  readonly ranges: readonly OffsetRange[]
}

/** Messages that were produced together, and one promise for all of them. */
export class MessageGroup implements Failed {
  readonly #failures: Failures
  readonly #done = deferred<ProduceManyResult>()
  readonly #ranges: OffsetRange[] = []
  readonly #failed: FailedMessage[] = []
  #count = 0
  #settled = 0
  #isComplete = false
  #isLooked = false
  error: Error | undefined
  /** Called when some have failed. */
  onFailure: ((error: Error) => void) | undefined

  constructor(failures: Failures) {
    this.#failures = failures
    // Failures that nobody looks at are kept for the next flush.
    this.#done.promise.catch(() => undefined)
  }

  get unseenCount(): number {
    return this.#failed.length
  }

  get result(): Promise<ProduceManyResult> {
    return this.#done.promise
  }

  /** Another message belongs to it. */
  add(): void {
    this.#count++
  }

  /** No more messages will be added. */
  complete(): void {
    this.#isComplete = true
    this.#settle(0)
  }

  /** Somebody handles the result. */
  look(): void {
    this.#isLooked = true
    this.#failures.delete(this)
  }

  deliver(range: OffsetRange): void {
    this.#ranges.push(range)
    this.#settle(range.count)
  }

  /** A message that was not even queued. */
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
    if (!this.#isLooked) this.#failures.add(this)
    this.#done.reject(this.error)
  }
}

/** A promise that tells when somebody looks at it. */
export class GroupDelivery implements Promise<ProduceManyResult> {
  readonly #group: MessageGroup

  constructor(group: MessageGroup) {
    this.#group = group
  }

  get [Symbol.toStringTag](): string {
    return 'GroupDelivery'
  }

  then<Result = ProduceManyResult, Failure = never>(
    onDelivered?: ((result: ProduceManyResult) => Result | PromiseLike<Result>) | null,
    onFailed?: ((error: unknown) => Failure | PromiseLike<Failure>) | null,
  ): Promise<Result | Failure> {
    this.#group.look()
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
