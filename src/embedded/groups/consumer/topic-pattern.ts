import { Refused } from '../../refused.ts'

/**
 * Features that JavaScript has and RE2/J does not: look-around, atomic groups and back-references.
 */
const NOT_IN_RE2 = /\(\?(?:=|!|<=|<!|>)|\\[1-9k]/
const ESCAPED = /\\\\/g

/**
 * Converts a member's expression to one of JavaScript that matches whole names. Brokers use RE2/J;
 * the syntax that both have in common means the same. Throws INVALID_REGULAR_EXPRESSION.
 */
export function topicPattern(pattern: string): RegExp {
  const refused = (reason: string) =>
    new Refused(
      'INVALID_REGULAR_EXPRESSION',
      `SubscribedTopicRegex \`${pattern}\` is not a valid regular expression: ${reason}.`,
    )
  if (NOT_IN_RE2.test(pattern.replace(ESCAPED, ''))) {
    throw refused('invalid or unsupported Perl syntax')
  }
  const [, flag = '', rest = ''] = /^(\(\?i\))?(.*)$/s.exec(pattern) ?? []
  try {
    return new RegExp(`^(?:${rest.replaceAll('(?P<', '(?<')})$`, flag === '' ? 's' : 'is')
  } catch (error) {
    throw refused(error instanceof Error ? error.message : String(error))
  }
}
