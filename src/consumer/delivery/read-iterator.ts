/**
 * Messages or batches for `for await`.
 *
 * Hot path: not an async generator, which takes twice as long (0.17 µs a message for 0.08, Node 24). A message that
 * is available takes one promise, resolved already, and the object that the protocol wants. It is a new one each
 * time: callers may keep them. Measured by benchmarks/consume.ts.
 */
import type { Iteration } from '../../async/iteration.ts'
import { onAbort } from '../../async/on-abort.ts'
import { ConsumerBusyError } from '../../errors.ts'
import type { Reading } from './reading.ts'

export interface ReadSource<T> {
  /** The next one, if one is available. */
  take(): T | undefined
  /** The application has asked for more: what it had is processed. `take` and `next` count as that, too. */
  settle(): void
  /** Waits for the next one; undefined at the end. */
  next(signal: AbortSignal | undefined): Promise<T | undefined>
  /** Throws ConsumerBusyError where it is being read otherwise. */
  begin(): Reading
}

type Result<T> = IteratorResult<T, undefined>

const END = { done: true, value: undefined } as const

export class ReadIterator<T> implements Iteration<T> {
  readonly #source: ReadSource<T>
  readonly #signal: AbortSignal | undefined
  #state: 'new' | 'open' | 'waiting' | 'ended' = 'new'
  #stopWatching: (() => void) | undefined
  #reading: Reading | undefined
  /** The next result is the first one of a loop. */
  #isFirst = false

  constructor(source: ReadSource<T>, signal: AbortSignal | undefined) {
    this.#source = source
    this.#signal = signal
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<Result<T>> {
    try {
      if (this.#state !== 'open' && !this.#open()) return Promise.resolve(END)
      const value = this.#source.take()
      if (value !== undefined) {
        return Promise.resolve(this.#isFirst ? this.#first(value) : { done: false, value })
      }
    } catch (error) {
      return this.#failed(error)
    }
    return this.#wait()
  }

  /** What `break` calls, and an error in the loop's body: what was not delivered is for the next reader. */
  return(): Promise<Result<T>> {
    this.#finish()
    return Promise.resolve(END)
  }

  /** False at the end. */
  #open(): boolean {
    if (this.#state === 'ended') return false
    if (this.#state === 'waiting') {
      throw new ConsumerBusyError(
        'next() was called while another call of next() was waiting: an iterator has one reader at a time',
      )
    }
    // Where the signal ended the reading, the loop's body has finished only now.
    this.#source.settle()
    this.#reading?.end()
    this.#reading = undefined
    this.#signal?.throwIfAborted()
    this.#reading = this.#source.begin()
    this.#isFirst = true
    this.#state = 'open'
    if (this.#signal !== undefined) this.#stopWatching = onAbort(this.#signal, this.#onAbort)
    return true
  }

  #first(value: T): Result<T> {
    this.#isFirst = false
    return this.#reading === undefined ? { done: false, value } : this.#reading.first(value)
  }

  /** The messages that are available need not look at the signal each. */
  readonly #onAbort = (): void => {
    if (this.#state === 'open') this.#abort()
  }

  /** Others may read. The body of the loop may be running still. */
  #abort(): void {
    this.#state = 'new'
    this.#reading?.release()
    this.#stopWatching?.()
    this.#stopWatching = undefined
  }

  async #wait(): Promise<Result<T>> {
    this.#state = 'waiting'
    try {
      const value = await this.#source.next(this.#signal)
      if (value === undefined) {
        this.#finish()
        return END
      }
      // Where return() was called meanwhile: what was taken is delivered all the same.
      if (this.#isWaiting()) this.#state = 'open'
      const result = this.#isFirst ? this.#first(value) : ({ done: false, value } as const)
      if (this.#signal?.aborted === true) this.#abort()
      return result
    } catch (error) {
      return this.#failed(error)
    }
  }

  #isWaiting(): boolean {
    return this.#state === 'waiting'
  }

  #failed(error: unknown): Promise<never> {
    // Another's call that came in between has no say in how this one goes on.
    if (!(error instanceof ConsumerBusyError)) this.#finish()
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors
    return Promise.reject(error)
  }

  #finish(): void {
    this.#state = 'ended'
    this.#reading?.end()
    this.#reading = undefined
    this.#stopWatching?.()
    this.#stopWatching = undefined
  }
}
