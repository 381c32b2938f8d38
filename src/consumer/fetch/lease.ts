import type { FrameMemory } from '../../network/frame-memory.ts'

/**
 * A response's memory, for as long as anything of it is needed: once all who hold it have let go, it is used
 * for another. Whoever drops what it holds need not report it: the memory is then left to the garbage collector.
 */
export class Lease {
  readonly #frameMemory: FrameMemory
  readonly #memory: ArrayBufferLike
  #holders = 0

  constructor(frameMemory: FrameMemory, memory: ArrayBufferLike) {
    this.#frameMemory = frameMemory
    this.#memory = memory
  }

  hold(): void {
    this.#holders++
  }

  letGo(): void {
    if (--this.#holders === 0) this.#frameMemory.giveBack(this.#memory)
  }
}
