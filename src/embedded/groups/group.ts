import type { GroupOffsets } from './offsets.ts'

/** Kafka's names of the types of groups, as ListGroups returns them. */
export type GroupType = 'classic' | 'consumer' | 'share'

/** The description of a group for tools (DescribeGroups). */
export interface GroupDescription {
  readonly groupState: string
  readonly protocolType: string
  readonly protocolData: string
  readonly members: readonly {
    readonly memberId: string
    readonly groupInstanceId: string | null
    readonly clientId: string
    readonly clientHost: string
    readonly memberMetadata: Uint8Array
    readonly memberAssignment: Uint8Array
  }[]
}

/** The common part of groups of all types: offsets, and what commits and tools need. */
export interface Group {
  readonly id: string
  readonly type: GroupType
  /** Kafka's name of the state. */
  readonly state: string
  readonly isEmpty: boolean
  /** Usually `consumer`. Null until the first member joins. */
  readonly protocolType: string | null
  readonly offsets: GroupOffsets
  /** Only of groups that DescribeGroups supports. */
  describe?(): GroupDescription
  /**
   * Those of `all`, by name, that members subscribe to. Throws NON_EMPTY_GROUP if members use
   * another protocol.
   */
  subscribedTopics(all: readonly string[]): ReadonlySet<string>
  /**
   * Checks that a commit is valid: from a member, or from outside while the group has no members.
   * Throws Refused.
   */
  checkCommit(
    memberId: string,
    instanceId: string | null,
    generationOrEpoch: number,
    /** The version of OffsetCommit; undefined in transactions. */
    version?: number,
  ): void
  /**
   * The same for a single partition, by the id of its topic, if the type of the group needs it.
   * Throws Refused.
   */
  checkCommitOf?(memberId: string, generationOrEpoch: number, key: string): void
  /** Checks that a member may fetch offsets, if the request identifies it. Throws Refused. */
  checkFetch?(memberId: string | null, epoch: number): void
  /** Throws NON_EMPTY_GROUP. */
  delete(): void
  /** The coordinator moved: waiting members receive an error that makes them find the new one. */
  unload(): void
}
