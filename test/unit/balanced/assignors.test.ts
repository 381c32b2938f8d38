import { describe, expect, it } from '@jest/globals'
import type {
  AssignableTopics,
  Assignment,
  ImmediateAssignor,
  GroupMember,
} from '../../../src/balanced/assignors/assignor.ts'
import { rangeAssignor } from '../../../src/balanced/assignors/range.ts'
import { roundRobinAssignor } from '../../../src/balanced/assignors/round-robin.ts'
import {
  cooperativeStickyAssignor,
  stickyAssignor,
} from '../../../src/balanced/assignors/sticky.ts'
import {
  decodeGeneration,
  decodeStickyUserData,
  encodeStickyUserData,
} from '../../../src/balanced/assignors/user-data.ts'
import { BUILT_IN } from '../../../src/balanced/classic/settings.ts'

function member(memberId: string, topics: readonly string[], more: Partial<GroupMember> = {}) {
  return {
    memberId,
    topics,
    groupInstanceId: undefined,
    ownedPartitions: [],
    generation: -1,
    rack: undefined,
    userData: undefined,
    ...more,
  } satisfies GroupMember
}

function topicsOf(counts: Readonly<Record<string, number>>): AssignableTopics {
  return new Map(
    Object.entries(counts).map(([topic, count]) => [
      topic,
      Array.from({ length: count }, (_, partition) => ({ partition, racks: new Set<string>() })),
    ]),
  )
}

/** `{ a: 't0 t1' }`: what each member gets. */
function shown(assignment: Assignment): Record<string, string> {
  return Object.fromEntries(
    [...assignment].map(([id, partitions]) => [
      id,
      partitions.map(({ topic, partition }) => `${topic}${partition}`).join(' '),
    ]),
  )
}

/** The same members in the next generation, knowing what they were given. */
function afterwards(members: readonly GroupMember[], assignment: Assignment, generation: number) {
  return members.map((one): GroupMember => {
    const ownedPartitions = assignment.get(one.memberId) ?? []
    const userData = encodeStickyUserData({ partitions: ownedPartitions, generation })
    return { ...one, ownedPartitions, generation, userData }
  })
}

describe('assignors', () => {
  it('range divides each topic into contiguous pieces, the first members getting more', () => {
    const members = [member('b', ['t', 'u']), member('a', ['t', 'u'])]
    expect(shown(rangeAssignor.assign(members, topicsOf({ t: 3, u: 3 })))).toEqual({
      a: 't0 t1 u0 u1',
      b: 't2 u2',
    })
  })

  it('range assigns each member nearby replicas if racks differ (KIP-881)', () => {
    const members = [member('a', ['t'], { rack: 'east' }), member('b', ['t'], { rack: 'west' })]
    const racks = ['west', 'west', 'east', 'east']
    const topics: AssignableTopics = new Map([
      ['t', racks.map((rack, partition) => ({ partition, racks: new Set([rack]) }))],
    ])
    expect(shown(rangeAssignor.assign(members, topics))).toEqual({ a: 't2 t3', b: 't0 t1' })
  })

  it('round robin deals all topics out in turn', () => {
    const members = [member('a', ['t', 'u']), member('b', ['t', 'u'])]
    expect(shown(roundRobinAssignor.assign(members, topicsOf({ t: 3, u: 3 })))).toEqual({
      a: 't0 t2 u1',
      b: 't1 u0 u2',
    })
  })

  /** pykafka's own tests of the same in its managed consumer: 100 combinations. */
  it.each([rangeAssignor, roundRobinAssignor])(
    '$name assigns each partition once, and the first members one more if it does not divide evenly',
    (assignor) => {
      for (let index = 0; index < 100; index++) {
        const [memberCount, partitionCount] = [index + 1, 100 - index]
        const members = Array.from({ length: memberCount }, (_, number) =>
          member(`test-debian:${number}`, ['t']),
        )
        const assignment = assignor.assign(members, topicsOf({ t: partitionCount }))
        const given = [...assignment.values()].flat().map(({ partition }) => partition)
        expect(given.sort((a, b) => a - b)).toEqual([...Array(partitionCount).keys()])
        const each = Math.floor(partitionCount / memberCount)
        const rest = partitionCount % memberCount
        const inOrder = members.map(({ memberId }) => memberId).sort()
        expect(inOrder.map((id) => assignment.get(id)?.length)).toEqual(
          inOrder.map((_, position) => each + (position < rest ? 1 : 0)),
        )
      }
    },
  )

  it('range and round robin order static members by their instance id, whatever their member id', () => {
    for (const assignor of [rangeAssignor, roundRobinAssignor]) {
      const before = ['x', 'y'].map((id) => member(`${id}-1`, ['t'], { groupInstanceId: id }))
      const after = [
        member('z-2', ['t'], { groupInstanceId: 'x' }),
        member('a-2', ['t'], { groupInstanceId: 'y' }),
      ]
      const [first] = shownList(assignor.assign(before, topicsOf({ t: 2 })), 'x-1')
      const [again] = shownList(assignor.assign(after, topicsOf({ t: 2 })), 'z-2')
      expect(again).toBe(first)
    }
  })

  it('sticky takes partitions from members with too many, and moves nothing else', () => {
    const topics = topicsOf({ t: 6 })
    const two = [member('a', ['t']), member('b', ['t'])]
    const before = afterwards(two, stickyAssignor.assign(two, topics), 1)
    const assignment = stickyAssignor.assign([...before, member('c', ['t'])], topics)
    expect(shown(assignment)).toEqual({ a: 't0 t2', b: 't1 t3', c: 't4 t5' })
  })

  it('cooperative-sticky assigns in the next generation what another member still holds', () => {
    const topics = topicsOf({ t: 4 })
    const one = [member('a', ['t'])]
    const before = afterwards(one, cooperativeStickyAssignor.assign(one, topics), 1)
    const both = [...before, member('b', ['t'])]
    const first = cooperativeStickyAssignor.assign(both, topics)
    expect(shown(first)).toEqual({ a: 't0 t1', b: '' })
    const second = cooperativeStickyAssignor.assign(afterwards(both, first, 2), topics)
    expect(shown(second)).toEqual({ a: 't0 t1', b: 't2 t3' })
  })

  it.each(Object.values(BUILT_IN).map((assignor) => [assignor.name, assignor] as const))(
    '%s assigns nothing to members without subscriptions, and ignores topics that do not exist',
    (_, assignor: ImmediateAssignor) => {
      const members = [member('a', []), member('b', ['t', 'missing'])]
      const assignment = assignor.assign(members, topicsOf({ t: 2 }))
      expect(shown(assignment)).toEqual({ a: '', b: 't0 t1' })
      expect(shown(assignor.assign([member('a', [])], topicsOf({})))).toEqual({ a: '' })
    },
  )

  it('a partition that two members claim stays with the one of the newer generation', () => {
    const claims = [{ topic: 't', partition: 0 }]
    const members = [
      member('a', ['t'], { ownedPartitions: claims, generation: 4 }),
      member('b', ['t'], { ownedPartitions: claims, generation: 5 }),
    ]
    const assignment = cooperativeStickyAssignor.assign(members, topicsOf({ t: 1 }))
    expect(shown(assignment)).toEqual({ a: '', b: 't0' })
  })

  it('a partition that two claim in the same generation is taken from both first', () => {
    const claims = [{ topic: 't', partition: 0 }]
    const members = ['a', 'b'].map((id) =>
      member(id, ['t'], { ownedPartitions: claims, generation: 5 }),
    )
    const assignment = cooperativeStickyAssignor.assign(members, topicsOf({ t: 2 }))
    expect([...assignment.values()].flat()).toEqual([{ topic: 't', partition: 1 }])
  })

  it('user data of another type claims nothing', () => {
    for (const bytes of ['', '00', 'ffffffff', '7fffffff', '000000020001']) {
      const claim = decodeStickyUserData(Buffer.from(bytes, 'hex'))
      expect(claim).toEqual({ partitions: [], generation: -1 })
    }
    expect(decodeGeneration(Buffer.from('01', 'hex'))).toBe(-1)
    // Before Kafka 2.3: without a generation.
    const old = Buffer.from('000000010001740000000100000003', 'hex')
    const claim = { partitions: [{ topic: 't', partition: 3 }], generation: -1 }
    expect(decodeStickyUserData(old)).toEqual(claim)
  })
})

function shownList(assignment: Assignment, memberId: string): string[] {
  return assignment.get(memberId)!.map(({ topic, partition }) => `${topic}${partition}`)
}
