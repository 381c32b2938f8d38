import type { FrameMemory } from '../../network/frame-memory.ts'

/**
 * Keeps the memory of a response while any part of it is needed. Once all holders have released it, the memory is
 * reused for another response. Releasing is optional: the garbage collector frees memory that is not released.
 */
export class Lease {
  /** The source of the memory, and of memory for what is decompressed from it. */
  readonly frameMemory: FrameMemory
  readonly #memory: ArrayBufferLike
  #holders = 0

  constructor(frameMemory: FrameMemory, memory: ArrayBufferLike) {
    this.frameMemory = frameMemory
    this.#memory = memory
  }

  retain(): void {
    this.#holders++
  }

  release(): void {
    if (--this.#holders === 0) this.frameMemory.giveBack(this.#memory)
  }
}
