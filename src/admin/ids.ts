import { InvalidArgumentError } from '../errors.ts'
import { shown } from '../options.ts'
import { checkDistinct } from './items.ts'

/** As text: 22 characters of base64url. */
const UUID = /^[\w-]{22}$/

/** Returns what is wrong with the id of a directory; undefined if it is valid. */
export function aDirectoryId(value: unknown): string | undefined {
  return typeof value === 'string' && UUID.test(value)
    ? undefined
    : 'must be a directory id of 22 characters, such as in meta.properties'
}

/** Throws InvalidArgumentError for a value that is not an array of topic ids, or names one twice. */
export function checkTopicIds(operation: string, topicIds: readonly string[]): void {
  checkDistinct(operation, 'topic id', topicIds)
  const wrong = topicIds.find((id) => !UUID.test(id))
  if (wrong === undefined) return
  throw new InvalidArgumentError(
    `${operation}: a topic id must have 22 characters, such as the topicId of describeTopics, not ${shown(wrong)}`,
  )
}
