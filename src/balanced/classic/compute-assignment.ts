/** The leader's part in a rebalance: computes the assignment from the members' subscriptions. */
import type { Logger } from '../../observe/logger.ts'
import { namesOf } from '../partitions.ts'
import type {
  AssignableTopics,
  Assignment,
  Assignor,
  GroupMember,
  RebalanceProtocol,
} from '../assignors/assignor.ts'
import { problemInAssignment, unassignedIn } from '../assignors/assignment-check.ts'
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
  const problem = problemInAssignment(assignment, protocol, members, topics)
  if (problem !== undefined) throw new Error(`the assignor '${assignor.name}' ${problem}`)
  const missing = new Set(members.flatMap((one) => one.topics).filter((one) => !topics.has(one)))
  if (missing.size > 0) {
    const names = [...missing].map((topic) => `'${topic}'`).join(', ')
    logger.warn(
      `group '${groupId}': ${names} do not exist: no member gets partitions of them until they do`,
    )
  }
  const unassigned = unassignedIn(assignment, members, topics)
  if (unassigned.length > 0) {
    logger.warn(
      `group '${groupId}': the assignor '${assignor.name}' left out ${namesOf(unassigned)}: no member reads them`,
    )
  }
  return assignment
}
