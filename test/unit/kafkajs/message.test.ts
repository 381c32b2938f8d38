import { describe, expect, it } from '@jest/globals'
import type { ConsumedMessage } from '../../../src/index.ts'
import { messageConverter } from '../../../src/kafkajs/consumer/message.ts'

const NUMBERS = [
  ...[0, 1, 999, 1_000, 1_001, 1_999, 2_000, 10_000, 999_999, 1_000_000, 1_000_007],
  ...[5, 123_456_789_012, 123_456_789_999, Number.MAX_SAFE_INTEGER],
]

function consumed(offset: number, timestamp: number): ConsumedMessage {
  const fields = { key: null, value: Buffer.from('v'), headers: [], offset, timestamp }
  return fields as unknown as ConsumedMessage
}

describe('a message in the form of kafkajs', () => {
  it('has the text of its offset and timestamp, in any order of messages', () => {
    const convert = messageConverter()
    const offsets = NUMBERS.map((offset) => convert(consumed(offset, 0)).offset)
    expect(offsets).toEqual(NUMBERS.map(String))
    const times = [-1, 5, 5, 7, -1].map((time) => convert(consumed(0, time)).timestamp)
    expect(times).toEqual(['-1', '5', '5', '7', '-1'])
  })
})
