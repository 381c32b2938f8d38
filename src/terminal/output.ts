import type { Writable } from 'node:stream'

const CHUNK_BYTES = 64 * 1024

/**
 * Writes many small parts to a stream in large chunks. Written parts are sent at the end of the
 * current turn of the event loop at the latest, so that a message is visible as soon as no other is
 * available.
 */
export class Output {
  readonly #stream: Writable
  #chunk = Buffer.allocUnsafe(CHUNK_BYTES)
  #filled = 0
  #flushSoon: NodeJS.Immediate | undefined
  #isFull = false
  /** Resumes the writer that waits until the stream accepts more. */
  #resume: (() => void) | undefined
  /** Set when the stream accepts no more data. */
  error: Error | undefined

  constructor(stream: Writable) {
    this.#stream = stream
    stream.on('error', (error) => {
      this.error ??= error
      this.#takesMore()
    })
    stream.on('drain', () => this.#takesMore())
  }

  /** Whether the reader is slower than the writer: await `drained()` before writing more. */
  get isFull(): boolean {
    return this.#isFull
  }

  write(parts: readonly Uint8Array[]): void {
    for (const part of parts) {
      if (part.length > this.#chunk.length - this.#filled) this.#flush()
      if (part.length > this.#chunk.length) {
        this.#send(part)
        continue
      }
      this.#chunk.set(part, this.#filled)
      this.#filled += part.length
    }
    this.#flushSoon ??= setImmediate(() => this.#flush())
  }

  /** Resolves when the stream accepts more data, or has ended: see `error`. */
  async drained(): Promise<void> {
    if (!this.#isFull || this.error !== undefined) return
    await new Promise<void>((resolve) => {
      this.#resume = resolve
    })
  }

  /** Writes all data to the system; throws the error that ended the stream. */
  async finish(): Promise<void> {
    this.#flush()
    // After the stream has ended, writing fails with another error than the one that ended it.
    if (this.error === undefined) {
      const failure = await new Promise<Error | null | undefined>((resolve) =>
        this.#stream.write('', resolve),
      )
      this.error ??= failure ?? undefined
    }
    if (this.error !== undefined) throw this.error
  }

  #takesMore(): void {
    this.#isFull = false
    this.#resume?.()
    this.#resume = undefined
  }

  #flush(): void {
    clearImmediate(this.#flushSoon)
    this.#flushSoon = undefined
    if (this.#filled === 0) return
    this.#send(this.#chunk.subarray(0, this.#filled))
    // The stream may still use the previous chunk.
    this.#chunk = Buffer.allocUnsafe(CHUNK_BYTES)
    this.#filled = 0
  }

  #send(bytes: Uint8Array): void {
    if (this.error === undefined && !this.#stream.write(bytes)) this.#isFull = true
  }
}
