/** Whether what the server says leaves it: closed, requests are acted upon, and their answers wait. */
export class ReplyGate {
  readonly #waiting = new Set<() => void>()
  #isClosed = false

  get isClosed(): boolean {
    return this.#isClosed
  }

  close(): void {
    this.#isClosed = true
  }

  open(): void {
    this.#isClosed = false
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const run of waiting) run()
  }

  /** Runs this, once, when the gate is opened. */
  onOpen(run: () => void): void {
    this.#waiting.add(run)
  }

  forget(run: () => void): void {
    this.#waiting.delete(run)
  }
}
