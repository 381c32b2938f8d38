import type { BatchMemory } from '../../../protocol/records/batch-writer.ts'

const SMALLEST_BYTES = 1024

/**
 * Reuses the memory of batches: new memory costs page faults and garbage collections, a fifth of the time of a message
 * of 100 bytes. Sizes are powers of two from 1 KiB on, and at most `maxBytes` are kept.
 */
export class BufferPool implements BatchMemory {
  readonly #maxBytes: number
  /** By the exponent of their size. */
  readonly #free: Buffer[][] = []
  #freeBytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  take(bytes: number): Buffer {
    const exponent = 32 - Math.clz32(Math.max(SMALLEST_BYTES, bytes) - 1)
    const buffer = this.#free[exponent]?.pop()
    if (buffer === undefined) return Buffer.allocUnsafeSlow(2 ** exponent)
    this.#freeBytes -= buffer.length
    return buffer
  }

  give(buffer: Buffer): void {
    if (this.#freeBytes + buffer.length > this.#maxBytes) return
    this.#freeBytes += buffer.length
    const exponent = 31 - Math.clz32(buffer.length)
    const free = (this.#free[exponent] ??= [])
    free.push(buffer)
  }
}
