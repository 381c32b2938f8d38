/**
 * The order of a rebalance in every group protocol. A _round_ is
 *
 *     surrendering → joining → yielding → claiming → starting → settled
 *
 * and every event during a round leads to a further round, never to two at a time:
 *
 *     changed   any number of events make one further round, after this one
 *     failed    a step failed, or others still hold partitions: waiting, then a further round
 *     lost      lost partitions are already stopped; their hook comes next, then a further round
 *     ending    closed by the application, or failed permanently: leaving, then closed
 */
export type Phase =
  /** Not started. */
  | 'idle'
  /** Giving up what must not be owned while joining: hook, commit, release. */
  | 'surrendering'
  /** Becoming or staying a member, and finding out which partitions to own. */
  | 'joining'
  /** Giving up partitions that are owned and not in the target: hook, commit, release. */
  | 'yielding'
  /** Taking possession of partitions in the target that are not owned. */
  | 'claiming'
  /** Looking up positions, calling the hook, reading. */
  | 'starting'
  /** The member owns its target, until something changes. */
  | 'settled'
  /**
   * A step failed, or others still hold some partitions: waiting until it is time to retry, or until something
   * changes.
   */
  | 'waiting'
  /** Calling the hook for lost partitions. */
  | 'losing'
  /** Giving up everything, and leaving the group. */
  | 'leaving'
  | 'closed'

/** The events until the end of a phase. */
export interface Situation {
  /** The step of the phase threw an error, or was not completed. */
  readonly isIncomplete: boolean
  /** Something changed since this round joined. */
  readonly isChanged: boolean
  /** Partitions were lost, and their hook is not called yet. */
  readonly hasLost: boolean
  /** Closed by the application, or failed permanently. */
  readonly isEnding: boolean
}

/** The only place that decides which phase follows. */
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
      // By the newer state, a claim made now may be for another member's partitions: it need not be started and
      // stopped.
      return isChanged ? 'surrendering' : 'claiming'
    case 'claiming':
      // Also if some could not be claimed: the others need not wait.
      return 'starting'
    case 'starting':
      if (isChanged) return 'surrendering'
      return isIncomplete ? 'waiting' : 'settled'
  }
}
