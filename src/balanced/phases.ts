/**
 * The order of a rebalance in every group protocol. A _round_ is
 *
 *     surrendering → joining → yielding → claiming → starting → settled
 *
 * and whatever happens on the way leads to a further round, never to two at a time:
 *
 *     changed   any number of events make one further round, when this one is done
 *     failed    a step that failed, or partitions that others still hold: waiting, then a further round
 *     lost      what was lost has been stopped already; its hook comes next, then a further round
 *     ending    closed by the application, or failed permanently: leaving, then closed
 */
export type Phase =
  /** Not started. */
  | 'idle'
  /** Giving up what must not be owned while joining: hook, commit, release. */
  | 'surrendering'
  /** Becoming a member, or staying one, and finding out what is to be owned. */
  | 'joining'
  /** Giving up what is owned and not to be: hook, commit, release. */
  | 'yielding'
  /** Taking possession of what is to be owned and isn't. */
  | 'claiming'
  /** Finding positions, calling the hook, reading. */
  | 'starting'
  /** Everything is as it should be: until something changes. */
  | 'settled'
  /** A step failed or others still hold something: until it is time to try again, or something changes. */
  | 'waiting'
  /** Calling the hook for what was lost. */
  | 'losing'
  /** Giving up everything, and leaving the group. */
  | 'leaving'
  | 'closed'

/** What has happened by the time a phase is over. */
export interface Situation {
  /** The step of the phase threw an error, or left something undone. */
  readonly isIncomplete: boolean
  /** Something changed since this round joined. */
  readonly isChanged: boolean
  /** Partitions were lost, and their hook has not been called. */
  readonly hasLost: boolean
  /** Closed by the application, or failed permanently. */
  readonly isEnding: boolean
}

/** The one place that says what comes after what. */
export function nextPhase(
  phase: Phase,
  { isIncomplete, isChanged, hasLost, isEnding }: Situation,
): Phase {
  if (phase === 'leaving' || phase === 'closed') return 'closed'
  if (hasLost) return 'losing'
  if (isEnding) return 'leaving'
  switch (phase) {
    case 'idle':
    case 'losing':
    case 'settled':
    case 'waiting':
      return 'surrendering'
    case 'surrendering':
      return isIncomplete ? 'waiting' : 'joining'
    case 'joining':
      return isIncomplete ? 'waiting' : 'yielding'
    case 'yielding':
      if (isIncomplete) return 'waiting'
      // What would be claimed now may be another's by the newer state: no need to start and stop it.
      return isChanged ? 'surrendering' : 'claiming'
    case 'claiming':
      // Also where some could not be claimed: the others are not kept waiting.
      return 'starting'
    case 'starting':
      if (isChanged) return 'surrendering'
      return isIncomplete ? 'waiting' : 'settled'
  }
}
