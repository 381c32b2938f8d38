import { FrameReader } from '../../network/frame-reader.ts'
import type { RequestMemory } from './request-memory.ts'

/** Reading stops while this many requests of one connection wait, and goes on at half of them. */
const MOST_QUEUED = 64

/** What the bytes come from: a socket. */
export interface RequestSource {
  pause(): unknown
  resume(): unknown
}

/**
 * The requests of one connection that wait for their answers. A client that only sends must not fill the memory:
 * its socket is not read while many requests wait, or while those of all clients have too many bytes. Room for
 * a request that is still arriving is taken when its size is known, so that what has begun to arrive can finish.
 */
export class RequestQueue {
  readonly #source: RequestSource
  readonly #memory: RequestMemory
  readonly #reader: FrameReader
  readonly #frames: Buffer[] = []
  readonly #retry = () => this.#adjust()
  /** Of requests that wait, and of the one that is being answered. */
  #unansweredBytes = 0
  #takenBytes = 0
  #isPaused = false
  #isClosed = false

  /** `onRequest` is called when one more waits. */
  constructor(
    source: RequestSource,
    memory: RequestMemory,
    maxRequestBytes: () => number,
    onRequest: () => void,
  ) {
    this.#source = source
    this.#memory = memory
    this.#reader = new FrameReader(maxRequestBytes, (frame) => {
      this.#frames.push(frame)
      this.#unansweredBytes += frame.length
      onRequest()
    })
  }

  /** Takes the next bytes. Returns a size that is out of bounds, if there is one: the stream is then useless. */
  push(chunk: Buffer): Buffer | undefined {
    const outOfBounds = this.#reader.push(chunk)
    this.#adjust()
    return outOfBounds
  }

  /** The first request that waits. It counts until it is `answered`. */
  next(): Buffer | undefined {
    return this.#frames.shift()
  }

  answered(frame: Buffer): void {
    this.#unansweredBytes -= frame.length
    this.#adjust()
  }

  close(): void {
    this.#isClosed = true
    this.#memory.stopWaiting(this.#retry)
    const taken = this.#takenBytes
    this.#takenBytes = 0
    this.#memory.give(taken)
  }

  /** Takes or gives back memory, and stops or goes on reading. */
  #adjust(): void {
    if (this.#isClosed) return
    const wanted = this.#unansweredBytes + this.#reader.arrivingBytes
    const missing = wanted - this.#takenBytes
    const hasMemory = missing <= 0 || this.#memory.take(missing)
    if (hasMemory) this.#takenBytes = wanted
    else this.#memory.wait(this.#retry)
    if (!hasMemory || this.#frames.length >= MOST_QUEUED) this.#pause()
    else if (this.#frames.length <= MOST_QUEUED / 2) this.#resume()
    // Last: others go on at once.
    if (missing < 0) this.#memory.give(-missing)
  }

  #pause(): void {
    if (this.#isPaused) return
    this.#isPaused = true
    this.#source.pause()
  }

  #resume(): void {
    if (!this.#isPaused) return
    this.#isPaused = false
    this.#source.resume()
  }
}
