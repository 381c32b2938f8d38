/**
 * The state of transactions at their coordinators (KIP-664), and the fencing of producers (KIP-98).
 */
import {
  describeTransactions,
  type DescribeTransactionsResponse,
} from '../../protocol/apis/describe-transactions.ts'
import { initProducerId } from '../../protocol/apis/init-producer-id.ts'
import { listTransactions } from '../../protocol/apis/list-transactions.ts'
import type { Deadline } from '../async/deadline.ts'
import { CALL_OPTIONS, type CallOptions } from '../call-options.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { BrokerFailure } from '../cluster/fan-out.ts'
import { partitionsOf, type TopicPartition } from '../consumer/topic-partition.ts'
import {
  BrokerError,
  InvalidArgumentError,
  UnsupportedVersionError,
  requiresKafka,
} from '../errors.ts'
import type { OptionTable } from '../option-table.ts'
import { anArrayOf, anInteger, aString } from '../options.ts'
import {
  CHANGE_OPTIONS,
  begin,
  brokerTimeoutMs,
  type AdminContext,
  type ChangeOptions,
} from './context.ts'
import {
  checkDistinct,
  compareText,
  exactNumber,
  itemError,
  outcomeFrom,
  settled,
  type Item,
} from './items.ts'
import { throwIfRequestRejected } from './incomplete.ts'
import { inOrder } from './partitions.ts'

/** The options of `listTransactions`. */
export interface ListTransactionsOptions extends CallOptions {
  /** Only transactions in these states, such as `Ongoing` or `CompleteAbort`. Default: all. */
  readonly states?: readonly string[]
  /** Only transactions of these producers, by producer id. Default: all. */
  readonly producerIds?: readonly number[]
  /**
   * Only transactions that have been open for longer, in milliseconds (Kafka 3.8 or newer).
   * Default: all.
   */
  readonly minDurationMs?: number
  /** A regular expression that the whole transactional id has to match (Kafka 4.1 or newer). Default: any. */
  readonly transactionalIdPattern?: string
}

/** The checks and defaults of `ListTransactionsOptions`. */
export const LIST_TRANSACTIONS_OPTIONS = {
  ...CALL_OPTIONS,
  states: { check: anArrayOf(aString), defaultText: 'all' },
  producerIds: { check: anArrayOf(anInteger(0)), defaultText: 'all' },
  minDurationMs: { check: anInteger(0), defaultText: 'all' },
  transactionalIdPattern: { check: aString, defaultText: 'any' },
} as const satisfies OptionTable<ListTransactionsOptions>

/** A transactional id as `listTransactions` returns it. */
export interface ListedTransaction {
  /** The transactional id of the producer. */
  readonly transactionalId: string
  /** The id that the coordinator gave the producer. */
  readonly producerId: number
  /** As Kafka names it: `Empty`, `Ongoing`, `PrepareCommit`, `CompleteCommit`, … */
  readonly state: string
  /** The node id of the broker that coordinates it. */
  readonly coordinator: number
}

/** The result of `listTransactions`. */
export interface TransactionList {
  /** Sorted by transactional id. */
  readonly transactions: readonly ListedTransaction[]
  /** Brokers that did not respond; the transactions that they coordinate are missing. */
  readonly incomplete: readonly BrokerFailure[]
}

/** The result of `describeTransactions` for one transactional id. */
export interface TransactionDescription extends Item {
  /** The transactional id of the producer. */
  readonly transactionalId: string
  /**
   * The state of the transaction, such as `Ongoing` or `Empty`; undefined if it could not be
   * described.
   */
  readonly state?: string
  /** The id that the coordinator gave the producer. */
  readonly producerId?: number
  /** The epoch of the producer; brokers fence older epochs. */
  readonly producerEpoch?: number
  /** The time after which the coordinator aborts the transaction. */
  readonly transactionTimeoutMs?: number
  /** Milliseconds since 1970; undefined if no transaction is open. */
  readonly startTimestamp?: number
  /** The partitions that the open transaction writes to, by topic and partition. */
  readonly partitions: readonly TopicPartition[]
}

/** The result of `fenceProducers` for one transactional id. */
export interface FencedProducer extends Item {
  /** The transactional id of the producer. */
  readonly transactionalId: string
  /** The current producer id: producers with an earlier epoch cannot write any more. */
  readonly producerId?: number
  /** The new epoch; brokers reject producers with an older one. */
  readonly producerEpoch?: number
}

const WITH_DURATION = 1
const WITH_PATTERN = 2

export function transactionOperations(context: AdminContext) {
  const { cluster } = context
  return {
    /** Returns the transactional ids that the coordinators know (Kafka 3.0 or newer). */
    async listTransactions(options: ListTransactionsOptions = {}): Promise<TransactionList> {
      const operation = 'listTransactions'
      const { deadline, ...filters } = begin(context, operation, options, LIST_TRANSACTIONS_OPTIONS)
      return transactionsOf(cluster, deadline, filters)
    },

    /**
     * Returns transactional ids with their producers and open transactions, in the given order
     * (Kafka 3.0 or newer). An unknown id has an `error` with TRANSACTIONAL_ID_NOT_FOUND.
     */
    async describeTransactions(
      transactionalIds: readonly string[],
      options: CallOptions = {},
    ): Promise<readonly TransactionDescription[]> {
      const { deadline } = begin(context, 'describeTransactions', options, CALL_OPTIONS)
      checkDistinct('describeTransactions', 'transactional id', transactionalIds)
      return describeTransactionsById(cluster, transactionalIds, deadline)
    },

    /**
     * Fences the producers of transactional ids and aborts their open transactions, as a new
     * producer with the same id does (Kafka 0.11 or newer). Results are in the given order. Throws
     * ItemsFailedError.
     */
    async fenceProducers(
      transactionalIds: readonly string[],
      options: ChangeOptions = {},
    ): Promise<readonly FencedProducer[]> {
      const operation = 'fenceProducers'
      const { deadline, settle } = begin(context, operation, options, CHANGE_OPTIONS)
      checkDistinct(operation, 'transactional id', transactionalIds)
      const results = await fence(cluster, transactionalIds, deadline)
      return settled(operation, results, settle)
    },

    /**
     * Aborts the open transaction of a transactional id, also a prepared one of a two-phase commit
     * (KIP-939), and fences its producer.
     */
    async forceTerminateTransaction(
      transactionalId: string,
      options: CallOptions = {},
    ): Promise<void> {
      const operation = 'forceTerminateTransaction'
      const { deadline } = begin(context, operation, options, CALL_OPTIONS)
      checkDistinct(operation, 'transactional id', [transactionalId])
      const [fenced] = await fence(cluster, [transactionalId], deadline)
      if (fenced!.error !== undefined) throw fenced!.error
    },
  }
}

export async function transactionsOf(
  cluster: Cluster,
  deadline: Deadline,
  options: Omit<ListTransactionsOptions, keyof CallOptions>,
): Promise<TransactionList> {
  const { states, producerIds, minDurationMs, transactionalIdPattern } = options
  const what = 'listing the transactions'
  const { answers, incomplete } = await cluster.fanOut.everyBroker({
    what,
    deadline,
    ask: async (recipient) => {
      const response = await recipient.request(listTransactions, (version) => {
        if (minDurationMs !== undefined && version < WITH_DURATION) {
          throw tooOld('minDurationMs', '3.8')
        }
        if (transactionalIdPattern !== undefined && version < WITH_PATTERN) {
          throw tooOld('transactionalIdPattern', '4.1')
        }
        return {
          stateFilters: states ?? [],
          producerIdFilters: (producerIds ?? []).map(BigInt),
          ...(version < WITH_DURATION ? {} : { durationFilter: BigInt(minDurationMs ?? -1) }),
          ...(transactionalIdPattern === undefined ? {} : { transactionalIdPattern }),
        }
      })
      if (response.errorCode !== 0) {
        throw new BrokerError(response.errorCode, what, { broker: recipient.name })
      }
      const [unknown] = response.unknownStateFilters
      if (unknown !== undefined) {
        throw new InvalidArgumentError(`${what}: the brokers do not know the state '${unknown}'`)
      }
      return response.transactionStates.map(
        ({ transactionalId, producerId, transactionState }) => ({
          transactionalId,
          producerId: exactNumber(producerId, `the producer id of '${transactionalId}'`),
          state: transactionState,
        }),
      )
    },
  })
  throwIfRequestRejected(incomplete)
  // While a coordinator moves, two brokers may list the same id: the later response counts.
  const byId = new Map<string, ListedTransaction>()
  for (const { broker, result } of answers) {
    for (const found of result) byId.set(found.transactionalId, { ...found, coordinator: broker })
  }
  const transactions = [...byId.values()].sort((a, b) =>
    compareText(a.transactionalId, b.transactionalId),
  )
  return { transactions, incomplete }
}

export async function describeTransactionsById(
  cluster: Cluster,
  transactionalIds: readonly string[],
  deadline: Deadline,
): Promise<readonly TransactionDescription[]> {
  const outcomes = await cluster.fanOut.run<
    string,
    Omit<TransactionDescription, 'transactionalId'>
  >({
    items: transactionalIds,
    to: (key) => ({ coordinator: 'transaction', key }),
    what: 'describing transactions',
    deadline,
    ask: async (ids, recipient) => {
      const response = await recipient.request(describeTransactions, { transactionalIds: [...ids] })
      return response.transactionStates.map((found) => {
        const { transactionalId, errorCode } = found
        const what = `describing transactional id '${transactionalId}'`
        const error = itemError(errorCode, what, recipient.name)
        return outcomeFrom(transactionalId, error, () => description(found))
      })
    },
  })
  return outcomes.map(({ item: transactionalId, result, error }) =>
    error === undefined
      ? { transactionalId, ...result }
      : { transactionalId, partitions: [], error },
  )
}

function description(found: DescribeTransactionsResponse['transactionStates'][number]) {
  const { transactionalId, transactionStartTimeMs: start } = found
  const exact = (value: bigint, what: string) =>
    exactNumber(value, `the ${what} of '${transactionalId}'`)
  return {
    state: found.transactionState,
    producerId: exact(found.producerId, 'producer id'),
    producerEpoch: found.producerEpoch,
    transactionTimeoutMs: found.transactionTimeoutMs,
    ...(start < 0n ? {} : { startTimestamp: exact(start, 'start') }),
    partitions: inOrder(partitionsOf(found.topics)),
  }
}

async function fence(
  cluster: Cluster,
  transactionalIds: readonly string[],
  deadline: Deadline,
): Promise<readonly FencedProducer[]> {
  const outcomes = await cluster.fanOut.run<string, Omit<FencedProducer, 'transactionalId'>>({
    items: transactionalIds,
    to: (key) => ({ coordinator: 'transaction', key }),
    what: 'fencing producers',
    deadline,
    // Each request contains one id.
    maxItems: 1,
    ask: async ([item], recipient) => {
      const transactionalId = item!
      const { errorCode, producerId, producerEpoch } = await recipient.request(initProducerId, {
        transactionalId,
        // The coordinator also uses it as the time limit for the replication of its log: with a
        // short one the request fails with COORDINATOR_NOT_AVAILABLE if that log has more than one
        // replica.
        transactionTimeoutMs: brokerTimeoutMs(cluster, deadline),
      })
      const what = `fencing the producer of '${transactionalId}'`
      return [
        outcomeFrom(transactionalId, itemError(errorCode, what, recipient.name), () => ({
          producerId: exactNumber(producerId, `the producer id of '${transactionalId}'`),
          producerEpoch,
        })),
      ]
    },
  })
  return outcomes.map(({ item: transactionalId, result, error }) =>
    error === undefined ? { transactionalId, ...result } : { transactionalId, error },
  )
}

function tooOld(filter: string, release: string): UnsupportedVersionError {
  return requiresKafka(`listing the transactions: the filter '${filter}'`, release)
}
