import type { Compression } from '../compression/index.ts'

/** The position from which a batch was read. */
export interface BatchSource {
  /** The topic that the batch was read from. */
  readonly topic: string
  /** The partition that the batch was read from. */
  readonly partition: number
}

/** The metadata that is stored with a batch for all of its messages. */
export interface BatchHeader extends BatchSource {
  /** 2 since Kafka 0.11, 1 since 0.10, 0 before. */
  readonly magic: 0 | 1 | 2
  /**
   * The offset of its first record, or lower if compaction removed that record. For a compressed
   * message of the older formats it is the offset of the last one, because only that is known
   * before decompression.
   */
  readonly baseOffset: number
  /**
   * The last offset of the batch, after which the log continues; compaction may have removed the
   * message with this offset.
   */
  readonly lastOffset: number
  /**
   * The base of its messages' timestamps; if the broker set one for all messages, it is their
   * timestamp.
   */
  readonly baseTimestamp: number
  /** The codec that the producer compressed the batch with. */
  readonly compression: Compression
  /**
   * The origin of the batch's timestamps: the producer (`create-time`) or the broker
   * (`log-append-time`); `none` in formats before Kafka 0.10.
   */
  readonly timestampType: 'none' | 'create-time' | 'log-append-time'
  /** −1 without idempotence. */
  readonly producerId: bigint
  /** The epoch of the producer; −1 if the batch has no producer id. */
  readonly producerEpoch: number
  /** The sequence number of the first record; −1 if the batch has no producer id. */
  readonly baseSequence: number
  /** Whether the batch belongs to a transaction. */
  readonly transactional: boolean
  /** A marker that ends a transaction: its records are not for the application. */
  readonly control: boolean
  /** −1 if it is unknown. */
  readonly leaderEpoch: number
  /** The number of messages that it declares; 1 for a compressed message of the older formats. */
  readonly count: number
  /** Its size in the log, compressed. */
  readonly sizeBytes: number
}
