import * as apis from '../../../../protocol/apis/index.ts'
import { ErrorCode } from '../../../../protocol/errors.ts'
import { batch, create, produce } from './requests.ts'
import { ask, step, type Step } from './step.ts'

interface MemberOptions {
  readonly version?: number
  readonly groupId?: string
  readonly memberId?: string
  /** The name of a member id that an earlier answer gave. */
  readonly id?: string
  readonly instanceId?: string
  readonly protocolType?: string
  readonly protocol?: string
  readonly sessionTimeoutMs?: number
  readonly generation?: number
  readonly metadata?: string
  /** What to call the member id in the answer. */
  readonly as?: string
}

function joined(what: string, options: MemberOptions): Step {
  return step(
    what,
    apis.joinGroup,
    options.version ?? 9,
    (side) => ({
      groupId: options.groupId ?? 'group',
      sessionTimeoutMs: options.sessionTimeoutMs ?? 30_000,
      rebalanceTimeoutMs: 30_000,
      memberId: options.memberId ?? (options.id === undefined ? '' : side.text(options.id)),
      groupInstanceId: options.instanceId ?? null,
      protocolType: options.protocolType ?? 'consumer',
      protocols: [{ name: options.protocol ?? 'range', metadata: SUBSCRIPTION }],
    }),
    (side, { memberId, errorCode, generationId }) => {
      // Refusals name ids that are not used any further.
      const name = options.as ?? 'member'
      if (memberId.length > 36) side.names.set(memberId, `member ${what}`)
      if (errorCode !== 0 && errorCode !== 79) return
      if (options.id === undefined && options.protocol === undefined)
        side.values.set(name, memberId)
      if (generationId >= 0) side.values.set('generation', generationId)
    },
  )
}

/** Of topic `g`, as a consumer says it. */
const SUBSCRIPTION = Buffer.from([0, 0, 0, 0, 0, 1, 0, 1, 0x67, 0xff, 0xff, 0xff, 0xff])

function synced(what: string, { instanceId }: MemberOptions = {}): Step {
  return step(what, apis.syncGroup, 5, (side) => ({
    groupId: 'group',
    generationId: side.number('generation'),
    memberId: side.text('member'),
    groupInstanceId: instanceId ?? null,
    protocolType: 'consumer',
    protocolName: 'range',
    assignments: [{ memberId: side.text('member'), assignment: Buffer.from('mine') }],
  }))
}

function beaten(what: string, options: MemberOptions = {}): Step {
  return step(what, apis.heartbeat, 4, (side) => ({
    groupId: options.groupId ?? 'group',
    generationId: options.generation ?? side.number('generation'),
    memberId: options.memberId ?? side.text('member'),
    groupInstanceId: options.instanceId ?? null,
  }))
}

function committed(what: string, version: number, options: MemberOptions): Step {
  return step(what, apis.offsetCommit, version, (side) => ({
    groupId: options.groupId ?? 'group',
    generationIdOrMemberEpoch: options.generation ?? side.number('generation'),
    memberId: options.memberId ?? side.text('member'),
    topics: [
      {
        ...(version >= 10 ? { topicId: side.topicId('g') } : { name: 'g' }),
        partitions: [0, 9].map((partitionIndex) => ({
          partitionIndex,
          committedOffset: 5n,
          committedLeaderEpoch: 2,
          committedMetadata: options.metadata ?? 'note',
        })),
      },
      {
        ...(version >= 10 ? { topicId: 'AAAAAAAAAAAAAAAAAAAAAQ' } : { name: 'nope' }),
        partitions: [{ partitionIndex: 0, committedOffset: 5n, committedMetadata: null }],
      },
    ],
  }))
}

/** Batches of idempotent producers: sequence, epoch, records. */
function idempotent(): readonly Step[] {
  const sent: readonly (readonly [number, number, number])[] = [
    [0, 0, 2],
    [2, 0, 1],
    [0, 0, 2],
    [2, 0, 1],
    [5, 0, 1],
    [1, 0, 1],
    [3, 0, 1],
    [4, 0, 1],
    [5, 0, 1],
    [6, 0, 1],
    [0, 0, 2],
    [3, 1, 1],
    [0, 1, 1],
    [0, 1, 1],
    [7, 0, 1],
    [1, 1, 1],
  ]
  const batches = sent.map(([baseSequence, producerEpoch, count]) => {
    const values = Array.from({ length: count }, () => 'x')
    const records = batch(values, { producerId: 4711n, producerEpoch, baseSequence })
    const what = `sequence ${baseSequence} of epoch ${producerEpoch}`
    return produce(what, 'g', 0, records, { version: 12 })
  })
  const wrapping = [2 ** 31 - 2, 0, 5].map((baseSequence) => {
    const records = batch(['x', 'y'], { producerId: 4712n, producerEpoch: 3, baseSequence })
    return produce(`sequence ${baseSequence}`, 'g', 1, records, { version: 12 })
  })
  const without = batch(['x'], { producerId: 4713n, producerEpoch: 0, baseSequence: -1 })
  return [...batches, ...wrapping, produce('no sequence', 'g', 1, without, { version: 12 })]
}

/** Groups, positions, idempotent producers: in this order. */
export const GROUP_STEPS: readonly Step[] = [
  create('a topic', { name: 'g', numPartitions: 2 }),
  // A real broker first has to make the topic that the offsets are kept in.
  {
    name: 'the coordinator',
    async ask(side) {
      for (;;) {
        const answer = await ask(side, apis.findCoordinator, 6, { coordinatorKeys: ['group'] })
        if (answer.coordinators[0]?.errorCode === 0) break
      }
      for (;;) {
        const { errorCode } = await ask(side, apis.heartbeat, 4, {
          groupId: 'group',
          generationId: 0,
          memberId: 'x',
        })
        // While a group's log is being loaded, heartbeats are answered blindly.
        if (errorCode === ErrorCode.UNKNOWN_MEMBER_ID) break
      }
      for (;;) {
        const { errorCode } = await ask(side, apis.initProducerId, 4, {
          transactionalId: null,
          transactionTimeoutMs: 1000,
        })
        if (errorCode !== ErrorCode.COORDINATOR_LOAD_IN_PROGRESS) return errorCode
      }
    },
  },
  ...[1, 3, 6].map((version) =>
    step(
      'a coordinator',
      apis.findCoordinator,
      version,
      version < 4 ? { key: 'group', keyType: 0 } : { coordinatorKeys: ['group', 'other'] },
    ),
  ),
  joined('a new member', { version: 9 }),
  joined('the same, with its id', { version: 9, id: 'member' }),
  synced('its assignment'),
  beaten('a heartbeat'),
  beaten('one of an unknown member', { memberId: 'x' }),
  beaten('one of another generation', { generation: 9 }),
  beaten('one of an unknown group', { groupId: 'nope' }),
  beaten('one of no group', { groupId: '' }),
  joined('a member of another kind', { version: 9, protocolType: 'connect' }),
  joined('a member with other protocols', { version: 9, protocol: 'other' }),
  joined('an unknown member', { version: 9, memberId: 'x' }),
  joined('a session that is too short', { version: 9, sessionTimeoutMs: 5 }),
  joined('a member of no group', { version: 9, groupId: '' }),
  joined('an unknown member of an unknown group', { version: 9, groupId: 'nope', memberId: 'x' }),
  committed('a position', 8, {}),
  committed('a position by id', 10, {}),
  committed('one with a long note', 8, { metadata: 'x'.repeat(5000) }),
  committed('one of another generation', 8, { generation: 7 }),
  committed('one of an unknown member', 8, { memberId: 'x' }),
  committed('one from outside', 8, { generation: -1, memberId: '' }),
  committed('one of a group that does not exist', 8, { groupId: 'nope' }),
  committed('one of a group without members', 8, {
    groupId: 'simple',
    generation: -1,
    memberId: '',
  }),
  ...[1, 3, 5, 7].map((version) =>
    step('positions', apis.offsetFetch, version, {
      groupId: 'group',
      topics: [
        { name: 'g', partitionIndexes: [0, 1, 9] },
        { name: 'nope', partitionIndexes: [0] },
      ],
    }),
  ),
  step('all positions', apis.offsetFetch, 5, { groupId: 'group', topics: null }),
  step('positions of groups', apis.offsetFetch, 9, {
    groups: [
      { groupId: 'group', topics: null },
      { groupId: 'nope', topics: [{ name: 'g', partitionIndexes: [0] }] },
    ],
  }),
  step('positions by topic id', apis.offsetFetch, 10, (side) => ({
    groups: [
      {
        groupId: 'group',
        topics: [
          { topicId: side.topicId('g'), partitionIndexes: [0, 1] },
          { topicId: 'AAAAAAAAAAAAAAAAAAAAAQ', partitionIndexes: [0] },
        ],
      },
    ],
  })),
  step('the groups', apis.listGroups, 5, {}),
  step('the stable ones', apis.listGroups, 4, { statesFilter: ['Stable'] }),
  step('groups of another type', apis.listGroups, 5, { typesFilter: ['consumer'] }),
  ...[0, 4, 6].map((version) =>
    step('groups', apis.describeGroups, version, {
      groups: ['group', 'simple', 'nope'],
      ...(version >= 3 ? { includeAuthorizedOperations: true } : {}),
    }),
  ),
  step('positions to delete', apis.offsetDelete, 0, {
    groupId: 'simple',
    topics: [{ name: 'g', partitions: [{ partitionIndex: 0 }, { partitionIndex: 9 }] }],
  }),
  step('positions in use', apis.offsetDelete, 0, {
    groupId: 'group',
    topics: [{ name: 'g', partitions: [{ partitionIndex: 0 }] }],
  }),
  step('positions of no group', apis.offsetDelete, 0, { groupId: 'nope', topics: [] }),
  step('groups to delete', apis.deleteGroups, 2, { groupsNames: ['group', 'simple', 'nope', ''] }),
  step('a member that leaves', apis.leaveGroup, 5, (side) => ({
    groupId: 'group',
    members: [{ memberId: side.text('member') }, { memberId: 'x' }],
  })),
  step('a member that leaves no group', apis.leaveGroup, 2, { groupId: 'nope', memberId: 'x' }),
  step('the group without members', apis.describeGroups, 6, {
    groups: ['group'],
    includeAuthorizedOperations: false,
  }),
  beaten('a heartbeat of one that left'),

  joined('a static member', { version: 9, instanceId: 'i' }),
  synced('its assignment', { instanceId: 'i' }),
  joined('the same one again', { version: 9, instanceId: 'i', as: 'again' }),
  beaten('a heartbeat of the one before', { instanceId: 'i' }),
  joined('the same one again, told by an old version', {
    version: 7,
    instanceId: 'i',
    as: 'third',
  }),
  step('a static member that leaves', apis.leaveGroup, 3, {
    groupId: 'group',
    members: [{ memberId: '', groupInstanceId: 'i' }],
  }),
  ...[0, 1, 2].map((version) =>
    step('a producer id', apis.initProducerId, version, {
      transactionalId: null,
      transactionTimeoutMs: 1000,
    }),
  ),
  ...idempotent(),
]
