/**
 * Partitions as heartbeats identify them: by topic id, which distinguishes a topic from a later one of the same name.
 */
import { ZERO_UUID } from '../../../protocol/schema/fields.ts'

export interface AssignedTopic {
  readonly topicId: string
  readonly partitions: readonly number[]
}

export const NOTHING_ASSIGNED: readonly AssignedTopic[] = []

/**
 * Leaves out invalid and repeated partitions: a faulty broker must not make this member read partitions that cannot
 * exist, or one partition twice.
 */
export function readAssignment(topics: readonly AssignedTopic[]): readonly AssignedTopic[] {
  const byId = new Map<string, Set<number>>()
  for (const { topicId, partitions } of topics) {
    if (topicId === ZERO_UUID || topicId === '') continue
    const known = byId.get(topicId) ?? new Set()
    for (const partition of partitions) if (partition >= 0) known.add(partition)
    if (known.size > 0) byId.set(topicId, known)
  }
  return [...byId]
    .map(([topicId, partitions]) => ({
      topicId,
      partitions: [...partitions].sort((a, b) => a - b),
    }))
    .sort((a, b) => (a.topicId < b.topicId ? -1 : 1))
}

/** Compares two assignments that `readAssignment` returned. */
export function isSameAssignment(
  a: readonly AssignedTopic[],
  b: readonly AssignedTopic[],
): boolean {
  return (
    a.length === b.length &&
    a.every(({ topicId, partitions }, index) => {
      const other = b[index]!
      return (
        topicId === other.topicId &&
        partitions.length === other.partitions.length &&
        partitions.every((partition, at) => partition === other.partitions[at])
      )
    })
  )
}

/** Whether `whole` has all partitions of `part`. */
export function isWithin(part: readonly AssignedTopic[], whole: readonly AssignedTopic[]): boolean {
  if (part === whole) return true
  const byId = new Map(whole.map(({ topicId, partitions }) => [topicId, new Set(partitions)]))
  return part.every(({ topicId, partitions }) => {
    const others = byId.get(topicId)
    return others !== undefined && partitions.every((partition) => others.has(partition))
  })
}
