import { describe, expect, it } from '@jest/globals'
import {
  decidePartitionsRange,
  decidePartitionsRoundrobin,
  pykafkaMembershipProtocol,
  pykafkaPartitioner,
  pykafkaRebalanceCallback,
  type ResetTo,
} from '../../src/index.ts'

describe('functions with the arguments of pykafka', () => {
  it('choose a partition from all partitions and the key', () => {
    const seen: unknown[] = []
    const partitioner = pykafkaPartitioner((partitions, key) => {
      seen.push([partitions, key])
      return partitions.at(-1)!
    })
    expect([partitioner('k', 3, 't'), partitioner(null, 2, 't')]).toEqual([2, 1])
    expect(seen).toEqual([
      [[0, 1, 2], 'k'],
      [[0, 1], null],
    ])
  })

  it('assign partitions from all members, all partitions, and one member', () => {
    const decide = pykafkaMembershipProtocol((participants, partitions, consumerId) => {
      expect([participants, partitions, consumerId]).toEqual([['a', 'b'], [0, 1, 2], 'b'])
      return new Set([partitions[0]!])
    })
    expect(decide([0, 1, 2], ['a', 'b'], 'b')).toEqual([0])
  })

  it('assign as decide_partitions_range and decide_partitions_roundrobin do', () => {
    const partitions = [0, 1, 2, 3, 4]
    const members = ['a', 'b']
    const shares = (decide: typeof decidePartitionsRange) =>
      members.map((member) => decide(members, partitions, member))
    expect(shares(decidePartitionsRange)).toEqual([
      [0, 1, 2],
      [3, 4],
    ])
    expect(shares(decidePartitionsRoundrobin)).toEqual([
      [0, 2, 4],
      [1, 3],
    ])
  })

  it('receive and return the offsets of the last consumed messages after a rebalance', async () => {
    const positions = new Map([
      [0, 0],
      [1, 5],
      [2, 5],
      [3, 5],
      [4, 5],
    ])
    const date = new Date(0)
    const callback = pykafkaRebalanceCallback((consumer, old, offsets) => {
      expect([consumer, [...old]]).toEqual(['the consumer', [[1, 3]]])
      expect([...offsets.values()]).toEqual([-2, 4, 4, 4, 4])
      return new Map<number, ResetTo>([
        [0, 7],
        [1, -2],
        [2, -1],
        [3, 'latest'],
        [4, date],
      ])
    })
    expect(await callback('the consumer', new Map([[1, 3]]), positions)).toEqual(
      new Map<number, ResetTo>([
        [0, 8],
        [1, 'earliest'],
        [2, 'latest'],
        [3, 'latest'],
        [4, date],
      ]),
    )
    const nothing = pykafkaRebalanceCallback(() => undefined)
    expect(await nothing('the consumer', new Map(), positions)).toBeUndefined()
  })

  it('are validated when they are passed', () => {
    for (const adapt of [pykafkaPartitioner, pykafkaMembershipProtocol, pykafkaRebalanceCallback]) {
      expect(() => adapt(undefined as never)).toThrow('the argument must be a function')
    }
  })
})
