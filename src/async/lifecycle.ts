import { ClosedError } from '../errors.ts'
import { abortable } from './abortable.ts'

/**
 * The states of a producer, a consumer or a member of a group:
 *
 *   from \ call   start             start succeeds   start fails   close     close ends
 *   new           starting                                         closing
 *   starting      (the same start)  open             new           closing
 *   open          (nothing)                                        closing
 *   closing       ClosedError                                                closed
 *   closed        ClosedError
 *
 * `closed` is final: nothing that was still running when `close` was called can open the object again.
 */
export type LifecycleState = 'new' | 'starting' | 'open' | 'closing' | 'closed'

export class Lifecycle {
  readonly #what: string
  readonly #starts = new AbortController()
  #state: LifecycleState = 'new'
  /** The last start. */
  #starting: Promise<void> = Promise.resolve()
  #closing: Promise<void> | undefined

  /** `what` names the object in the ClosedError: 'producer', 'consumer'. */
  constructor(what: string) {
    this.#what = what
  }

  get state(): LifecycleState {
    return this.#state
  }

  get isOpen(): boolean {
    return this.#state === 'open'
  }

  /** Whether `close` was called. */
  get isClosed(): boolean {
    return this.#state === 'closing' || this.#state === 'closed'
  }

  /**
   * Runs `prepare`, then passes its result to `open`, in the same turn in which the state becomes `open`. Calls
   * while it runs share its promise; calls when the object is open resolve.
   *
   * When `prepare` or `open` throws, `start` rejects with that error and may be called again. When `close` is called
   * first, `start` rejects with ClosedError at once, the signal is aborted, and `open` never runs.
   */
  start<T>(
    prepare: (signal: AbortSignal) => Promise<T>,
    open: (prepared: T) => void = () => undefined,
  ): Promise<void> {
    switch (this.#state) {
      case 'new':
        this.#starting = this.#start(prepare, open)
        return this.#starting
      case 'starting':
      case 'open':
        return this.#starting
      case 'closing':
      case 'closed':
        return Promise.reject(new ClosedError(this.#what))
    }
  }

  /** Runs `end`, once. Calls after the first return the promise of the first. */
  close(end: () => Promise<void>): Promise<void> {
    this.#closing ??= this.#close(end)
    return this.#closing
  }

  /** Throws ClosedError after `close` was called. */
  throwIfClosed(): void {
    if (this.isClosed) throw new ClosedError(this.#what)
  }

  async #start<T>(
    prepare: (signal: AbortSignal) => Promise<T>,
    open: (prepared: T) => void,
  ): Promise<void> {
    this.#state = 'starting'
    const { signal } = this.#starts
    try {
      const prepared = await abortable(prepare(signal), signal)
      // `close` may have been called between the last result of `prepare` and this turn.
      this.throwIfClosed()
      open(prepared)
      this.#state = 'open'
    } catch (error) {
      this.throwIfClosed()
      this.#state = 'new'
      throw error
    }
  }

  async #close(end: () => Promise<void>): Promise<void> {
    this.#state = 'closing'
    this.#starts.abort(new ClosedError(this.#what))
    try {
      await end()
    } finally {
      this.#state = 'closed'
    }
  }
}
