import type { AssignableTopics, GroupMember } from './assignor.ts'

/**
 * True if racks should count (KIP-881): a member has a rack, a replica is in one of these racks, and not every
 * partition is in all of them, in which case all members would be equally near.
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

/** The racks of these members; an empty name is no rack. */
export function racksOf(members: readonly GroupMember[]): Set<string> {
  const racks = new Set<string>()
  for (const { rack } of members) if (rack !== undefined && rack !== '') racks.add(rack)
  return racks
}

/** The racks of all partitions, one set for each. */
export function allPartitionRacks(topics: AssignableTopics): ReadonlySet<string>[] {
  return [...topics.values()].flatMap((partitions) => partitions.map(({ racks }) => racks))
}
