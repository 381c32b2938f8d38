import type { AssignableTopics, GroupMember } from './assignor.ts'

/**
 * Whether racks should count (KIP-881): some member has one, some replica is in one of those, and not every
 * partition is in all of them, where any member is as near as another.
 */
export function racksMatter(
  memberRacks: ReadonlySet<string>,
  partitionRacks: readonly ReadonlySet<string>[],
): boolean {
  const all = new Set<string>()
  for (const racks of partitionRacks) for (const rack of racks) all.add(rack)
  if (![...memberRacks].some((rack) => all.has(rack))) return false
  return partitionRacks.some((racks) => racks.size < all.size)
}

/** The racks of these members; the empty name is none. */
export function racksOf(members: readonly GroupMember[]): Set<string> {
  const racks = new Set<string>()
  for (const { rack } of members) if (rack !== undefined && rack !== '') racks.add(rack)
  return racks
}

/** The racks of all partitions, one set each. */
export function allPartitionRacks(topics: AssignableTopics): ReadonlySet<string>[] {
  return [...topics.values()].flatMap((partitions) => partitions.map(({ racks }) => racks))
}
