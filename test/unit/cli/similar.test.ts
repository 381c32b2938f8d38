import { describe, expect, it } from '@jest/globals'
import { didYouMean, similarTo } from '../../../src/cli/similar.ts'

const TOPICS = ['orders', 'orders-dlq', 'page-views', 'page-clicks', 'users']

describe('suggestions for a mistyped name', () => {
  it.each([
    ['order', ['orders', 'orders-dlq']],
    ['odrers', ['orders']],
    ['ORDERS', ['orders', 'orders-dlq']],
    ['page-view', ['page-views']],
    ['pageviews', ['page-views']],
    ['user', ['users']],
    ['us', []],
    ['payments', []],
  ] as const)('for %s are %j', (name, expected) => {
    expect(similarTo(name, TOPICS)).toEqual(expected)
  })

  it('are at most three, the nearest first', () => {
    expect(similarTo('topic-1', ['topic-12', 'topic-2', 'topic-3', 'topic-4'])).toEqual([
      'topic-12',
      'topic-2',
      'topic-3',
    ])
  })

  it('are a question in parentheses, or nothing', () => {
    expect(didYouMean('odrers', TOPICS)).toBe(' (Did you mean orders?)')
    expect(didYouMean('order', TOPICS)).toBe(' (Did you mean one of orders, orders-dlq?)')
    expect(didYouMean('payments', TOPICS)).toBe('')
  })
})
