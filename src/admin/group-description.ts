import type { TopicPartition } from '../consumer/topic-partition.ts'
import type { Item } from './items.ts'
import type { AclOperation } from './operations.ts'
import type { StreamsMember, StreamsTopology, StreamsTopologyDescription } from './streams-group.ts'

export const GROUP_TYPES = ['classic', 'consumer', 'share', 'streams'] as const

/**
 * The protocol by which the members of a group coordinate: JoinGroup, KIP-848, KIP-932 or KIP-1071.
 */
export type GroupType = (typeof GROUP_TYPES)[number]

/** A member of a group, as `describeGroups` returns it. */
export interface GroupMemberDescription {
  /** The id that the coordinator or the member itself chose. */
  readonly memberId: string
  /** The `groupInstanceId` of a static member. */
  readonly instanceId?: string
  /** The `clientId` of the member's client. */
  readonly clientId: string
  /** The address that the member connects from. */
  readonly clientHost: string
  /** The member's `clientRack`; undefined if it has none. */
  readonly rack?: string
  /** Not in classic groups. */
  readonly memberEpoch?: number
  /** The topics that the member subscribes to, if its protocol reports them. */
  readonly subscribedTopics?: readonly string[]
  /** The regular expression that the member subscribed to (KIP-848). */
  readonly subscribedTopicRegex?: string
  /**
   * The current assignment of the member, by topic and partition; empty for members that are not
   * consumers.
   */
  readonly assignment: readonly TopicPartition[]
  /** The target assignment of the member; consumer groups only. */
  readonly targetAssignment?: readonly TopicPartition[]
  /** Whether the member of a consumer group uses the classic protocol, during a migration (Kafka 4.1). */
  readonly isClassic?: boolean
  /** The tasks of a member of a streams group. */
  readonly streams?: StreamsMember
}

/** The result of `describeGroups` for one group. */
export interface GroupDescription extends Item {
  /** The name of the group. */
  readonly group: string
  /** Undefined if the broker does not report it. */
  readonly type?: GroupType
  /** As Kafka names it: `Stable`, `Empty`, `PreparingRebalance`, …; `Dead` for a group that does not exist. */
  readonly state: string
  /**
   * The protocol type of a classic group: `consumer` for consumers, `connect` for Kafka Connect.
   */
  readonly protocolType?: string
  /** The assignor in use. */
  readonly assignor?: string
  /** The epoch of the members and their subscriptions; only of groups of the newer protocols. */
  readonly groupEpoch?: number
  /** The epoch for which the assignment was computed; only of groups of the newer protocols. */
  readonly assignmentEpoch?: number
  /**
   * The topics and stores of a streams group; undefined before its first member has reported them.
   */
  readonly topology?: StreamsTopology
  /**
   * Whether brokers have a description of a streams group's topology; only with
   * `includeTopologyDescription`.
   */
  readonly topologyDescriptionStatus?: 'notRequested' | 'notStored' | 'error' | 'available'
  /** Only if the status is `available`. */
  readonly topologyDescription?: StreamsTopologyDescription
  /** Sorted by member id. */
  readonly members: readonly GroupMemberDescription[]
  /**
   * The operations that this client may perform on the group; only with
   * `includeAuthorizedOperations`.
   */
  readonly authorizedOperations?: readonly AclOperation[]
}
