/**
 * The calls of a `membershipProtocol` function of the application. It is called for every member, as every member calls
 * it: only all results together show a partition that two members claim, or that none reads. The rules are those of the
 * classic protocol's assignors.
 */
import { atOnce } from '../../async/at-once.ts'
import type { TopicMetadata } from '../../cluster/metadata.ts'
import type { TopicPartition } from '../../consumer/topic-partition.ts'
import type { Logger } from '../../observe/logger.ts'
import { shown } from '../../options.ts'
import { problemInAssignment, thrownBy, unassignedIn } from '../assignors/assignment-check.ts'
import type { Assignment } from '../assignors/assignor.ts'
import { namesOf } from '../partitions.ts'
import { inPykafkasOrder, type DecidePartitions } from './decide-partitions.ts'

const NAME = 'membershipProtocol'

export interface OwnDecisionRequest {
  readonly decide: DecidePartitions
  readonly topic: TopicMetadata
  readonly members: readonly string[]
  /** The name of the group, for the log. */
  readonly group: string
  readonly logger: Logger
}

/** Throws the error of the function, and an error for results that break the rules. */
export function ownDecision(request: OwnDecisionRequest): Assignment {
  const { decide, topic, members, group, logger } = request
  const partitions = inPykafkasOrder(topic.partitions)
  const assignment = new Map<string, readonly TopicPartition[]>()
  for (const member of members) {
    const decided = call(decide, partitions, members, member)
    assignment.set(
      member,
      decided.map((partition) => ({ topic: topic.name, partition })),
    )
  }
  const holders = members.map((memberId) => ({ memberId, ownedPartitions: [] }))
  const topics = new Map([[topic.name, topic.partitions]])
  const problem = problemInAssignment(assignment, 'eager', holders, topics)
  if (problem !== undefined) throw new Error(`${NAME} ${problem}`)
  const unassigned = unassignedIn(assignment, holders, topics)
  if (unassigned.length > 0) {
    logger.warn(`${group}: ${NAME} left out ${namesOf(unassigned)}: no member reads them`)
  }
  return assignment
}

function call(
  decide: DecidePartitions,
  partitions: readonly number[],
  members: readonly string[],
  member: string,
): readonly number[] {
  let result: unknown
  try {
    // Each call gets arrays of its own: JavaScript may sort them in place.
    result = decide([...partitions], [...members], member)
  } catch (error) {
    throw thrownBy(NAME, error)
  }
  const decided = atOnce(result, NAME)
  if (!isNumbers(decided)) {
    throw new Error(`${NAME} must return an array of partition numbers, not ${shown(decided)}`)
  }
  return decided
}

function isNumbers(result: unknown): result is readonly number[] {
  return Array.isArray(result) && result.every(Number.isInteger)
}
