import { FrameReader } from '../../network/frame-reader.ts'
import type { RequestMemory } from './request-memory.ts'

/** Reading pauses when this many requests of one connection wait, and resumes at half of them. */
const MOST_QUEUED = 64

/** The source of the bytes: a socket. */
export interface RequestSource {
  pause(): unknown
  resume(): unknown
}

/**
 * The requests of one connection that wait for responses. A client that only sends must not fill
 * the memory: its socket is not read while many requests wait, or while the requests of all clients
 * have too many bytes. Memory for an incoming request is reserved when its size is known, so that
 * it can be read completely.
 */
export class RequestQueue {
  readonly #source: RequestSource
  readonly #memory: RequestMemory
  readonly #reader: FrameReader
  readonly #frames: Buffer[] = []
  readonly #retry = () => this.#adjust()
  /** The bytes of the requests that wait, and of the one that is being executed. */
  #unansweredBytes = 0
  #takenBytes = 0
  #isPaused = false
  #isClosed = false

  /** Calls `onRequest` for each new request. */
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

  /** Takes the next bytes. Returns an invalid size, if there is one: the stream is then useless. */
  push(chunk: Buffer): Buffer | undefined {
    const outOfBounds = this.#reader.push(chunk)
    this.#adjust()
    return outOfBounds
  }

  /** The first request that waits. It counts until `answered`. */
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

  /** Reserves or releases memory, and pauses or resumes reading. */
  #adjust(): void {
    if (this.#isClosed) return
    const wanted = this.#unansweredBytes + this.#reader.arrivingBytes
    const missing = wanted - this.#takenBytes
    const hasMemory = missing <= 0 || this.#memory.take(missing)
    if (hasMemory) this.#takenBytes = wanted
    else this.#memory.wait(this.#retry)
    if (!hasMemory || this.#frames.length >= MOST_QUEUED) this.#pause()
    else if (this.#frames.length <= MOST_QUEUED / 2) this.#resume()
    // Last, because other connections continue immediately.
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
