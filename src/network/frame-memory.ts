/** Smaller frames cost less than looking for memory for them. */
const LEAST_BYTES = 64 * 1024
/** Memory is taken for a frame of half its size or more: a small one must not keep much from being used. */
const MOST_WASTE = 2

/**
 * Memory of frames that is reused once no code reads it any more. Fresh memory is what large messages
 * cost most of: each page is faulted in, and every 64 MB or so V8 marks its whole heap.
 * With it a consumer needs 0.6 of the CPU at 1 KiB a value, 0.5 at 10 KiB, 0.4 at 1 MiB (Node 24, a null broker;
 * `npm run bench:consume` measures it).
 *
 * Giving it back is optional: the garbage collector frees the rest.
 */
export class FrameMemory {
  readonly #mostFreeBytes: number
  /** What `allocate` gave out and may come back. */
  readonly #inUse = new WeakSet<ArrayBufferLike>()
  /** The one that came back last is used first: it may still be in the processor's cache. */
  readonly #free: ArrayBufferLike[] = []
  #freeBytes = 0

  /** `mostFreeBytes`: how much is kept for frames to come. */
  constructor(mostFreeBytes: number) {
    this.#mostFreeBytes = mostFreeBytes
  }

  get freeBytes(): number {
    return this.#freeBytes
  }

  allocate(sizeBytes: number): Buffer {
    if (sizeBytes < LEAST_BYTES) return Buffer.allocUnsafeSlow(sizeBytes)
    const memory = this.#takeFree(sizeBytes) ?? fresh(sizeBytes)
    this.#inUse.add(memory)
    return Buffer.from(memory, 0, sizeBytes)
  }

  /** From now on it may be written over. What is not from here, or was given back already, is let be. */
  giveBack(memory: ArrayBufferLike): void {
    if (!this.#inUse.delete(memory)) return
    this.#free.push(memory)
    this.#freeBytes += memory.byteLength
    while (this.#freeBytes > this.#mostFreeBytes) this.#freeBytes -= this.#free.shift()!.byteLength
  }

  #takeFree(sizeBytes: number): ArrayBufferLike | undefined {
    for (let index = this.#free.length - 1; index >= 0; index--) {
      const { byteLength } = this.#free[index]!
      if (byteLength < sizeBytes || byteLength > sizeBytes * MOST_WASTE) continue
      this.#freeBytes -= byteLength
      return this.#free.splice(index, 1)[0]
    }
    return undefined
  }
}

/** An eighth larger or so, for the next frame may be a little larger. */
function fresh(sizeBytes: number): ArrayBuffer {
  const step = 2 ** (Math.floor(Math.log2(sizeBytes)) - 3)
  return Buffer.allocUnsafeSlow(Math.ceil(sizeBytes / step) * step).buffer
}
