import type { GroupOffsets } from './offsets.ts'

/** Kafka's names of the kinds of groups, as ListGroups has them. */
export type GroupType = 'classic' | 'share'

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
  describe(): GroupDescription
  /** The topics that members read. Throws NON_EMPTY_GROUP where members tell each other something else. */
  subscribedTopics(): ReadonlySet<string>
  /** Whether a commit is in order: from a member, or from outside while there are none. Throws Refused. */
  checkCommit(memberId: string, instanceId: string | null, generationOrEpoch: number): void
  /** Throws NON_EMPTY_GROUP. */
  delete(): void
  /** The coordinator moved: members that wait are sent to the other. */
  unload(): void
}
