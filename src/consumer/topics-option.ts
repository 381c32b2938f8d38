import { InvalidArgumentError } from '../errors.ts'
import { anArrayOf, aRegExp, aString, either } from '../options.ts'

/** Which topics a consumer of several reads: by name, or all whose name a pattern matches. */
export type TopicsOption = readonly string[] | RegExp

export const namesOrPattern = either(anArrayOf(aString), aRegExp)

/**
 * Each name once. A pattern without the flags g and y: it would remember where it was, and match every other time.
 * Throws InvalidArgumentError where there is neither.
 */
export function topicsFrom(topics: TopicsOption): TopicsOption {
  if (topics instanceof RegExp) return new RegExp(topics.source, topics.flags.replace(/[gy]/g, ''))
  const names = [...new Set(topics)]
  if (names.length === 0) throw new InvalidArgumentError('topics: must not be empty')
  return names
}
