/**
 * The calls of an assignor, which may be the application's: errors name it, and a result of another type, which types
 * cannot prevent in JavaScript, is refused with what it must be.
 */
import { atOnce } from '../../async/at-once.ts'
import { shown } from '../../options.ts'
import { thrownBy } from '../assignors/assignment-check.ts'
import type {
  AssignableTopics,
  Assignment,
  Assignor,
  GroupMember,
  LastAssignment,
} from '../assignors/assignor.ts'

/** Returns the assignment. Throws what is wrong with it, and the error of the assignor. */
export async function assignmentBy(
  assignor: Assignor,
  members: readonly GroupMember[],
  topics: AssignableTopics,
): Promise<Assignment> {
  let result: Assignment
  try {
    result = await assignor.assign(members, topics)
  } catch (error) {
    throw thrownBy(`the assignor '${assignor.name}'`, error)
  }
  const problem = problemWithType(result)
  if (problem !== undefined) throw new Error(`the assignor '${assignor.name}' ${problem}`)
  return result
}

/** Returns the assignor's data of this member. Throws as `assignmentBy`. */
export function userDataBy(assignor: Assignor, last: LastAssignment): Buffer | undefined {
  const what = `userData of the assignor '${assignor.name}'`
  let result: unknown
  try {
    result = assignor.userData?.(last)
  } catch (error) {
    throw thrownBy(what, error)
  }
  const data = atOnce(result, what)
  if (data === undefined || Buffer.isBuffer(data)) return data
  throw new Error(`${what} must return a Buffer, or undefined for none, not ${shown(data)}`)
}

function problemWithType(result: unknown): string | undefined {
  if (!(result instanceof Map)) return `must return a Map by member id, not ${shown(result)}`
  const lists: ReadonlyMap<unknown, unknown> = result
  for (const [memberId, list] of lists) {
    const what = 'must return an array of { topic, partition } for each member'
    if (!Array.isArray(list)) return `${what}, not ${shown(list)} for ${shown(memberId)}`
    const elements: readonly unknown[] = list
    for (const one of elements) {
      if (typeof one !== 'object' || one === null || !('topic' in one) || !('partition' in one)) {
        return `${what}, not an array with ${shown(one)} for ${shown(memberId)}`
      }
      if (typeof one.topic !== 'string')
        return `${what}: a topic must be a string, not ${shown(one.topic)}`
      if (!Number.isInteger(one.partition)) {
        return `${what}: a partition of ${shown(one.topic)} must be a number, not ${shown(one.partition)}`
      }
    }
  }
  return undefined
}
