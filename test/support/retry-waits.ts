import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { RetryEvent } from '../../src/index.ts'

/** The waits before retries of one operation, such as `fetching t-0`, in milliseconds. */
export class RetryWaits implements Disposable {
  readonly ms: number[] = []
  readonly #what: string

  constructor(what: string) {
    this.#what = what
    subscribe('samsa:retry', this.#onRetry)
  }

  [Symbol.dispose](): void {
    unsubscribe('samsa:retry', this.#onRetry)
  }

  readonly #onRetry = (event: unknown): void => {
    const { what, waitMs } = event as RetryEvent
    if (what === this.#what) this.ms.push(waitMs)
  }
}
