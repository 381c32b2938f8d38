import { checkValue, type Check } from '../options.ts'
import { checkDistinct } from './items.ts'

/** As text: 22 characters of base64url. */
const UUID = /^[\w-]{22}$/

export const aDirectoryId: Check<string> = (value) =>
  typeof value === 'string' && UUID.test(value)
    ? undefined
    : 'must be a directory id of 22 characters, such as in meta.properties'

export const aTopicId: Check<string> = (value) =>
  typeof value === 'string' && UUID.test(value)
    ? undefined
    : 'must be a topic id of 22 characters, such as the topicId of describeTopics'

/** Throws InvalidArgumentError for a value that is not an array of topic ids, or names one twice. */
export function checkTopicIds(operation: string, topicIds: readonly string[]): void {
  checkDistinct(operation, 'topic id', topicIds)
  for (const id of topicIds) checkValue(`${operation}: each id`, id, aTopicId)
}
