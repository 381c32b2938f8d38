import type { TopicPartition } from '../consumer/topic-partition.ts'
import type { Item } from './items.ts'
import type { AclOperation } from './operations.ts'
import type { StreamsMember, StreamsTopology, StreamsTopologyDescription } from './streams-group.ts'

export const GROUP_TYPES = ['classic', 'consumer', 'share', 'streams'] as const

/** How the members of a group coordinate: JoinGroup, KIP-848, KIP-932 or KIP-1071. */
export type GroupType = (typeof GROUP_TYPES)[number]

/** A member of a group, as `describeGroups` returns it. */
export interface GroupMemberDescription {
  /** The id that the coordinator, or the member itself, has chosen. */
  readonly memberId: string
  /** Of a static member. */
  readonly instanceId?: string
  /** The `clientId` of the member's client. */
  readonly clientId: string
  /** The address that the member connects from. */
  readonly clientHost: string
  /** The member's `clientRack`; undefined where it has none. */
  readonly rack?: string
  /** Not of classic groups. */
  readonly memberEpoch?: number
  /** Where the member says which topics it wants. */
  readonly subscribedTopics?: readonly string[]
  /** The regular expression that the member subscribed to (KIP-848). */
  readonly subscribedTopicRegex?: string
  /** What the member has now, by topic and partition; empty for members that are no consumers. */
  readonly assignment: readonly TopicPartition[]
  /** What the member is to have; consumer groups only. */
  readonly targetAssignment?: readonly TopicPartition[]
  /** Whether the member of a consumer group uses the classic protocol, during a migration (Kafka 4.1). */
  readonly isClassic?: boolean
  /** Of a member of a streams group: its tasks. */
  readonly streams?: StreamsMember
}

/** The result of `describeGroups` for one group. */
export interface GroupDescription extends Item {
  /** The name of the group. */
  readonly group: string
  /** Undefined where the broker does not tell. */
  readonly type?: GroupType
  /** As Kafka names it: `Stable`, `Empty`, `PreparingRebalance`, …; `Dead` for a group that does not exist. */
  readonly state: string
  /** Of a classic group: `consumer` for consumers, `connect` for Kafka Connect. */
  readonly protocolType?: string
  /** The assignor in use. */
  readonly assignor?: string
  /** The epoch of the members and their subscriptions; only of groups of the newer protocols. */
  readonly groupEpoch?: number
  /** The epoch that the assignment was computed in; only of groups of the newer protocols. */
  readonly assignmentEpoch?: number
  /** What a streams group reads and keeps; undefined before its first member has reported it. */
  readonly topology?: StreamsTopology
  /** Whether brokers have a description of a streams group's topology, where `includeTopologyDescription` asks. */
  readonly topologyDescriptionStatus?: 'notRequested' | 'notStored' | 'error' | 'available'
  /** Where it is `available`. */
  readonly topologyDescription?: StreamsTopologyDescription
  /** By member id. */
  readonly members: readonly GroupMemberDescription[]
  /** What this client may do with the group; only with `includeAuthorizedOperations`. */
  readonly authorizedOperations?: readonly AclOperation[]
}
