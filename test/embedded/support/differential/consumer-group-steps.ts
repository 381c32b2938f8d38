import * as apis from '../../../../protocol/apis/index.ts'
import { ErrorCode } from '../../../../protocol/errors.ts'
import { create } from './requests.ts'
import { ask, step, type Side, type Step } from './step.ts'

const TOPIC = 'cg'
const OTHER = 'cg-other'

interface Beat {
  readonly group?: string
  readonly member?: string
  readonly epoch: number
  readonly instance?: string | null
  readonly rack?: string | null
  readonly rebalanceTimeoutMs?: number
  readonly topics?: readonly string[] | null
  readonly pattern?: string | null
  readonly assignor?: string | null
  /** Partitions of `cg`; null where the member says nothing. */
  readonly owned?: readonly number[] | null
  readonly version?: number
}

function beat(what: string, wanted: Beat): Step {
  const { version = 1, owned = null, pattern = null } = wanted
  return step(`${what}: heartbeat`, apis.consumerGroupHeartbeat, version, (side) => ({
    groupId: wanted.group ?? 'cg',
    memberId: wanted.member ?? 'm1',
    memberEpoch: wanted.epoch,
    instanceId: wanted.instance ?? null,
    rackId: wanted.rack ?? null,
    rebalanceTimeoutMs: wanted.rebalanceTimeoutMs ?? -1,
    subscribedTopicNames:
      wanted.topics === undefined || wanted.topics === null ? null : [...wanted.topics],
    ...(version >= 1 ? { subscribedTopicRegex: pattern } : {}),
    serverAssignor: wanted.assignor ?? null,
    topicPartitions:
      owned === null
        ? null
        : owned.length === 0
          ? []
          : [{ topicId: side.topicId(TOPIC), partitions: [...owned] }],
  }))
}

const JOIN = { epoch: 0, rebalanceTimeoutMs: 60_000, topics: [TOPIC], owned: [] } as const

/** The order of members is that of a hash table in Java. */
function described(what: string, ...groupIds: readonly string[]): Step {
  return {
    name: `${what}: described`,
    async ask(side) {
      const response = await ask(side, apis.consumerGroupDescribe, 1, {
        groupIds: [...groupIds],
        includeAuthorizedOperations: false,
      })
      return response.groups.map(({ members, ...group }) => ({
        ...group,
        members: [...members].sort((a, b) => (a.memberId < b.memberId ? -1 : 1)),
      }))
    },
  }
}

function listed(what: string, typesFilter: readonly string[]): Step {
  return step(`${what}: listed`, apis.listGroups, 5, {
    statesFilter: [],
    typesFilter: [...typesFilter],
  })
}

interface Commit {
  readonly group?: string
  readonly member?: string
  readonly epoch: number
  readonly partition?: number
  readonly version?: number
}

function commit(what: string, wanted: Commit): Step {
  const { version = 10, partition = 0, epoch } = wanted
  return step(`${what}: commit`, apis.offsetCommit, version, (side) => ({
    groupId: wanted.group ?? 'cg',
    generationIdOrMemberEpoch: epoch,
    memberId: wanted.member ?? 'm1',
    topics: [
      {
        ...topic(side, version),
        partitions: [{ partitionIndex: partition, committedOffset: 7n, committedMetadata: 'here' }],
      },
    ],
  }))
}

function fetched(what: string, wanted: Commit & { readonly isMember?: boolean }): Step {
  const { version = 10, partition = 0, isMember = true } = wanted
  return step(`${what}: offset fetch`, apis.offsetFetch, version, (side) => ({
    groups: [
      {
        groupId: wanted.group ?? 'cg',
        ...(isMember ? { memberId: wanted.member ?? 'm1', memberEpoch: wanted.epoch } : {}),
        topics: [{ ...topic(side, version), partitionIndexes: [partition] }],
      },
    ],
    requireStable: false,
  }))
}

function topic(side: Side, version: number) {
  return version >= 10 ? { topicId: side.topicId(TOPIC) } : { name: TOPIC }
}

/** Groups of KIP-848, request by request. Their assignments are those of the assignor `range`, which has no ties. */
export const CONSUMER_GROUP_STEPS: readonly Step[] = [
  create('the topic', { name: TOPIC, numPartitions: 4 }),
  create('another topic', { name: OTHER }),
  {
    name: 'the coordinators',
    async ask(side) {
      for (const groupId of ['cg', 'cs']) {
        for (;;) {
          await ask(side, apis.findCoordinator, 6, { coordinatorKeys: [groupId] })
          const { errorCode } = await ask(side, apis.heartbeat, 4, {
            groupId,
            generationId: 0,
            memberId: 'x',
          })
          if (errorCode === ErrorCode.UNKNOWN_MEMBER_ID) break
        }
      }
      return undefined
    },
  },

  // Requests that cannot be right.
  beat('no group id', { ...JOIN, group: '' }),
  beat('no member id', { ...JOIN, member: '' }),
  beat('an empty instance id', { ...JOIN, instance: '' }),
  beat('an empty rack', { ...JOIN, rack: '' }),
  beat('an empty assignor', { ...JOIN, assignor: '' }),
  beat('no rebalance timeout', { ...JOIN, rebalanceTimeoutMs: -1 }),
  beat('joins with partitions', { ...JOIN, owned: [0] }),
  beat('joins without saying what it owns', { ...JOIN, owned: null }),
  beat('joins without a subscription', { ...JOIN, topics: null }),
  beat('leaves for a while without an instance id', { epoch: -2 }),
  beat('an epoch that is none', { epoch: -3 }),
  beat('an unknown assignor', { ...JOIN, assignor: 'mine' }),
  beat('an expression that is none', { ...JOIN, topics: null, pattern: '(' }),
  beat('a member of no group', { epoch: 3 }),
  beat('leaves no group', { epoch: -1 }),
  described('no group', 'cg'),

  // One member.
  beat('m1 joins', { ...JOIN, assignor: 'range' }),
  beat('m1 acknowledges', { epoch: 2, owned: [0, 1, 2, 3] }),
  beat('m1 has nothing to say', { epoch: 2 }),
  beat('m1 says everything again', {
    epoch: 2,
    rebalanceTimeoutMs: 60_000,
    topics: [TOPIC],
    owned: [0, 1, 2, 3],
  }),
  beat('m1 is ahead', { epoch: 9 }),
  beat('m1 is behind, and says nothing of what it owns', { epoch: 1 }),
  described('one member', 'cg'),
  listed('consumer groups', ['consumer']),
  listed('classic groups', ['classic']),
  step('as a classic group', apis.describeGroups, 6, { groups: ['cg'] }),

  // Offsets in the epoch.
  commit('m1', { epoch: 2 }),
  commit('m1 by name', { epoch: 2, version: 9, partition: 1 }),
  commit('m1 with too old a request', { epoch: 2, version: 8, partition: 1 }),
  commit('an epoch to come', { epoch: 3 }),
  commit('an epoch before', { epoch: 1 }),
  commit('an unknown member', { epoch: 2, member: 'nobody' }),
  commit('no member', { epoch: -1, member: '' }),
  fetched('m1', { epoch: 2 }),
  fetched('m1 by name', { epoch: 2, version: 9, partition: 1 }),
  fetched('an epoch to come', { epoch: 3 }),
  fetched('an epoch before', { epoch: 1 }),
  fetched('an unknown member', { epoch: 2, member: 'nobody' }),
  fetched('a tool', { epoch: -1, isMember: false }),

  // A second member, for which the first has to give up.
  beat('m2 joins', { ...JOIN, member: 'm2', assignor: 'range' }),
  described('m2 waits', 'cg'),
  beat('m1 learns of it', { epoch: 2 }),
  beat('m1 still owns all', { epoch: 2, owned: [0, 1, 2, 3] }),
  described('m1 is to give up', 'cg'),
  commit('m1 what it gives up', { epoch: 2, partition: 3 }),
  beat('m2 asks too early', { member: 'm2', epoch: 3 }),
  beat('m1 has given up', { epoch: 2, owned: [0, 1] }),
  commit('m1 what it has given up', { epoch: 3, partition: 3 }),
  commit('m1 in the epoch before, what it kept', { epoch: 2, partition: 0 }),
  beat('m1 repeats its acknowledgement with the epoch before', { epoch: 2, owned: [0, 1] }),
  beat('m1 with the epoch before and more than it has', { epoch: 2, owned: [0, 1, 2] }),
  beat('m2 gets its part', { member: 'm2', epoch: 3 }),
  beat('m2 acknowledges', { member: 'm2', epoch: 3, owned: [2, 3] }),
  described('both have their part', 'cg'),
  step('a group with members is not deleted', apis.deleteGroups, 2, { groupsNames: ['cg'] }),

  // Another subscription, and leaving.
  beat('m2 subscribes to more', { member: 'm2', epoch: 3, topics: [TOPIC, OTHER] }),
  beat('m2 leaves', { member: 'm2', epoch: -1 }),
  beat('m2 leaves again', { member: 'm2', epoch: -1 }),
  beat('m1 gets all', { epoch: 3 }),
  beat('m1 leaves', { epoch: -1 }),
  described('an empty group', 'cg'),
  commit('a tool, to an empty group', { epoch: -1, member: '' }),

  // Static members.
  beat('s1 joins', { ...JOIN, group: 'cs', member: 's1', instance: 'one', assignor: 'range' }),
  beat('s2 wants the same instance id', {
    ...JOIN,
    group: 'cs',
    member: 's2',
    instance: 'one',
    assignor: 'range',
  }),
  beat('s2 heartbeats with it', { group: 'cs', member: 's2', instance: 'one', epoch: 2 }),
  beat('an unknown instance', { group: 'cs', member: 's1', instance: 'two', epoch: 2 }),
  beat('s1 leaves for a while', { group: 'cs', member: 's1', instance: 'one', epoch: -2 }),
  described('a static member is away', 'cs'),
  beat('s2 takes its place', {
    ...JOIN,
    group: 'cs',
    member: 's2',
    instance: 'one',
    assignor: 'range',
  }),
  beat('s1 is fenced', { group: 'cs', member: 's1', instance: 'one', epoch: 2 }),
  described('a static member is back', 'cs'),
  beat('s2 leaves', { group: 'cs', member: 's2', instance: 'one', epoch: -1 }),
]
