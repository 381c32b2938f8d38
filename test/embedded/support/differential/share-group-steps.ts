import * as apis from '../../../../protocol/apis/index.ts'
import { ErrorCode } from '../../../../protocol/errors.ts'
import { ZERO_UUID } from '../../../../protocol/schema/fields.ts'
import { batch, create, produce } from './requests.ts'
import { ask, step, type Side, type Step } from './step.ts'

/** Kafka's number of the resource type. */
const GROUP = 32
const TOPIC = 'sg'
export const SHARE_GROUP = 'sg'
/** Kafka reads the ids of members of share sessions as UUIDs. */
const MEMBER = 'AAAAAAAAAAAAAAAAAAAAAQ'
/** A lag that does not come shows as a difference. */
const MOST_ASKED = 2_000
const ACCEPT = 1
const RELEASE = 2
const REJECT = 3
const RENEW = 4

interface Beat {
  readonly group?: string
  readonly member?: string
  readonly epoch: number
  readonly rack?: string | null
  readonly topics?: readonly string[] | null
}

function beat(what: string, { group, member, epoch, rack, topics = null }: Beat): Step {
  return step(`${what}: heartbeat`, apis.shareGroupHeartbeat, 1, {
    groupId: group ?? SHARE_GROUP,
    memberId: member ?? MEMBER,
    memberEpoch: epoch,
    rackId: rack ?? null,
    subscribedTopicNames: topics === null ? null : [...topics],
  })
}

/** First and last offset, and the types. */
type Acknowledged = readonly [number, number, ...number[]]

interface Wanted {
  readonly group?: string
  readonly member?: string
  readonly epoch: number
  readonly renews?: boolean
  readonly partition?: number
  readonly topicId?: string
  readonly acknowledged?: readonly Acknowledged[]
}

function topicsOf(side: Side, { partition = 0, topicId, acknowledged = [] }: Wanted) {
  return [
    {
      topicId: topicId ?? side.topicId(TOPIC),
      partitions: [
        {
          partitionIndex: partition,
          acknowledgementBatches: acknowledged.map(([first, last, ...types]) => ({
            firstOffset: BigInt(first),
            lastOffset: BigInt(last),
            acknowledgeTypes: types,
          })),
        },
      ],
    },
  ]
}

function fetchBody(
  side: Side,
  wanted: Wanted & { readonly limit?: number; readonly names?: boolean },
) {
  const { limit = 100 } = wanted
  return {
    groupId: wanted.group ?? SHARE_GROUP,
    memberId: wanted.member ?? MEMBER,
    shareSessionEpoch: wanted.epoch,
    maxWaitMs: limit === 0 ? 0 : 200,
    minBytes: limit === 0 ? 0 : 1,
    maxBytes: limit === 0 ? 0 : 1_000_000,
    maxRecords: limit,
    batchSize: limit,
    shareAcquireMode: 1,
    isRenewAck: wanted.renews ?? false,
    topics: wanted.names === false ? [] : topicsOf(side, wanted),
    forgottenTopicsData: [],
  }
}

/** The records themselves are those of a Fetch; their batches have the leader epoch of the cluster. */
async function fetchOnce(side: Side, body: ReturnType<typeof fetchBody>) {
  const { responses, ...response } = await ask(side, apis.shareFetch, 2, body)
  return {
    ...response,
    responses: responses.map(({ partitions, ...topic }) => ({
      ...topic,
      partitions: partitions.map(({ records, ...partition }) => ({
        ...partition,
        hasRecords: (records?.length ?? 0) > 0,
      })),
    })),
  }
}

function fetched(what: string, wanted: Parameters<typeof fetchBody>[1]): Step {
  return {
    name: `${what}: fetch (ShareFetch v2)`,
    ask: (side) => fetchOnce(side, fetchBody(side, wanted)),
  }
}

function acknowledged(what: string, wanted: Wanted): Step {
  return step(`${what}: acknowledge`, apis.shareAcknowledge, 2, (side) => ({
    groupId: wanted.group ?? SHARE_GROUP,
    memberId: wanted.member ?? MEMBER,
    shareSessionEpoch: wanted.epoch,
    isRenewAck: wanted.renews ?? false,
    topics: wanted.acknowledged === undefined ? [] : topicsOf(side, wanted),
  }))
}

function described(what: string, ...groupIds: readonly string[]): Step {
  return step(`${what}: described`, apis.shareGroupDescribe, 1, {
    groupIds: [...groupIds],
    includeAuthorizedOperations: false,
  })
}

interface Offsets {
  readonly group?: string
  readonly topic?: string
  readonly partition?: number
}

/** A broker writes the state of a group after its response: asks until the lag is as expected. */
function offsets(what: string, wanted: Offsets, lag?: bigint): Step {
  const { group = SHARE_GROUP, topic = TOPIC, partition = 0 } = wanted
  return {
    name: `${what}: offsets (DescribeShareGroupOffsets v1)`,
    async ask(side) {
      for (let asked = 1; ; asked++) {
        const response = await ask(side, apis.describeShareGroupOffsets, 1, {
          groups: [{ groupId: group, topics: [{ topicName: topic, partitions: [partition] }] }],
        })
        const found = response.groups[0]?.topics[0]?.partitions[0]
        if (lag === undefined || found?.lag === lag || asked === MOST_ASKED) return response
      }
    },
  }
}

function moved(what: string, { group = SHARE_GROUP, topic = TOPIC, partition = 0 }: Offsets): Step {
  return step(`${what}: offsets moved`, apis.alterShareGroupOffsets, 0, {
    groupId: group,
    topics: [{ topicName: topic, partitions: [{ partitionIndex: partition, startOffset: 2n }] }],
  })
}

function deleted(what: string, { group = SHARE_GROUP, topic = TOPIC }: Offsets): Step {
  return step(`${what}: offsets deleted`, apis.deleteShareGroupOffsets, 0, {
    groupId: group,
    topics: [{ topicName: topic }],
  })
}

/** Share groups, request by request. */
export const SHARE_GROUP_STEPS: readonly Step[] = [
  create('the topic', { name: TOPIC, numPartitions: 1 }),
  produce('ten records', TOPIC, 0, batch(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'])),
  {
    name: 'the coordinator',
    async ask(side) {
      for (;;) {
        await ask(side, apis.findCoordinator, 6, { coordinatorKeys: [SHARE_GROUP] })
        const { groups } = await ask(side, apis.shareGroupDescribe, 1, {
          groupIds: [SHARE_GROUP],
          includeAuthorizedOperations: false,
        })
        if (groups[0]?.errorCode === ErrorCode.GROUP_ID_NOT_FOUND) return undefined
      }
    },
  },

  // Before there is a group.
  described('no group', SHARE_GROUP),
  offsets('no group', {}),
  moved('no group', { group: 'sg-none' }),
  deleted('no group', { group: 'sg-none' }),
  fetched('no group', { group: 'sg-none', epoch: 1 }),
  acknowledged('no group', { group: 'sg-none', epoch: 1, acknowledged: [] }),

  // Requests that cannot be right.
  beat('no group id', { group: '', epoch: 0, topics: [TOPIC] }),
  beat('no member id', { member: '', epoch: 0, topics: [TOPIC] }),
  beat('joins without a subscription', { epoch: 0 }),
  beat('joins with an empty subscription', { epoch: 0, topics: [] }),
  beat('an empty rack', { epoch: 0, rack: '', topics: [TOPIC] }),
  beat('an epoch that is none', { epoch: -2 }),
  beat('a member of no group', { epoch: 3 }),
  beat('leaves no group', { epoch: -1 }),

  // Members. The coordinator assigns after its response to the join.
  {
    name: 'joins: heartbeats until it has the partition',
    async ask(side) {
      let memberEpoch = 0
      for (;;) {
        const response = await ask(side, apis.shareGroupHeartbeat, 1, {
          groupId: SHARE_GROUP,
          memberId: MEMBER,
          memberEpoch,
          rackId: null,
          subscribedTopicNames: memberEpoch === 0 ? [TOPIC] : null,
        })
        memberEpoch = response.memberEpoch
        side.values.set('epoch', memberEpoch)
        const { assignment } = response
        if (response.errorCode !== 0) return response
        if ((assignment?.topicPartitions.length ?? 0) > 0) return { ...response, memberEpoch: 0 }
      }
    },
  },
  beat('a member that does not exist', { member: 'AAAAAAAAAAAAAAAAAAAAAg', epoch: 1 }),
  beat('an epoch of the future', { epoch: 1_000 }),
  {
    name: 'a member: described (ShareGroupDescribe v1)',
    async ask(side) {
      const { groups } = await ask(side, apis.shareGroupDescribe, 1, {
        groupIds: [SHARE_GROUP],
        includeAuthorizedOperations: false,
      })
      // How often the epoch of the group was raised before is each coordinator's own.
      return groups.map(({ groupEpoch, assignmentEpoch, members, ...group }) => ({
        ...group,
        isAssigned: groupEpoch === assignmentEpoch,
        members: members.map(({ memberEpoch, ...member }) => ({
          ...member,
          isCurrent: memberEpoch === groupEpoch,
        })),
      }))
    },
  },

  // Sessions.
  fetched('a session that does not exist', { epoch: 5 }),
  acknowledged('a session that does not exist', { epoch: 5, acknowledged: [] }),
  acknowledged('opens a session by an acknowledgement', { epoch: 0, acknowledged: [] }),
  fetched('opens a session with acknowledgements', { epoch: 0, acknowledged: [[0, 1, ACCEPT]] }),
  {
    name: 'opens a session: fetches until records come (ShareFetch v2)',
    async ask(side) {
      for (let epoch = 0; ; epoch++) {
        const response = await fetchOnce(side, fetchBody(side, { epoch, names: epoch === 0 }))
        side.values.set('session', epoch)
        if (response.errorCode !== 0 || response.responses.length > 0) return response
      }
    },
  },
  ...sessionSteps(),
  offsets('an unknown topic', { topic: 'sg-none' }),
  offsets('an unknown partition', { partition: 7 }),
  moved('an unknown topic', { topic: 'sg-none' }),
  moved('an unknown partition', { partition: 7 }),
  moved('an empty group', {}),
  offsets('moved', {}, 8n),
  deleted('an unknown topic', { topic: 'sg-none' }),
  deleted('an empty group', {}),
  offsets('deleted', {}, -1n),
]

/** The brokers learn a config after the response: asks until a partition has an error. */
function untilRefused(one: Step): Step {
  return {
    name: one.name,
    async ask(side) {
      for (let asked = 1; ; asked++) {
        const response = await one.ask(side)
        const text = JSON.stringify(response, (_key, value: unknown) =>
          typeof value === 'bigint' ? String(value) : value,
        )
        const isRefused = /"errorCode":(?!0\b)/.test(text)
        if (isRefused || asked === MOST_ASKED) return response
      }
    },
  }
}

/** What follows in the session, each request with its next epoch. */
function sessionSteps(): readonly Step[] {
  const next = (side: Side) => {
    const epoch = side.number('session') + 1
    side.values.set('session', epoch)
    return epoch
  }
  const acknowledges = (what: string, wanted: Omit<Wanted, 'epoch'>): Step => ({
    name: `${what}: acknowledge (ShareAcknowledge v2)`,
    async ask(side) {
      const response = await ask(side, apis.shareAcknowledge, 2, {
        groupId: SHARE_GROUP,
        memberId: MEMBER,
        shareSessionEpoch: next(side),
        isRenewAck: wanted.renews ?? false,
        topics: topicsOf(side, { ...wanted, epoch: 0 }),
      })
      if (response.errorCode !== 0) side.values.set('session', side.number('session') - 1)
      return response
    },
  })
  const fetches = (
    what: string,
    wanted: Omit<Wanted, 'epoch'> & { readonly limit?: number; readonly names?: boolean },
  ): Step => ({
    name: `${what}: fetch (ShareFetch v2)`,
    async ask(side) {
      const response = await fetchOnce(side, fetchBody(side, { ...wanted, epoch: next(side) }))
      if (response.errorCode !== 0) side.values.set('session', side.number('session') - 1)
      return response
    },
  })
  return [
    fetched('an epoch of the future', { epoch: 1_000 }),
    acknowledged('an epoch of the future', { epoch: 1_000, acknowledged: [] }),
    acknowledges('accepts', { acknowledged: [[0, 1, ACCEPT]] }),
    offsets('two accepted', {}, 8n),
    acknowledges('accepts what was accepted', { acknowledged: [[0, 1, ACCEPT]] }),
    acknowledges('accepts what was accepted and what was not', { acknowledged: [[1, 2, ACCEPT]] }),
    acknowledges('rejects each by a type of its own', { acknowledged: [[2, 3, REJECT, ACCEPT]] }),
    acknowledges('accepts a record twice', {
      acknowledged: [
        [4, 4, ACCEPT],
        [4, 4, ACCEPT],
      ],
    }),
    acknowledges('a range that ends before it begins', { acknowledged: [[5, 4, ACCEPT]] }),
    acknowledges('a range with too many types', { acknowledged: [[5, 5, ACCEPT, ACCEPT]] }),
    acknowledges('a range without a type', { acknowledged: [[5, 5]] }),
    acknowledges('an unknown type', { acknowledged: [[5, 5, 9]] }),
    acknowledges('ranges in the wrong order', {
      acknowledged: [
        [6, 6, RELEASE],
        [5, 5, RELEASE],
      ],
    }),
    acknowledges('what is not acquired', { acknowledged: [[100, 101, ACCEPT]] }),
    acknowledges('an unknown partition', { partition: 7, acknowledged: [[0, 0, ACCEPT]] }),
    acknowledges('an unknown topic', { topicId: ZERO_UUID, acknowledged: [[0, 0, ACCEPT]] }),
    acknowledges('a renewal without the flag', { acknowledged: [[5, 5, RENEW]] }),
    acknowledges('a renewal', { renews: true, acknowledged: [[5, 5, RENEW]] }),
    acknowledges('an acceptance with the flag', { renews: true, acknowledged: [[5, 5, ACCEPT]] }),
    acknowledges('a gap', { acknowledged: [[6, 6, 0]] }),
    fetches('a renewal with limits', { renews: true, acknowledged: [[7, 7, RENEW]] }),
    fetches('a renewal without limits', { renews: true, limit: 0, acknowledged: [[7, 7, RENEW]] }),
    fetches('a renewal without the flag', { acknowledged: [[7, 7, RENEW]], limit: 10 }),
    fetches('a release', { acknowledged: [[7, 8, RELEASE]] }),
    fetches('nothing new', { names: false }),
    fetches('an unknown partition', { partition: 7 }),

    // Renewals can be disabled for a group.
    step('renewals are disabled: configs', apis.incrementalAlterConfigs, 1, {
      resources: [
        {
          resourceType: GROUP,
          resourceName: SHARE_GROUP,
          configs: [{ name: 'share.renew.acknowledge.enable', configOperation: 0, value: 'false' }],
        },
      ],
      validateOnly: false,
    }),
    untilRefused(
      acknowledges('a disabled renewal', { renews: true, acknowledged: [[9, 9, RENEW]] }),
    ),
    acknowledges('a renewal of what is not acquired, disabled', {
      renews: true,
      acknowledged: [[100, 100, RENEW]],
    }),
    acknowledges('an acceptance with the flag, disabled', {
      renews: true,
      acknowledged: [[8, 8, ACCEPT]],
    }),
    fetches('a disabled renewal', { renews: true, limit: 0, acknowledged: [[9, 9, RENEW]] }),

    // With a member nothing is changed from outside.
    moved('with a member', {}),
    deleted('with a member', {}),
    beat('leaves', { epoch: -1 }),
    beat('leaves again', { epoch: -1 }),
    // A member that has left keeps its session, and what it has acquired.
    acknowledges('what it holds after it has left', { acknowledged: [[9, 9, ACCEPT]] }),
    fetches('after it has left', { names: false }),
    fetched('closes the session', { epoch: -1, names: false }),
    fetched('closes a session that does not exist', { epoch: -1, names: false }),
    offsets('closed', {}),
  ]
}
