import type { Compression } from '../compression/index.ts'
import type { Message } from './message.ts'

/** Where a batch was read from. */
export interface Source {
  readonly topic: string
  readonly partition: number
}

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
export interface MessageBatch extends Source {
  /** 2 since Kafka 0.11, 1 since 0.10, 0 before. */
  readonly magic: 0 | 1 | 2
  /**
   * Offset of its first record, or lower where compaction took that one away; of a compressed message of
   * the older formats that of the last one, which is all that is known before it is decompressed.
   */
  readonly baseOffset: number
  /** The offset behind which the log goes on: not a message's own where compaction took it away. */
  readonly lastOffset: number
  /** What its messages' timestamps are counted from; theirs, where the broker set one for all. */
  readonly baseTimestamp: number
  readonly compression: Compression
  readonly timestampType: 'none' | 'create-time' | 'log-append-time'
  /** −1 without idempotence. */
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly baseSequence: number
  readonly transactional: boolean
  /** A marker that ends a transaction: its records are not the application's. */
  readonly control: boolean
  /** −1 where it is unknown. */
  readonly leaderEpoch: number
  /** How many messages it says to have; 1 for a compressed message of the older formats. */
  readonly count: number
  /** Its size in the log, compressed. */
  readonly sizeBytes: number
  /**
   * Decodes its messages. Throws ProtocolError for damage that the checksum does not show, and for one
   * that would inflate past the ceiling.
   */
  messages(): Message[]
  /** The same of the next so many, from one call to the next. Formats before v2 give all at once. */
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
