import { PastCeilingError } from '../compression/index.ts'
import type { BatchHeader } from './batch-header.ts'
import type { Message } from './message.ts'

/**
 * A batch decompresses to more than its headers claim, and the limit may allow more: see
 * `claimedBytes`.
 */
export class UnderstatedSizeError extends Error {
  override readonly name = 'UnderstatedSizeError'
}

/**
 * Returns the error to throw if decompressed data is larger than `limitBytes`, which its headers
 * claim, while `mostBytes` may allow more; undefined for all other errors.
 */
export function understatedSize(
  error: unknown,
  limitBytes: number,
  mostBytes: number,
): UnderstatedSizeError | undefined {
  if (!(error instanceof PastCeilingError) || limitBytes >= mostBytes) return undefined
  return new UnderstatedSizeError(
    `the data decompresses to more than the ${limitBytes} bytes in its header`,
  )
}

/** Some of a batch's messages. */
export interface MessageSlice {
  readonly messages: Message[]
  /** No more messages follow. */
  readonly isLast: boolean
}

/**
 * Messages that were stored together: a record batch v2, or a compressed message or a run of plain
 * ones of the older formats. Its checksum has been verified; its messages are decoded on request.
 */
export interface MessageBatch extends BatchHeader {
  /**
   * Decodes its messages. Throws ProtocolError for damage that the checksum does not detect, and if
   * the batch would inflate beyond the limit.
   */
  messages(): Message[]
  /** Decodes the next messages, this many in each call. Formats before v2 return all at once. */
  nextMessages(most: number): MessageSlice
  /**
   * How much memory to reserve before its messages are decoded, from the headers of the compressed
   * data; 0 for uncompressed data. `nextMessages` and `inflate` never use more: if the headers
   * declare too little (gzip's can), they throw UnderstatedSizeError and this becomes the limit.
   */
  readonly claimedBytes: number
  /** The number of decompressed bytes that it holds now. */
  readonly inflatedBytes: number
  /**
   * Drops the result of `inflate`, which can be created again. Returns false while its messages are
   * being decoded from it.
   */
  dropInflated(): boolean
  /**
   * Gives back the memory that its records were decompressed into, if it is reused: nothing may read
   * its messages any more. Optional, because the garbage collector frees memory that is not
   * released.
   */
  release(): void
  /**
   * Whether `inflate` should first decompress it on another thread: it is large, and its codec
   * supports that.
   */
  readonly isInflatedElsewhere: boolean
  /** Throws the same errors as `nextMessages`. */
  inflate(): Promise<void>
}
