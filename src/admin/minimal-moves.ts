/** Assigns partitions to brokers so that few replicas move: a pure function of the current assignment. */

export interface BrokerInRack {
  readonly id: number
  readonly rack: string | undefined
}

/**
 * The replicas of each partition afterwards, the leader first. A replica stays where its broker may keep it and no
 * other replica of the partition is in the same rack while another rack has none. A new one goes to the broker with
 * the fewest replicas among those in racks that the partition is not in yet, where there are such, or among all.
 * Partitions that lose their leader are led by the replica whose broker leads the fewest.
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

/** Those that need not move, in their order: one a rack as long as the partition is to be in more racks. */
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
  // What is left once each rack that is to have a replica has one may share racks.
  const shared = Math.max(0, count - racksWanted)
  const keep = new Set([...firsts.slice(0, count), ...others.slice(0, shared)].slice(0, count))
  return usable.filter((id) => keep.has(id))
}

/** The one with the least, the lowest id of several. */
function least(ids: readonly number[], counts: ReadonlyMap<number, number>): number {
  return ids.reduce((best, id) => {
    const [a, b] = [counts.get(id)!, counts.get(best)!]
    return a < b || (a === b && id < best) ? id : best
  })
}
