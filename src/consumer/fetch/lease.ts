import type { FrameMemory } from '../../network/frame-memory.ts'

/**
 * A response's memory, for as long as anything of it is needed: once all holders have released it, it is used
 * for another. Releasing is optional: the garbage collector frees memory that is not released.
 */
export class Lease {
  readonly #frameMemory: FrameMemory
  readonly #memory: ArrayBufferLike
  #holders = 0

  constructor(frameMemory: FrameMemory, memory: ArrayBufferLike) {
    this.#frameMemory = frameMemory
    this.#memory = memory
  }

  retain(): void {
    this.#holders++
  }

  release(): void {
    if (--this.#holders === 0) this.#frameMemory.giveBack(this.#memory)
  }
}
