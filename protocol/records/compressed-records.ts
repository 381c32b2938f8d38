import { codecOf, type Compression, type InflateMemory } from '../compression/index.ts'
import { understatedSize } from './message-batch.ts'

/** Smaller batches are decompressed sooner than another thread would start. */
const LEAST_ELSEWHERE_BYTES = 32 * 1024

/** The compressed records of a batch v2, and the memory that they are decompressed into. */
export class CompressedRecords {
  readonly #compression: Compression
  readonly #data: Buffer
  readonly #limitBytes: number
  readonly #memory: InflateMemory | undefined
  #claimedBytes: number | undefined
  /** The records, if they were decompressed in advance. */
  #inflated: Uint8Array | undefined
  /** What `release` gives back to `#memory`. */
  #pooled: ArrayBufferLike | undefined

  /** With `memory`, the records are decompressed into memory from there. */
  constructor(
    compression: Compression,
    data: Buffer,
    limitBytes: number,
    memory: InflateMemory | undefined,
  ) {
    this.#compression = compression
    this.#data = data
    this.#limitBytes = limitBytes
    this.#memory = memory
  }

  /** See `MessageBatch`. */
  get claimedBytes(): number {
    return (this.#claimedBytes ??= codecOf(this.#compression).claimedBytes(
      this.#data,
      this.#limitBytes,
    ))
  }

  /** The number of bytes that were decompressed in advance and are not taken yet. */
  get inflatedBytes(): number {
    return this.#inflated?.length ?? 0
  }

  get isInflatedElsewhere(): boolean {
    return (
      this.#inflated === undefined &&
      this.#data.length >= LEAST_ELSEWHERE_BYTES &&
      codecOf(this.#compression).decompressAsync !== undefined
    )
  }

  /** Decompresses them in advance, on another thread. Throws UnderstatedSizeError. */
  async inflate(): Promise<void> {
    const limitBytes = this.claimedBytes
    try {
      this.#inflated = await codecOf(this.#compression).decompressAsync?.(this.#data, limitBytes)
    } catch (error) {
      throw this.#understated(error, limitBytes)
    }
  }

  dropInflated(): void {
    this.#inflated = undefined
  }

  /** Returns the decompressed records. Throws UnderstatedSizeError if `limitBytes` is less than the limit. */
  take(limitBytes = this.#limitBytes): Uint8Array {
    const records = this.#inflated ?? this.#decompressed(limitBytes)
    this.#inflated = undefined
    return records
  }

  release(): void {
    if (this.#pooled === undefined) return
    this.#memory?.giveBack(this.#pooled)
    this.#pooled = undefined
  }

  #decompressed(limitBytes: number): Uint8Array {
    try {
      const records = codecOf(this.#compression).decompress(this.#data, limitBytes, this.#memory)
      if (this.#memory !== undefined) this.#pooled = records.buffer
      return records
    } catch (error) {
      throw this.#understated(error, limitBytes)
    }
  }

  /** The limit is claimed from now on if the data turns out to be larger than claimed. */
  #understated(error: unknown, limitBytes: number): unknown {
    const understated = understatedSize(error, limitBytes, this.#limitBytes)
    if (understated !== undefined) this.#claimedBytes = this.#limitBytes
    return understated ?? error
  }
}
