/**
 * The controller's changes of replicas and leaders on request: moves (KIP-455) and elections
 * (KIP-460).
 */
import { Refused } from '../refused.ts'
import type { Brokers } from './brokers.ts'
import { NO_LEADER, type Partition } from './partition.ts'

/**
 * Moves a partition to other replicas. The replicas share one log here, so a move is complete as
 * soon as all new replicas run; until then the partition has both its old and its new replicas.
 * Throws Refused.
 */
export function reassign(
  partition: Partition,
  target: readonly number[],
  brokers: Brokers,
  allowFactorChange: boolean,
): void {
  checkTarget(target, brokers)
  const before = replicasBefore(partition)
  if (!allowFactorChange && target.length !== before.length) {
    throw new Refused(
      'INVALID_REPLICATION_FACTOR',
      `The replication factor is changed from ${before.length} to ${target.length}`,
    )
  }
  const isNoMove = partition.move === undefined && sameReplicas(target, partition.replicas)
  if (isNoMove) return
  partition.replicas = [...target, ...before.filter((id) => !target.includes(id))]
  partition.move = { target, before }
  completeMove(partition, brokers)
}

/** Completes the move in progress if its replicas are running now. */
export function completeMove(partition: Partition, brokers: Brokers): void {
  const { move } = partition
  if (move === undefined || !move.target.every((id) => brokers.isAlive(id))) return
  partition.move = undefined
  partition.replicas = move.target
  partition.isr = move.target
  const isLed = move.target.includes(partition.leader)
  // As in Kafka, a change of the replicas bumps the leader epoch, even if the leader does not
  // change.
  partition.setLeader(isLed ? partition.leader : (move.target[0] ?? NO_LEADER))
}

/** Throws NO_REASSIGNMENT_IN_PROGRESS. */
export function cancelMove(partition: Partition): void {
  const { move } = partition
  if (move === undefined) throw new Refused('NO_REASSIGNMENT_IN_PROGRESS')
  partition.move = undefined
  partition.replicas = move.before
  partition.isr = partition.isr.filter((id) => move.before.includes(id))
  partition.setLeader(partition.leader)
}

/** Throws Refused, also with ELECTION_NOT_NEEDED. */
export function electLeader(partition: Partition, isUnclean: boolean, brokers: Brokers): void {
  const [preferred] = partition.replicas
  if (isUnclean) {
    if (partition.leader !== NO_LEADER) throw notNeeded()
    const alive = partition.replicas.find((id) => brokers.isAlive(id))
    if (alive === undefined) throw new Refused('ELIGIBLE_LEADERS_NOT_AVAILABLE')
    partition.isr = [alive]
    partition.setLeader(alive)
    return
  }
  if (partition.leader === preferred) throw notNeeded()
  if (
    preferred === undefined ||
    !brokers.isAlive(preferred) ||
    !partition.isr.includes(preferred)
  ) {
    throw new Refused('PREFERRED_LEADER_NOT_AVAILABLE')
  }
  partition.setLeader(preferred)
}

function notNeeded(): Refused {
  return new Refused('ELECTION_NOT_NEEDED', 'Leader election not needed for topic partition.')
}

/** The replicas without those that a move adds. */
function replicasBefore({ replicas, move }: Partition): readonly number[] {
  return move?.before ?? replicas
}

function sameReplicas(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((id, index) => id === b[index])
}

/** Uses Kafka's error messages. Throws INVALID_REPLICA_ASSIGNMENT. */
function checkTarget(target: readonly number[], brokers: Brokers): void {
  const refused = (detail: string) => new Refused('INVALID_REPLICA_ASSIGNMENT', detail)
  if (target.length === 0) {
    throw refused('The manual partition assignment includes an empty replica list.')
  }
  const sorted = [...target].sort((a, b) => a - b)
  for (const [index, id] of sorted.entries()) {
    if (brokers.find(id) === undefined) {
      throw refused(
        `The manual partition assignment includes broker ${id}, but no such broker is registered.`,
      )
    }
    if (id === sorted[index - 1]) {
      throw refused(`The manual partition assignment includes the broker ${id} more than once.`)
    }
  }
}
