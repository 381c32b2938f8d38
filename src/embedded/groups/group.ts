import type { GroupOffsets } from './offsets.ts'

/** Kafka's names of the kinds of groups, as ListGroups has them. */
export type GroupType = 'classic' | 'consumer' | 'share'

/** What tools see of a group (DescribeGroups). */
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

/** What the groups of all kinds have: offsets, and what commits and tools ask about. */
export interface Group {
  readonly id: string
  readonly type: GroupType
  /** Kafka's name of the state. */
  readonly state: string
  readonly isEmpty: boolean
  /** `consumer`, mostly. Null until the first member joins. */
  readonly protocolType: string | null
  readonly offsets: GroupOffsets
  /** Only of groups that DescribeGroups describes. */
  describe?(): GroupDescription
  /** Of `all`, and by name, the topics that members read. Throws NON_EMPTY_GROUP where members tell each other something else. */
  subscribedTopics(all: readonly string[]): ReadonlySet<string>
  /** Whether a commit is in order: from a member, or from outside while there are none. Throws Refused. */
  checkCommit(
    memberId: string,
    instanceId: string | null,
    generationOrEpoch: number,
    /** Of OffsetCommit; undefined in transactions. */
    version?: number,
  ): void
  /** The same for a single partition, by the id of its topic, where the group asks for that. Throws Refused. */
  checkCommitOf?(memberId: string, generationOrEpoch: number, key: string): void
  /** Whether a member may fetch offsets, where it says which it is. Throws Refused. */
  checkFetch?(memberId: string | null, epoch: number): void
  /** Throws NON_EMPTY_GROUP. */
  delete(): void
  /** The coordinator moved: members that wait are sent to the other. */
  unload(): void
}
