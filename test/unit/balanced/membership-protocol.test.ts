import { describe, expect, it } from '@jest/globals'
import { DECISIONS, inPykafkasOrder } from '../../../src/balanced/zookeeper/membership-protocol.ts'
import { GroupPaths, partitionOf } from '../../../src/balanced/zookeeper/znodes.ts'
import type { PartitionMetadata } from '../../../src/cluster/metadata.ts'

function ledBy(...leaders: readonly number[]): PartitionMetadata[] {
  return leaders.map((leader, partition) => ({
    partition,
    errorCode: 0,
    leader,
    leaderEpoch: 0,
    replicas: [leader],
    isr: [leader],
  }))
}

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index)
}

describe("pykafka's order of partitions", () => {
  it('is that of the text topic-leader-partition', () => {
    expect(inPykafkasOrder(ledBy(...numbers(12).map(() => 0)))).toEqual([
      ...[0, 1, 10, 11, 2, 3, 4, 5, 6, 7, 8, 9],
    ])
    expect(inPykafkasOrder(ledBy(10, 9, 10, 2))).toEqual([0, 2, 3, 1])
  })
})

/** pykafka's own test of its two protocols: test_balancedconsumer.py, 100 combinations. */
describe.each(['range', 'roundrobin'] as const)('the decision %s', (protocol) => {
  it.each(numbers(10).flatMap((c) => numbers(10).map((p) => [c + 1, p * 7] as const)))(
    'gives %i members of %i partitions each one once, and as many as the others or one more',
    (memberCount, partitionCount) => {
      const members = numbers(memberCount).map((index) => `host-${index}`)
      const partitions = numbers(partitionCount)
      const shares = members.map((member) => DECISIONS[protocol](partitions, members, member))
      expect(shares.flat().sort((a, b) => a - b)).toEqual(partitions)
      const sizes = shares.map((share) => share.length)
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1)
    },
  )

  it('gives nothing to who is no member', () => {
    expect(DECISIONS[protocol]([0, 1], ['a'], 'b')).toEqual([])
    expect(DECISIONS[protocol]([0, 1], [], 'b')).toEqual([])
  })
})

/** Worked out by running pykafka 2.8.0's functions. */
describe('decisions that pykafka makes', () => {
  const members = ['h:b', 'h:a', 'h:c']

  it('by range', () => {
    const share = (member: string) => DECISIONS.range([0, 10, 1, 2, 3, 4, 5], members, member)
    expect([share('h:a'), share('h:b'), share('h:c')]).toEqual([
      [0, 10, 1],
      [2, 3],
      [4, 5],
    ])
  })

  it('by round robin', () => {
    const share = (member: string) => DECISIONS.roundrobin([0, 10, 1, 2, 3], members, member)
    expect([share('h:a'), share('h:b'), share('h:c')]).toEqual([[0, 2], [10, 3], [1]])
  })
})

describe('znodes', () => {
  it.each([
    ['1-7', 7],
    ['-1-7', 7],
    ['7', 7],
    ['12-345', 345],
    ['lock', undefined],
    ['1-', undefined],
    ['1-2-3', undefined],
  ])('%s is about partition %s', (name, partition) => {
    expect(partitionOf(name)).toBe(partition)
  })

  it('claim a partition in both folders, under all brokers that may lead it', () => {
    const [first] = ledBy(4)
    expect(new GroupPaths('g').claim('t', { ...first!, replicas: [5, 4] })).toEqual([
      '/consumers/g/owners/t/4-0',
      '/consumers/g/owners/t/5-0',
      "/consumers/g/owners/b't'/4-0",
      "/consumers/g/owners/b't'/5-0",
    ])
  })
})
