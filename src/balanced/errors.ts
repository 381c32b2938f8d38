import { nameOf, type TopicPartition } from '../consumer/topic-partition.ts'
import { KafkaError } from '../errors.ts'
import { textOfThrown } from '../observe/thrown.ts'
import type { HeldPartition } from './coordinator.ts'

/**
 * After all retries, others still own partitions that belong to this member by the list of members. The member keeps
 * trying.
 */
export class PartitionOwnedError extends KafkaError {
  override readonly name = 'PartitionOwnedError'
  /** The partitions that this member waits for, with their owners. */
  readonly partitions: readonly HeldPartition[]

  constructor(partitions: readonly HeldPartition[]) {
    const held = partitions.map((one) => `${nameOf(one)} by ${one.owner ?? 'another member'}`)
    const [first] = partitions
    super('PARTITION_OWNED', `still owned: ${held.join(', ')}`, true, {
      topic: first?.topic,
      partition: first?.partition,
    })
    this.partitions = partitions
  }
}

/**
 * A hook of the application threw an error or took too long, or a step of a rebalance failed: `cause` is the reason.
 */
export class RebalanceError extends KafkaError {
  override readonly name = 'RebalanceError'

  constructor(what: string, cause: unknown) {
    super('REBALANCE_FAILED', `in a rebalance ${what} failed: ${textOfThrown(cause)}`, false, {
      cause,
    })
  }
}

/** A commit for a partition that this member does not own, or may no longer own: the session is in doubt, or over. */
export class NotOwnedError extends KafkaError {
  override readonly name = 'NotOwnedError'

  constructor(partition: TopicPartition) {
    super(
      'PARTITION_NOT_OWNED',
      `nothing is committed for ${nameOf(partition)}: it is not certain that this member owns it`,
      false,
      partition,
    )
  }
}
