import type { TopicPartition } from '../consumer/topic-partition.ts'
import type { KafkaError } from '../errors.ts'

/** What the machine does with partitions themselves: a consumer that reads a changing set of them. */
export interface Reader {
  /** Finds where to read on. Nothing is delivered yet; `stop` at any time makes it void. */
  prepare(partitions: readonly TopicPartition[], signal: AbortSignal): Promise<void>

  /** Reads what was prepared. */
  start(partitions: readonly TopicPartition[]): void

  /**
   * Nothing of these is delivered once this returns. What was delivered can still be committed. Resolves when all
   * that was delivered of them is processed.
   */
  hold(partitions: readonly TopicPartition[]): Promise<void> | void

  /** Commits what of these is processed, if the application wants that to be done for it. */
  commit(partitions: readonly TopicPartition[], signal: AbortSignal): Promise<void>

  /** Forgets these: nothing is delivered, nor committed, once this returns. */
  stop(partitions: readonly TopicPartition[]): void

  /** Looks again at what could be delivered: `ownedUntil` was over, and is not any more. */
  resume(): void

  /** Thrown once by consume() or its iterator, which can be used again afterwards. */
  report(error: KafkaError): void

  /** Thrown by every consume() from now on. */
  fail(error: KafkaError): void
}

/** What the application wants to do when partitions come and go. May be asynchronous; what they throw reaches consume(). */
export interface RebalanceHooks {
  /** Before they are read, with their positions known. */
  assigned(partitions: readonly TopicPartition[]): Promise<void> | void
  /** Before other members get them, so that commits still count. Their messages are no longer delivered. */
  revoked(partitions: readonly TopicPartition[]): Promise<void> | void
  /** They were lost without a chance to commit: others may own them already. */
  lost(partitions: readonly TopicPartition[]): Promise<void> | void
}
