import type { TopicPartition } from '../consumer/topic-partition.ts'
import type { KafkaError } from '../errors.ts'

/** The machine's interface to the partitions: a consumer that reads a changing set of them. */
export interface MemberReader {
  /** Looks up where to continue. Nothing is delivered yet; `stop` makes it void at any time. */
  prepare(partitions: readonly TopicPartition[], signal: AbortSignal): Promise<void>

  /** Starts reading the prepared partitions. */
  start(partitions: readonly TopicPartition[]): void

  /**
   * Nothing of these partitions is delivered after this returns. Delivered messages can still be committed. Resolves
   * when all delivered messages are processed.
   */
  hold(partitions: readonly TopicPartition[]): Promise<void> | void

  /** Commits the processed messages of these partitions, if the consumer commits automatically. */
  commit(partitions: readonly TopicPartition[], signal: AbortSignal): Promise<void>

  /** Forgets these partitions: after this returns, nothing of them is delivered or committed. */
  stop(partitions: readonly TopicPartition[]): void

  /** Checks again what can be delivered: `ownedUntil` had passed, and is in the future again. */
  resume(): void

  /** consume() or its iterator throws the error once, and can be used again afterwards. */
  report(error: KafkaError): void

  /** Every later consume() throws the error. */
  fail(error: KafkaError): void
}

/**
 * The application's hooks for assigned and revoked partitions. They may be asynchronous; consume() throws their
 * errors.
 */
export interface RebalanceHooks {
  /** Called before the partitions are read, with their positions known. */
  assigned(partitions: readonly TopicPartition[]): Promise<void> | void
  /**
   * Called before other members get the partitions, so that commits still count. Their messages are no longer
   * delivered.
   */
  revoked(partitions: readonly TopicPartition[]): Promise<void> | void
  /** Called after the partitions were lost without a chance to commit: others may own them already. */
  lost(partitions: readonly TopicPartition[]): Promise<void> | void
}
