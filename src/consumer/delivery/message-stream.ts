import { Readable } from 'node:stream'
import type { ConsumedMessage } from '../consumed-message.ts'
import type { Peeked } from '../inbox.ts'
import type { Reading } from './reading.ts'
import { asError } from '../../observe/thrown.ts'

export interface StreamSource<Value, Key> {
  peek(): Peeked<Value, Key> | undefined
  give(peeked: Peeked<Value, Key>): boolean
  /** Waits until something may be available. False at the end. */
  arrival(signal: AbortSignal): Promise<boolean>
  readonly reading: Reading
}

/**
 * Messages as a Readable. It reads nothing ahead: a message counts as delivered when it leaves the stream, not when
 * it enters it. A message does not leave the stream if its partition was given up in between.
 */
export class MessageStream<Value, Key> extends Readable {
  readonly #source: StreamSource<Value, Key>
  readonly #ending = new AbortController()
  #peeked: Peeked<Value, Key> | undefined
  #isDropped = false
  #isWaiting = false

  constructor(source: StreamSource<Value, Key>, signal: AbortSignal | undefined) {
    super({ objectMode: true, highWaterMark: 0, ...(signal === undefined ? {} : { signal }) })
    this.#source = source
  }

  override _read(): void {
    if (this.#isWaiting || this.#peeked !== undefined) return
    try {
      this.#peeked = this.#source.peek()
    } catch (error) {
      this.destroy(asError(error))
      return
    }
    if (this.#peeked === undefined) void this.#wait()
    else this.push(this.#peeked.message)
  }

  /** Every way to read the stream calls this for each message, so this is where the message is delivered. */
  override emit(event: string | symbol, ...args: unknown[]): boolean {
    if (event === 'data' && this.#peeked !== undefined) {
      const peeked = this.#peeked
      this.#peeked = undefined
      this.#isDropped = !this.#source.give(peeked)
      if (this.#isDropped) return false
      const { reading } = this.#source
      if (reading.isWorkKnown) return reading.work(() => super.emit(event, ...args))
    }
    return super.emit(event, ...args)
  }

  override read(size?: number): ConsumedMessage<Value, Key> | null {
    let message: ConsumedMessage<Value, Key> | null
    do {
      this.#isDropped = false
      // The stream contains only what `push` was given.
      message = super.read(size) as typeof message
    } while (message !== null && this.#wasDropped())
    return message
  }

  /**
   * Like Readable's iterator, but also marks the loop body as running: see work.ts. Messages that are available are
   * delivered without the stream's events and ticks, which take most of the CPU of a loop. Readable's iterator waits,
   * ends, and reports errors; it also delivers the first message, because it listens to the stream from then on.
   */
  override [Symbol.asyncIterator](): ReturnType<Readable[typeof Symbol.asyncIterator]> {
    const iterator = super[Symbol.asyncIterator]()
    const { reading } = this.#source
    const next = iterator.next.bind(iterator)
    let isFirst = true
    iterator.next = () => {
      const peeked = isFirst ? undefined : this.#giveNext()
      if (peeked !== undefined) return Promise.resolve({ done: false, value: peeked.message })
      if (!isFirst || !reading.isWorkKnown) {
        isFirst = false
        return next()
      }
      isFirst = false
      return next().then((result) =>
        result.done === true ? result : reading.first<unknown>(result.value),
      )
    }
    return iterator
  }

  /** Delivers the next message past the stream, unless the stream contains one, is in use otherwise, or is at its end. */
  #giveNext(): Peeked<Value, Key> | undefined {
    if (this.destroyed || this.readableEnded || this.#isWaiting) return undefined
    if (this.readableLength > 0 || this.#peeked !== undefined) return undefined
    if (this.listenerCount('data') > 0) return undefined
    try {
      for (;;) {
        const peeked = this.#source.peek()
        if (peeked === undefined || this.#source.give(peeked)) return peeked
      }
    } catch (error) {
      this.destroy(asError(error))
      return undefined
    }
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#ending.abort()
    this.#source.reading.end()
    callback(error)
  }

  #wasDropped(): boolean {
    return this.#isDropped
  }

  async #wait(): Promise<void> {
    this.#isWaiting = true
    try {
      const isOpen = await this.#source.arrival(this.#ending.signal)
      this.#isWaiting = false
      if (this.destroyed) return
      if (isOpen) this._read()
      else this.push(null)
    } catch (error) {
      this.#isWaiting = false
      this.destroy(asError(error))
    }
  }
}
