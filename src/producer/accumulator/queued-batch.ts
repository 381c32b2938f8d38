import type { ProducerIdentity } from '../recovery/producer-id.ts'

/** The producer of a batch, and the number of its first record in the partition: brokers use them to find duplicates (KIP-98). */
export interface Sequence extends ProducerIdentity {
  readonly baseSequence: number
}

/** A request on its way, or about to be. */
export interface ProduceAttempt {
  /** Whether bytes of it may have left: before that, the broker cannot have it. */
  isWritten: boolean
}

/** What a queue needs to know of a batch: its place, its number, and its attempts. */
export interface QueuedBatch {
  /** Its place among all batches of a producer. Parts of a batch have fractions: they stay in its place. */
  readonly serial: number
  /** How many records it has. */
  readonly count: number
  /** How often it was tried. */
  attempts: number
  /** Whether it may be in the log: an attempt was written and not answered, whatever came of later ones. */
  readonly outcomeUnknown: boolean
  sequence: Sequence | undefined
  /** Its bytes as they go out. Undefined where they have to be made, or made again. */
  wire: Buffer | undefined
  /** The request that it is in. */
  request: ProduceAttempt | undefined
}
