import { InvalidArgumentError } from '../errors.ts'
import { anArrayOf, aRegExp, aString, either } from '../options.ts'

/** The topics of a consumer of several: names, or a pattern that selects all topics with a matching name. */
export type TopicsOption = readonly string[] | RegExp

export const namesOrPattern = either(anArrayOf(aString), aRegExp)

/**
 * Returns each name once, or the pattern without the flags g and y, which would keep a position between matches and
 * miss every other match. Throws InvalidArgumentError for anything else.
 */
export function topicsFrom(topics: TopicsOption): TopicsOption {
  if (topics instanceof RegExp) return new RegExp(topics.source, topics.flags.replace(/[gy]/g, ''))
  const names = [...new Set(topics)]
  if (names.length === 0) throw new InvalidArgumentError('topics: must not be empty')
  return names
}
