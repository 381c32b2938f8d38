import { describe, expect, it } from '@jest/globals'
import {
  describeGroups,
  findCoordinator,
  offsetCommit,
  offsetFetch,
} from '../../protocol/apis/index.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import { EmbeddedCluster, type EmbeddedClusterOptions } from '../../src/embedded/index.ts'
import { runCommand } from '../support/run-command.ts'
import { kcatWrite } from '../support/kcat.ts'
import { describeWithBrokers } from '../support/real-brokers.ts'
import { GroupMember } from './support/group-member.ts'
import type { RawClient } from './support/raw-client.ts'
import { rawClientOf } from './support/requests.ts'

const start = (options: EmbeddedClusterOptions = {}) =>
  EmbeddedCluster.start({ topics: { t: { partitions: 2 } }, ...options })

async function stateOf(client: RawClient, group = 'g') {
  const { groups } = await client.request(describeGroups, 5, { groups: [group] })
  return groups[0]!
}

/** A group of one, its assignment given out. */
async function stableMember(kafka: EmbeddedCluster, options = {}): Promise<GroupMember> {
  const member = await GroupMember.open(kafka, options)
  await member.join()
  await member.sync({ [member.memberId]: 'all' })
  return member
}

describe('a classic group', () => {
  it('assigns a new member an id first, and admits it when it joins with that id', async () => {
    await using kafka = await start()
    using member = await GroupMember.open(kafka, { clientId: 'someone' })
    const first = await member.joinOnce()
    expect(first.errorCode).toBe(ErrorCode.MEMBER_ID_REQUIRED)
    expect(first.memberId).toMatch(/^someone-/)
    expect(await member.joinOnce()).toMatchObject({
      errorCode: 0,
      generationId: 1,
      leader: member.memberId,
      protocolName: 'range',
      members: [{ memberId: member.memberId, metadata: Buffer.from('topics') }],
    })
  })

  it('admits members of older versions at once', async () => {
    await using kafka = await start()
    using member = await GroupMember.open(kafka, { joinVersion: 3 })
    expect(await member.joinOnce()).toMatchObject({ errorCode: 0, generationId: 1 })
  })

  it('goes through its states, and gives each member the assignment of the leader', async () => {
    await using kafka = await start()
    using one = await GroupMember.open(kafka)
    using other = await GroupMember.open(kafka)
    using observer = await rawClientOf(kafka)

    await one.join()
    expect(await stateOf(observer)).toMatchObject({ groupState: 'CompletingRebalance' })
    expect(await one.sync({ [one.memberId]: 'all' })).toEqual({ errorCode: 0, assignment: 'all' })
    expect(await stateOf(observer)).toMatchObject({ groupState: 'Stable', protocolData: 'range' })

    await other.joinOnce()
    const joining = other.joinOnce()
    await kafka.requests.next({ api: 'JoinGroup' })
    expect(await stateOf(observer)).toMatchObject({ groupState: 'PreparingRebalance' })
    expect(await one.heartbeat()).toBe(ErrorCode.REBALANCE_IN_PROGRESS)

    const [leader, follower] = await Promise.all([one.join(), joining])
    expect(leader.members.map(({ memberId }) => memberId)).toEqual([one.memberId, other.memberId])
    expect(follower).toMatchObject({ generationId: 2, leader: one.memberId, members: [] })

    const waiting = other.sync()
    await kafka.requests.next({ api: 'SyncGroup' })
    await one.sync({ [one.memberId]: 'half', [other.memberId]: 'rest' })
    expect(await waiting).toEqual({ errorCode: 0, assignment: 'rest' })
    expect(await one.heartbeat()).toBe(0)
  })

  it('rebalances when a member leaves, and is empty when the last one has left', async () => {
    await using kafka = await start()
    using one = await stableMember(kafka)
    using other = await GroupMember.open(kafka)
    using observer = await rawClientOf(kafka)
    await other.joinOnce()
    const joining = other.joinOnce()
    await kafka.requests.next({ api: 'JoinGroup' })
    await one.join()
    await joining
    expect(await one.leave()).toBe(0)
    expect(await other.heartbeat()).toBe(ErrorCode.REBALANCE_IN_PROGRESS)
    expect(await other.join()).toMatchObject({ generationId: 3, leader: other.memberId })
    await other.leave()
    expect(await stateOf(observer)).toMatchObject({ groupState: 'Empty', members: [] })
    expect(await other.leave()).toBe(ErrorCode.UNKNOWN_MEMBER_ID)
  })

  it('removes a member that sends nothing for its session timeout', async () => {
    await using kafka = await start({ groupMinSessionTimeoutMs: 1 })
    using silent = await stableMember(kafka, { sessionTimeoutMs: 50 })
    using waiting = await GroupMember.open(kafka)
    // The rebalance that the new one starts ends when the silent one's session does.
    const joined = await waiting.join()
    expect(joined.members.map(({ memberId }) => memberId)).toEqual([waiting.memberId])
    expect(await silent.heartbeat()).toBe(ErrorCode.UNKNOWN_MEMBER_ID)
  })

  it('continues without a member that does not rejoin in time', async () => {
    await using kafka = await start()
    using late = await stableMember(kafka, { rebalanceTimeoutMs: 50 })
    using waiting = await GroupMember.open(kafka, { rebalanceTimeoutMs: 50 })
    const joined = await waiting.join()
    expect(joined).toMatchObject({ generationId: 2, leader: waiting.memberId })
    expect(await late.heartbeat()).toBe(ErrorCode.UNKNOWN_MEMBER_ID)
  })

  it('waits for more members as configured', async () => {
    await using kafka = await start({ groupInitialRebalanceDelayMs: 100 })
    const members = await Promise.all([GroupMember.open(kafka), GroupMember.open(kafka)])
    const answers = await Promise.all(members.map((member) => member.join()))
    expect(answers.map(({ generationId }) => generationId)).toEqual([1, 1])
    for (const member of members) member[Symbol.dispose]()
  })

  it('rejects sessions shorter than its minimum', async () => {
    await using kafka = await start()
    using member = await GroupMember.open(kafka, { sessionTimeoutMs: 5_999 })
    expect(await member.join()).toMatchObject({ errorCode: ErrorCode.INVALID_SESSION_TIMEOUT })
  })

  describe('static members (KIP-345)', () => {
    it('keep their assignment when they restart, and fence the previous instance', async () => {
      await using kafka = await start()
      using before = await stableMember(kafka, { instanceId: 'i' })
      using after = await GroupMember.open(kafka, { instanceId: 'i' })
      expect(await after.join()).toMatchObject({
        errorCode: 0,
        generationId: 1,
        skipAssignment: true,
        leader: after.memberId,
      })
      expect(await after.sync()).toEqual({ errorCode: 0, assignment: 'all' })
      expect(await before.heartbeat()).toBe(ErrorCode.FENCED_INSTANCE_ID)
      expect(await after.heartbeat()).toBe(0)
    })
  })

  describe('committed offsets', () => {
    const commit = async (member: GroupMember, generation: number) => {
      const { topics } = await member.client.request(offsetCommit, 8, {
        groupId: 'g',
        generationIdOrMemberEpoch: generation,
        memberId: member.memberId,
        topics: [
          {
            name: 't',
            partitions: [{ partitionIndex: 0, committedOffset: 7n, committedMetadata: 'note' }],
          },
        ],
      })
      return topics[0]!.partitions[0]!.errorCode
    }
    const committedAt = async (client: RawClient) => {
      const { topics } = await client.request(offsetFetch, 7, { groupId: 'g', topics: null })
      return topics
    }

    it('are stored for members of the current generation only', async () => {
      await using kafka = await start()
      using member = await stableMember(kafka)
      expect(await commit(member, member.generation - 1)).toBe(ErrorCode.ILLEGAL_GENERATION)
      expect(await committedAt(member.client)).toEqual([])
      expect(await commit(member, member.generation)).toBe(0)
      expect(await committedAt(member.client)).toMatchObject([
        { name: 't', partitions: [{ partitionIndex: 0, committedOffset: 7n, metadata: 'note' }] },
      ])
    })

    it('are deleted with their topic', async () => {
      await using kafka = await start()
      using member = await stableMember(kafka)
      await commit(member, member.generation)
      kafka.deleteTopic('t')
      expect(await committedAt(member.client)).toEqual([])
    })
  })

  describe('coordinators', () => {
    const coordinatorTold = async (client: RawClient) => {
      const { nodeId } = await client.request(findCoordinator, 3, { key: 'g', keyType: 0 })
      return nodeId
    }

    it('take over the group and its members from a broker that stops', async () => {
      await using kafka = await start({ brokers: 3 })
      using member = await stableMember(kafka)
      const before = kafka.coordinatorOf('g')
      await kafka.stopBroker(before)
      const after = kafka.coordinatorOf('g')
      expect(after).not.toBe(before)
      using moved = await GroupMember.open(kafka)
      Object.assign(moved, { memberId: member.memberId, generation: member.generation })
      expect(await coordinatorTold(moved.client)).toBe(after)
      expect(await moved.heartbeat()).toBe(0)
    })

    it('redirect members when they are moved, waiting ones immediately', async () => {
      await using kafka = await start({ brokers: 2 })
      using member = await stableMember(kafka)
      using joining = await GroupMember.open(kafka)
      await joining.joinOnce()
      const waiting = joining.joinOnce()
      await kafka.requests.next({ api: 'JoinGroup' })
      kafka.moveCoordinator('g', kafka.coordinatorOf('g') === 1 ? 2 : 1)
      expect(await waiting).toMatchObject({ errorCode: ErrorCode.NOT_COORDINATOR })
      expect(await member.heartbeat()).toBe(ErrorCode.NOT_COORDINATOR)
    })
  })
})

describeWithBrokers('kcat as a member of a group', ['kcat'], () => {
  it.each(['0.9', '4.4'] as const)(
    'reads all messages and stores its position, with Kafka %s',
    async (version) => {
      await using kafka = await start({ version })
      const place = { version, hosts: kafka.hosts }
      const old =
        version === '0.9'
          ? [
              'broker.version.fallback=0.9.0',
              'api.version.request=false',
              'session.timeout.ms=30000',
            ].flatMap((option) => ['-X', option])
          : []
      const read = async () => {
        const args = ['-b', kafka.hosts, ...old, '-q', '-e', '-X', 'auto.offset.reset=earliest']
        const { stdout } = await runCommand('kcat', [...args, '-G', 'readers', 't'])
        return String(stdout)
      }
      await kcatWrite(place, 't', 'one\n')
      expect(await read()).toBe('one\n')
      await kcatWrite(place, 't', 'two\n')
      expect(await read()).toBe('two\n')
    },
  )
})
