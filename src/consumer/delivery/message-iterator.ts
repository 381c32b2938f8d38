/**
 * Messages for `for await`.
 *
 * Hot path: not an async generator, which takes twice as long (0.17 µs a message for 0.08, Node 24). A message that
 * is at hand takes one promise, resolved already, and the object that the protocol wants. It is a new one each
 * time: callers may keep them. Measured by benchmarks/consume.ts.
 */
import { onAbort } from '../../async/on-abort.ts'
import { ConsumerBusyError } from '../../errors.ts'
import type { ConsumedMessage } from '../consumed-message.ts'

export interface MessageSource<Value, Key> {
  /** The next message, if one is at hand. */
  take(): ConsumedMessage<Value, Key> | undefined
  /** Waits for the next one; undefined at the end. */
  next(signal: AbortSignal | undefined): Promise<ConsumedMessage<Value, Key> | undefined>
  /** Throws ConsumerBusyError where it is being read otherwise. Returns what ends the reading. */
  begin(): () => void
}

type Result<Value, Key> = IteratorResult<ConsumedMessage<Value, Key>, undefined>

const END = { done: true, value: undefined } as const

export class MessageIterator<Value, Key> implements AsyncIterableIterator<
  ConsumedMessage<Value, Key>,
  undefined
> {
  readonly #source: MessageSource<Value, Key>
  readonly #signal: AbortSignal | undefined
  #state: 'new' | 'open' | 'waiting' | 'ended' = 'new'
  #end: (() => void) | undefined
  #stopWatching: (() => void) | undefined

  constructor(source: MessageSource<Value, Key>, signal: AbortSignal | undefined) {
    this.#source = source
    this.#signal = signal
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<Result<Value, Key>> {
    try {
      if (this.#state !== 'open' && !this.#open()) return Promise.resolve(END)
      const message = this.#source.take()
      if (message !== undefined) return Promise.resolve({ done: false, value: message })
    } catch (error) {
      return this.#failed(error)
    }
    return this.#wait()
  }

  /** What `break` calls: all that was not handed over is for the next reader. */
  return(): Promise<Result<Value, Key>> {
    this.#finish()
    return Promise.resolve(END)
  }

  /** False at the end. */
  #open(): boolean {
    if (this.#state === 'ended') return false
    if (this.#state === 'waiting') {
      throw new ConsumerBusyError(
        'next() was called while another call of it waits: an iterator has one reader at a time',
      )
    }
    this.#signal?.throwIfAborted()
    this.#end = this.#source.begin()
    this.#state = 'open'
    if (this.#signal !== undefined) this.#stopWatching = onAbort(this.#signal, this.#onAbort)
    return true
  }

  /** The messages that are at hand need not look at the signal each. */
  readonly #onAbort = (): void => {
    if (this.#state === 'open') this.#finish('new')
  }

  async #wait(): Promise<Result<Value, Key>> {
    this.#state = 'waiting'
    try {
      const message = await this.#source.next(this.#signal)
      if (message === undefined) {
        this.#finish()
        return END
      }
      // Where return() was called meanwhile: what was taken is handed over all the same.
      if (this.#isWaiting()) this.#state = 'open'
      if (this.#signal?.aborted === true) this.#finish('new')
      return { done: false, value: message }
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

  #finish(state: 'ended' | 'new' = 'ended'): void {
    this.#state = state
    this.#end?.()
    this.#end = undefined
    this.#stopWatching?.()
    this.#stopWatching = undefined
  }
}
