import * as apis from '../../../../protocol/apis/index.ts'
import { ErrorCode } from '../../../../protocol/errors.ts'
import type { Api } from '../../../../protocol/schema/api.ts'
import type { Decoded, Encodable, Fields } from '../../../../protocol/schema/fields.ts'
import { coordinatorFound } from './config-requests.ts'
import { batch, create } from './requests.ts'
import { ask, type Side, type Step } from './step.ts'

/** What a coordinator says while it is busy with what came before: the real one takes its time. */
const BUSY: readonly number[] = [
  ErrorCode.COORDINATOR_LOAD_IN_PROGRESS,
  ErrorCode.COORDINATOR_NOT_AVAILABLE,
  ErrorCode.NOT_COORDINATOR,
  ErrorCode.CONCURRENT_TRANSACTIONS,
  ErrorCode.NOT_ENOUGH_REPLICAS,
]

/** What the coordinator of a group says while it applies the end of a transaction, which it does after the response. */
const UNSTABLE: readonly number[] = [...BUSY, ErrorCode.UNSTABLE_OFFSET_COMMIT]

function isBusy(answer: unknown, codes: readonly number[]): boolean {
  if (typeof answer !== 'object' || answer === null) return false
  return Object.entries(answer).some(([name, value]: [string, unknown]) => {
    if (/errorCode$/i.test(name)) return codes.includes(Number(value))
    // Its markers are still being written.
    if (name === 'transactionState') return /^Prepare(Commit|Abort)$/.test(String(value))
    return isBusy(value, codes)
  })
}

/** Asks again while the coordinator is busy. */
async function notBusy<Answer>(
  question: () => Promise<Answer>,
  codes: readonly number[] = BUSY,
): Promise<Answer> {
  for (;;) {
    const answer = await question()
    if (!isBusy(answer, codes)) return answer
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** Whether the broker has an API. Steps with another one are left out. */
function supports(side: Side, { key }: { readonly key: number }): boolean {
  return side.highestVersions?.has(key) ?? true
}

/** The highest version of an API that the broker supports, up to `version`. */
function highestVersion(side: Side, { key }: { readonly key: number }, version: number): number {
  return Math.min(version, side.highestVersions?.get(key) ?? version)
}

/**
 * A step that is asked again while the coordinator is busy. The request has the highest version that the broker
 * supports, up to `version`.
 */
export function asked<Request extends Fields, Response extends Fields>(
  what: string,
  api: Api<Request, Response>,
  version: number,
  body: (side: Side) => Encodable<Request>,
  learn: (side: Side, response: Decoded<Response>) => void = () => undefined,
): Step {
  return {
    name: `${what} (${api.name} v${version})`,
    async ask(side) {
      if (!supports(side, api)) return undefined
      const agreed = highestVersion(side, api, version)
      const answer = await notBusy(() => ask(side, api, agreed, body(side)))
      learn(side, answer)
      return answer
    },
  }
}

interface Written {
  readonly producerId: bigint
  readonly producerEpoch: number
}

/** The producer that a side was given under a name. */
export const producer = (side: Side, name = 'tx') => ({
  producerId: BigInt(side.values.get(`${name} id`) ?? -1),
  producerEpoch: side.number(`${name} epoch`),
})

export const learn =
  (name = 'tx') =>
  (side: Side, { producerId, producerEpoch }: Written) => {
    if (producerId < 0n) return
    side.values.set(`${name} id`, producerId)
    side.values.set(`${name} epoch`, producerEpoch)
    side.names.set(producerId, `producer ${name}`)
  }

export const init = (
  what: string,
  {
    id = 'tx',
    timeoutMs = 60_000,
    version = 4,
    as = 'tx',
    expected,
  }: {
    readonly id?: string
    readonly timeoutMs?: number
    readonly version?: number
    readonly as?: string
    /** How far the epoch that it says it has is from the one it has. */
    readonly expected?: number
  } = {},
) =>
  asked(
    what,
    apis.initProducerId,
    version,
    (side) => ({
      transactionalId: id,
      transactionTimeoutMs: timeoutMs,
      ...(expected === undefined
        ? {}
        : {
            producerId: producer(side, as).producerId,
            producerEpoch: producer(side, as).producerEpoch + expected,
          }),
    }),
    learn(as),
  )

export const add = (
  what: string,
  topics: readonly { name: string; partitions: readonly number[] }[],
  { id = 'tx', version = 3, epoch = 0, as = 'tx' } = {},
) =>
  asked(what, apis.addPartitionsToTxn, version, (side) => ({
    v3AndBelowTransactionalId: id,
    v3AndBelowProducerId: producer(side, as).producerId,
    v3AndBelowProducerEpoch: producer(side, as).producerEpoch + epoch,
    v3AndBelowTopics: topics,
  }))

export const write = (
  what: string,
  index: number,
  version: number,
  {
    baseSequence = 0,
    epoch = 0,
    id = 'tx',
    as = 'tx',
  }: {
    readonly baseSequence?: number
    readonly epoch?: number
    readonly id?: string | null
    readonly as?: string
  } = {},
) =>
  asked(what, apis.produce, version, (side) => ({
    transactionalId: id,
    acks: -1,
    timeoutMs: 5_000,
    topicData: [
      {
        ...(version >= 13 ? { topicId: side.topicId('tx-topic') } : { name: 'tx-topic' }),
        partitionData: [
          {
            index,
            records: batch(['x', 'y'], {
              producerId: producer(side, as).producerId,
              producerEpoch: producer(side, as).producerEpoch + epoch,
              baseSequence,
              transactional: true,
            }),
          },
        ],
      },
    ],
  }))

export const addGroup = (what: string, groupId: string, { id = 'tx', as = 'tx', epoch = 0 } = {}) =>
  asked(what, apis.addOffsetsToTxn, 3, (side) => ({
    transactionalId: id,
    producerId: producer(side, as).producerId,
    producerEpoch: producer(side, as).producerEpoch + epoch,
    groupId,
  }))

export const commitOffset = (
  what: string,
  offset: bigint,
  version: number,
  { groupId = 'tx-group', epoch = 0, generation = -1, memberId = '', id = 'tx', as = 'tx' } = {},
) =>
  asked(what, apis.txnOffsetCommit, version, (side) => ({
    transactionalId: id,
    groupId,
    producerId: producer(side, as).producerId,
    producerEpoch: producer(side, as).producerEpoch + epoch,
    generationIdOrMemberEpoch: generation,
    memberId,
    topics: [
      {
        name: 'tx-topic',
        partitions: [
          { partitionIndex: 0, committedOffset: offset, committedMetadata: 'm' },
          { partitionIndex: 9, committedOffset: offset, committedMetadata: 'm' },
        ],
      },
    ],
  }))

const offsets = (what: string, requireStable: boolean) =>
  asked(what, apis.offsetFetch, 8, (side) => {
    const group = {
      groupId: 'tx-group',
      topics: [{ name: 'tx-topic', partitionIndexes: [0, 1] }],
    }
    const isOfOneGroup = highestVersion(side, apis.offsetFetch, 8) < 8
    return { requireStable, ...(isOfOneGroup ? group : { groups: [group] }) }
  })

/** The offsets after the end of a transaction. */
const settledOffsets = (what: string): Step => {
  const once = offsets(what, true)
  return { name: once.name, ask: (side) => notBusy(() => once.ask(side), UNSTABLE) }
}

export const end = (
  what: string,
  committed: boolean,
  version: number,
  { epoch = 0, id = 'tx', as = 'tx' } = {},
) =>
  asked(
    what,
    apis.endTxn,
    version,
    (side) => ({
      transactionalId: id,
      producerId: producer(side, as).producerId,
      producerEpoch: producer(side, as).producerEpoch + epoch,
      committed,
    }),
    learn(as),
  )

/** Where what is certain ends, and the log. */
const ends = (what: string) =>
  [0, 1].map((isolationLevel) =>
    asked(`${what}, isolation ${isolationLevel}`, apis.listOffsets, 7, () => ({
      replicaId: -1,
      isolationLevel,
      topics: [
        {
          name: 'tx-topic',
          partitions: [0, 1].map((partitionIndex) => ({ partitionIndex, timestamp: -1n })),
        },
      ],
    })),
  )

/** The start is a time, and a real coordinator adds the partitions that it keeps offsets in. */
export const described = (what: string, ids: readonly string[]): Step => ({
  name: `${what} (DescribeTransactions v0)`,
  async ask(side) {
    if (!supports(side, apis.describeTransactions)) return undefined
    const { transactionStates } = await notBusy(() =>
      ask(side, apis.describeTransactions, 0, { transactionalIds: ids }),
    )
    return transactionStates.map(({ transactionStartTimeMs, topics, ...state }) => ({
      ...state,
      hasStarted: transactionStartTimeMs > 0n,
      topics: topics.filter(({ topic }) => topic !== '__consumer_offsets'),
    }))
  },
})

export const listed = (what: string, filters: Partial<apis.ListTransactionsRequest>, version = 2) =>
  asked(what, apis.listTransactions, version, () => ({
    stateFilters: [],
    producerIdFilters: [],
    ...filters,
  }))

const TOPIC = [{ name: 'tx-topic', partitions: [0] }]

/** Waits until a transaction has been aborted by its timeout. */
const timedOut = (what: string, id: string): Step => ({
  name: `${what} (DescribeTransactions v0)`,
  async ask(side) {
    for (;;) {
      const { transactionStates } = await ask(side, apis.describeTransactions, 0, {
        transactionalIds: [id],
      })
      const { errorCode, transactionState, producerEpoch } = transactionStates[0]!
      if (transactionState === 'CompleteAbort') {
        return { errorCode, epochs: producerEpoch - producer(side, id).producerEpoch }
      }
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  },
})

/** A transaction that times out, and what its producer may do then. */
const timeout = (id: string, begin: readonly Step[], endVersion: number, writeVersion: number) => {
  const of = { id, as: id }
  return [
    // Longer than the requests of `begin` take: it would end the transaction of one side only.
    init(`a producer with a short timeout, ${id}`, { id, as: id, timeoutMs: 1_500 }),
    ...begin,
    timedOut(`a transaction that timed out, ${id}`, id),
    ...ends(`the ends after the timeout, ${id}`),
    end(`a commit after the timeout, ${id}`, true, endVersion, of),
    end(`an abort after the timeout, ${id}`, false, endVersion, of),
    end(`a second abort after the timeout, ${id}`, false, endVersion, of),
    write(`records after the timeout, ${id}`, 0, writeVersion, { ...of, baseSequence: 2 }),
    init(`a producer after the timeout, ${id}`, { id, as: `${id} again` }),
  ]
}

/** Transactions in the protocol before transaction.version 2. */
export const OLD_TRANSACTION_STEPS: readonly Step[] = [
  create('a topic for transactions', { name: 'tx-topic', numPartitions: 2 }),
  coordinatorFound('of a transaction', 'tx', 1, 6),
  coordinatorFound('of the group of a transaction', 'tx-group', 0, 6),
  init('a producer with an empty id', { id: '' }),
  init('a producer with a timeout that is too long', { timeoutMs: 900_001 }),
  init('a producer with no timeout', { timeoutMs: 0 }),
  init('a producer'),
  described('a transaction that has not begun', ['tx', 'nope', '']),
  add('no such id', TOPIC, { id: 'nope' }),
  add('an empty id', TOPIC, { id: '' }),
  add('an epoch to come', TOPIC, { epoch: 1 }),
  add('an epoch to come, before KIP-588', TOPIC, { epoch: 1, version: 1 }),
  add('a partition that does not exist', [{ name: 'tx-topic', partitions: [0, 9] }]),
  end('the commit of nothing', true, 4),
  end('the abort of nothing', false, 4),
  write('a partition that was not added', 0, 11),
  write('a partition that was not added, to an older client', 0, 10),
  write('records of a transaction without an id', 0, 11, { id: null }),
  add('a partition', TOPIC),
  add('the same partition', TOPIC),
  write('records', 0, 11),
  write('the same records again', 0, 11),
  write('more records', 0, 9, { baseSequence: 2 }),
  write('records of an epoch to come', 0, 11, { epoch: 1 }),
  ...ends('the ends in a transaction'),
  described('an open transaction', ['tx']),
  listed('all transactions', {}),
  listed('ongoing transactions', { stateFilters: ['Ongoing', 'Nope'] }, 0),
  listed('transactions by a pattern', { transactionalIdPattern: 't.' }),
  listed('transactions by another pattern', { transactionalIdPattern: 't' }),
  listed('transactions by a pattern that is none', { transactionalIdPattern: '(' }),
  listed('old transactions', { durationFilter: 3_600_000n }),
  commitOffset('offsets of a group that was not added', 1n, 3),
  addGroup('a group', 'tx-group'),
  addGroup('a group without a name', ''),
  addGroup('a group with an epoch to come', 'tx-group', { epoch: 1 }),
  commitOffset('offsets', 5n, 3),
  commitOffset('offsets of a member that there is not', 6n, 3, { generation: 1, memberId: 'm' }),
  offsets('offsets that are not certain', true),
  offsets('offsets that were certain before', false),
  end('a commit with an epoch to come', true, 4, { epoch: 1 }),
  end('a commit with an epoch to come, before KIP-588', true, 1, { epoch: 1 }),
  end('a commit', true, 4),
  end('the same commit again', true, 4),
  end('an abort of what was committed', false, 4),
  settledOffsets('offsets that were committed'),
  ...ends('the ends after a commit'),
  described('a transaction that was committed', ['tx']),
  add('a partition for an abort', TOPIC),
  write('records to abort', 0, 11, { baseSequence: 4 }),
  addGroup('a group for an abort', 'tx-group'),
  commitOffset('offsets to abort', 9n, 3),
  end('an abort', false, 4),
  end('the same abort again', false, 4),
  settledOffsets('offsets after an abort'),
  ...ends('the ends after an abort'),

  init('the next epoch of a producer', { expected: 0 }),
  init('the same request again', { expected: -1 }),
  init('a producer with an id and no epoch', { expected: -2 }),
  init('a producer that was fenced', { expected: 7 }),
  init('a producer that was fenced, before KIP-588', { expected: 7, version: 3 }),
  add('a partition before another producer comes', TOPIC),
  write('records that are left open', 0, 11),
  init('another producer with the id', { as: 'other' }),
  ...ends('the ends after that'),
  write('records of the one before', 0, 11, { baseSequence: 2 }),
  end('a commit of the one before', true, 4),
  add('partitions of the one before', TOPIC),
  add('partitions of the other', TOPIC, { as: 'other' }),
  write('records of the other', 0, 11, { as: 'other' }),
  end('a commit of the other', true, 4, { as: 'other' }),
]

/** Transactions in both protocols. */
export const TRANSACTION_STEPS: readonly Step[] = [
  ...OLD_TRANSACTION_STEPS,
  init('a producer for transaction.version 2'),
  write('records that add their partition', 0, 12),
  write('records by a topic id', 1, 13),
  commitOffset('offsets that add their group', 20n, 5),
  described('a transaction that records began', ['tx']),
  end('a commit that bumps', true, 5),
  end('a commit that is repeated', true, 5, { epoch: -1 }),
  end('an abort instead of a repeated commit', false, 5, { epoch: -1 }),
  end('a commit of nothing that bumps', true, 5),
  settledOffsets('offsets after that'),
  write('records with the epoch before', 0, 12, { epoch: -1 }),
  write('records that do not begin at 0', 0, 12, { baseSequence: 7 }),
  end('an abort of a transaction that took no records', false, 5),
  init('a producer that the partition does not know', { id: 'unknown', as: 'unknown' }),
  write('records that do not begin at 0, of that producer', 1, 12, {
    id: 'unknown',
    as: 'unknown',
    baseSequence: 7,
  }),
  end('an abort after those', false, 5, { id: 'unknown', as: 'unknown' }),
  write('records to be aborted', 0, 12),
  end('an abort that bumps', false, 5),
  end('an abort that is repeated', false, 5, { epoch: -1 }),
  end('an abort of nothing', false, 5),
  ...ends('the ends after aborts'),
  described('a transaction that was aborted', ['tx']),
  ...timeout(
    'late',
    [
      add('a partition of a late transaction', TOPIC, { id: 'late', as: 'late' }),
      write('records of a late transaction', 0, 11, { id: 'late', as: 'late' }),
    ],
    4,
    11,
  ),
  ...timeout(
    'later',
    [write('records of a late transaction of version 2', 0, 12, { id: 'later', as: 'later' })],
    5,
    12,
  ),
]
