/** Expressions that the broker matches against topic names (`subscribedTopicRegex`, KIP-848). */
import type { Check } from '../options.ts'

/** A pattern that the coordinator of the group resolves, as the Java client's `SubscriptionPattern`. */
export interface ServerPattern {
  /**
   * An expression of RE2 (https://github.com/google/re2/wiki/Syntax) that matches the whole name of a topic. The broker
   * finds the topics, also those that are created later. It has no look-around and no back-references.
   */
  readonly pattern: string
}

export function isServerPattern(value: unknown): value is ServerPattern {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.keys(value).join() === 'pattern'
  )
}

/**
 * Finds syntax that JavaScript has and RE2 does not: the broker would report it only in the group, and in less
 * detail.
 */
export const aServerPattern: Check<ServerPattern> = (value) => {
  if (!isServerPattern(value)) return 'must be { pattern: text }'
  const { pattern } = value
  if (typeof pattern !== 'string' || pattern === '') return "must have 'pattern', a text"
  const found = firstUnsupported(pattern)
  if (found === undefined) return undefined
  return `has the pattern '${pattern}' with ${found}, which RE2 does not have: the brokers match patterns by RE2; a RegExp is matched by the client`
}

const UNSUPPORTED_GROUPS: readonly (readonly [start: string, what: string])[] = [
  ['(?=', 'the look-ahead (?='],
  ['(?!', 'the look-ahead (?!'],
  ['(?<=', 'the look-behind (?<='],
  ['(?<!', 'the look-behind (?<!'],
  ['(?>', 'the atomic group (?>'],
]

function firstUnsupported(pattern: string): string | undefined {
  let isInClass = false
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern[at]
    if (character === '\\') {
      const next = pattern[at + 1] ?? ''
      if (next === 'Q') {
        // Literal text up to \E.
        const end = pattern.indexOf('\\E', at)
        at = end < 0 ? pattern.length : end + 1
        continue
      }
      if (!isInClass && /[1-9k]/.test(next)) return `the back-reference \\${next}`
      at++
    } else if (isInClass) {
      isInClass = character !== ']'
    } else if (character === '[') {
      isInClass = true
      // A bracket in the first place is a member of the class.
      if (pattern[at + 1] === '^') at++
      if (pattern[at + 1] === ']') at++
    } else {
      const group = UNSUPPORTED_GROUPS.find(([start]) => pattern.startsWith(start, at))
      if (group !== undefined) return group[1]
    }
  }
  return undefined
}
