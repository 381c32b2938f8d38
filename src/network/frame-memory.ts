/** For smaller frames an allocation costs less than a search for free memory. */
const LEAST_BYTES = 64 * 1024
/** Memory is reused for frames of at least half its size, so that small frames do not occupy large memory. */
const MOST_WASTE = 2

/**
 * Memory of frames, and of what batches in them decompress to, that is reused when no code reads it any more. New memory is the largest cost of large messages:
 * each page is faulted in, and about every 64 MB V8 marks its whole heap. With reuse a consumer needs 0.6 of the CPU at
 * 1 KiB a value, 0.5 at 10 KiB, 0.4 at 1 MiB (Node 24, a null broker; `npm run bench:consume` measures it). Reading and
 * decompressing a batch of 950 values of 1 KiB takes 0.61 ms with lz4 and 0.84 with snappy instead of 0.84 and 1.08.
 *
 * Giving memory back is optional: the garbage collector frees the rest.
 */
export class FrameMemory {
  readonly #mostFreeBytes: number
  /** The memory that `allocate` returned and that may come back. */
  readonly #inUse = new WeakSet<ArrayBufferLike>()
  /** The memory that came back last is used first, because it may still be in the processor's cache. */
  readonly #free: ArrayBufferLike[] = []
  #freeBytes = 0

  /** `mostFreeBytes`: how much free memory is kept. */
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

  /** The memory may be overwritten from now on. Ignores memory that is not from here or was given back already. */
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

/** About an eighth larger, because the next frame may be a little larger. */
function fresh(sizeBytes: number): ArrayBuffer {
  const step = 2 ** (Math.floor(Math.log2(sizeBytes)) - 3)
  return Buffer.allocUnsafeSlow(Math.ceil(sizeBytes / step) * step).buffer
}
