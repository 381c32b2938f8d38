import type { Compression } from '../compression/index.ts'

/** Where a batch was read from. */
export interface Source {
  /** The topic that the batch was read from. */
  readonly topic: string
  /** The partition that the batch was read from. */
  readonly partition: number
}

/** What is stored with a batch for all of its messages. */
export interface BatchHeader extends Source {
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
  /** The codec that the producer compressed the batch with. */
  readonly compression: Compression
  /**
   * What set the timestamps of the batch: the producer (`create-time`) or the broker (`log-append-time`); `none` in
   * formats before Kafka 0.10.
   */
  readonly timestampType: 'none' | 'create-time' | 'log-append-time'
  /** −1 without idempotence. */
  readonly producerId: bigint
  /** The epoch of the producer; −1 where the batch has no producer id. */
  readonly producerEpoch: number
  /** The sequence number of the first record; −1 where the batch has no producer id. */
  readonly baseSequence: number
  /** Whether the batch belongs to a transaction. */
  readonly transactional: boolean
  /** A marker that ends a transaction: its records are not the application's. */
  readonly control: boolean
  /** −1 where it is unknown. */
  readonly leaderEpoch: number
  /** How many messages it says to have; 1 for a compressed message of the older formats. */
  readonly count: number
  /** Its size in the log, compressed. */
  readonly sizeBytes: number
}
