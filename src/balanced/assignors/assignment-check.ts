/** The rules for the assignments of the application's own functions, in classic groups and in groups in ZooKeeper. */
import { nameOf, type TopicPartition } from '../../consumer/topic-partition.ts'
import { KafkaError } from '../../errors.ts'
import { textOfThrown } from '../../observe/thrown.ts'
import type { Assignment, GroupMember, RebalanceProtocol } from './assignor.ts'

type Holder = Pick<GroupMember, 'memberId' | 'ownedPartitions'>
type NumberedPartitions = ReadonlyMap<string, readonly { readonly partition: number }[]>

/**
 * Returns the partitions that no member gets. A cooperative assignor leaves out for one rebalance what another member
 * holds; eager members hold nothing when they join.
 */
export function unassignedIn(
  assignment: Assignment,
  members: readonly Holder[],
  topics: NumberedPartitions,
): readonly TopicPartition[] {
  const read = new Set<string>()
  for (const partitions of assignment.values()) for (const one of partitions) read.add(nameOf(one))
  for (const { ownedPartitions } of members)
    for (const one of ownedPartitions) read.add(nameOf(one))
  return [...topics].flatMap(([topic, all]) =>
    all
      .map(({ partition }) => ({ topic, partition }))
      .filter((partition) => !read.has(nameOf(partition))),
  )
}

/** Returns what is wrong with an assignment, as a text that follows the name of its author; undefined if it is valid. */
export function problemInAssignment(
  assignment: Assignment,
  protocol: RebalanceProtocol,
  members: readonly Holder[],
  topics: NumberedPartitions,
): string | undefined {
  const holders = new Map(
    members.flatMap((one) => one.ownedPartitions.map((owned) => [nameOf(owned), one.memberId])),
  )
  const claims = new Map(
    members.map((one) => [one.memberId, new Set(one.ownedPartitions.map(nameOf))]),
  )
  const existing = new Map(
    [...topics].map(([topic, all]) => [topic, new Set(all.map(({ partition }) => partition))]),
  )
  const given = new Map<string, string>()
  for (const [memberId, partitions] of assignment) {
    const own = claims.get(memberId)
    if (own === undefined) return `assigned partitions to '${memberId}', which is not a member`
    for (const partition of partitions) {
      const name = nameOf(partition)
      const exists = existing.get(partition.topic)?.has(partition.partition)
      if (exists !== true) return `assigned ${name}, which does not exist`
      const other = given.get(name)
      if (other === memberId) return `assigned ${name} to '${memberId}' twice`
      if (other !== undefined) return `assigned ${name} to both '${other}' and '${memberId}'`
      given.set(name, memberId)
      const holder = holders.get(name)
      if (protocol === 'cooperative' && holder !== undefined && !own.has(name)) {
        return `assigned ${name} to '${memberId}' while '${holder}' still owns it: a cooperative assignor omits it for one rebalance`
      }
    }
  }
  return undefined
}

/**
 * Returns the error of the application's function, with its name. An error of the client, if the function calls it,
 * keeps its code: the member tries again if it may pass.
 */
export function thrownBy(what: string, error: unknown): unknown {
  if (error instanceof KafkaError) return error
  return new Error(`${what} threw: ${textOfThrown(error)}`, { cause: error })
}
