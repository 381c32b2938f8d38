import { deferred } from './deferred.ts'
import { onAbort } from './on-abort.ts'
import { Timer } from './timer.ts'

/** The time by which an operation with all its retries must be done, and the signal that ends it earlier. */
export class Deadline {
  readonly timeoutMs: number
  readonly signal: AbortSignal | undefined
  readonly #end: number

  constructor(timeoutMs: number, signal?: AbortSignal) {
    this.timeoutMs = timeoutMs
    this.signal = signal
    this.#end = performance.now() + timeoutMs
  }

  /** The milliseconds that are left; never negative. */
  get remainingMs(): number {
    return Math.max(0, this.#end - performance.now())
  }

  get isOver(): boolean {
    return this.remainingMs === 0
  }

  /** Whether a wait of this length would end before the deadline. */
  leaves(waitMs: number): boolean {
    return waitMs < this.remainingMs
  }

  /** Waits. Rejects with the signal's reason as soon as the signal is aborted. */
  async sleep(waitMs: number): Promise<void> {
    const { signal } = this
    signal?.throwIfAborted()
    const over = deferred()
    const timer = new Timer(waitMs, () => over.resolve())
    const stop =
      signal === undefined ? undefined : onAbort(signal, () => over.reject(signal.reason))
    try {
      await over.promise
    } finally {
      timer.cancel()
      stop?.()
    }
  }
}
