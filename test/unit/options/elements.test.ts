import { describe, expect, it } from '@jest/globals'
import {
  aBoolean,
  anArrayOf,
  anInteger,
  aRegExp,
  aString,
  aTableOf,
  concealed,
  either,
  problemWith,
  type Check,
} from '../../../src/options.ts'

const INTEGER = 'must be a whole number of at least 0'

describe('the error about a value', () => {
  it.each<[string, unknown, Check<unknown>, string]>([
    ['the value', 'x', aBoolean, "must be true or false, not 'x'"],
    [
      'an array that should be another value',
      [],
      aBoolean,
      'must be true or false, not an empty array',
    ],
    [
      'the element of an array',
      [0, 'x'],
      anArrayOf(anInteger(0)),
      `${INTEGER}, not 'x' (at index 1)`,
    ],
    [
      'the element of an array in an array',
      [[0], [1, -1]],
      anArrayOf(anArrayOf(anInteger(0))),
      `${INTEGER}, not -1 (at index 1, at index 1)`,
    ],
    [
      'the element of an array in a table',
      { t: [-1] },
      aTableOf(anArrayOf(anInteger(0)), 'of topic'),
      `${INTEGER}, not -1 (at index 0, of topic 't')`,
    ],
    [
      'the element of an array that other values could replace',
      ['t', 7],
      either(anArrayOf(aString), aRegExp),
      'must be a non-empty string, not 7 (at index 1)',
    ],
    [
      'a value that none of several checks accepts',
      7,
      either(anArrayOf(aString), aRegExp),
      'must be an array, or must be a RegExp, not 7',
    ],
    [
      'the type of an element that may be secret',
      ['user:password', 7],
      concealed(anArrayOf(aBoolean)),
      'must be true or false, not string (at index 0)',
    ],
  ])('shows %s', (_, value, check, problem) => {
    expect(problemWith(value, check)).toBe(problem)
  })
})
