import type { Failures } from './failures.ts'

/** Where a message ended up. */
export interface RecordMetadata {
  readonly topic: string
  readonly partition: number
  /** −1 where nobody said: with requiredAcks 0, or when only a repeat of the request was answered. */
  readonly offset: number
  /** Milliseconds since 1970: the broker's where the topic says so, the producer's otherwise. */
  readonly timestamp: number
}

interface Waiter {
  readonly index: number
  readonly timestamp: number
  readonly resolve: (metadata: RecordMetadata) => void
  readonly reject: (error: Error) => void
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
  #looked = 0
  #count = 0
  #waiters: Waiter[] | undefined
  #outcome: Outcome | undefined

  constructor(failures: Failures) {
    this.#failures = failures
  }

  get isSettled(): boolean {
    return this.#outcome !== undefined
  }

  get error(): Error | undefined {
    return this.#outcome?.kind === 'failed' ? this.#outcome.error : undefined
  }

  deliver(topic: string, partition: number, baseOffset: number, appendTime?: number): void {
    this.#settle({ kind: 'delivered', topic, partition, baseOffset, appendTime })
  }

  /** `count` messages fail. Those that nobody looks at are kept for the next flush. */
  fail(error: Error, count: number): void {
    this.#count = count
    if (this.#looked < count) this.#failures.add(this)
    this.#settle({ kind: 'failed', error })
  }

  /** The messages go on elsewhere. */
  move(to: readonly Place[]): void {
    const looked = new Set(this.#waiters?.map(({ index }) => index))
    for (const index of looked) to[index]!.fate.#looked++
    this.#settle({ kind: 'moved', to })
  }

  /** Somebody looks at a message for the first time. */
  look(index: number): void {
    const outcome = this.#outcome
    if (outcome?.kind === 'moved') {
      const place = outcome.to[index]!
      place.fate.look(place.index)
      return
    }
    this.#looked++
    if (outcome?.kind === 'failed' && this.#looked >= this.#count) this.#failures.delete(this)
  }

  wait(waiter: Waiter): void {
    if (this.#outcome === undefined) (this.#waiters ??= []).push(waiter)
    else tell(waiter, this.#outcome)
  }

  #settle(outcome: Outcome): void {
    this.#outcome = outcome
    const waiters = this.#waiters
    this.#waiters = undefined
    if (waiters !== undefined) for (const waiter of waiters) tell(waiter, outcome)
  }
}

function tell(waiter: Waiter, outcome: Outcome): void {
  switch (outcome.kind) {
    case 'delivered': {
      const { topic, partition, baseOffset, appendTime } = outcome
      const offset = baseOffset < 0 ? -1 : baseOffset + waiter.index
      waiter.resolve({ topic, partition, offset, timestamp: appendTime ?? waiter.timestamp })
      return
    }
    case 'failed':
      waiter.reject(outcome.error)
      return
    case 'moved': {
      const { fate, index } = outcome.to[waiter.index]!
      fate.wait({ ...waiter, index })
    }
  }
}

/**
 * What becomes of one message: a promise that is made when somebody looks at it, by `await`, `then` or
 * `catch`. A real one costs more than all the rest of a message (0.1 µs, and as much again in garbage
 * collection), which those who only await `flush` need not pay; and no promise tells whether anybody handles
 * its failure, which is what decides whether the next `flush` throws it.
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
    if (!this.isLooked) {
      this.isLooked = true
      this.fate.look(this.index)
    }
    const { fate, index } = this
    const timestamp = fate.baseTimestamp + this.timestampDelta
    return new Promise<RecordMetadata>((resolve, reject) =>
      fate.wait({ index, timestamp, resolve, reject }),
    ).then(onDelivered, onFailed)
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
