/**
 * Ctrl-C and SIGTERM, as a signal to stop in good order. A second one ends the process at once, as the first
 * would have without this.
 */
export class Interrupt implements Disposable {
  readonly #controller = new AbortController()
  readonly #names = ['SIGINT', 'SIGTERM'] as const
  readonly #onSignal = (name: 'SIGINT' | 'SIGTERM'): void => {
    this[Symbol.dispose]()
    this.exitCode = name === 'SIGINT' ? 130 : 143
    this.#controller.abort()
  }
  /** What a process that was ended by the signal exits with; undefined before. */
  exitCode: number | undefined

  constructor() {
    for (const name of this.#names) process.on(name, this.#onSignal)
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** Resolves when it happens. */
  get happened(): Promise<void> {
    const { signal } = this
    if (signal.aborted) return Promise.resolve()
    return new Promise((resolve) => signal.addEventListener('abort', () => resolve()))
  }

  /** Ctrl-C is how what has no end of its own is ended: the process succeeds. */
  succeedAfterCtrlC(): void {
    if (this.exitCode === 130) this.exitCode = 0
  }

  [Symbol.dispose](): void {
    for (const name of this.#names) process.off(name, this.#onSignal)
  }
}
