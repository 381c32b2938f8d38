import { describe, expect, it } from '@jest/globals'
import { rangeOf, topicsOf } from '../../../src/cli/range.ts'

const endless = { untilOffset: Infinity, untilMs: Infinity }

describe('the range of consume', () => {
  it.each([
    ['beginning', { at: 'earliest' }],
    ['end', { at: 'latest' }],
    ['17', { at: 'earliest', atOffset: 17 }],
    ['-3', { at: 'earliest', beforeEnd: 3 }],
    ['s@1500000000000', { at: new Date(1_500_000_000_000) }],
    ['@1500000000000', { at: new Date(1_500_000_000_000) }],
    ['e@1500000000000', { at: 'latest', untilMs: 1_500_000_000_000 }],
    ['10:20', { at: 'earliest', atOffset: 10, untilOffset: 20 }],
    [
      '@2026-01-31T10:00:00Z:2026-01-31T11:30:00Z',
      { at: new Date('2026-01-31T10:00:00Z'), untilMs: Date.parse('2026-01-31T11:30:00Z') },
    ],
  ] as const)('is parsed from -o %s', (text, expected) => {
    expect(rangeOf({ offset: [text] }, 'latest')).toEqual({ ...endless, ...expected })
  })

  it('rejects an end that is not after the start', () => {
    for (const offset of [['5:2'], ['5:5'], ['s@1500000000001', 'e@1500000000000']]) {
      expect(() => rangeOf({ offset }, 'latest')).toThrow('its end must be after its start')
    }
  })

  it('has at most one start and one end', () => {
    const both = rangeOf({ offset: ['s@1500000000000', 'e@1500000000001'] }, 'latest')
    expect(both.untilMs).toBe(1_500_000_000_001)
    expect(() => rangeOf({ offset: ['1', '2'] }, 'latest')).toThrow('only one of')
    expect(() => rangeOf({ offset: ['e@1500000000000'], until: '-1h' }, 'latest')).toThrow(
      'only one of --until',
    )
    expect(() => rangeOf({ offset: ['middle'] }, 'latest')).toThrow("'middle' is not an offset")
  })
})

describe('topics by name and pattern', () => {
  it('are names if there is no pattern, otherwise one expression', () => {
    expect(topicsOf(['a', 'b', 'a'])).toEqual(['a', 'b'])
    const pattern = topicsOf(['a.*', 'b', '/^c\\d$/']) as RegExp
    const names = ['a.', 'a.x', 'ax', 'b', 'bb', 'c1', 'cc']
    expect(names.filter((name) => pattern.test(name))).toEqual(['a.', 'a.x', 'b', 'c1'])
    expect(() => topicsOf(['/(/'])).toThrow('Invalid regular expression')
  })
})
