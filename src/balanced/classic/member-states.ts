/**
 * What a member of a Kafka group is going through, and what may happen to it then. Nothing else changes its
 * state, and what is not in the table cannot happen.
 *
 *     unjoined → joining → syncing → stable → leaving → left
 *
 * JoinGroup waits for the other members, SyncGroup for the leader's decision. In `stable` the group says by an
 * answer to a heartbeat that it rebalances: the member joins again, as the same one.
 */
export type MemberState =
  /** Not a member, not any more, or one that has not come back to a rebalance yet. */
  | 'unjoined'
  /** JoinGroup is under way, or will be tried again: as a member, where it was one. */
  | 'joining'
  /** In a new generation, whose assignment is not known yet. */
  | 'syncing'
  | 'stable'
  | 'leaving'
  | 'left'
  /** The group wants nothing more of it: fenced, not authorized, no protocol in common. */
  | 'refused'

export type MemberEvent =
  /** It wants to join, or to join again. */
  | 'join'
  /** JoinGroup was answered: there is a new generation. */
  | 'joined'
  /** SyncGroup was answered: the assignment is known. */
  | 'synced'
  /** The group does not know it any more, or went on without it. */
  | 'lost'
  /** It does not wait to join any longer, or will try again later. */
  | 'abandoned'
  | 'refused'
  | 'leave'
  | 'left'

const TRANSITIONS: Readonly<
  Record<MemberState, Readonly<Partial<Record<MemberEvent, MemberState>>>>
> = {
  unjoined: { join: 'joining', lost: 'unjoined', refused: 'refused', leave: 'leaving' },
  joining: {
    // Another attempt: the coordinator moved, the connection ended, the group asked for it.
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

/** What an error of the coordinator means for a member. Retriable ones not named here: `later`. */
export type Reaction =
  /** Join again at once. */
  | 'again'
  /** Join again after a wait and a new lookup of the coordinator. */
  | 'later'
  /** Its id is worth nothing any more: join as a new member. */
  | 'new member'
  /** It is still known, but the group went on without it: what it had is lost. */
  | 'new generation'
  /** Joining again would not help. */
  | 'refused'

/** By Kafka's names, as its own Java consumer reacts. */
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
