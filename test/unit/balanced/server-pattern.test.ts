import { describe, expect, it } from '@jest/globals'
import { aServerPattern } from '../../../src/balanced/server-pattern.ts'

describe('a pattern for the brokers', () => {
  it.each([
    'orders-.*',
    '(?:a|b)',
    '(?i)orders',
    '(?P<name>a)',
    String.raw`\d+\.x`,
    '[(?=]',
    '[a(?=]',
    String.raw`\Q(?=`,
    String.raw`\Q(?=\1\E`,
    String.raw`\\1`,
    '[]\\1]',
  ])('can be %s', (pattern) => expect(aServerPattern({ pattern })).toBeUndefined())

  it.each([
    ['a(?=b)', 'the look-ahead (?='],
    ['(?!internal).*', 'the look-ahead (?!'],
    ['(?<=a)b', 'the look-behind (?<='],
    ['(?<!a)b', 'the look-behind (?<!'],
    ['(?>a)', 'the atomic group (?>'],
    [String.raw`(a)\1`, String.raw`the back-reference \1`],
    [String.raw`(?<n>a)\k<n>`, String.raw`the back-reference \k`],
    ['[a](?=b)', 'the look-ahead (?='],
    [String.raw`\Qa\E(?=b)`, 'the look-ahead (?='],
    [String.raw`[a]\2`, String.raw`the back-reference \2`],
  ])('cannot be %s, which RE2 lacks', (pattern, what) => {
    expect(aServerPattern({ pattern })).toContain(`with ${what}, which RE2 does not have`)
  })

  it('is text that is not empty', () => {
    expect(aServerPattern({ pattern: '' })).toBe("must have 'pattern', a text")
    expect(aServerPattern({ pattern: /a/ })).toBe("must have 'pattern', a text")
    expect(aServerPattern({ pattern: 'a', flags: 'i' })).toBe('must be { pattern: text }')
  })
})
