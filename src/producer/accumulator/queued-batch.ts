import type { ProducerIdentity } from '../recovery/producer-id.ts'

/**
 * The producer of a batch, and the number of its first record in the partition. Brokers use them to detect duplicates
 * (KIP-98).
 */
export interface Sequence extends ProducerIdentity {
  readonly baseSequence: number
}

/** A request in flight, or about to be sent. */
export interface ProduceAttempt {
  /** Whether bytes of it may have been sent: before that, the broker cannot have it. */
  isWritten: boolean
}

/** The part of a batch that a queue uses: its position, its number, and its attempts. */
export interface QueuedBatch {
  /** Its position among all batches of a producer. Parts of a divided batch have fractions, and keep its position. */
  readonly serial: number
  /** The number of its records. */
  readonly count: number
  /** How often it was sent. */
  attempts: number
  /** Whether it may be in the log: an attempt was written and not answered, whatever the result of later ones. */
  readonly outcomeUnknown: boolean
  sequence: Sequence | undefined
  /** The bytes that are sent. Undefined if they must be created, or created again. */
  wire: Buffer | undefined
  /** The request that contains it. */
  request: ProduceAttempt | undefined
}
