/**
 * The states of a member of a consumer group (KIP-848), and the events that each allows. Nothing else changes the
 * state, and a transition that is not in the table cannot happen.
 *
 *     unjoined → joining → member → leaving → left
 *
 * A member that is fenced is `unjoined` again and joins with the same id.
 */
export type MemberState =
  /** Not a member: not yet, or not since the coordinator has fenced it. */
  | 'unjoined'
  /** A heartbeat with epoch 0 is running, or will be sent again. */
  | 'joining'
  /** The coordinator has responded with an epoch. */
  | 'member'
  | 'leaving'
  | 'left'
  /** The group refuses it: not authorized, unknown assignor, its instance id is in use. */
  | 'refused'

export type MemberEvent =
  /** The member joins, or tries to join again. */
  | 'join'
  /** The response to the heartbeat with epoch 0 arrived. */
  | 'joined'
  /** The coordinator no longer knows the member or its epoch. */
  | 'fenced'
  /** The attempts to join have ended; another call may begin new ones. */
  | 'abandoned'
  | 'refused'
  | 'leave'
  | 'left'

const TRANSITIONS: Readonly<
  Record<MemberState, Readonly<Partial<Record<MemberEvent, MemberState>>>>
> = {
  unjoined: { join: 'joining', leave: 'leaving' },
  joining: {
    join: 'joining',
    joined: 'member',
    abandoned: 'unjoined',
    refused: 'refused',
    leave: 'leaving',
  },
  member: { fenced: 'unjoined', refused: 'refused', leave: 'leaving' },
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

/**
 * The meaning of an error in a heartbeat response, or of a missing response. Retriable errors that are not listed
 * mean `later`.
 */
export type Reaction =
  /** The partitions are lost. The member joins again with the same id and epoch 0. */
  | 'fenced'
  /** Send all fields again after a wait, to the coordinator at that time. */
  | 'later'
  /** Report it to the application and continue: the member keeps its partitions. */
  | 'problem'
  /**
   * A member joins again, because its group no longer exists. For a joining member the group is of another type:
   * refused.
   */
  | 'no group'
  /** Another member has the same instance id and has not left. */
  | 'instance held'
  /** Another attempt would not help. */
  | 'refused'

/** The reactions to errors, by Kafka's names; they are those of the Java client (AbstractHeartbeatRequestManager). */
const REACTIONS: Readonly<Record<string, Reaction>> = {
  UNKNOWN_MEMBER_ID: 'fenced',
  FENCED_MEMBER_EPOCH: 'fenced',
  TOPIC_AUTHORIZATION_FAILED: 'problem',
  UNRELEASED_INSTANCE_ID: 'instance held',
  GROUP_ID_NOT_FOUND: 'no group',
}

export function reactionTo(error: {
  readonly code: string
  readonly retriable: boolean
}): Reaction {
  return REACTIONS[error.code] ?? (error.retriable ? 'later' : 'refused')
}
