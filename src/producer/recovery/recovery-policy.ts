import type { Deadline } from '../../async/deadline.ts'
import type { Cluster } from '../../cluster/cluster.ts'
import type { BrokerError } from '../../errors.ts'
import type { Batch } from '../accumulator/batch.ts'
import type { PartitionQueue } from '../accumulator/partition-queue.ts'
import type { ProducerSettings } from '../options.ts'

/**
 * What to do with a batch that a broker refuses for its number:
 *
 *   fail      The batch fails with the broker's error.
 *   retry     It is sent again with the same number, after a backoff.
 *   probe     It may be in the log already: the batches that may be there are sent again, the last first, until one
 *             is accepted (`PartitionQueue`). When none is accepted the rest is renumbered.
 *   renumber  It is not in the log: it and the batches after it get new numbers.
 */
export type NumberRecovery = 'fail' | 'retry' | 'probe' | 'renumber'

/**
 * Decides how a producer's batches are numbered, when a partition may be sent to, and what follows from failures.
 * One object for each producer. `IdempotentRecovery` is that of producers without transactions (KIP-98, KIP-360).
 */
export interface RecoveryPolicy {
  /** Sent in every Produce request; null without transactions. */
  readonly transactionalId: string | null
  /** The highest version of Produce to use; Infinity for no limit. Version 12 adds partitions to a transaction (KIP-890). */
  readonly maxProduceVersion: number

  /**
   * Gets the producer id and epoch, before the producer opens. Called again when the start failed. `start()` rejects
   * with the error that it throws.
   */
  start(deadline: Deadline): Promise<void>

  /**
   * Whether the next batch of a partition may be sent now. Called before every send of a batch, when the partition
   * has one and is not waiting for a backoff. The policy numbers the partition here: `queue.startWith(identity)`
   * for a partition that has no identity yet, or an old one.
   *
   * When it returns false, nothing is sent to the partition until the policy calls `PolicyContext.resume(queue)`.
   */
  maySend(queue: PartitionQueue<Batch>): boolean

  /**
   * A broker answered a numbered batch with OUT_OF_ORDER_SEQUENCE_NUMBER, UNKNOWN_PRODUCER_ID or
   * INVALID_PRODUCER_EPOCH.
   */
  onNumberRefused(queue: PartitionQueue<Batch>, batch: Batch, error: BrokerError): NumberRecovery

  /**
   * A batch failed permanently: by an error that cannot be retried, by `maxRetries`, or by `deliveryTimeoutMs`.
   * Called after its messages have failed. `batch.outcomeUnknown` says whether it may be in the log nevertheless.
   * Not called for batches that `abort` or `close` gives up.
   */
  onFailed(batch: Batch, error: Error): void
}

/** What a policy is made with. */
export interface PolicyContext {
  readonly cluster: Cluster
  readonly settings: ProducerSettings
  /** Looks at a partition again for which `maySend` returned false. */
  readonly resume: (queue: PartitionQueue<Batch>) => void
  /** The same after a backoff, because of an error that is logged as a retry. */
  readonly retryLater: (queue: PartitionQueue<Batch>, error: Error) => void
}

export type MakeRecoveryPolicy = (context: PolicyContext) => RecoveryPolicy
