/**
 * What brokers answer about ids that have expired: producer ids in partitions, and transactional ids at their
 * coordinator.
 */
import * as apis from '../../../../protocol/apis/index.ts'
import { ErrorCode } from '../../../../protocol/errors.ts'
import { encodeBatch } from '../../../../protocol/records/encode-batch.ts'
import { OutgoingRecord } from '../../../../protocol/records/outgoing-record.ts'
import { until } from '../../../support/until.ts'
import { coordinatorFound } from './config-requests.ts'
import { create, NOW } from './requests.ts'
import { ask, type Side, type Step } from './step.ts'
import {
  add,
  addGroup,
  asked,
  commitOffset,
  described,
  end,
  init,
  learn,
  listed,
  producer,
  write,
} from './transaction-steps.ts'

const TOPIC = 'tx-topic'
/** With records of transactions. */
const FIRST = 0
/** With records of idempotent producers. */
const SECOND = 1
const PARTITIONS = [{ name: TOPIC, partitions: [FIRST] }]
/** The longest that brokers accept. */
const TIMEOUT_MS = 900_000
const AHEAD_MS = 1_800_000
const UNUSED = { id: 'unused', as: 'unused' }
const USED = { id: 'used', as: 'used' }
const OPEN = { id: 'open', as: 'open' }

const initIdempotent = (name: string) =>
  asked(
    `the idempotent producer ${name}`,
    apis.initProducerId,
    4,
    () => ({ transactionalId: null, transactionTimeoutMs: TIMEOUT_MS }),
    learn(name),
  )

/** Two records of an idempotent producer. Brokers remember a producer by the timestamps of its records. */
const writeIdempotent = (
  what: string,
  name: string,
  baseSequence: number,
  { epoch = 0, timestamp = () => Date.now() } = {},
) =>
  asked(what, apis.produce, 11, (side) => ({
    acks: -1,
    timeoutMs: 5_000,
    topicData: [
      {
        name: TOPIC,
        partitionData: [
          {
            index: SECOND,
            records: encodeBatch(
              ['x', 'y'].map((value) => new OutgoingRecord('key', value, timestamp())),
              {
                producerId: producer(side, name).producerId,
                producerEpoch: epoch,
                baseSequence,
              },
            ),
          },
        ],
      },
    ],
  }))

async function producersOf(side: Side, index: number) {
  const { topics } = await ask(side, apis.describeProducers, 0, {
    topics: [{ name: TOPIC, partitionIndexes: [index] }],
  })
  const { errorCode, activeProducers } = topics[0]!.partitions[0]!
  return { errorCode, activeProducers }
}

/** The time of a marker is that of the broker. */
const producersLeft = (what: string, index: number, names: readonly string[]): Step => ({
  name: `${what} (DescribeProducers v0)`,
  async ask(side) {
    const wanted = names.map((name) => producer(side, name).producerId)
    const isLeft = async () => {
      const { activeProducers } = await producersOf(side, index)
      return activeProducers.every(({ producerId }) => wanted.includes(producerId))
    }
    await until(isLeft)
    return producersOf(side, index)
  },
})

const producerDescribed = (what: string, index: number, name: string): Step => ({
  name: `${what} (DescribeProducers v0)`,
  async ask(side) {
    const { activeProducers } = await producersOf(side, index)
    return activeProducers.filter(
      ({ producerId }) => producerId === producer(side, name).producerId,
    )
  },
})

/** A coordinator that knows the id refuses the commit of nothing, or repeats its answer; neither keeps the id alive. */
const forgotten = (
  what: string,
  { id, as }: { readonly id: string; readonly as: string },
): Step => ({
  name: `${what} (EndTxn v3)`,
  async ask(side) {
    const commit = async () => {
      const { errorCode } = await ask(side, apis.endTxn, 3, {
        transactionalId: id,
        ...producer(side, as),
        committed: true,
      })
      return errorCode
    }
    await until(async () => (await commit()) === ErrorCode.INVALID_PRODUCER_ID_MAPPING)
    return commit()
  },
})

/** Transactional ids that expire later: one without a transaction, one with an ended one, one with an open one. */
export const TRANSACTIONAL_IDS: readonly Step[] = [
  create('a topic for ids', {
    name: TOPIC,
    numPartitions: 2,
    configs: [{ name: 'retention.ms', value: '-1' }],
  }),
  ...[UNUSED, USED, OPEN].map(({ id }) => coordinatorFound(`of the id ${id}`, id, 1, 6)),
  coordinatorFound('of the group of a transaction', 'tx-group', 0, 6),
  init('a producer that stays unused', { ...UNUSED, timeoutMs: TIMEOUT_MS }),
  init('a producer that is used', { ...USED, timeoutMs: TIMEOUT_MS }),
  add('a partition', PARTITIONS, USED),
  write('records to commit', FIRST, 11, USED),
  end('a commit', true, 3, USED),
  // Not answered before the marker is written, which would otherwise have any offset among the next records.
  end('the same commit again', true, 3, USED),
  init('a producer whose transaction stays open', { ...OPEN, timeoutMs: TIMEOUT_MS }),
  add('a partition of the open transaction', PARTITIONS, OPEN),
  write('records of the open transaction', FIRST, 11, OPEN),
]

/** Producer ids that expire later. */
export const PRODUCER_IDS: readonly Step[] = [
  ...['idle', 'restarted', 'ahead'].map(initIdempotent),
  writeIdempotent('records of an idle producer', 'idle', 0),
  writeIdempotent('records of a later epoch', 'restarted', 0, { epoch: 3 }),
  writeIdempotent('records with a time to come', 'ahead', 0, { timestamp: () => NOW + AHEAD_MS }),
  producerDescribed('a producer of records with a time to come', SECOND, 'ahead'),
]

/** After producer.id.expiration.ms. */
export const EXPIRED_PRODUCER_IDS: readonly Step[] = [
  producersLeft('producers of transactions that are left', FIRST, ['open']),
  producersLeft('idempotent producers that are left', SECOND, ['ahead']),
  writeIdempotent('the next records but one of an expired producer', 'idle', 4),
  writeIdempotent('records that the broker has forgotten', 'idle', 0),
  writeIdempotent('an earlier epoch of an expired producer', 'restarted', 7),
  writeIdempotent('the next records of a producer that is left', 'ahead', 2),
]

/** After transactional.id.expiration.ms. */
export const EXPIRED_TRANSACTIONAL_IDS: readonly Step[] = [
  forgotten('an id that was not used', UNUSED),
  forgotten('an id without a transaction', USED),
  described('ids that have expired', ['unused', 'used', 'open']),
  listed('the ids that are left', {}),
  add('a partition for an expired id', PARTITIONS, USED),
  addGroup('a group for an expired id', 'tx-group', USED),
  write('records of an expired id', FIRST, 11, { ...USED, baseSequence: 2 }),
  write('records of an expired id that would add their partition', FIRST, 12, {
    ...USED,
    baseSequence: 4,
  }),
  commitOffset('offsets of an expired id', 1n, 3, USED),
  commitOffset('offsets of an expired id that would add their group', 1n, 5, USED),
  end('a commit of an expired id', true, 4, USED),
  end('a commit of an expired id that would bump', true, 5, USED),
  end('an abort of an expired id', false, 5, USED),
  init('the next epoch of an expired id', { ...USED, expected: 0 }),
  add('a partition for the new producer', PARTITIONS, USED),
  write('records of the new producer', FIRST, 11, USED),
  end('a commit of the new producer', true, 3, USED),
  init('a new producer with an expired id', UNUSED),
  end('a commit of the transaction that stayed open', true, 3, OPEN),
  described('all ids', ['unused', 'used', 'open']),
]
