/**
 * Transactions that a log waits for and that no coordinator will end (KIP-664). They block
 * `read_committed` consumers and compaction. As in Kafka's own tool, an open transaction is hanging
 * if it has been open for longer than any transaction may be, and the coordinator of its producer
 * does not know that it is open.
 */
import type { Deadline } from '../async/deadline.ts'
import { CALL_OPTIONS, type CallOptions } from '../call-options.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { BrokerFailure } from '../cluster/fan-out.ts'
import type { TopicPartition } from '../consumer/topic-partition.ts'
import type { OptionTable } from '../option-table.ts'
import { anArrayOf, anInteger, aString } from '../options.ts'
import { begin, type AdminContext } from './context.ts'
import { checkDistinct } from './items.ts'
import { describeTopicsByName } from './describe-topics.ts'
import { listAllTopics } from './list-topics.ts'
import type { PartitionResult } from './partitions.ts'
import { producersOf, type OpenTransaction } from './producers.ts'
import {
  describeTransactionsById,
  transactionsOf,
  type TransactionDescription,
} from './transactions.ts'

/** The options of `findHangingTransactions`. */
export interface FindHangingTransactionsOptions extends CallOptions {
  /** Only in these topics. Default: all, including internal ones. */
  readonly topics?: readonly string[]
  /** Only in partitions that this broker leads, by node id. Default: any. */
  readonly broker?: number
  /**
   * The time that a transaction may be open: the brokers' `transaction.max.timeout.ms` (15 minutes
   * unless it is set) and some time for the abort. Default: 1,200,000.
   */
  readonly maxTransactionTimeoutMs?: number
}

/** The checks and defaults of `FindHangingTransactionsOptions`. */
export const FIND_HANGING_TRANSACTIONS_OPTIONS = {
  ...CALL_OPTIONS,
  topics: { check: anArrayOf(aString), defaultText: 'all, including internal ones' },
  broker: { check: anInteger(0), defaultText: 'any' },
  maxTransactionTimeoutMs: { check: anInteger(1), default: 20 * 60_000 },
} as const satisfies OptionTable<FindHangingTransactionsOptions>

/** An open transaction in a partition that the transaction's coordinator does not know. */
export interface HangingTransaction extends OpenTransaction {
  /** The time of its last batch, in milliseconds since 1970. */
  readonly lastTimestamp: number
  /**
   * The first offset of the transaction in the partition; `read_committed` consumers stop there.
   */
  readonly startOffset: number
  /** Undefined if no coordinator knows the producer. */
  readonly transactionalId?: string
}

/** The result of `findHangingTransactions`. */
export interface HangingTransactions {
  /** Sorted by topic and partition; each can be passed to `abortTransaction`. */
  readonly transactions: readonly HangingTransaction[]
  /**
   * Transactions that have been open for too long while a coordinator did not respond: it may still
   * end them. Do not abort these.
   */
  readonly undecided: readonly HangingTransaction[]
  /** Partitions that could not be described. */
  readonly failed: readonly PartitionResult[]
  /** Brokers that did not list the transactions that they coordinate. */
  readonly incomplete: readonly BrokerFailure[]
}

/**
 * How many partitions are described in one round. The results of a round are discarded before the
 * next.
 */
const PARTITIONS_AT_ONCE = 2_000

export function hangingTransactionOperations(context: AdminContext) {
  const { cluster } = context
  return {
    /** Finds transactions that no producer will end (Kafka 3.0 or newer). `abortTransaction` ends them. */
    async findHangingTransactions(
      options: FindHangingTransactionsOptions = {},
    ): Promise<HangingTransactions> {
      const operation = 'findHangingTransactions'
      const settings = begin(context, operation, options, FIND_HANGING_TRANSACTIONS_OPTIONS)
      const { deadline, topics, broker, maxTransactionTimeoutMs } = settings
      if (topics !== undefined) checkDistinct(operation, 'topic', topics)
      const before = Date.now() - maxTransactionTimeoutMs
      return find(cluster, topics, broker, before, deadline)
    },
  }
}

async function find(
  cluster: Cluster,
  topics: readonly string[] | undefined,
  broker: number | undefined,
  before: number,
  deadline: Deadline,
): Promise<HangingTransactions> {
  const { partitions, failed } = await partitionsToAsk(cluster, topics, broker, deadline)
  const candidates: HangingTransaction[] = []
  for (let at = 0; at < partitions.length; at += PARTITIONS_AT_ONCE) {
    const part = partitions.slice(at, at + PARTITIONS_AT_ONCE)
    for (const { topic, partition, producers = [], error } of await producersOf(
      cluster,
      part,
      deadline,
    )) {
      if (error !== undefined) failed.push({ topic, partition, error })
      for (const { currentTransactionStartOffset: startOffset, ...producer } of producers) {
        if (startOffset === undefined || producer.lastTimestamp > before) continue
        const { producerId, producerEpoch, coordinatorEpoch, lastTimestamp } = producer
        const epoch = coordinatorEpoch === undefined ? {} : { coordinatorEpoch }
        candidates.push({
          ...{ topic, partition, producerId, producerEpoch },
          ...epoch,
          ...{ lastTimestamp, startOffset },
        })
      }
    }
  }
  const [first] = failed
  const isUnsupported = failed.every(({ error }) => error?.code === 'UNSUPPORTED_VERSION')
  if (first?.error !== undefined && isUnsupported && failed.length === partitions.length) {
    throw first.error
  }
  if (candidates.length === 0) return { transactions: [], undecided: [], failed, incomplete: [] }
  return { ...(await judge(cluster, candidates, deadline)), failed }
}

async function judge(
  cluster: Cluster,
  candidates: readonly HangingTransaction[],
  deadline: Deadline,
): Promise<Omit<HangingTransactions, 'failed'>> {
  const producerIds = [...new Set(candidates.map(({ producerId }) => producerId))]
  const { transactions: listed, incomplete } = await transactionsOf(cluster, deadline, {
    producerIds,
  })
  const idOf = new Map(
    listed.map(({ producerId, transactionalId }) => [producerId, transactionalId]),
  )
  const described = new Map(
    (await describeTransactionsById(cluster, [...new Set(idOf.values())], deadline)).map((one) => [
      one.transactionalId,
      one,
    ]),
  )
  const transactions: HangingTransaction[] = []
  const undecided: HangingTransaction[] = []
  for (const candidate of candidates) {
    const transactionalId = idOf.get(candidate.producerId)
    if (transactionalId === undefined) {
      // A coordinator that did not respond may know the producer.
      if (incomplete.length > 0) undecided.push(candidate)
      else transactions.push(candidate)
      continue
    }
    const known = described.get(transactionalId)!
    const named = { ...candidate, transactionalId }
    if (known.error !== undefined && known.error.code !== 'TRANSACTIONAL_ID_NOT_FOUND') {
      undecided.push(named)
    } else if (!isOpenAt(known, candidate)) transactions.push(named)
  }
  return { transactions, undecided, incomplete }
}

/** Whether the coordinator will end the transaction in this partition. */
function isOpenAt(
  { partitions, producerId }: TransactionDescription,
  candidate: HangingTransaction,
) {
  return (
    producerId === candidate.producerId &&
    partitions.some(
      ({ topic, partition }) => topic === candidate.topic && partition === candidate.partition,
    )
  )
}

async function partitionsToAsk(
  cluster: Cluster,
  topics: readonly string[] | undefined,
  broker: number | undefined,
  deadline: Deadline,
): Promise<{ readonly partitions: readonly TopicPartition[]; readonly failed: PartitionResult[] }> {
  const described = await (topics === undefined
    ? listAllTopics(cluster, deadline, true)
    : describeTopicsByName(cluster, topics, deadline))
  for (const { error } of described) if (error !== undefined) throw error
  const failed: PartitionResult[] = []
  const partitions: TopicPartition[] = []
  for (const { topic, partitions: ofTopic } of described) {
    for (const { partition, leader, error } of ofTopic) {
      if (broker !== undefined && leader !== broker) continue
      if (leader === undefined && error !== undefined) failed.push({ topic, partition, error })
      else partitions.push({ topic, partition })
    }
  }
  return { partitions, failed }
}
