/**
 * Moves a member from its current assignment to its target (Java's CurrentAssignmentBuilder). First
 * it revokes partitions, which the member must acknowledge; then it assigns those that no other
 * member has any more.
 */
import type { PartitionKey } from './assignors.ts'

export type ReconciledState =
  /** The member has its target assignment, as far as it is known. */
  | 'stable'
  /** The member must revoke partitions, and has not acknowledged that. */
  | 'unrevoked'
  /** Other members have not revoked all partitions that the member is to get. */
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
  /** The partitions that the member reports as owned; undefined if it reports none. */
  readonly owned: ReadonlySet<PartitionKey> | undefined
  /** Whether another member has it, or has not revoked it yet. */
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

/** A member that does not report its partitions may own all of them. */
function owns(
  owned: ReadonlySet<PartitionKey> | undefined,
  partitions: Iterable<PartitionKey>,
): boolean {
  if (owned === undefined) return true
  for (const key of partitions) if (owned.has(key)) return true
  return false
}
