import { describe, expect, it } from '@jest/globals'
import { encodeBatch } from '../../../protocol/records/encode-batch.ts'
import { OutgoingRecord } from '../../../protocol/records/outgoing-record.ts'
import { readBatches } from '../../../protocol/records/read-batches.ts'
import { AbortedTransactions } from '../../../src/consumer/fetch/aborted-transactions.ts'

const ABORT = 0
const COMMIT = 1

interface Written {
  readonly producer: number
  readonly offset: number
  /** Nothing for messages of a transaction. */
  readonly marker?: typeof ABORT | typeof COMMIT
  readonly plain?: boolean
}

function batch({ producer, offset, marker, plain = false }: Written) {
  const key = Buffer.from([0, 0, 0, marker ?? 0])
  const record = new OutgoingRecord(marker === undefined ? null : key, Buffer.from('value'), 0)
  const data = encodeBatch([record], {
    producerId: BigInt(producer),
    producerEpoch: 0,
    baseSequence: 0,
    transactional: !plain,
    control: marker !== undefined,
    baseOffset: BigInt(offset),
  })
  return readBatches(data, { topic: 't', partition: 0 }).batches[0]!
}

/** The offsets that a consumer of what is committed gets. */
function committed(log: readonly Written[], aborted: readonly [producer: number, first: number][]) {
  const transactions = new AbortedTransactions(
    aborted.map(([producer, first]) => ({
      producerId: BigInt(producer),
      firstOffset: BigInt(first),
    })),
  )
  return log
    .map(batch)
    .filter((one) => !transactions.includes(one) && !one.control)
    .map(({ baseOffset }) => baseOffset)
}

/** Seconds of the processor that work takes. */
function secondsOf(work: () => void): number {
  const before = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1e6
}

describe('aborted transactions', () => {
  it('take no more than ten times as long as sorting them and collecting their producers', () => {
    const aborted = Array.from({ length: 200_000 }, (_, index) => ({
      producerId: BigInt(index),
      firstOffset: BigInt(index),
    }))
    const least = secondsOf(() => {
      const sorted = [...aborted].sort((a, b) => Number(a.firstOffset - b.firstOffset))
      expect(new Set(sorted.map(({ producerId }) => producerId)).size).toBe(aborted.length)
    })
    const taken = secondsOf(() => {
      const transactions = new AbortedTransactions(aborted)
      expect(transactions.includes(batch({ producer: 7, offset: 2_000_000 }))).toBe(true)
    })
    // Where each is taken out of the front of an array it is about ninety times as long.
    expect(taken / least).toBeLessThan(10)
  })

  it('end at a marker that cannot be read, and the next one of the producer is delivered', () => {
    const transactions = new AbortedTransactions([{ producerId: 1n, firstOffset: 0n }])
    const identity = { producerId: 1n, producerEpoch: 0, baseSequence: 0, transactional: true }
    const marker = encodeBatch([new OutgoingRecord('', '', 0)], {
      ...identity,
      control: true,
      baseOffset: 1n,
    })
    const unreadable = readBatches(marker, { topic: 't', partition: 0 }).batches[0]!
    expect(transactions.includes(batch({ producer: 1, offset: 0 }))).toBe(true)
    expect(transactions.includes(unreadable)).toBe(true)
    expect(transactions.includes(batch({ producer: 1, offset: 2 }))).toBe(false)
  })

  it('are not delivered, and everything between them is', () => {
    const log = [
      { producer: 1, offset: 0 },
      { producer: 2, offset: 1 },
      { producer: 1, offset: 2 },
      { producer: 9, offset: 3, plain: true },
      { producer: 2, offset: 4, marker: COMMIT },
      { producer: 1, offset: 5, marker: ABORT },
    ] as const
    expect(committed(log, [[1, 0]])).toEqual([1, 3])
  })

  it('that began before the response are skipped from their first message in it on', () => {
    const log = [
      { producer: 1, offset: 100 },
      { producer: 1, offset: 101 },
    ]
    expect(committed(log, [[1, 40]])).toEqual([])
  })

  it('of one producer each end with their own marker', () => {
    const log = [
      { producer: 1, offset: 0 },
      { producer: 1, offset: 1, marker: ABORT },
      { producer: 1, offset: 2 },
      { producer: 1, offset: 3, marker: COMMIT },
      { producer: 1, offset: 4 },
      { producer: 1, offset: 5, marker: ABORT },
      { producer: 1, offset: 6 },
      { producer: 1, offset: 7, marker: COMMIT },
    ] as const
    const firsts: [number, number][] = [[1, 4], [1, 0]] // prettier-ignore
    expect(committed(log, firsts)).toEqual([2, 6])
  })

  it('do not include a message of the same producer without a transaction', () => {
    const log = [
      { producer: 1, offset: 0, plain: true },
      { producer: 1, offset: 1 },
    ]
    expect(committed(log, [[1, 0]])).toEqual([0])
  })
})
