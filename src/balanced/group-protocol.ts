/**
 * The interface of a group protocol. Each has its own folder, with a `protocol.ts` that exports one `GroupProtocol`;
 * `protocols.ts` lists them.
 */
import type { Cluster } from '../cluster/cluster.ts'
import type { GroupMetadata } from '../cluster/group-metadata.ts'
import type { OffsetStore } from '../consumer/offsets/offset-store.ts'
import type { ConsumerOptions } from '../consumer/options.ts'
import type { AnyOptionTable } from '../option-table.ts'
import type { GroupOptions } from './classic/settings.ts'
import type { ConsumerGroupOptions } from './consumer/settings.ts'
import type { Coordinator, CoordinatorEvents } from './coordinator.ts'
import type { Subscription } from './subscription.ts'
import type { ZooKeeperOptions } from './zookeeper/options.ts'

/** The options of a balanced consumer that a protocol may use. */
export type GroupProtocolOptions = ZooKeeperOptions &
  GroupOptions &
  ConsumerGroupOptions &
  ConsumerOptions<unknown, unknown> & { readonly consumerGroup: string }

/** The inputs with which a protocol creates a member. */
export interface GroupContext {
  readonly cluster: Cluster
  readonly options: GroupProtocolOptions
  readonly subscription: Subscription
  /** How long the application has been processing delivered messages; 0 while it waits for more. */
  readonly busyForMs: () => number
}

/** A coordinator, and the parts that commits need. */
export interface MemberCoordinator extends Coordinator {
  readonly groupMetadata: GroupMetadata
  /** The offsets of the group. Commits are made as this member. */
  readonly offsets: OffsetStore
  /** Starts the lookups that `join` needs, beside those of the topics. Never throws: `join` reports what fails. */
  prepare?(): void
  /** How long joining may take because the group waits for its current members. */
  readonly longestRebalanceMs: number
}

export interface GroupProtocol {
  /** The options that only groups of this protocol have; several protocols may have an option in common. */
  readonly options: AnyOptionTable
  /** The name of the groups in an error about an option that they do not have: `groups that Kafka coordinates`. */
  readonly groups: string
  /**
   * Returns a function that creates the coordinator. Throws InvalidArgumentError for options that contradict each
   * other; no I/O.
   */
  coordinate(context: GroupContext): (events: CoordinatorEvents) => MemberCoordinator
}
