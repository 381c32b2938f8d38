/** The brokers' own assignors (KIP-848): pure functions from members and topics to partitions. */

export interface AssignedMember {
  readonly id: string
  readonly instanceId: string | null
  /** The ids of the topics that it subscribes to. */
  readonly topics: ReadonlySet<string>
  /** Its previous target assignment. */
  readonly before: ReadonlySet<PartitionKey>
}

/** A topic id and a partition, as `keyOf` returns it. */
export type PartitionKey = string

export interface TopicSize {
  readonly id: string
  readonly partitions: number
}

export type ServerAssignor = (
  members: readonly AssignedMember[],
  topics: readonly TopicSize[],
) => Map<string, Set<PartitionKey>>

export function partitionKey(topicId: string, partition: number): PartitionKey {
  return `${topicId}:${partition}`
}

export function partOf(key: PartitionKey): {
  readonly topicId: string
  readonly partition: number
} {
  const at = key.lastIndexOf(':')
  return { topicId: key.slice(0, at), partition: Number(key.slice(at + 1)) }
}

function partitionsOf({ id, partitions }: TopicSize): PartitionKey[] {
  return Array.from({ length: partitions }, (_, partition) => partitionKey(id, partition))
}

/** Divides each topic separately, into one range for each member: Java's RangeAssignor. */
export const range: ServerAssignor = (members, topics) => {
  const sorted = [...members].sort(inMemberOrder)
  const assigned = new Map(members.map(({ id }) => [id, new Set<PartitionKey>()]))
  for (const topic of topics) {
    const subscribed = sorted.filter(({ topics: wanted }) => wanted.has(topic.id))
    const least = Math.floor(topic.partitions / subscribed.length)
    const withMore = topic.partitions % subscribed.length
    let next = 0
    subscribed.forEach(({ id }, index) => {
      const end = next + least + (index < withMore ? 1 : 0)
      for (; next < end; next++) assigned.get(id)!.add(partitionKey(topic.id, next))
    })
  }
  return assigned
}

/** Static members come first, by their instance id, then the others, by their member id. */
function inMemberOrder(a: AssignedMember, b: AssignedMember): number {
  if ((a.instanceId === null) !== (b.instanceId === null)) return a.instanceId === null ? 1 : -1
  const [one, other] = [a.instanceId ?? a.id, b.instanceId ?? b.id]
  return one < other ? -1 : one > other ? 1 : 0
}

/**
 * Distributes partitions evenly, with few moves, as Java's UniformAssignor guarantees. It may break
 * ties differently.
 */
export const uniform: ServerAssignor = (members, topics) => {
  const assigned = new Map(members.map(({ id }) => [id, new Set<PartitionKey>()]))
  const owners = new Map<PartitionKey, AssignedMember>()
  const all = topics.flatMap(partitionsOf)
  const existing = new Set(all)
  for (const member of members) {
    for (const key of member.before) {
      if (owners.has(key) || !existing.has(key) || !wants(member, key)) continue
      owners.set(key, member)
      assigned.get(member.id)!.add(key)
    }
  }
  const countOf = ({ id }: AssignedMember) => assigned.get(id)!.size
  const fewest = (key: PartitionKey) =>
    members
      .filter((member) => wants(member, key))
      .reduce<AssignedMember | undefined>(
        (best, one) => (best === undefined || countOf(one) < countOf(best) ? one : best),
        undefined,
      )
  const move = (key: PartitionKey, to: AssignedMember) => {
    const from = owners.get(key)
    if (from !== undefined) assigned.get(from.id)!.delete(key)
    owners.set(key, to)
    assigned.get(to.id)!.add(key)
  }
  for (const key of all) {
    const to = owners.has(key) ? undefined : fewest(key)
    if (to !== undefined) move(key, to)
  }
  // The loop ends because each move makes the counts more even.
  for (let hasMoved = true; hasMoved;) {
    hasMoved = false
    for (const key of all) {
      const from = owners.get(key)
      const to = fewest(key)
      if (from === undefined || to === undefined || countOf(from) - countOf(to) < 2) continue
      move(key, to)
      hasMoved = true
    }
  }
  return assigned
}

function wants({ topics }: AssignedMember, key: PartitionKey): boolean {
  return topics.has(partOf(key).topicId)
}

/** The first is the default, as in `group.consumer.assignors`. */
export const SERVER_ASSIGNORS: ReadonlyMap<string, ServerAssignor> = new Map([
  ['uniform', uniform],
  ['range', range],
])
