import { ProtocolError } from '../protocol-error.ts'

/** Kafka's names, in the order of its attribute codes: none is 0, zstd is 4. */
export type Compression = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'

export interface Codec {
  /**
   * Compresses one block in the format that Kafka's Java client writes for record batches v2 and
   * message sets. The result begins with `beforeBytes` bytes of any content (default 0), so that a
   * header can be written there without another copy. It is in one piece from `memory`
   * (default: new memory).
   */
  compress(data: Uint8Array, beforeBytes?: number, memory?: OutputMemory): Uint8Array
  /**
   * Throws ProtocolError if the data is damaged, or before it inflates to more than `limitBytes`.
   * lz4 and snappy allocate the result from `memory` (default: new memory). The other codecs ignore
   * it, because their libraries allocate.
   */
  decompress(data: Uint8Array, limitBytes: number, memory?: InflateMemory): Uint8Array
  /**
   * How much memory to reserve for decompressing `data`, at most `limitBytes`. It is read from the
   * headers without decompressing. For snappy, lz4 and zstd it is an upper bound. For gzip it is
   * not: the header has no size, and the size in its trailer is only a claim. 0 for damaged data.
   */
  claimedBytes(data: Uint8Array, limitBytes: number): number
  /**
   * Does the same on another thread, if the codec supports that. `data` must not change meanwhile.
   */
  compressAsync?(data: Uint8Array, beforeBytes?: number, memory?: OutputMemory): Promise<Uint8Array>
  /**
   * Does the same on another thread, if the codec supports that. `data` must not change meanwhile.
   */
  decompressAsync?(data: Uint8Array, limitBytes: number): Promise<Uint8Array>
}

/** A source of memory for the output of a codec. */
export interface OutputMemory {
  /** Returns `sizeBytes` bytes of any content. */
  allocate(sizeBytes: number): Uint8Array
}

/** A source of memory for decompressed data, which also takes it back. */
export interface InflateMemory extends OutputMemory {
  /** Takes back the memory of a result of `allocate` that nothing uses. */
  giveBack(memory: ArrayBufferLike): void
}

/** The data decompresses to more than the caller allows. */
export class PastCeilingError extends ProtocolError {}

/**
 * The library that a codec needs cannot be loaded or does not run here. This is no statement about
 * the data: code that handles damaged data must rethrow this error.
 */
export class CodecUnavailableError extends Error {
  override readonly name = 'CodecUnavailableError'
  readonly compression: Compression

  constructor(compression: Compression, reason: string, cause: unknown) {
    super(`${compression} is not available: ${reason}`, { cause })
    this.compression = compression
  }
}

export function pastCeiling(name: Compression, limitBytes: number): PastCeilingError {
  return new PastCeilingError(
    `${name} data decompresses to more than the limit of ${limitBytes} bytes`,
  )
}

/**
 * For `claimedBytes`: returns 0 for damaged data, and the limit for data that claims to exceed it.
 */
export function claimOf(limitBytes: number, read: () => number): number {
  try {
    return Math.min(limitBytes, read())
  } catch (error) {
    if (error instanceof PastCeilingError) return limitBytes
    if (error instanceof ProtocolError) return 0
    throw error
  }
}

export function damaged(
  name: Compression,
  what: string,
  position?: number,
  cause?: unknown,
): ProtocolError {
  return new ProtocolError(
    `damaged ${name} data: ${what}`,
    position,
    cause === undefined ? undefined : { cause },
  )
}

/** Converts an error of node:zlib. */
export function explainedZlibError(
  name: Compression,
  error: unknown,
  limitBytes: number,
): ProtocolError {
  if (error instanceof ProtocolError) return error
  // Not `instanceof Error`: if tests run in a context of their own, node:zlib has a different Error
  // class.
  const known = typeof error === 'object' && error !== null ? error : {}
  if ('code' in known && known.code === 'ERR_BUFFER_TOO_LARGE') return pastCeiling(name, limitBytes)
  const what = 'message' in known ? String(known.message) : String(error)
  return damaged(name, what, undefined, error)
}

/**
 * In how large pieces node:zlib returns its output. Its default of 16 KiB makes many: each is a call
 * of the library, on the thread pool with a way back to the event loop, and all are copied together
 * at the end. With one piece for the whole output (Node 24, 1 MB of JSON lines, CPU on the thread
 * pool, load 15) zstd decompresses in 1.2 instead of 2.3 ms and gzip in 1.1 instead of 1.6, compared
 * with pieces of 128 KiB; zstd compresses in 4.0 instead of 5.1 ms and gzip in 16.6 instead of 17.4,
 * compared with 16 KiB. Sizes past the limit come from damaged data, or are not worth the memory.
 */
export function chunkBytesFor(outputBytes: number): number {
  return Math.max(1024, Math.min(2 << 20, outputBytes))
}

/** Half of the data: only few data compress to more, for which there are two more pieces. */
export function compressedChunkBytes(data: Uint8Array): number {
  return chunkBytesFor((data.length >>> 1) + 1024)
}

/** Without Buffer's own methods: its `slice` has another meaning than that of Uint8Array. */
export function withoutBufferMethods(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length)
}

/**
 * Memory for output that is written before it is read. It is not zeroed, because that takes as long
 * as a fast decoder. Only the written part may leave the codec, see `written`.
 */
export function room(sizeBytes: number): Uint8Array {
  return withoutBufferMethods(Buffer.allocUnsafeSlow(sizeBytes))
}

/** Memory that nothing takes back, except the garbage collector. */
export const NEW_MEMORY: InflateMemory = { allocate: room, giveBack: () => undefined }

/** The input is a batch, of 1 MB by default. Larger ones get memory of their own. */
const MOST_SCRATCH_BYTES = 2 << 20
let scratch = withoutBufferMethods(Buffer.alloc(0))

/**
 * Memory of at least `sizeBytes`, the same for each call: only a copy of the output may leave the
 * codec. With new memory for each batch V8 marks its whole heap after every 64 MB, which takes a
 * tenth of lz4's time.
 */
export function scratchRoom(sizeBytes: number): Uint8Array {
  if (sizeBytes > MOST_SCRATCH_BYTES) return room(sizeBytes)
  if (sizeBytes > scratch.length) scratch = room(sizeBytes)
  return scratch
}

/** A copy of the first `lengthBytes` of `output`, after `beforeBytes` bytes of any content. */
export function copied(
  output: Uint8Array,
  lengthBytes: number,
  beforeBytes: number,
  memory: OutputMemory = NEW_MEMORY,
): Uint8Array {
  const copy = memory.allocate(beforeBytes + lengthBytes)
  copy.set(output.subarray(0, lengthBytes), beforeBytes)
  return copy
}

/** Small outputs are in memory that many Buffers share: to copy them takes as long as to make them. */
const LEAST_WASTE_BYTES = 64 * 1024

/** The output of node:zlib; copied if it is a small part of the piece that was allocated for it. */
export function ownOutput(output: Buffer): Uint8Array {
  const bytes = withoutBufferMethods(output)
  const { byteLength } = output.buffer
  const isWasteful = byteLength - output.length > Math.max(LEAST_WASTE_BYTES, byteLength >>> 2)
  return isWasteful ? copied(bytes, bytes.length, 0) : bytes
}

/** The output of a library, after `beforeBytes` bytes of any content; copied only if it has to be. */
export function withRoomBefore(
  output: Buffer,
  beforeBytes: number,
  memory: OutputMemory | undefined,
): Uint8Array {
  const bytes = withoutBufferMethods(output)
  if (beforeBytes === 0 && memory === undefined) return bytes
  return copied(bytes, bytes.length, beforeBytes, memory)
}

/**
 * The first `lengthBytes` of `output`, which is from `memory`; copied if a view would keep much
 * unused memory alive.
 */
export function written(
  output: Uint8Array,
  lengthBytes: number,
  memory: InflateMemory,
): Uint8Array {
  if (output.length - lengthBytes <= output.length >>> 2) return output.subarray(0, lengthBytes)
  const copy = copied(output, lengthBytes, 0, memory)
  memory.giveBack(output.buffer)
  return copy
}

/** A DataView on the same bytes: V8 compiles its reads of 32 bits to single unaligned loads. */
export function viewOf(data: Uint8Array): DataView {
  return new DataView(data.buffer, data.byteOffset, data.byteLength)
}
