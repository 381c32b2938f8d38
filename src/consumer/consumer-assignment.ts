import type { CallOptions } from '../call-options.ts'
import type { GroupMetadata } from '../cluster/group-metadata.ts'
import type { AssignedConsumer, PositionToReset } from './assigned-consumer.ts'
import type { CommittedOffset } from './offsets/offset-store.ts'
import type { TopicPartition } from './topic-partition.ts'

/**
 * Decides which partitions a consumer reads: a fixed choice (`FixedAssignment`), or membership in a group
 * (`BalancedMember`). A public consumer is composed of one of these, the core that reads, and the methods for one
 * topic or for several.
 */
export interface ConsumerAssignment<Value, Key> {
  /** Reads the partitions. */
  readonly core: AssignedConsumer<Value, Key>

  start(call: CallOptions): Promise<void>

  /** Throws NotStartedError before the first `start`. */
  checkStarted(): void

  /**
   * Returns the partitions that the consumer reads; before the start, those that it would read. Throws
   * NotStartedError if a group decides that.
   */
  partitions(call?: CallOptions): Promise<readonly TopicPartition[]>

  /** Continues at this offset; before the start, starts there. */
  seek(one: TopicPartition, offset: number): void

  fetchOffsets(call?: CallOptions): Promise<readonly CommittedOffset[]>

  resetOffsets(targets: readonly PositionToReset[], call?: CallOptions): Promise<void>

  /** Throws InvalidArgumentError without a group. */
  groupMetadata(): GroupMetadata

  close(call?: CallOptions): Promise<void>
}
