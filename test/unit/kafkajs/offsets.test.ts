import { describe, expect, it } from '@jest/globals'
import { ResolvedOffsets } from '../../../src/kafkajs/consumer/offsets.ts'

const committed = (offset: number) => [
  { topic: 't', partitions: [{ partition: 0, offset: String(offset) }] },
]

describe('the resolved offsets of a consumer of samsa/kafkajs', () => {
  it('continue where reading began while nothing is processed, whatever was committed', () => {
    const offsets = new ResolvedOffsets()
    offsets.begin('t', 0, 100)
    offsets.committed(committed(200))
    expect(offsets.next('t', 0)).toBe(100)
    offsets.resolver('t', 0)(100)
    expect(offsets.next('t', 0)).toBe(101)
  })

  it('ignore a handler that outlives its partition, also when it is assigned again', () => {
    const offsets = new ResolvedOffsets()
    offsets.begin('t', 0, 10)
    const resolve = offsets.resolver('t', 0)
    offsets.forget('t', 0)
    resolve(10)
    offsets.committed(committed(11))
    expect(offsets.uncommitted()).toEqual([])
    offsets.begin('t', 0, 501)
    resolve(11)
    expect(offsets.uncommitted()).toEqual([])
    expect(offsets.next('t', 0)).toBe(501)
  })
})
