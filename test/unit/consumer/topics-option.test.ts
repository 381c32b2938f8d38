import { describe, expect, it } from '@jest/globals'
import { topicsFrom } from '../../../src/consumer/topics-option.ts'
import { KafkaClient } from '../../../src/index.ts'

describe('the topics of a multi-topic consumer', () => {
  it('are each listed once', () => {
    expect(topicsFrom(['b', 'a', 'b'])).toEqual(['b', 'a'])
  })

  it('match a pattern on each check, whatever its flags', () => {
    const pattern = topicsFrom(/^ORDERS/giy) as RegExp
    expect([1, 2, 3].map(() => pattern.test('orders-eu'))).toEqual([true, true, true])
    expect(pattern.flags).toBe('i')
  })

  it.each([
    ['an empty list', { topics: [] }, 'topics: must not be empty'],
    ['nothing at all', {}, "option 'topics' is missing"],
  ])('cannot be %s', async (_, options, message) => {
    const client = new KafkaClient({ hosts: '127.0.0.1:1' })
    const group = { ...options, consumerGroup: 'g' } as never
    await expect(client.getConsumer(group)).rejects.toThrow(message)
    await expect(client.getBalancedConsumer(group)).rejects.toThrow(message)
    await client.close()
  })
})
