/**
 * Cuts a byte stream into frames: four bytes of size, then the frame. The memory of a frame is allocated once, when its
 * size is known and within bounds; joining chunks again and again makes other clients quadratic on large responses. The
 * bytes come in one of two ways, never both: as chunks (`push`), which are copied, except that a frame that lies whole
 * in a chunk is a view of it; or read directly into the memory (`space` and `received`).
 */
import type { FrameMemory } from './frame-memory.ts'
import { isFrameSize } from './frame-size.ts'

const SIZE_BYTES = 4
/** How much is read at once while the size of the next frame is not known. */
const SCRATCH_BYTES = 64 * 1024

export class FrameReader {
  readonly #maxFrameBytes: () => number
  readonly #onFrame: (frame: Buffer) => void
  readonly #memory: FrameMemory | undefined
  /** The frame that is being filled. */
  #frame: Buffer | undefined
  #filled = 0
  /** The bytes of a size that was split between chunks. */
  readonly #size = Buffer.alloc(SIZE_BYTES)
  #sizeFilled = 0
  /** Used again and again: frames in it are copied. */
  #scratch: Buffer | undefined

  /**
   * `maxFrameBytes` as a function is called for each frame when its size has arrived. `memory` provides the memory of
   * large frames; without it each has its own.
   */
  constructor(
    maxFrameBytes: number | (() => number),
    onFrame: (frame: Buffer) => void,
    memory?: FrameMemory,
  ) {
    this.#maxFrameBytes = typeof maxFrameBytes === 'function' ? maxFrameBytes : () => maxFrameBytes
    this.#onFrame = onFrame
    this.#memory = memory
  }

  /** The size of the frame that is arriving; 0 between frames. */
  get arrivingBytes(): number {
    return this.#frame?.length ?? 0
  }

  /** Where to put the next bytes of the stream: the rest of a frame, or room for the start of one. */
  get space(): Buffer {
    const frame = this.#frame
    if (frame === undefined) return (this.#scratch ??= Buffer.allocUnsafeSlow(SCRATCH_BYTES))
    return this.#filled === 0 ? frame : frame.subarray(this.#filled)
  }

  /** This many bytes were put into `space`. Returns the same as `push`. */
  received(byteCount: number): Buffer | undefined {
    const frame = this.#frame
    if (frame === undefined) return this.#cut(this.space.subarray(0, byteCount), true)
    this.#filled += byteCount
    if (this.#filled === frame.length) this.#complete(frame)
    return undefined
  }

  /** Takes the next chunk. Returns a size that is invalid, if there is one: the stream cannot be read further. */
  push(chunk: Buffer): Buffer | undefined {
    return this.#cut(chunk, false)
  }

  #cut(chunk: Buffer, isUsedAgain: boolean): Buffer | undefined {
    let at = 0
    while (at < chunk.length) {
      if (this.#frame !== undefined) {
        at += this.#fill(this.#frame, chunk, at)
        continue
      }
      if (this.#sizeFilled === 0 && chunk.length - at >= SIZE_BYTES) {
        const size = chunk.readInt32BE(at)
        const end = at + SIZE_BYTES + size
        if (end <= chunk.length && isFrameSize(size, this.#maxFrameBytes())) {
          const frame = chunk.subarray(at + SIZE_BYTES, end)
          this.#onFrame(isUsedAgain ? Buffer.from(frame) : frame)
          at = end
          continue
        }
      }
      const taken = Math.min(SIZE_BYTES - this.#sizeFilled, chunk.length - at)
      chunk.copy(this.#size, this.#sizeFilled, at, at + taken)
      this.#sizeFilled += taken
      at += taken
      if (this.#sizeFilled < SIZE_BYTES) continue
      const size = this.#size.readInt32BE(0)
      if (!isFrameSize(size, this.#maxFrameBytes())) return Buffer.from(this.#size)
      this.#sizeFilled = 0
      if (size === 0) this.#onFrame(Buffer.alloc(0))
      else this.#frame = this.#memory?.allocate(size) ?? Buffer.allocUnsafeSlow(size)
      this.#filled = 0
    }
    return undefined
  }

  #fill(frame: Buffer, chunk: Buffer, at: number): number {
    const taken = Math.min(frame.length - this.#filled, chunk.length - at)
    chunk.copy(frame, this.#filled, at, at + taken)
    this.#filled += taken
    if (this.#filled === frame.length) this.#complete(frame)
    return taken
  }

  #complete(frame: Buffer): void {
    this.#frame = undefined
    this.#onFrame(frame)
  }
}
