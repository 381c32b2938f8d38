/**
 * What a group protocol provides. Each has a folder of its own, with a `protocol.ts` that exports one `GroupProtocol`;
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

/** What a protocol makes a member of. */
export interface GroupContext {
  readonly cluster: Cluster
  readonly options: GroupProtocolOptions
  readonly subscription: Subscription
  /** For how long the application has been working on what was delivered; 0 while it waits for more. */
  readonly busyForMs: () => number
}

/** A coordinator, and what commits need of it. */
export interface MemberCoordinator extends Coordinator {
  readonly groupMetadata: GroupMetadata
  /** The offsets of the group. Commits are made as this member. */
  readonly offsets: OffsetStore
  /** How long joining may take because the group waits for the members that it has. */
  readonly longestRebalanceMs: number
}

export interface GroupProtocol {
  /** The options that only groups of this protocol have; several protocols may have an option in common. */
  readonly options: AnyOptionTable
  /** The groups, in an error about an option that they do not have: `groups that Kafka coordinates`. */
  readonly groups: string
  /** Returns what makes the coordinator. Throws InvalidArgumentError for options that contradict each other; no I/O. */
  coordinate(context: GroupContext): (events: CoordinatorEvents) => MemberCoordinator
}
