import type { TopicMetadata } from '../../cluster/metadata.ts'

/**
 * Returns the partitions that messages without a key may go to, as in Java: those whose leader is in the rack
 * (KIP-1123), or if there are none, those that have a leader. Undefined: all, also while no partition has a leader.
 */
export function preferredPartitions(
  { partitions }: TopicMetadata,
  rackOf: (nodeId: number) => string | null | undefined,
  rack: string | undefined,
): readonly number[] | undefined {
  // Partitions that a broker does not know yet leave gaps: numbers after a gap may not be below the count.
  const led = partitions.filter(
    ({ partition, leader }) => leader >= 0 && partition < partitions.length,
  )
  const near = rack === undefined ? [] : led.filter(({ leader }) => rackOf(leader) === rack)
  const preferred = near.length > 0 ? near : led
  if (preferred.length === 0 || preferred.length === partitions.length) return undefined
  return preferred.map(({ partition }) => partition)
}
