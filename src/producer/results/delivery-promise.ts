import { deferred, type Deferred } from '../../async/deferred.ts'
import type { UnhandledFailures } from './unhandled-failures.ts'

/** Where a message ended up. */
export interface RecordMetadata {
  /** The topic that the message was written to. */
  readonly topic: string
  /** The partition that the message was written to. */
  readonly partition: number
  /** −1 if the broker did not report it: with requiredAcks 0, or if only a repetition of the request was answered. */
  readonly offset: number
  /** Milliseconds since 1970: the broker's where the topic reports it, the producer's otherwise. */
  readonly timestamp: number
}

type Outcome =
  | {
      readonly kind: 'delivered'
      readonly topic: string
      readonly partition: number
      readonly baseOffset: number
      readonly appendTime: number | undefined
    }
  | { readonly kind: 'failed'; readonly error: Error }
  /** Each message has moved to another batch. */
  | { readonly kind: 'moved'; readonly to: readonly Place[] }

/** The position of a message in the result of a batch. */
export interface Place {
  readonly result: BatchResult
  readonly index: number
}

/** The result of the messages of a batch. One object is shared by all messages of the batch, so that a message costs little. */
export class BatchResult {
  readonly #failures: UnhandledFailures
  /** The timestamp of the first message. Promises store the difference, a small integer, which V8 does not allocate. */
  baseTimestamp = 0
  /** The application waits for the messages before this index, and for those in the list. */
  #handledBefore = 0
  #handledLater: number[] | undefined
  #count = 0
  #outcome: Outcome | undefined
  /** Created when the first caller waits for the outcome. */
  #settled: Deferred<Outcome> | undefined

  constructor(failures: UnhandledFailures) {
    this.#failures = failures
  }

  get isSettled(): boolean {
    return this.#outcome !== undefined
  }

  /** The number of failed messages that the application does not handle. */
  get unhandledCount(): number {
    return this.#count - this.#handledCount
  }

  get error(): Error | undefined {
    return this.#outcome?.kind === 'failed' ? this.#outcome.error : undefined
  }

  /** Resolves with the outcome, also if it is a failure. */
  get settled(): Promise<Outcome> {
    if (this.#settled === undefined) {
      this.#settled = deferred<Outcome>()
      if (this.#outcome !== undefined) this.#settled.resolve(this.#outcome)
    }
    return this.#settled.promise
  }

  deliver(topic: string, partition: number, baseOffset: number, appendTime?: number): void {
    this.#settle({ kind: 'delivered', topic, partition, baseOffset, appendTime })
  }

  /** Fails `count` messages. Failures that the application does not handle are kept for the next flush. */
  fail(error: Error, count: number): void {
    this.#count = count
    if (this.#handledCount < count) this.#failures.add(this)
    this.#settle({ kind: 'failed', error })
  }

  /** Moves the messages to other batches. */
  move(to: readonly Place[]): void {
    this.#settle({ kind: 'moved', to })
    for (let index = 0; index < this.#handledBefore; index++) this.#markHandledAt(to[index]!)
    for (const index of this.#handledLater ?? []) this.#markHandledAt(to[index]!)
  }

  /** Called when the application waits for this message, and so handles its failure. */
  markHandled(index: number): void {
    this.#failures.handledMessages++
    const outcome = this.#outcome
    if (outcome?.kind === 'moved') {
      this.#markHandledAt(outcome.to[index]!)
      return
    }
    if (index === this.#handledBefore) this.#handledBefore++
    else (this.#handledLater ??= []).push(index)
    if (outcome?.kind === 'failed' && this.#handledCount >= this.#count) this.#failures.delete(this)
  }

  get #handledCount(): number {
    return this.#handledBefore + (this.#handledLater?.length ?? 0)
  }

  #markHandledAt({ result, index }: Place): void {
    result.markHandled(index)
  }

  #settle(outcome: Outcome): void {
    this.#outcome = outcome
    this.#settled?.resolve(outcome)
  }
}

/**
 * The promise that `produce` returns. A real promise is created only when the application uses it, by `await`, `then`
 * or `catch`, because it costs more than all the rest of a message (0.1 µs, and as much again in garbage collection);
 * programs that only await `flush` do not pay for it. A real promise also does not tell whether its rejection is
 * handled, which decides whether the next `flush` throws it. All promises of a batch depend on one promise.
 *
 * Hot path: the application calls `then` for each message whose result it uses. The objects that `then` creates exist
 * until the batch is acknowledged, so the garbage collector copies them. Do not add a second function, a variable that
 * the function refers to, or an entry in a list for each message: without these, a message whose result is used takes a
 * sixth less CPU time (Node.js 24, 100 bytes).
 */
export class DeliveryPromise implements Promise<RecordMetadata> {
  private readonly result: BatchResult
  private readonly index: number
  private readonly timestampDelta: number
  private isHandled: boolean

  constructor(result: BatchResult, index: number, timestamp: number) {
    this.result = result
    this.index = index
    this.timestampDelta = timestamp - result.baseTimestamp
    this.isHandled = false
  }

  get [Symbol.toStringTag](): string {
    return 'DeliveryPromise'
  }

  then<Result = RecordMetadata, Failure = never>(
    onDelivered?: ((metadata: RecordMetadata) => Result | PromiseLike<Result>) | null,
    onFailed?: ((error: unknown) => Failure | PromiseLike<Failure>) | null,
  ): Promise<Result | Failure> {
    const { result, index } = this
    if (!this.isHandled) {
      this.isHandled = true
      result.markHandled(index)
    }
    // The function lives until the batch is acknowledged: it refers to what it needs, not to this object.
    const delta = this.timestampDelta
    return result.settled.then((outcome) =>
      tell(outcome, index, result.baseTimestamp + delta, onDelivered, onFailed),
    )
  }

  catch<Failure = never>(
    onFailed?: ((error: unknown) => Failure | PromiseLike<Failure>) | null,
  ): Promise<RecordMetadata | Failure> {
    return this.then(undefined, onFailed)
  }

  finally(onEnded?: (() => void) | null): Promise<RecordMetadata> {
    return this.then().finally(onEnded)
  }
}

/** Calls the function for the outcome of a message. */
function tell<Result, Failure>(
  outcome: Outcome,
  index: number,
  timestamp: number,
  onDelivered: ((metadata: RecordMetadata) => Result | PromiseLike<Result>) | null | undefined,
  onFailed: ((error: unknown) => Failure | PromiseLike<Failure>) | null | undefined,
): Result | Failure | PromiseLike<Result | Failure> {
  switch (outcome.kind) {
    case 'delivered': {
      const { topic, partition, baseOffset, appendTime } = outcome
      const offset = baseOffset < 0 ? -1 : baseOffset + index
      const metadata = { topic, partition, offset, timestamp: appendTime ?? timestamp }
      // Without a function `then` resolves with the metadata itself.
      return onDelivered ? onDelivered(metadata) : (metadata as Result)
    }
    case 'failed':
      if (onFailed) return onFailed(outcome.error)
      throw outcome.error
    case 'moved': {
      const place = outcome.to[index]!
      return place.result.settled.then((next) =>
        tell(next, place.index, timestamp, onDelivered, onFailed),
      )
    }
  }
}
