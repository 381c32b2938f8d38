/**
 * How a member comes from what it has to its target (Java's CurrentAssignmentBuilder): first it gives up, which it has
 * to acknowledge, then it gets what no other member has any more.
 */
import type { PartitionKey } from './assignors.ts'

export type ReconciledState =
  /** It has its target, as far as it is known. */
  | 'stable'
  /** It is to give partitions up, and has not acknowledged that. */
  | 'unrevoked'
  /** Other members have not given up all that it is to get. */
  | 'unreleased'

export interface CurrentAssignment {
  readonly state: ReconciledState
  readonly epoch: number
  /** With the epoch in which each was assigned (KIP-1251). */
  readonly assigned: ReadonlyMap<PartitionKey, number>
  readonly pendingRevocation: ReadonlyMap<PartitionKey, number>
}

export interface Reconciliation {
  readonly target: ReadonlySet<PartitionKey>
  readonly targetEpoch: number
  /** What the member says that it owns; undefined where it says nothing. */
  readonly owned: ReadonlySet<PartitionKey> | undefined
  /** Whether another member has it, or is still to give it up. */
  readonly isHeld: (key: PartitionKey) => boolean
}

export function reconcile(current: CurrentAssignment, to: Reconciliation): CurrentAssignment {
  switch (current.state) {
    case 'stable':
      return current.epoch === to.targetEpoch ? current : next(current, current.epoch, to)
    case 'unrevoked':
      if (owns(to.owned, current.pendingRevocation.keys())) return current
      return next(current, Math.min(current.epoch + 1, to.targetEpoch), to)
    case 'unreleased':
      return next(current, current.epoch, to)
  }
}

function next(
  { assigned }: CurrentAssignment,
  epoch: number,
  { target, targetEpoch, owned, isHeld }: Reconciliation,
): CurrentAssignment {
  const kept = new Map<PartitionKey, number>()
  const pendingRevocation = new Map<PartitionKey, number>()
  for (const [key, since] of assigned) {
    if (target.has(key)) kept.set(key, since)
    else pendingRevocation.set(key, since)
  }
  if (pendingRevocation.size > 0 && owns(owned, pendingRevocation.keys())) {
    return { state: 'unrevoked', epoch, assigned: kept, pendingRevocation }
  }
  let isWaiting = false
  for (const key of target) {
    if (kept.has(key)) continue
    if (isHeld(key)) isWaiting = true
    else kept.set(key, targetEpoch)
  }
  const state = isWaiting ? 'unreleased' : 'stable'
  return { state, epoch: targetEpoch, assigned: kept, pendingRevocation: new Map() }
}

/** A member that says nothing of what it owns may own all of it. */
function owns(
  owned: ReadonlySet<PartitionKey> | undefined,
  partitions: Iterable<PartitionKey>,
): boolean {
  if (owned === undefined) return true
  for (const key of partitions) if (owned.has(key)) return true
  return false
}
