import { describe, expect, it } from '@jest/globals'
import { encodeBatch } from '../../../protocol/records/encode-batch.ts'
import { CorruptBatchError } from '../../../src/errors.ts'
import { readAcquired, type AcquiredRange } from '../../../src/share/acquired-records.ts'
import { record } from '../records/records.ts'

const where = { topic: 'jobs', partition: 0 }

/** Batches of this many records each, one after the other. */
function batches(...counts: readonly number[]): Buffer {
  let baseOffset = 0n
  return Buffer.concat(
    counts.map((count) => {
      const records = Array.from({ length: count }, () => record('k', 'v'))
      const batch = encodeBatch(records, { baseOffset })
      baseOffset += BigInt(count)
      return batch
    }),
  )
}

const range = (first: number, last: number, deliveryCount = 1): AcquiredRange => ({
  first,
  last,
  deliveryCount,
})

describe('the acquired part of a response', () => {
  it('contains only the records of the acquired ranges, with their delivery counts', () => {
    const { messages, gaps, unread } = readAcquired(where, batches(5, 5), [
      range(1, 2),
      range(6, 7, 3),
    ])
    expect(messages.map(({ message, deliveryCount }) => [message.offset, deliveryCount])).toEqual([
      [1, 1],
      [2, 1],
      [6, 3],
      [7, 3],
    ])
    expect(gaps).toEqual([])
    expect(unread).toEqual([])
  })

  it('has a gap for each acquired offset without a record', () => {
    const data = Buffer.concat([batches(2), batches(2, 4, 2).subarray(batches(2, 4).length)])
    const { messages, gaps } = readAcquired(where, data, [range(0, 7)])
    expect(messages.map(({ message }) => message.offset)).toEqual([0, 1, 6, 7])
    expect(gaps).toEqual([{ first: 2, last: 5 }])
  })

  it('does not report as a gap what the response does not reach', () => {
    const whole = batches(3, 3)
    const cut = whole.subarray(0, whole.length - 5)
    const { messages, gaps, unread } = readAcquired(where, cut, [range(0, 5)])
    expect(messages).toHaveLength(3)
    expect(gaps).toEqual([])
    expect(unread).toEqual([{ first: 3, last: 5 }])
    expect(readAcquired(where, null, [range(4, 6)]).unread).toEqual([{ first: 4, last: 6 }])
  })

  it('leaves damaged records unread, with the error', () => {
    const data = Buffer.from(batches(3, 3))
    data[data.length - 1]! ^= 1
    const { messages, unread, error } = readAcquired(where, data, [range(0, 5)])
    expect(messages).toHaveLength(3)
    expect(unread).toEqual([{ first: 3, last: 5 }])
    expect(error).toBeInstanceOf(CorruptBatchError)
  })
})
