/**
 * Ctrl-C and SIGTERM, as a signal to stop in good order. A second one ends the process immediately,
 * as the first one does without this class.
 */
export class Interrupt implements Disposable {
  readonly #controller = new AbortController()
  readonly #names = ['SIGINT', 'SIGTERM'] as const
  readonly #onSignal = (name: 'SIGINT' | 'SIGTERM'): void => {
    this[Symbol.dispose]()
    this.exitCode = name === 'SIGINT' ? 130 : 143
    this.#controller.abort()
  }
  /** The exit code of the process after the signal; undefined before. */
  exitCode: number | undefined

  constructor() {
    for (const name of this.#names) process.on(name, this.#onSignal)
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** Resolves when a signal arrives. */
  get happened(): Promise<void> {
    const { signal } = this
    if (signal.aborted) return Promise.resolve()
    return new Promise((resolve) => signal.addEventListener('abort', () => resolve()))
  }

  /** Makes the process succeed after Ctrl-C, for commands that only Ctrl-C ends. */
  succeedAfterCtrlC(): void {
    if (this.exitCode === 130) this.exitCode = 0
  }

  [Symbol.dispose](): void {
    for (const name of this.#names) process.off(name, this.#onSignal)
  }
}
