/**
 * Identifies a member of a group to the group's coordinator (the Java client's `ConsumerGroupMetadata`). Commits and
 * transactions that contain it fail when the membership has ended.
 */
export interface GroupMetadata {
  /** The name of the group (Kafka's `group.id`). */
  readonly groupId: string
  /** The generation of the classic protocol, the member epoch of the consumer protocol; −1 for a consumer that is not a member. */
  readonly generationId: number
  /** Empty for a consumer that is not a member, or has not joined yet. */
  readonly memberId: string
  /** The `groupInstanceId` of a static member. */
  readonly groupInstanceId: string | undefined
}

/** For a consumer that commits without being a member: one with fixed partitions, or in a group in ZooKeeper. */
export function metadataOfNonMember(groupId: string): GroupMetadata {
  return { groupId, generationId: -1, memberId: '', groupInstanceId: undefined }
}
