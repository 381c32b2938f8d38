/**
 * The states of a member of a consumer group (KIP-848), and what may happen to it in each. Nothing else changes the
 * state, and what is not in the table cannot happen.
 *
 *     unjoined → joining → member → leaving → left
 *
 * A member that is fenced is `unjoined` again and joins with the same id.
 */
export type MemberState =
  /** Not a member: not yet, or not since the coordinator has fenced it. */
  | 'unjoined'
  /** A heartbeat with epoch 0 is under way, or will be sent again. */
  | 'joining'
  /** The coordinator has answered with an epoch. */
  | 'member'
  | 'leaving'
  | 'left'
  /** The group does not take it: not authorized, unknown assignor, its instance id is in use. */
  | 'refused'

export type MemberEvent =
  /** It joins, or tries to join again. */
  | 'join'
  /** The heartbeat with epoch 0 was answered. */
  | 'joined'
  /** The coordinator does not know the member or its epoch any more. */
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

/** What an error in the answer to a heartbeat, or a missing answer, means. Retriable ones not named here: `later`. */
export type Reaction =
  /** The partitions are lost. The member joins again with the same id and epoch 0. */
  | 'fenced'
  /** Send everything again after a wait, to the coordinator as it is then. */
  | 'later'
  /** Tell the application, and go on: the member keeps what it has. */
  | 'problem'
  /** A member joins again: its group has gone. For one that joins, the group is of another type, and refused. */
  | 'no group'
  /** Another member has the same instance id and has not left. */
  | 'instance held'
  /** Another attempt would not help. */
  | 'refused'

/** By Kafka's names, as the Java client reacts (AbstractHeartbeatRequestManager). */
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
