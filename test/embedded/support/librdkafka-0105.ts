/**
 * librdkafka's test 0105 (`transactions_mock`), case by case: what happens to a transaction when its brokers answer with
 * errors, late, or not at all. Each test of test/embedded/librdkafka-0105 names its case. Those that do not apply:
 *
 * | Case                     | Why not                                                                                |
 * | ------------------------ | -------------------------------------------------------------------------------------- |
 * | `coord_req_destroy`      | memory of a C object that is used after it was freed                                    |
 * | `coord_req_multi_find`   | the same, of several lookups that share an object                                       |
 * | `no_timeout_crash`       | the same, at the timeout of a request; that time is honoured is tested by other cases   |
 * | `endtxn_errors`, 9 and 10 | codes that no coordinator answers EndTxn with: fatal as in Java, abortable in librdkafka |
 */
import { expect } from '@jest/globals'
import type { ErrorName } from '../../../protocol/errors.ts'
import { EmbeddedCluster, type EmbeddedClusterOptions } from '../../../src/embedded/index.ts'
import { KafkaError } from '../../../src/index.ts'
import { committed } from './read-committed.ts'
import {
  GROUP,
  TRANSACTIONAL_ID,
  transactionScene,
  type TransactionScene,
} from './transaction-scene.ts'

export const GENERATIONS: readonly (readonly [string, EmbeddedClusterOptions])[] = [
  ['transaction.version 2', {}],
  ['Kafka 3.9', { version: '3.9' }],
]
export const OFFSETS = [
  { topic: 'in', partition: 1, offset: 12 },
  { topic: 'in', partition: 0, offset: 999 },
]

export type TransactionApi =
  | 'InitProducerId'
  | 'AddPartitionsToTxn'
  | 'AddOffsetsToTxn'
  | 'TxnOffsetCommit'
  | 'EndTxn'
  | 'FindCoordinator'

export interface Setup extends TransactionScene {
  /** Answers the next requests of an API with these errors, one after the other. */
  readonly answer: (api: 'Produce' | TransactionApi, ...errors: ErrorName[]) => void
}

export async function setUp(options: EmbeddedClusterOptions): Promise<Setup> {
  const topics = { a: { partitions: 3, config: { 'retention.ms': '-1' } }, in: { partitions: 2 } }
  const kafka = await EmbeddedCluster.start({ brokers: 3, topics, ...options })
  // The coordinators of the transaction and of the group are two brokers.
  kafka.moveCoordinator(TRANSACTIONAL_ID, 2)
  kafka.moveCoordinator(GROUP.groupId, 3)
  return {
    ...(await transactionScene(kafka)),
    answer: (api, ...errors) => {
      for (const error of errors) kafka.faults.on({ api, times: 1 }, { error })
    },
  }
}

/** The code of what made a transaction fail, and what it says to do. */
export async function failureOf(running: Promise<unknown>) {
  try {
    await running
    return undefined
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error
    const cause = error.cause instanceof KafkaError ? error.cause.code : undefined
    return { code: error.code, cause, recovery: error.recovery }
  }
}

/** Commits one more message, and expects it and those before to be all that is committed. */
export async function commitNext(
  { producer, kafka }: TransactionScene,
  ...before: readonly string[]
): Promise<void> {
  await producer.transaction((tx) => void tx.produce('a', 'next'))
  expect(await committed(kafka, 'a')).toEqual([...before, 'next'].sort())
}

/** The offsets that the group has committed, as JSON. */
export async function offsetsOf({ client }: TransactionScene): Promise<string> {
  return JSON.stringify(await client.admin.listGroupOffsets([GROUP.groupId]))
}
