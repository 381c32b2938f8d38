import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { EmbeddedCluster } from '../../src/embedded/index.ts'
import { transactionScene, type TransactionScene } from './support/transaction-scene.ts'

const VALUE = Buffer.alloc(10_000, 'x')

/** Each partition of a transaction costs a broker a verification and a marker. */
describe('messages without a key', () => {
  let scene: TransactionScene

  /** Produces this many messages in a transaction, and returns their partitions. */
  const partitionsOf = (messages: number): Promise<Set<number>> =>
    scene.producer.transaction(async (tx) => {
      const sent = await Promise.all(Array.from({ length: messages }, () => tx.produce('a', VALUE)))
      return new Set(sent.map(({ partition }) => partition))
    })

  beforeEach(async () => {
    const kafka = await EmbeddedCluster.start({
      transactionVersion: 2,
      topics: { a: { partitions: 8 } },
    })
    scene = await transactionScene(kafka)
  })
  afterEach(async () => {
    await scene[Symbol.asyncDispose]()
  })

  it('go to one partition within a transaction, up to 1 MiB', async () => {
    expect((await partitionsOf(90)).size).toBe(1)
    expect((await partitionsOf(150)).size).toBe(2)
  })

  it('go to another partition in the next transaction if 64 KiB went to this one', async () => {
    const [first] = await partitionsOf(3)
    const [second] = await partitionsOf(4)
    expect(second).toBe(first)
    const [third] = await partitionsOf(1)
    expect(third).not.toBe(first)
  })
})
