/** Calls something again and again, never twice at a time, from start to stop; it says when it wants to be called next. */
export class Heartbeats {
  readonly #firstAfterMs: number
  readonly #beat: () => Promise<number>
  #timer: NodeJS.Timeout | undefined
  #isRunning = false

  constructor(firstAfterMs: number, beat: () => Promise<number>) {
    this.#firstAfterMs = firstAfterMs
    this.#beat = beat
  }

  /** Does nothing where they go on already. */
  start(): void {
    if (this.#isRunning) return
    this.#isRunning = true
    this.#schedule(this.#firstAfterMs)
  }

  stop(): void {
    this.#isRunning = false
    clearTimeout(this.#timer)
  }

  #schedule(waitMs: number): void {
    this.#timer = setTimeout(() => void this.#run(), waitMs)
  }

  async #run(): Promise<void> {
    const waitMs = await this.#beat()
    if (this.#isRunning) this.#schedule(waitMs)
  }
}
