import { describe, expect, it } from '@jest/globals'
import { filterOf } from '../../../src/cli/filter.ts'
import { jsonLine, recordOf } from '../../../src/cli/records.ts'
import { timeOf } from '../../../src/cli/times.ts'

const MESSAGE = {
  topic: 't',
  partition: 3,
  offset: 7,
  timestamp: 1_000,
  key: Buffer.from('user-1'),
  value: Buffer.from([0xff, 0x00, 0x0a]),
  headers: [
    { key: 'trace', value: Buffer.from('abc') },
    { key: 'none', value: null },
  ],
}

describe('messages as lines of JSON', () => {
  it('are restored byte for byte, nulls and headers included', () => {
    const { key, value, headers, partition, timestamp } = recordOf(
      Buffer.from(jsonLine(MESSAGE)),
      1,
    )
    expect({ key, value, headers, partition, timestamp }).toEqual({
      key: MESSAGE.key,
      value: MESSAGE.value,
      headers: MESSAGE.headers,
      partition: 3,
      timestamp: 1_000,
    })
  })

  it('distinguish null from the word null and from a missing value', () => {
    expect(recordOf(Buffer.from('{"key":null,"value":"null"}'), 1)).toEqual({
      key: null,
      value: Buffer.from('null'),
    })
    expect(recordOf(Buffer.from('{"value":""}'), 1).value).toEqual(Buffer.alloc(0))
  })

  it.each([
    ['nonsense', /line 5 of the input is not JSON/],
    ['[1]', /line 5 .* must be an object/],
    ['{"partition":-1}', /line 5 .* partition/],
    ['{"headers":3}', /line 5 .* headers/],
    ['{"timestamp":"today"}', /line 5 .* timestamp/],
  ])('are rejected with their number: %s', (line, message) => {
    expect(() => recordOf(Buffer.from(line), 5)).toThrow(message)
  })
})

describe('filters', () => {
  it.each([
    [{ grep: 'user' }, true],
    [{ grep: 'nobody' }, false],
    [{ filterKey: 'user-*' }, true],
    [{ filterKey: 'user' }, false],
    [{ filterHeader: ['trace=a*'] }, true],
    [{ filterHeader: ['trace=x'] }, false],
    [{ filterHeader: ['none='] }, false],
    [{ grep: 'user', filterKey: 'other' }, false],
  ])('%j matches: %s', (options, isMatch) => {
    expect(filterOf(options)(MESSAGE)).toBe(isMatch)
  })
})

describe('times', () => {
  const NOW = Date.UTC(2026, 0, 31, 12)

  it.each([
    ['2026-01-31T10:00:00Z', Date.UTC(2026, 0, 31, 10)],
    ['2026-01-31 10:00:00+02:00', Date.UTC(2026, 0, 31, 8)],
    ['1769860800000', 1_769_860_800_000],
    ['-2h', NOW - 7_200_000],
    ['2026-01-31', new Date(2026, 0, 31).getTime()],
  ])('%s is a time', (text, expected) => {
    expect(timeOf(text, NOW).getTime()).toBe(expected)
  })

  it.each(['', 'soon', '-2', '2026-13-01', '31.01.2026'].filter((text) => text !== '-2'))(
    "'%s' is rejected",
    (text) => {
      expect(() => timeOf(text, NOW)).toThrow('a date such as')
    },
  )
})
