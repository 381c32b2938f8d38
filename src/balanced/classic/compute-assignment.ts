/** The leader's part in a rebalance: computes the assignment from the members' subscriptions. */
import { nameOf, type TopicPartition } from '../../consumer/topic-partition.ts'
import type { Logger } from '../../observe/logger.ts'
import { namesOf } from '../partitions.ts'
import type {
  AssignableTopics,
  Assignment,
  Assignor,
  GroupMember,
  RebalanceProtocol,
} from '../assignors/assignor.ts'
import { assignmentBy } from './assignor-calls.ts'

export interface AssignmentRequest {
  readonly groupId: string
  readonly assignor: Assignor
  readonly protocol: RebalanceProtocol
  readonly members: readonly GroupMember[]
  readonly topics: AssignableTopics
  readonly logger: Logger
}

/** Throws the error of the assignor, and an error for an assignment that breaks the rules. */
export async function computeAssignment(request: AssignmentRequest): Promise<Assignment> {
  const { groupId, assignor, protocol, members, topics, logger } = request
  const assignment = await assignmentBy(assignor, members, topics)
  const problem = problemWith(assignment, protocol, members, topics)
  if (problem !== undefined) throw new Error(`the assignor '${assignor.name}' ${problem}`)
  const missing = new Set(members.flatMap((one) => one.topics).filter((one) => !topics.has(one)))
  if (missing.size > 0) {
    const names = [...missing].map((topic) => `'${topic}'`).join(', ')
    logger.warn(
      `group '${groupId}': ${names} do not exist: no member gets partitions of them until they do`,
    )
  }
  const unread = unreadBy(assignment, members, topics)
  if (unread.length > 0) {
    logger.warn(
      `group '${groupId}': the assignor '${assignor.name}' left out ${namesOf(unread)}: no member reads them`,
    )
  }
  return assignment
}

/**
 * Returns the partitions that no member gets. A cooperative assignor leaves out for one rebalance what another member
 * holds; eager members hold nothing when they join.
 */
function unreadBy(
  assignment: Assignment,
  members: readonly GroupMember[],
  topics: AssignableTopics,
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

function problemWith(
  assignment: Assignment,
  protocol: RebalanceProtocol,
  members: readonly GroupMember[],
  topics: AssignableTopics,
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
