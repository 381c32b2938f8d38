/** Assigns partitions to brokers so that few replicas move: a pure function of the current assignment. */

export interface BrokerInRack {
  readonly id: number
  readonly rack: string | undefined
}

/**
 * Returns the new replicas of each partition, the leader first. A replica stays if its broker may
 * keep it, unless another replica of the partition is in the same rack while another rack has none.
 * A new replica goes to the broker with the fewest replicas; brokers in racks without a replica of
 * the partition are preferred. A partition that loses its leader is led by the replica whose broker
 * leads the fewest partitions.
 */
export function minimalMoves(
  partitions: readonly (readonly number[])[],
  brokers: readonly BrokerInRack[],
  replicationFactor?: number,
): readonly (readonly number[])[] {
  const rackOf = new Map(brokers.map(({ id, rack }) => [id, rack ?? `broker ${id}`]))
  const rackCount = new Set(rackOf.values()).size
  const kept = partitions.map((replicas) => {
    const count = replicationFactor ?? replicas.length
    return stay(replicas, count, Math.min(count, rackCount), rackOf)
  })
  const loads = new Map(brokers.map(({ id }) => [id, 0]))
  for (const id of kept.flat()) loads.set(id, loads.get(id)! + 1)
  const leads = new Map(brokers.map(({ id }) => [id, 0]))
  const leaders = kept.map((replicas, index) => {
    const leader = partitions[index]![0]!
    if (!replicas.includes(leader)) return undefined
    leads.set(leader, leads.get(leader)! + 1)
    return leader
  })
  return kept.map((replicas, index) => {
    const all = [...replicas]
    const count = replicationFactor ?? partitions[index]!.length
    while (all.length < count) {
      const racks = new Set(all.map((id) => rackOf.get(id)))
      const free = brokers.filter(({ id }) => !all.includes(id)).map(({ id }) => id)
      const elsewhere = free.filter((id) => !racks.has(rackOf.get(id)))
      const next = least(elsewhere.length > 0 ? elsewhere : free, loads)
      loads.set(next, loads.get(next)! + 1)
      all.push(next)
    }
    if (leaders[index] !== undefined) return all
    const leader = least(all, leads)
    leads.set(leader, leads.get(leader)! + 1)
    return [leader, ...all.filter((id) => id !== leader)]
  })
}

/**
 * The replicas that can stay, in their order: one in each rack until the partition covers the
 * required number of racks.
 */
function stay(
  replicas: readonly number[],
  count: number,
  racksWanted: number,
  rackOf: ReadonlyMap<number, string>,
): readonly number[] {
  const usable = replicas.filter((id) => rackOf.has(id))
  const racks = new Set<string | undefined>()
  const firsts: number[] = []
  const others: number[] = []
  for (const id of usable) {
    const rack = rackOf.get(id)
    if (racks.has(rack)) others.push(id)
    else firsts.push(id)
    racks.add(rack)
  }
  // After each required rack has a replica, the other replicas may share racks.
  const shared = Math.max(0, count - racksWanted)
  const keep = new Set([...firsts.slice(0, count), ...others.slice(0, shared)].slice(0, count))
  return usable.filter((id) => keep.has(id))
}

/** The broker with the fewest, and of several the one with the lowest id. */
function least(ids: readonly number[], counts: ReadonlyMap<number, number>): number {
  return ids.reduce((best, id) => {
    const [a, b] = [counts.get(id)!, counts.get(best)!]
    return a < b || (a === b && id < best) ? id : best
  })
}
