/**
 * The states of a member of a Kafka group, and the events that each allows. Nothing else changes the state, and a
 * transition that is not in the table cannot happen.
 *
 *     unjoined → joining → syncing → stable → leaving → left
 *
 * JoinGroup waits for the other members, SyncGroup for the leader's assignment. In `stable` a heartbeat response
 * announces a rebalance: the member joins again, as the same member.
 */
export type MemberState =
  /** Not a member: not yet, no longer, or not since a rebalance that it has not joined yet. */
  | 'unjoined'
  /** JoinGroup is running, or will be retried, with the member id if the member has one. */
  | 'joining'
  /** In a new generation, whose assignment is not known yet. */
  | 'syncing'
  | 'stable'
  | 'leaving'
  | 'left'
  /** The group refuses it permanently: fenced, not authorized, no protocol in common. */
  | 'refused'

export type MemberEvent =
  /** The member joins, or joins again. */
  | 'join'
  /** The response to JoinGroup arrived: there is a new generation. */
  | 'joined'
  /** The response to SyncGroup arrived: the assignment is known. */
  | 'synced'
  /** The group no longer knows the member, or continued without it. */
  | 'lost'
  /** The member stops trying to join, or will try later. */
  | 'abandoned'
  | 'refused'
  | 'leave'
  | 'left'

const TRANSITIONS: Readonly<
  Record<MemberState, Readonly<Partial<Record<MemberEvent, MemberState>>>>
> = {
  unjoined: { join: 'joining', lost: 'unjoined', refused: 'refused', leave: 'leaving' },
  joining: {
    // Another attempt: the coordinator moved, the connection ended, or the group requested it.
    join: 'joining',
    joined: 'syncing',
    lost: 'unjoined',
    abandoned: 'unjoined',
    refused: 'refused',
    leave: 'leaving',
  },
  syncing: {
    join: 'joining',
    synced: 'stable',
    lost: 'unjoined',
    abandoned: 'unjoined',
    refused: 'refused',
    leave: 'leaving',
  },
  stable: { join: 'joining', lost: 'unjoined', refused: 'refused', leave: 'leaving' },
  leaving: { left: 'left' },
  left: {},
  refused: { leave: 'leaving' },
}

export function nextState(state: MemberState, event: MemberEvent): MemberState {
  const next = TRANSITIONS[state][event]
  if (next === undefined)
    throw new Error(`the event '${event}' is not possible in the state '${state}' of a member`)
  return next
}

/** The meaning of a coordinator's error for a member. Retriable errors that are not listed mean `later`. */
export type Reaction =
  /** Join again at once. */
  | 'again'
  /** Join again after a wait and a new lookup of the coordinator. */
  | 'later'
  /** Its id is no longer valid: join as a new member. */
  | 'new member'
  /** The group knows the member, but continued without it: its partitions are lost. */
  | 'new generation'
  /** Joining again would not help. */
  | 'refused'

/** The reactions to errors, by Kafka's names; they are those of the Java consumer. */
const REACTIONS: Readonly<Record<string, Reaction>> = {
  REBALANCE_IN_PROGRESS: 'again',
  UNKNOWN_MEMBER_ID: 'new member',
  ILLEGAL_GENERATION: 'new generation',
}

export function reactionTo(error: {
  readonly code: string
  readonly retriable: boolean
}): Reaction {
  return REACTIONS[error.code] ?? (error.retriable ? 'later' : 'refused')
}
