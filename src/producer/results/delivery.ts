import { deferred, type Deferred } from '../../async/deferred.ts'
import type { Failures } from './failures.ts'

/** Where a message ended up. */
export interface RecordMetadata {
  /** The topic that the message was written to. */
  readonly topic: string
  /** The partition that the message was written to. */
  readonly partition: number
  /** −1 where nobody said: with requiredAcks 0, or when only a repeat of the request was answered. */
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
  /** Each message has gone to a place in another batch. */
  | { readonly kind: 'moved'; readonly to: readonly Place[] }

/** A message's place in what becomes of a batch. */
export interface Place {
  readonly fate: Fate
  readonly index: number
}

/** What becomes of messages that go together: one for a whole batch, so that a message costs little. */
export class Fate {
  readonly #failures: Failures
  /** The first message's, from which deliveries tell theirs: small differences cost no memory of their own. */
  baseTimestamp = 0
  /** Messages that somebody looks at. */
  #looked: number[] = []
  #count = 0
  #outcome: Outcome | undefined
  /** Made when somebody waits for the outcome. */
  #settled: Deferred<Outcome> | undefined

  constructor(failures: Failures) {
    this.#failures = failures
  }

  get isSettled(): boolean {
    return this.#outcome !== undefined
  }

  /** Failed messages that nobody has looked at. */
  get unseenCount(): number {
    return this.#count - this.#looked.length
  }

  get error(): Error | undefined {
    return this.#outcome?.kind === 'failed' ? this.#outcome.error : undefined
  }

  /** Resolves with what became of them, a failure too. */
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

  /** `count` messages fail. Those that nobody looks at are kept for the next flush. */
  fail(error: Error, count: number): void {
    this.#count = count
    if (this.#looked.length < count) this.#failures.add(this)
    this.#settle({ kind: 'failed', error })
  }

  /** The messages go on elsewhere. */
  move(to: readonly Place[]): void {
    this.#settle({ kind: 'moved', to })
    for (const index of this.#looked) this.#lookAt(to[index]!)
  }

  /** Somebody looks at a message for the first time. */
  look(index: number): void {
    const outcome = this.#outcome
    if (outcome?.kind === 'moved') {
      this.#lookAt(outcome.to[index]!)
      return
    }
    this.#looked.push(index)
    if (outcome?.kind === 'failed' && this.#looked.length >= this.#count)
      this.#failures.delete(this)
  }

  #lookAt({ fate, index }: Place): void {
    fate.look(index)
  }

  #settle(outcome: Outcome): void {
    this.#outcome = outcome
    this.#settled?.resolve(outcome)
  }
}

/**
 * What becomes of one message: a promise that is made when somebody looks at it, by `await`, `then` or
 * `catch`. A real one costs more than all the rest of a message (0.1 µs, and as much again in garbage
 * collection), which those who only await `flush` need not pay; and no promise tells whether anybody handles
 * its failure, which is what decides whether the next `flush` throws it. All that are looked at hang on one
 * promise a batch.
 */
export class Delivery implements Promise<RecordMetadata> {
  private readonly fate: Fate
  private readonly index: number
  private readonly timestampDelta: number
  private isLooked: boolean

  constructor(fate: Fate, index: number, timestamp: number) {
    this.fate = fate
    this.index = index
    this.timestampDelta = timestamp - fate.baseTimestamp
    this.isLooked = false
  }

  get [Symbol.toStringTag](): string {
    return 'Delivery'
  }

  then<Result = RecordMetadata, Failure = never>(
    onDelivered?: ((metadata: RecordMetadata) => Result | PromiseLike<Result>) | null,
    onFailed?: ((error: unknown) => Failure | PromiseLike<Failure>) | null,
  ): Promise<Result | Failure> {
    const { fate, index } = this
    if (!this.isLooked) {
      this.isLooked = true
      fate.look(index)
    }
    const timestamp = fate.baseTimestamp + this.timestampDelta
    const tell = (
      outcome: Outcome,
      at: number,
    ): Result | PromiseLike<Result | Failure> | Failure => {
      switch (outcome.kind) {
        case 'delivered': {
          const { topic, partition, baseOffset, appendTime } = outcome
          const offset = baseOffset < 0 ? -1 : baseOffset + at
          const metadata = { topic, partition, offset, timestamp: appendTime ?? timestamp }
          // Without a function `then` gives what it would have been given.
          return onDelivered ? onDelivered(metadata) : (metadata as Result)
        }
        case 'failed':
          if (onFailed) return onFailed(outcome.error)
          throw outcome.error
        case 'moved': {
          const place = outcome.to[at]!
          return place.fate.settled.then((next) => tell(next, place.index))
        }
      }
    }
    return fate.settled.then((outcome) => tell(outcome, index))
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
