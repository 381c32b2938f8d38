import { describe, expect, it } from '@jest/globals'
import { DECISIONS } from '../../../src/balanced/zookeeper/membership-protocol.ts'
import { inPykafkasOrder } from '../../../src/balanced/zookeeper/decide-partitions.ts'
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

/** pykafka's own tests of its two protocols, test_decide_partitions_range and …_roundrobin: 100 combinations. */
describe.each(['range', 'roundrobin'] as const)('the membership protocol %s', (protocol) => {
  it.each(numbers(100).map((index) => [index + 1, 100 - index] as const))(
    'assigns %i members of %i partitions each one once, and the first ones one more if it does not divide evenly',
    (memberCount, partitionCount) => {
      const members = numbers(memberCount).map((index) => `test-debian:${index}`)
      const leaders = numbers(partitionCount).map((partition) => partition % memberCount)
      const partitions = inPykafkasOrder(ledBy(...leaders))
      const inOrder = [...members].sort()
      const shares = inOrder.map((member) => DECISIONS[protocol](partitions, members, member))
      expect(shares.flat().sort((a, b) => a - b)).toEqual(numbers(partitionCount))
      const each = Math.floor(partitionCount / memberCount)
      const rest = partitionCount % memberCount
      expect(shares.map((share) => share.length)).toEqual(
        numbers(memberCount).map((index) => each + (index < rest ? 1 : 0)),
      )
    },
  )

  it('assigns nothing to a client that is not a member', () => {
    expect(DECISIONS[protocol]([0, 1], ['a'], 'b')).toEqual([])
    expect(DECISIONS[protocol]([0, 1], [], 'b')).toEqual([])
  })
})

/** Computed by running pykafka 2.8.0's functions. */
describe('the assignment of pykafka', () => {
  const members = ['h:b', 'h:a', 'h:c']

  it('is reproduced by range', () => {
    const share = (member: string) => DECISIONS.range([0, 10, 1, 2, 3, 4, 5], members, member)
    expect([share('h:a'), share('h:b'), share('h:c')]).toEqual([
      [0, 10, 1],
      [2, 3],
      [4, 5],
    ])
  })

  it('is reproduced by round robin', () => {
    const share = (member: string) => DECISIONS.roundrobin([0, 10, 1, 2, 3], members, member)
    expect([share('h:a'), share('h:b'), share('h:c')]).toEqual([[0, 2], [10, 3], [1]])
  })
})

describe('znodes of owners', () => {
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
