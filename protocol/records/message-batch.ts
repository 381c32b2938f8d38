import type { BatchHeader } from './batch-header.ts'
import type { Message } from './message.ts'

/** A batch decompresses to more than its headers claim, and more may be allowed: see `claimedBytes`. */
export class UnderstatedSizeError extends Error {
  override readonly name = 'UnderstatedSizeError'
}

/** Some of a batch's messages. */
export interface MessageSlice {
  readonly messages: Message[]
  /** None are left behind them. */
  readonly isLast: boolean
}

/**
 * Messages that were stored together: a record batch v2, or a compressed message or a run of plain ones
 * of the older formats. Its checksum has been verified; its messages are decoded when they are asked for.
 */
export interface MessageBatch extends BatchHeader {
  /**
   * Decodes its messages. Throws ProtocolError for damage that the checksum does not show, and for one
   * that would inflate past the ceiling.
   */
  messages(): Message[]
  /** The same of the next this many, from one call to the next. Formats before v2 give all at once. */
  nextMessages(most: number): MessageSlice
  /**
   * How much memory to set aside before its messages are decoded, read from the headers of what is compressed; 0 for
   * what is not. `nextMessages` and `inflate` never take more: where the headers understate it (gzip's can), they
   * throw UnderstatedSizeError and this becomes the ceiling.
   */
  readonly claimedBytes: number
  /** The decompressed bytes that it holds now. */
  readonly inflatedBytes: number
  /** Drops what `inflate` made, to be made again when it is needed. False: its messages are being decoded from it. */
  dropInflated(): boolean
  /** Whether it is better inflated on another thread first, by `inflate`: it is large, and its codec can do that. */
  readonly isInflatedElsewhere: boolean
  /** Throws what `nextMessages` does. */
  inflate(): Promise<void>
}
